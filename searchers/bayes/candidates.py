"""Where the next architecture may come from: mutants of the best, the whole space, or random draws."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import numpy.typing as npt

from ...bench.spaces import Cells101, Ids, Space
from ...bench.spaces.cells101_code import EDGE_SLOTS, INTERIOR, MAX_VERTICES
from ..slots import Rows, Slots, other_choices
from ..unseen import draw_unseen

POOLS = ("mutants", "space", "random")


def mutation_rates(slots: Slots) -> npt.NDArray[np.float64]:
    """How likely the authors' mutation (rate 1) changes each slot: edges 1/7, operations 1 / (their number)."""
    if isinstance(slots.space, Cells101):
        return np.repeat([1 / MAX_VERTICES, 1 / INTERIOR], [EDGE_SLOTS, INTERIOR])
    return np.full(len(slots.levels), 1 / len(slots.levels))


def mutant_pool(
    slots: Slots, parents: Sequence[int], seen: AbstractSet[int], rng: np.random.Generator, *, mutants: int, size: int
) -> Ids:
    """Distinct unseen mutants, ``mutants`` of each parent, the first ``size`` in the order of the parents.

    Every slot changes with the probability of `mutation_rates`, to another choice; illegal rows are drawn again.
    Deviation: the authors tell cells apart by their paths, we by isomorphism on cells101 (topology: the same thing).
    """
    if not parents:
        return np.empty(0, dtype=np.int64)
    rows = np.repeat(slots.rows(list(parents)), mutants, axis=0)
    ids = _children(slots, rows, rng)
    found = dict.fromkeys(arch for arch in ids.tolist() if arch not in seen)
    return np.array(list(found)[:size], dtype=np.int64)


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


def random_pool(space: Space, seen: AbstractSet[int], rng: np.random.Generator, size: int) -> Ids:
    """``size`` distinct unseen draws by the space's law."""
    return np.array(draw_unseen(space, rng, seen, size), dtype=np.int64)


def whole_pool(space: Space, seen: AbstractSet[int]) -> Ids:
    """Everything unseen."""
    unseen = np.ones(space.size, dtype=bool)
    unseen[list(seen)] = False
    return np.flatnonzero(unseen)
