"""How many points agree with each point about order, minus how many disagree: the core of Kendall's tau, many at once.

With x and y fixed and a weight c for every point, the net sign of point i is sum_j c_j sgn(x_i - x_j) sgn(y_i - y_j). A
bootstrap asks for it under a thousand sets of weights (how often each point was drawn), and everything but the weights
stays the same; so the order is worked out once and the weights go through matrix products.

Both axes are cut into about sqrt(n) blocks of neighbours that never divide a tie. Pairs in different blocks of both
axes get their sign from the blocks: a histogram over the grid of blocks, multiplied by the matrix of signs from both
sides. Pairs in one x block, and those in one y block but not in one x block, are few, and their signs stand in small
matrices. All sums are of whole numbers below 2^24 and so exact in single precision.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Singles: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int64]

BLOCK = 128  # points


def dense_ranks(values: npt.ArrayLike) -> Ints:
    """0, 1, 2, ... in the order of ``values`` (n,); equal values share a rank."""
    return np.unique(np.asarray(values, dtype=np.float64), return_inverse=True)[1].astype(np.int64)


def blocks(ranks: Ints, size: int = BLOCK) -> Ints:
    """The block of each point, ascending with its dense rank; a tie larger than ``size`` is a block of its own."""
    counts = np.bincount(ranks)
    starts = np.cumsum(counts) - counts
    large = counts > size
    first = np.diff(starts // size, prepend=-1) != 0
    first |= large | np.r_[False, large[:-1]]
    return (np.cumsum(first) - 1)[ranks]


class NetSigns:
    """The net signs of points with dense ranks ``x`` and ``y``, both (n,), for any weights."""

    def __init__(self, x: Ints, y: Ints) -> None:
        x_block, y_block = blocks(x), blocks(y)
        self._shape = int(x_block.max()) + 1, int(y_block.max()) + 1
        cell = x_block * self._shape[1] + y_block
        self._by_cell = np.argsort(cell, kind="stable")
        ordered = cell[self._by_cell]
        self._starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        self._cells = ordered[self._starts]
        self._place = cell
        self._local: list[tuple[Ints, Singles]] = []
        for block, other, ranks in ((x_block, None, x), (y_block, x_block, y)):
            order = np.argsort(block, kind="stable")
            for points in np.split(order, np.flatnonzero(np.diff(block[order])) + 1):
                if (ranks[points] == ranks[points[0]]).all():
                    continue  # one tie: no signs
                signs = _signs(x[points]) * _signs(y[points])
                if other is not None:
                    signs *= other[points][:, None] != other[points][None, :]
                self._local.append((points, signs))

    def __call__(self, weights: Singles) -> Singles:
        """Net signs (n, m) for ``weights`` (n, m)."""
        m = weights.shape[1]
        rows, columns = self._shape
        grid = np.zeros((rows * columns, m), dtype=np.float32)
        grid[self._cells] = np.add.reduceat(weights[self._by_cell], self._starts, axis=0)
        across = (_signs(np.arange(rows)) @ grid.reshape(rows, columns * m)).reshape(rows, columns, m)
        net: Singles = np.matmul(_signs(np.arange(columns)), across).reshape(rows * columns, m)[self._place]
        for points, signs in self._local:
            net[points] += signs @ weights[points]
        return net


def _signs(ranks: Ints) -> Singles:
    """sgn(r_i - r_j), (n, n)."""
    return np.sign(ranks[:, None] - ranks[None, :]).astype(np.float32)
