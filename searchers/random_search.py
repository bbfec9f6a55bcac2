"""Random search: the baseline every searcher has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..bench.errors import BadValue
from ..bench.objective import Evaluation
from ..bench.spaces import Cells101, Space
from .searcher import Recipe

BLOCK = 256  # ids drawn from the generator at a time


class RandomSearch:
    """Architectures by the space's sampling law, with replacement as in NAS-Bench-201 (section 4 of its paper).

    Args:
        replace: False never asks an architecture twice, and ends when the space is exhausted.
        by_class: with ``replace=False``, never ask two isomorphic architectures (`Space.canonical`): the first member
            drawn stands for its class, so that classes come up as often as they have members.
        law: "space" (`Space.sample`) or "rejection" (`Cells101.sample_rejection`, the law of the NAS-Bench-101
            notebook: uniform matrices, redrawn until legal, far from uniform over cells).
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, replace: bool = True, by_class: bool = False,
        law: str = "space",
    ) -> None:  # fmt: skip
        if law not in ("space", "rejection") or (law == "rejection" and not isinstance(space, Cells101)):
            raise BadValue(f"law={law!r} given for space {space.name!r}; legal: 'space', on cells101 also 'rejection'")
        if not replace and law == "rejection":
            raise BadValue("replace=False draws every architecture once, which is no rejection law; use law='space'")
        if by_class and replace:
            raise BadValue("by_class=True skips isomorphic architectures; it goes with replace=False")
        self._space = space
        self._rng = rng
        self._law = law
        self._order = None if replace else _once(space, rng, by_class)
        self._next: list[int] = []
        self._drawn = 0

    def ask(self, n: int = 1) -> Sequence[int]:
        while len(self._next) < n and self._refill():
            pass
        taken, self._next = self._next[:n], self._next[n:]
        return taken

    def _refill(self) -> bool:
        if self._order is not None:
            block = self._order[self._drawn : self._drawn + BLOCK]
        elif self._law == "rejection" and isinstance(self._space, Cells101):
            block = self._space.sample_rejection(BLOCK, self._rng)
        else:
            block = self._space.sample(BLOCK, self._rng)
        self._drawn += len(block)
        self._next += block.tolist()
        return len(block) > 0

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Nothing is learned."""


def _once(space: Space, rng: np.random.Generator, by_class: bool) -> np.ndarray[Any, np.dtype[np.int64]]:
    order = rng.permutation(space.size)
    if not by_class:
        return order
    firsts = np.unique(space.canonical(order), return_index=True)[1]
    return order[np.sort(firsts)]


PRESETS: dict[str, dict[str, Any]] = {
    "nb201": {"replace": True},
    "distinct": {"replace": False},
    "classes": {"replace": False, "by_class": True},
    "nb101": {"law": "rejection"},
}


def random(preset: str = "nb201", *, label: str = "", **settings: Any) -> Recipe:
    """Random search; single settings override those of ``preset``.

    ============  =============================================================================================
    nb201         uniform with replacement (NAS-Bench-201 and NATS-Bench; AutoDL-Projects)
    distinct      without replacement: the law of White et al. and of most peers that keep a dictionary
    classes       without replacement, one architecture of each isomorphism class
    nb101         uniform matrices redrawn until legal, with replacement (NAS-Bench-101 notebook; nas_benchmarks'
                  run_random_search with its illegal draws, which cost nothing, left out)
    ============  =============================================================================================
    """
    return Recipe.from_preset("random", RandomSearch, PRESETS, preset, label, settings)
