"""Pieces of work over the processes of this machine or the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from .errors import BadValue, NasgaugeError

Answer = TypeVar("Answer")


def in_parallel(
    function: Callable[..., Answer],
    pieces: Sequence[tuple[Any, ...]],
    *,
    jobs: int = 1,
    cluster: str | None = None,
    total: int | None = None,
    progress: bool = False,
    unit: str = "part",
) -> Iterator[Answer]:
    """Answers of ``function(*piece)``, in the order in which they are ready.

    Args:
        jobs: processes; -1: one per core. One process means this one.
        cluster: address of a Dask scheduler ("tcp://host:8786"), whose workers do the work instead; they need nasgauge
            installed, but no folder shared with this machine.
        total: how many pieces the progress bar counts to, where some were done before.

    Raises:
        BadValue: ``jobs=0``, or no scheduler answers at ``cluster``.
        NasgaugeError: ``cluster`` without the package ``distributed``.
    """
    import joblib
    from tqdm import tqdm

    if not jobs:
        raise BadValue("jobs=0 given; give the number of processes, or -1 for one per core")
    bar = tqdm(total=total, initial=(total or len(pieces)) - len(pieces), unit=unit, disable=not progress)
    with bar, _backend(cluster):
        alone = cluster is None and len(pieces) < 2
        parallel = joblib.Parallel(n_jobs=-1 if cluster else 1 if alone else jobs, return_as="generator_unordered")
        for answer in parallel(joblib.delayed(function)(*piece) for piece in pieces):
            bar.update()
            yield answer


def _backend(cluster: str | None) -> AbstractContextManager[Any]:
    if cluster is None:
        return nullcontext()
    try:
        from distributed import Client
    except ImportError as error:
        raise NasgaugeError("a Dask cluster needs the package distributed: pip install nasgauge[cluster]") from error
    import joblib

    try:
        Client(cluster, timeout=20)
    except (OSError, ValueError) as error:
        raise BadValue(
            f"no Dask scheduler answers at {cluster!r} ({error}); start one with `dask scheduler`"
        ) from error
    return joblib.parallel_config("dask")
