"""Regularized evolution (Real et al., AAAI 2019, Algorithm 1): tournaments, one mutation, the oldest dies."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..bench.errors import BadValue
from ..bench.objective import Evaluation
from ..bench.spaces import Space
from .searcher import Recipe


class RegularizedEvolution:
    """Keeps the last ``population`` evaluations; each child mutates the best of ``tournament`` members.

    Asking for several at once breeds all of them from the population as it stands. An architecture whose value is
    NaN joins the population as its worst member.

    Args:
        population: size of the population; so many random architectures come first.
        tournament: members drawn to compete for parenthood.
        replace: whether one member can be drawn twice in a tournament (NAS-Bench-201: yes; Real et al.: no).
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, population: int = 10, tournament: int = 3, replace: bool = True
    ) -> None:
        if population < 1 or tournament < 1 or (not replace and tournament > population):
            raise BadValue(
                f"population={population}, tournament={tournament}, replace={replace} given; both are at least 1, "
                "and a tournament without replacement fits into the population"
            )
        self._space = space
        self._rng = rng
        self._tournament = tournament
        self._replace = replace
        self._population: deque[tuple[float, int]] = deque(maxlen=population)
        self._founders = space.sample(population, rng).tolist()

    def ask(self, n: int = 1) -> Sequence[int]:
        if self._founders:
            first, self._founders = self._founders[:n], self._founders[n:]
            return first
        if not self._population:
            raise BadValue("evolution was asked again before any founder's result was told")
        return [self._space.mutate_one(self._parent(), self._rng) for _ in range(n)]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        for told in evaluations:
            self._population.append((told.value if told.value == told.value else -np.inf, told.id))

    def _parent(self) -> int:
        members, random = self._population, self._rng.random
        if self._replace:
            size = len(members)
            best = members[int(random() * size)]
            for _ in range(self._tournament - 1):
                rival = members[int(random() * size)]
                if rival[0] > best[0]:
                    best = rival
            return best[1]
        drawn = self._rng.choice(len(members), size=min(self._tournament, len(members)), replace=False)
        return max((members[index] for index in drawn), key=lambda member: member[0])[1]


PRESETS: dict[str, dict[str, Any]] = {
    "nb201": {"population": 10, "tournament": 3, "replace": True},
    "nb101": {"population": 50, "tournament": 10, "replace": False},
}


def evolution(preset: str = "nb201", *, label: str = "", **settings: Any) -> Recipe:
    """Regularized evolution with published settings, single settings override them.

    ``preset`` is "nb201" (population 10, tournament of 3 with replacement; AutoDL-Projects, also used for NATS-Bench)
    or "nb101" (population 50, tournament of 10 without replacement; the nasbench notebook). The mutation is the
    space's own (`Space.mutation_law`).
    """
    return Recipe.from_preset("evolution", RegularizedEvolution, PRESETS, preset, label, settings)
