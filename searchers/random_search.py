"""Random search: the baseline every searcher has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..bench.objective import Evaluation
from ..bench.spaces import Space
from .searcher import Recipe

BLOCK = 256  # ids drawn from the generator at a time


class RandomSearch:
    """Architectures by the space's sampling law, with replacement as in NAS-Bench-201 (section 4 of its paper).

    Args:
        replace: False never asks an architecture twice, and ends when the space is exhausted.
    """

    def __init__(self, space: Space, rng: np.random.Generator, *, replace: bool = True) -> None:
        self._space = space
        self._rng = rng
        self._replace = replace
        self._order = None if replace else rng.permutation(space.size)
        self._next: list[int] = []
        self._drawn = 0

    def ask(self, n: int = 1) -> Sequence[int]:
        while len(self._next) < n and self._refill():
            pass
        taken, self._next = self._next[:n], self._next[n:]
        return taken

    def _refill(self) -> bool:
        if self._order is None:
            block = self._space.sample(BLOCK, self._rng)
        else:
            block = self._order[self._drawn : self._drawn + BLOCK]
        self._drawn += len(block)
        self._next += block.tolist()
        return len(block) > 0

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Nothing is learned."""


PRESETS: dict[str, dict[str, Any]] = {"nb201": {"replace": True}, "distinct": {"replace": False}}


def random(preset: str = "nb201", *, label: str = "", **settings: Any) -> Recipe:
    """Random search; ``preset`` is "nb201" (with replacement) or "distinct" (without), single settings override it."""
    return Recipe.from_preset("random", RandomSearch, PRESETS, preset, label, settings)
