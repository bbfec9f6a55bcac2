"""Random architectures that were not asked before."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import numpy as np

from ..bench.spaces import Space

TRIES = 8  # batches drawn by the space's law before the rest of the space is listed


def draw_unseen(space: Space, rng: np.random.Generator, seen: AbstractSet[int], n: int) -> list[int]:
    """``n`` distinct architectures outside ``seen``, by the space's sampling law; fewer where fewer are left."""
    found: dict[int, None] = {}
    for _ in range(TRIES):
        for arch in space.sample(n, rng).tolist():
            if arch not in seen:
                found[arch] = None
        if len(found) >= n:
            return list(found)[:n]
    rest = np.setdiff1d(np.arange(space.size), [*seen, *found])
    return [*found, *rng.permutation(rest)[: n - len(found)].tolist()]
