"""Work in pieces over the cores of this machine or over a Dask cluster, with a bar that says when it will end."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..bench.errors import BadValue, MissingFile

PATIENCE = 30  # seconds to wait for a cluster


def in_parallel(
    function: Callable[..., int],
    pieces: Sequence[tuple[Any, ...]],
    *,
    jobs: int = -1,
    cluster: str | None = None,
    done: int = 0,
    total: int = 0,
    progress: bool = False,
) -> None:
    """Call ``function(*piece)`` for every piece, in any order; it answers how many repetitions the piece was.

    Args:
        jobs: processes on this machine; -1: one per core.
        cluster: address of a Dask scheduler ("tcp://host:8786") whose workers do the pieces instead. They must see the
            same files under the same paths.
        done, total: repetitions finished before this call, and in all: the bar counts from one to the other.
        progress: show the bar on standard error.

    Raises:
        BadValue: ``jobs`` is 0.
        MissingFile: Dask is not installed, or nobody answers at the address.
    """
    from tqdm import tqdm

    if jobs == 0:
        raise BadValue("jobs=0 given; legal: a number of processes, or -1 for one per core")
    with tqdm(total=total, initial=done, unit="repetition", disable=not progress) as bar:
        for finished in _on_cluster(function, pieces, cluster) if cluster else _on_cores(function, pieces, jobs):
            bar.update(finished)
            left, rate = bar.total - bar.n, bar.format_dict["rate"]
            if progress and rate:
                end = datetime.datetime.now().astimezone() + datetime.timedelta(seconds=left / rate)
                bar.set_postfix_str(f"ends about {end:%a %H:%M}")


def _on_cores(function: Callable[..., int], pieces: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[int]:
    import joblib

    parallel = joblib.Parallel(n_jobs=jobs if len(pieces) > 1 else 1, return_as="generator_unordered")
    yield from parallel(joblib.delayed(function)(*piece) for piece in pieces)


def _on_cluster(function: Callable[..., int], pieces: Sequence[tuple[Any, ...]], address: str) -> Iterator[int]:
    try:
        import distributed
    except ImportError as error:
        raise MissingFile(f"a cluster needs Dask ({error}): pip install 'nasgauge[cluster]'") from error
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise MissingFile(
            f"no Dask scheduler answers at {address!r} ({error}); start one with `dask scheduler`"
        ) from error
    with client:
        futures = [client.submit(function, *piece, pure=False) for piece in pieces]
        for _, finished in distributed.as_completed(futures, with_results=True):
            yield finished
