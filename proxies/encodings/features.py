"""What the learned surrogate sees of a cell, as an encoding: counts of what paths compute, beside presence of words."""

from __future__ import annotations

from ...bench.spaces import Ids, Space
from ...bench.surrogate.encoding import Rows, encode


def features(space: Space, ids: Ids, *, dead: bool = False) -> Rows:
    """`bench.surrogate.encoding.encode`: how often each word occurs, longest and shortest paths, operations used.

    Args:
        dead: on topology also count the operations that no path uses.
    """
    return encode(space, ids, dead=dead)
