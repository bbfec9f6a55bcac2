"""Pieces of work over the processes of this machine or the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from .errors import BadValue, MissingFile

PATIENCE = 30  # seconds to wait for a cluster

Answer = TypeVar("Answer")


def answers(
    function: Callable[..., Answer], pieces: Sequence[tuple[Any, ...]], *, jobs: int = -1, cluster: str | None = None
) -> Iterator[Answer]:
    """``function(*piece)`` of every piece, in the order in which they are ready.

    Args:
        jobs: processes on this machine; -1: one per core. A single piece is done in this process.
        cluster: address of a Dask scheduler ("tcp://host:8786") whose workers do the pieces instead.

    Raises:
        BadValue: ``jobs`` is 0.
        MissingFile: Dask is not installed, or nobody answers at the address.
    """
    if jobs == 0:
        raise BadValue("jobs=0 given; legal: a number of processes, or -1 for one per core")
    return _on_cluster(function, pieces, cluster) if cluster else _on_cores(function, pieces, jobs)


def _on_cores(function: Callable[..., Answer], pieces: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[Answer]:
    import joblib

    parallel = joblib.Parallel(n_jobs=jobs if len(pieces) > 1 else 1, return_as="generator_unordered")
    yield from parallel(joblib.delayed(function)(*piece) for piece in pieces)


def _on_cluster(function: Callable[..., Answer], pieces: Sequence[tuple[Any, ...]], address: str) -> Iterator[Answer]:
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
    with client, client.as_current():
        futures = [client.submit(function, *piece, pure=False) for piece in pieces]
        for _, finished in distributed.as_completed(futures, with_results=True):
            yield finished
