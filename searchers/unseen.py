"""What was not asked before: not itself and, by class, nothing isomorphic to it either."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet

import numpy as np

from ..bench.spaces import Ids, Space

TRIES = 8  # batches drawn by the space's law before the rest of the space is listed


def draw_unseen(
    space: Space, rng: np.random.Generator, seen: AbstractSet[int], n: int, *, by_class: bool = False
) -> list[int]:
    """``n`` distinct architectures outside ``seen``, by the space's sampling law; fewer where fewer are left.

    ``by_class``: as in `fresh`; the first member drawn stands for its class.
    """
    found = np.empty(0, dtype=np.int64)
    for _ in range(TRIES):
        found = fresh(space, np.append(found, space.sample(min(n, space.size), rng)), seen, by_class=by_class)
        if len(found) >= n:
            return found[:n].tolist()
    known = {*seen, *found.tolist()}
    rest = fresh(space, rng.permutation(unseen(space, known)), known, by_class=by_class)
    return [*found.tolist(), *rest[: n - len(found)].tolist()]


def unseen(space: Space, seen: Collection[int]) -> Ids:
    """All architectures outside ``seen``, ascending."""
    left = np.ones(space.size, dtype=bool)
    left[list(seen)] = False
    return np.flatnonzero(left)


def fresh(space: Space, ids: Ids, seen: Collection[int], *, by_class: bool = False) -> Ids:
    """The distinct ones of ``ids`` outside ``seen``, in their order.

    Args:
        by_class: of isomorphic ones (`Space.canonical`) the first only, and none that is isomorphic to one in ``seen``.
    """
    known = np.array(list(seen), dtype=np.int64)
    kinds, known = (space.canonical(ids), space.canonical(known)) if by_class else (ids, known)
    firsts = np.sort(np.unique(kinds, return_index=True)[1])
    return ids[firsts[~np.isin(kinds[firsts], known)]]
