"""Work in pieces over the cores of this machine or over a Dask cluster, with a bar that says when it will end."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from .counts import check_jobs
from .errors import MissingFile, MissingPackage, NasgaugeError

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
        MissingPackage: Dask is not installed.
        MissingFile: nobody answers at the address.
        NasgaugeError: somebody killed a worker.
    """
    check_jobs(jobs)
    return _on_cluster(function, pieces, cluster) if cluster else _on_cores(function, pieces, jobs)


def counted(
    found: Iterable[Answer],
    *,
    done: int,
    total: int,
    progress: bool,
    unit: str = "part",
    size: Callable[[Answer], int] = lambda answer: 1,
) -> Iterator[Answer]:
    """Everything in ``found``, while a bar on standard error counts it.

    Args:
        done, total: units finished before this call, and in all: the bar counts from one to the other.
        progress: whether to show the bar.
        size: how many units an answer stands for.
    """
    from tqdm import tqdm

    with tqdm(total=total, initial=done, unit=unit, disable=not progress) as bar:
        for answer in found:
            yield answer
            bar.update(size(answer))
            spent, new = bar.format_dict["elapsed"], bar.n - done
            if progress and new:
                left = datetime.timedelta(seconds=spent * (total - bar.n) / new)
                bar.set_postfix_str(f"ends about {datetime.datetime.now().astimezone() + left:%a %H:%M}")


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

    Arguments and errors are those of `answers` and `counted`. The workers of a cluster must see the same files under
    the same paths.
    """
    found = answers(function, pieces, jobs=jobs, cluster=cluster)
    for _ in counted(found, done=done, total=total, progress=progress, unit="repetition", size=int):
        pass


def _on_cores(function: Callable[..., Answer], pieces: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[Answer]:
    import joblib
    from joblib.externals.loky.process_executor import BrokenProcessPool

    parallel = joblib.Parallel(n_jobs=jobs if len(pieces) > 1 else 1, return_as="generator_unordered")
    try:
        yield from parallel(joblib.delayed(function)(*piece) for piece in pieces)
    except BrokenProcessPool as error:
        raise _killed("a worker process", "fewer jobs need less memory") from error


def _on_cluster(function: Callable[..., Answer], pieces: Sequence[tuple[Any, ...]], address: str) -> Iterator[Answer]:
    try:
        import distributed
    except ImportError as error:
        raise MissingPackage(f"a cluster needs Dask ({error}): pip install 'nasgauge[cluster]'") from error
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise MissingFile(
            f"no Dask scheduler answers at {address!r} ({error}); start one with `dask scheduler`"
        ) from error
    with client, client.as_current():
        futures = [client.submit(function, *piece, pure=False) for piece in pieces]
        try:
            for _, finished in distributed.as_completed(futures, with_results=True):
                yield finished
        except distributed.KilledWorker as error:
            raise _killed("a worker of the cluster", "its log says why") from error


def _killed(worker: str, hint: str) -> NasgaugeError:
    return NasgaugeError(
        f"{worker} was killed, perhaps for lack of memory ({hint}); what is finished is kept: start the same command "
        "again to go on"
    )
