"""Searchers that think of a whole round at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from ..bench.objective import Evaluation
from ..bench.spaces import Space
from .threads import one_thread
from .unseen import draw_unseen


class Rounds(ABC):
    """``initial`` random distinct architectures, then round after round; nothing is asked twice.

    A round is asked to its end before the next one is thought of, so that the last of a round leave `ask` answering
    less than it is asked for. What was told without being asked is not asked any more.
    """

    def __init__(self, space: Space, rng: np.random.Generator, initial: int) -> None:
        self._space = space
        self._rng = rng
        self._seen: set[int] = set()
        self._value: dict[int, float] = {}  # what `_learn` kept
        self._queue = draw_unseen(space, rng, self._seen, initial)

    @abstractmethod
    def _next_round(self) -> list[int]:
        """Distinct architectures that were not asked before; none where nothing is left."""

    @abstractmethod
    def _learn(self, told: Evaluation) -> None:
        """Keep in ``_value`` what a round is thought of with."""

    def ask(self, n: int = 1) -> Sequence[int]:
        if not self._queue:
            with one_thread():
                self._queue = self._next_round()
        asked, self._queue = self._queue[:n], self._queue[n:]
        self._seen.update(asked)
        return asked

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        for told in evaluations:
            self._seen.add(told.id)
            self._learn(told)
            if told.id in self._queue:
                self._queue.remove(told.id)
