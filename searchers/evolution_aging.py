"""Regularized evolution (Real et al., AAAI 2019, Algorithm 1): tournaments, one mutation, the oldest dies."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..bench.errors import BadValue
from ..bench.objective import Evaluation
from ..bench.spaces import Space


class RegularizedEvolution:
    """Keeps the last ``population`` evaluations; each child mutates the best of ``tournament`` members.

    Asking for several at once breeds all of them from the population as it stands, asking before any founder's result
    is told gives random architectures. An architecture whose value is NaN joins the population as its worst member.
    A founder that is told without having been asked (a warm start) takes the place of a random one.

    Args:
        population: size of the population.
        tournament: members drawn to compete for parenthood.
        replace: whether one member can be drawn twice in a tournament (NAS-Bench-201: yes; Real et al.: no).
        founders: random architectures that come first; default: a whole population.
        dies: "oldest" regularizes; "worst" is the steady-state contrast that Real et al. argue against.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, population: int = 10, tournament: int = 3,
        replace: bool = True, founders: int | None = None, dies: Literal["oldest", "worst"] = "oldest",
    ) -> None:  # fmt: skip
        if population < 1 or tournament < 1 or (not replace and tournament > population):
            raise BadValue(
                f"population={population}, tournament={tournament}, replace={replace} given; both are at least 1, "
                "and a tournament without replacement fits into the population"
            )
        if founders is not None and founders < 1:
            raise BadValue(f"founders={founders} given; at least 1 random architecture comes first")
        if dies not in ("oldest", "worst"):
            raise BadValue(f"dies={dies!r} given; legal: 'oldest', 'worst'")
        self._space = space
        self._rng = rng
        self._tournament = tournament
        self._replace = replace
        self._size = population
        self._worst_dies = dies == "worst"
        self._population: deque[tuple[float, Any]] = deque(maxlen=None if self._worst_dies else population)
        self._founders = self._first(population if founders is None else founders)
        self._asked_founders: list[int] = []

    def ask(self, n: int = 1) -> Sequence[int]:
        if self._founders:
            first, self._founders = self._founders[:n], self._founders[n:]
            self._asked_founders += first
            return first
        if not self._population:
            return self._first(n)
        return [self._child() for _ in range(n)]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        for told in evaluations:
            if self._founders and told.id not in self._asked_founders:
                self._founders.pop()
            self._join(told.value if told.value == told.value else -np.inf, told.id)

    def _first(self, n: int) -> list[int]:
        """``n`` architectures from nothing."""
        return self._space.sample(n, self._rng).tolist()

    def _child(self) -> int:
        return self._space.mutate_one(self._parent(), self._rng)

    def _join(self, fitness: float, member: Any) -> None:
        self._population.append((fitness, member))
        if self._worst_dies and len(self._population) > self._size:
            worst = min(range(len(self._population)), key=lambda place: self._population[place][0])
            del self._population[worst]

    def _parent(self) -> Any:
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
