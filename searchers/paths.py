"""What searchers on cells see of an architecture: its paths, or its choices where it has no paths."""

from __future__ import annotations

import numpy.typing as npt

from ..bench.spaces import Space
from ..proxies.encodings import CELLS, Rows, vectors
from ..proxies.encodings.adjacency import choices as one_hot
from ..proxies.encodings.paths import positions


def path_encoding(space: Space, ids: npt.ArrayLike, length: int | None = None) -> Rows:
    """One row of zeros and ones per architecture, (n, length): position p is 1 where the cell has path p.

    Spaces whose architectures are no cells have no paths; theirs are one-hot choices, of which ``length`` keeps
    nothing out.

    Args:
        length: how many positions to keep, at most; default: as `proxies.encodings.paths.truncated`.
    """
    if not isinstance(space, CELLS):
        return one_hot(space, ids)
    return vectors(space, "path-truncated", space.check(ids), length=length and min(length, positions(space)))


__all__ = ["one_hot", "path_encoding"]
