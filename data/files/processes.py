"""Work shared out to several processes that end when the one they work for does, however it ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TypeVar

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")
PATIENCE = 0.5  # seconds between two looks at the parent process


def in_order(work: Callable[[Piece], Answer], pieces: Iterable[Piece], jobs: int) -> Iterator[Answer]:
    """``work`` over all pieces, in their order, by ``jobs`` processes (-1: one per core), a few pieces ahead."""
    if jobs == 1:
        yield from map(work, pieces)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="3*n_jobs", batch_size=1, max_nbytes=None)
    yield from parallel(delayed(_work)(work, piece, os.getpid()) for piece in pieces)


def _work(work: Callable[[Piece], Answer], piece: Piece, parent: int) -> Answer:
    if os.getppid() == parent:
        _end_with(parent)
    return work(piece)


@cache
def _end_with(parent: int) -> None:
    """End this process when its parent does: one killed outright leaves helpers that wait for ever to be read."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PATIENCE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
