"""Evolution helped by a training-free proxy: AREA (Mellor et al., ICML 2021), zero-cost warm-up and move proposal
(Abdelfattah et al., ICLR 2021).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..bench.errors import BadValue
from ..bench.spaces import Cells101, Space
from ..bench.spaces.cells101_code import EDGE_SLOTS
from .evolution_aging import RegularizedEvolution
from .scores import Scorer
from .slots import Slots
from .warm_start import best_by_proxy


class AssistedEvolution(RegularizedEvolution):
    """Regularized evolution whose founders, and children where asked for, are chosen by a proxy.

    Args:
        scorer: answers ``scorer(proxy, ids)`` with one score per architecture, higher is better.
        proxy: the proxy's name.
        sampled: random architectures to score; the best of them are the founders. 0 for random founders.
        move_probability: chance that a child is the best by proxy of ``neighbours`` of its parent's neighbours.
        neighbours: how many neighbours a move compares (all, where there are not more).
        mutation: law of the other children. "space": the space's own. "uniform": a neighbour, uniformly
            (zero-cost-nas). "edge" (NASWOT): on cells101 one edge flips, operations stay; elsewhere as "space".
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, scorer: Scorer, proxy: str = "synflow", sampled: int = 3000,
        move_probability: float = 0.0, neighbours: int = 24, mutation: Literal["space", "uniform", "edge"] = "uniform",
        population: int = 64, tournament: int = 10, replace: bool = False,
    ) -> None:  # fmt: skip
        if 0 < sampled < population:
            raise BadValue(f"sampled={sampled} architectures cannot found a population of {population}; sample more")
        if not 0 <= move_probability <= 1 or neighbours < 1:
            raise BadValue(
                f"move_probability={move_probability}, neighbours={neighbours} given; legal: 0 to 1, at least 1"
            )
        if mutation not in ("space", "uniform", "edge"):
            raise BadValue(f"mutation={mutation!r} given; legal: 'space', 'uniform', 'edge'")
        self._scorer = scorer
        self._proxy = proxy
        self._sampled = sampled
        self._move_probability = move_probability
        self._neighbours = neighbours
        self._mutation = mutation
        super().__init__(space, rng, population=population, tournament=tournament, replace=replace)

    def _first(self, n: int) -> list[int]:
        candidates = self._space.sample(self._sampled or n, self._rng)
        return best_by_proxy(self._scorer, self._proxy, candidates, n) if self._sampled else candidates.tolist()

    def _child(self) -> int:
        parent = self._parent()
        if self._move_probability and self._rng.random() < self._move_probability:
            near = self._rng.permutation(self._space.neighbours(parent))[: self._neighbours]
            if len(near):
                return best_by_proxy(self._scorer, self._proxy, near, 1)[0]
        if self._mutation == "uniform" and len(near := self._space.neighbours(parent)):
            return int(near[int(self._rng.random() * len(near))])
        if self._mutation == "edge" and isinstance(self._space, Cells101):
            return self._edge_flipped(parent)
        return self._space.mutate_one(parent, self._rng)

    def _edge_flipped(self, parent: int) -> int:
        """Flip one of the 21 edges of the 7-vertex cell until the result is legal."""
        slots = Slots(self._space)
        row = slots.rows([parent])[0]
        while True:
            child = row.copy()
            child[int(self._rng.random() * EDGE_SLOTS)] ^= 1
            if (arch := slots.id(child)) >= 0:
                return arch
