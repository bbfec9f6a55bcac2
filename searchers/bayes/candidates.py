"""Where the next architecture may come from: mutants of the best, the whole space, or random draws."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import numpy.typing as npt

from ...bench.objective import Evaluation
from ...bench.spaces import Cells101, Ids, Space
from ...bench.spaces.cells101_code import EDGE_SLOTS, INTERIOR, MAX_VERTICES
from ..slots import Rows, Slots, other_choices
from ..unseen import draw_unseen, fresh, unseen
from .embedding import Distance, Points, embed, whole_space

POOLS = ("mutants", "space", "random")
REMEMBERED = 1 << 16  # architectures of a space whose points are all computed at once and shared by searches


class Candidates:
    """What a search chooses from, and how far apart that is: the architectures of a space by their ids.

    `DrawnMatrices` chooses from something else, of which `asked` and `told` make architectures and back.
    """

    def __init__(self, space: Space, distance: Distance) -> None:
        self.space = space
        self.distance = distance
        self._slots = Slots(space)

    def draw(self, n: int, seen: AbstractSet[int], rng: np.random.Generator) -> Ids:
        """``n`` distinct unseen draws by the space's law; fewer where fewer are left."""
        return np.array(draw_unseen(self.space, rng, seen, n), dtype=np.int64)

    def mutants(
        self, parents: Sequence[int], seen: AbstractSet[int], rng: np.random.Generator, *, each: int, size: int
    ) -> Ids:
        """Distinct unseen mutants, ``each`` of every parent, the first ``size`` in the order of the parents.

        Every slot changes with the probability of `mutation_rates`, to another choice; illegal rows are drawn again.
        Deviation: the authors tell cells apart by their paths, we by isomorphism on cells101 and by operations
        elsewhere.
        """
        if not parents:
            return np.empty(0, dtype=np.int64)
        rows = np.repeat(self._slots.rows(list(parents)), each, axis=0)
        return fresh(self.space, _children(self._slots, rows, rng), seen)[:size]

    def unseen(self, seen: AbstractSet[int]) -> Ids:
        """Everything unseen."""
        return unseen(self.space, seen)

    def embed(self, candidates: npt.ArrayLike) -> Points:
        """The points of some of them."""
        if self.space.size <= REMEMBERED:
            return whole_space(self.distance, self.space).take(candidates)
        return embed(self.distance, self.space, candidates)

    def asked(self, candidates: Sequence[int]) -> Sequence[int]:
        """The architectures to evaluate for these."""
        return candidates

    def told(self, outcome: Evaluation) -> Evaluation:
        """What came out, of a candidate instead of an architecture."""
        return outcome


def mutation_rates(slots: Slots) -> npt.NDArray[np.float64]:
    """How likely the authors' mutation (rate 1) changes each slot: edges 1/7, operations 1 / (their number)."""
    if isinstance(slots.space, Cells101):
        return np.repeat([1 / MAX_VERTICES, 1 / INTERIOR], [EDGE_SLOTS, INTERIOR])
    return np.full(len(slots.levels), 1 / len(slots.levels))


def _children(slots: Slots, rows: Rows, rng: np.random.Generator) -> Ids:
    """One legal mutant of each row; rows that stay without one are tried twice as often in the next turn."""
    ids = np.full(len(rows), -1, dtype=np.int64)
    rates, waiting, tries = mutation_rates(slots), np.arange(len(rows)), 1
    while len(waiting):
        parents = np.repeat(rows[waiting], tries, axis=0)
        found = slots.ids(other_choices(parents, rng.random(parents.shape) < rates, slots.levels, rng))
        found = found.reshape(len(waiting), tries)
        ids[waiting] = found[np.arange(len(waiting)), (found >= 0).argmax(axis=1)]
        waiting, tries = waiting[ids[waiting] < 0], min(2 * tries, 64)
    return ids
