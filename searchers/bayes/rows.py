"""The tree-Wasserstein embedding as an encoding: rows whose Manhattan distance is the distance of architectures."""

from __future__ import annotations

import numpy as np

from ...bench.spaces import Ids, Space
from ...proxies.encodings import Rows
from .embedding import embed
from .tree_wasserstein import TreeWasserstein

TOGETHER = 1 << 15  # architectures embedded at a time


def tree_wasserstein(space: Space, ids: Ids, *, grams: int = 1, alpha: float = 0.1) -> Rows:
    """Coordinates of `TreeWasserstein`, operations and both degrees side by side.

    25 numbers on topology, 34 on size, 40 on cells101.

    Args:
        grams, alpha: as in `TreeWasserstein`.
    """
    distance = TreeWasserstein(grams, alpha)
    parts = [
        embed(distance, space, ids[first : first + TOGETHER]).values.astype(np.float32)
        for first in range(0, max(1, len(ids)), TOGETHER)
    ]
    return np.concatenate(parts)
