"""Local search among the nearest neighbours in an encoding, instead of those of the space."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..bench.errors import BadValue
from ..bench.spaces import Space
from .encoded_space import EncodedSpace
from .local_search import LocalSearch
from .searcher import Recipe
from .unseen import unseen


class NearestLocalSearch(LocalSearch):
    """`LocalSearch` that looks at the ``neighbours`` unseen architectures whose encodings are nearest, nearest first.

    White et al. (NeurIPS 2020) change one coordinate of an encoding to find neighbours, which most encodings do not
    allow; the nearest encodings that do belong to an architecture are there for all of them.

    Args:
        encoding: of `proxies.encodings`, one that answers a row of numbers.
        neighbours: how many are looked at around each architecture, at most.
        by_class: ask no two isomorphic architectures (`Space.canonical`). Twins are the nearest neighbours of all
            where an encoding says what a cell computes (CATE, arch2vec), and asking them teaches nothing new.
        starts, whole_neighbourhood, stop_at_minimum: as in `LocalSearch`.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, encoding: str = "adjacency", neighbours: int = 24,
        by_class: bool = True, starts: int = 10, whole_neighbourhood: bool = False, stop_at_minimum: bool = True,
    ) -> None:  # fmt: skip
        if neighbours < 1:
            raise BadValue(f"neighbours={neighbours} given; legal: at least 1")
        super().__init__(space, rng, starts=starts, whole_neighbourhood=whole_neighbourhood,
                         stop_at_minimum=stop_at_minimum, by_class=by_class)  # fmt: skip
        self._encoded = EncodedSpace(space, encoding)
        self._neighbours = neighbours

    def _around(self, arch: int) -> list[int]:
        seen = {*self._seen, arch}
        among = unseen(self._space, seen)
        return self._encoded.nearest(arch, among, self._neighbours, seen=seen, by_class=self._by_class)


PRESETS: dict[str, dict[str, Any]] = {
    "first": {},
    "whole-neighbourhood": {"whole_neighbourhood": True},
    "continue": {"stop_at_minimum": False},
}


def nearest(preset: str = "first", *, label: str = "", **settings: Any) -> Recipe:
    """Local search among nearest encodings (``encoding="path"``); single settings override those of ``preset``.

    ===================  ===========================================================================================
    first                moves to the first better of 24 neighbours, starts again from 10 random architectures
                         where none of them is
    whole-neighbourhood  asks all 24 and moves to the best
    continue             goes on from the best one whose neighbours have not been looked at, instead of starting again
    ===================  ===========================================================================================
    """
    return Recipe.from_preset("nearest", NearestLocalSearch, PRESETS, preset, label, settings)
