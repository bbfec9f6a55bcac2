"""Local search (White et al., UAI 2021): move to a better neighbour until none is left, then start again."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from ..bench.errors import BadValue
from ..bench.objective import Evaluation
from ..bench.spaces import Space
from .searcher import Recipe
from .unseen import draw_unseen, fresh


class LocalSearch:
    """Hill climbing as in naszilla's ``local_search``; no architecture is asked twice.

    It draws ``starts`` random architectures and climbs from the best. A round asks the neighbours of the current one
    that nobody asked yet, in random order. With several trainers a round ends when all its results are in; until then
    `ask` may answer nothing.

    Args:
        starts: random architectures before each climb.
        whole_neighbourhood: ask all neighbours before moving to the best of them; False (the released default) moves
            to the first one that is better.
        stop_at_minimum: start again from random architectures where no neighbour is better; False goes on from the
            best architecture whose neighbours have not been looked at.
        by_class: ask no two isomorphic architectures (`Space.canonical`).

    Deviations: neighbours are those of the space. naszilla tells NAS-Bench-101 cells apart by their paths, we by
    isomorphism, and it also adds edges to vertices that pruning had dropped.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, starts: int = 10, whole_neighbourhood: bool = False,
        stop_at_minimum: bool = True, by_class: bool = False,
    ) -> None:  # fmt: skip
        if starts < 1:
            raise BadValue(f"starts={starts} given; a climb starts from at least 1 random architecture")
        self._space = space
        self._rng = rng
        self._starts = starts
        self._whole = whole_neighbourhood
        self._stop = stop_at_minimum
        self._by_class = by_class
        self._fitness: dict[int, float] = {}  # what is known
        self._seen: set[int] = set()  # what was asked or told
        self._expanded: set[int] = set()
        self._running: set[int] = set()
        self._current: int | None = None  # None while random architectures are asked
        self._round: list[int] = []  # what this round has been told
        self._queue: list[int] = self._draw()

    def ask(self, n: int = 1) -> Sequence[int]:
        while not self._queue and not self._running and self._next_round():
            pass
        asked, self._queue = self._queue[:n], self._queue[n:]
        self._seen.update(asked)
        self._running.update(asked)
        return asked

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        for told in evaluations:
            fitness = told.value if told.value == told.value else -np.inf
            if told.id not in self._seen:
                self._welcome(told.id)
            self._seen.add(told.id)
            self._running.discard(told.id)
            self._fitness[told.id] = max(fitness, self._fitness.get(told.id, -np.inf))
            self._round.append(told.id)
            if self._current is not None and fitness > self._fitness[self._current] and not self._whole:
                self._queue = []

    def _welcome(self, arch: int) -> None:
        """What was told without having been asked takes the place of something not yet asked."""
        left = self._fresh(self._queue, {arch})
        if len(left) == len(self._queue) and self._current is None:
            left = left[:-1]
        self._queue = left

    def _next_round(self) -> bool:
        """Decide where to go and fill the queue; False where nothing is left to ask."""
        self._current = self._next_centre()
        self._round = []
        if self._current is None:
            self._queue = self._draw()
            return bool(self._queue)
        self._expanded.add(self._current)
        self._queue = self._fresh(self._around(self._current), self._seen)
        return True

    def _draw(self) -> list[int]:
        return draw_unseen(self._space, self._rng, self._seen, self._starts, by_class=self._by_class)

    def _fresh(self, archs: list[int], seen: AbstractSet[int]) -> list[int]:
        return fresh(self._space, np.array(archs, dtype=np.int64), seen, by_class=self._by_class).tolist()

    def _around(self, arch: int) -> list[int]:
        """The neighbours of an architecture in the order in which they are looked at."""
        return self._rng.permutation(self._space.neighbours(arch)).tolist()

    def _next_centre(self) -> int | None:
        """The architecture to look around next; None to start again."""
        goes_on = self._current is not None and not self._stop
        among = [arch for arch in self._fitness if arch not in self._expanded] if goes_on else self._round
        best = max(among, key=self._fitness.__getitem__, default=None)
        if best is None or self._current is None or goes_on:
            return best
        return best if self._fitness[best] > self._fitness[self._current] else None


PRESETS: dict[str, dict[str, Any]] = {
    "naszilla": {"starts": 10, "whole_neighbourhood": False, "stop_at_minimum": True},
    "whole-neighbourhood": {"starts": 10, "whole_neighbourhood": True, "stop_at_minimum": True},
    "continue": {"starts": 10, "whole_neighbourhood": False, "stop_at_minimum": False},
    "whole-continue": {"starts": 10, "whole_neighbourhood": True, "stop_at_minimum": False},
}


def local_search(preset: str = "naszilla", *, label: str = "", **settings: Any) -> Recipe:
    """Local search (White, Nolen & Savani, UAI 2021, Algorithm 1) with the settings of naszilla.

    ``preset`` is one of its ``local_search_variants``: "naszilla" (the default there: first better neighbour, restart
    at a local optimum), "whole-neighbourhood", "continue" (no restart), "whole-continue". Single settings override it.
    """
    return Recipe.from_preset("local-search", LocalSearch, PRESETS, preset, label, settings)
