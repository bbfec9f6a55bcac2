"""Searchers that think of a whole round at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from ..bench.objective import Evaluation
from ..bench.spaces import Ids, Space
from .threads import one_thread
from .unseen import draw_unseen, fresh


class Rounds(ABC):
    """``initial`` random distinct architectures, then round after round; nothing is asked twice.

    A round is asked to its end before the next one is thought of, so that the last of a round leave `ask` answering
    less than it is asked for. What was told without being asked is not asked any more. ``by_class``: nor is anything
    isomorphic to what was.
    """

    def __init__(self, space: Space, rng: np.random.Generator, initial: int, *, by_class: bool = False) -> None:
        self._space = space
        self._rng = rng
        self._seen: set[int] = set()
        self._value: dict[int, float] = {}  # what `_learn` kept
        self._by_class = by_class
        self._queue = self._draw(initial)

    @abstractmethod
    def _next_round(self) -> list[int]:
        """Distinct architectures that were not asked before; none where nothing is left."""

    @abstractmethod
    def _learn(self, told: Evaluation) -> None:
        """Keep in ``_value`` what a round is thought of with."""

    def _draw(self, n: int) -> list[int]:
        """Random architectures that may be asked."""
        return draw_unseen(self._space, self._rng, self._seen, n, by_class=self._by_class)

    def _fresh(self, ids: Ids) -> Ids:
        """Those of ``ids`` that may be asked one after the other, in their order."""
        return fresh(self._space, ids, self._seen, by_class=self._by_class)

    def ask(self, n: int = 1) -> Sequence[int]:
        if not self._queue:
            with one_thread():
                self._queue = self._next_round()
        asked, self._queue = self._queue[:n], self._queue[n:]
        self._seen.update(asked)
        return asked

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        foreign = {told.id for told in evaluations} - self._seen
        for told in evaluations:
            self._seen.add(told.id)
            self._learn(told)
        if foreign and self._queue:
            self._queue = self._fresh(np.array(self._queue)).tolist()
