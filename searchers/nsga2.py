"""NSGA-II (Deb et al., IEEE TEVC 2002): evolution towards high validation accuracy and low cost at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bench.errors import BadValue
from ..bench.objective import Evaluation
from ..bench.spaces import Space
from .searcher import Recipe
from .slots import Slots

Floats = npt.NDArray[np.float64]


def fronts(objectives: Floats) -> npt.NDArray[np.int64]:
    """Number of the non-dominated front of each row of (n, objectives), 0 for the best; larger is better everywhere.

    The result of Deb et al.'s fast non-dominated sort, by peeling off one front after the other.
    """
    no_worse = np.all(objectives[:, None, :] >= objectives[None, :, :], axis=2)
    dominates: npt.NDArray[np.bool_] = no_worse & ~no_worse.T  # row dominates column
    rank = np.full(len(objectives), -1)
    left = np.ones(len(objectives), dtype=bool)
    front = 0
    while left.any():
        first = left & ~dominates[left].any(axis=0)
        rank[first] = front
        left &= ~first
        front += 1
    return rank


def crowding(objectives: Floats) -> Floats:
    """Crowding distance of the members of one front, (n, objectives) -> (n,); infinite at the ends of an objective."""
    distance = np.zeros(len(objectives))
    for column in objectives.T:
        order = np.argsort(column, kind="stable")
        low, high = column[order[0]], column[order[-1]]
        distance[order[[0, -1]]] = np.inf
        if np.isfinite(low) and low < high:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / (high - low)
    return distance


class Nsga2:
    """Elitist evolution by non-dominated fronts and crowding distance, over ``Evaluation.value`` and ``.cost``.

    Parents win a binary tournament by front, then by crowding distance; a child takes each slot from one of two
    parents (uniform crossover, with probability ``crossover``) and is then mutated by the law of the space. When
    ``population`` children are told, parents and children compete for the next generation. Children of a crossover
    that are no architecture (cells101) are drawn again, without crossover after 100 attempts.

    Where the search has one objective only (the cost is NaN), all costs count as equal. NaN values count as worst.

    Deviation: Deb et al. use simulated binary crossover and polynomial mutation on real numbers; choices have neither.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, population: int = 20, crossover: float = 0.9
    ) -> None:  # fmt: skip
        if population < 2 or not 0 <= crossover <= 1:
            raise BadValue(f"population={population}, crossover={crossover} given; legal: at least 2, 0 to 1")
        self._space = space
        self._rng = rng
        self._slots = Slots(space)
        self._size = population
        self._crossover = crossover
        self._queue = space.sample(population, rng).tolist()
        self._parents: list[tuple[int, float, float]] = []  # id, value, -cost
        self._children: list[tuple[int, float, float]] = []
        self._order: list[tuple[int, float]] = []  # front and crowding distance of each parent

    def ask(self, n: int = 1) -> Sequence[int]:
        if self._queue:
            asked, self._queue = self._queue[:n], self._queue[n:]
            return asked
        if not self._parents:
            return self._space.sample(n, self._rng).tolist()
        return [self._child() for _ in range(n)]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        for told in evaluations:
            value = told.value if told.value == told.value else -np.inf
            self._children.append((told.id, value, -told.cost if told.cost == told.cost else 0.0))
        if len(self._children) >= self._size:
            self._select()

    def _select(self) -> None:
        """The best of parents and children become the parents."""
        everybody = self._parents + self._children
        objectives = np.array([member[1:] for member in everybody])
        rank = fronts(objectives)
        distance = np.zeros(len(everybody))
        for front in range(rank.max() + 1):
            members = np.flatnonzero(rank == front)
            distance[members] = crowding(objectives[members])
        kept = np.lexsort((-distance, rank))[: self._size]
        self._parents = [everybody[place] for place in kept]
        self._order = [(-int(rank[place]), float(distance[place])) for place in kept]
        self._children = []

    def _parent(self) -> int:
        one, two = (int(self._rng.random() * len(self._parents)) for _ in range(2))
        return self._parents[one if self._order[one] >= self._order[two] else two][0]

    def _child(self) -> int:
        child = self._parent()
        if self._rng.random() < self._crossover:
            rows = self._slots.rows([child, self._parent()])
            for _ in range(100):
                mixed = np.where(self._rng.random(rows.shape[1]) < 0.5, rows[0], rows[1])
                if (arch := self._slots.id(mixed)) >= 0:
                    child = arch
                    break
        return self._space.mutate_one(child, self._rng)


PRESETS: dict[str, dict[str, Any]] = {"default": {"population": 20, "crossover": 0.9}}


def nsga2(preset: str = "default", *, label: str = "", **settings: Any) -> Recipe:
    """NSGA-II for two objectives, accuracy up and the cost of the search down (population 20, crossover .9)."""
    return Recipe.from_preset("nsga2", Nsga2, PRESETS, preset, label, settings)
