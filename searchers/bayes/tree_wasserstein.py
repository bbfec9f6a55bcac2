"""The tree-Wasserstein distance of architectures (Nguyen, Le, Yamada & Osborne, ICML 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadValue
from ...bench.spaces import Cells101, Ids, Size, Space, Topology
from ...bench.spaces.size import WIDTHS
from ..paths import one_hot
from ..slots import Slots
from .embedding import Component
from .operation_graphs import (
    OperationGraphs,
    cell_graphs,
    chain_coordinates,
    chain_grid,
    degree_masses,
    gram_masses,
    line_graphs,
    normalised,
)
from .trees import Floats, Tree, Variant, dyadic_tree, family_tree, star, with_slips

CELLS = {"conv": ("conv3x3", "conv1x1"), "pool": ("maxpool3x3",)}
TOPOLOGY = {"conv": ("conv3x3", "conv1x1"), "pool": ("avgpool3x3",), "skip": ("skip",)}
FIRST_WIDTH = 3  # channels of an image
TOPOLOGY_LAYERS = 5  # input, at most three operations in a row, output


@dataclass(frozen=True)
class TreeWasserstein:
    """d = TW(operations) + TW(in-degrees) + TW(out-degrees), three components that a kernel scales apart.

    Operations: shares of operations (``grams`` 1) or of operations and ordered pairs along edges (2) on the tree of
    the paper: convolutions share a subtree, and whatever is far differs by 1 - ``alpha`` or more. A cell without
    operations has its mass on the root. Degrees: share of the in- (out-) degrees that each layer holds, layer t of n
    at t/n of a chain; a node's layer is the length of the shortest path from the input.

    ===========  ===================================================================================================
    cells101     the cell as it is
    topology     an operation is a node and ``none`` is left out (8 nodes with input and output)
    size         operations are the widths of the five layers and their ordered pairs, on a tree that halves the eight
                 widths three times (`dyadic_tree`); the degree of a layer is counted in channels: what enters it
                 (3 for the first) and what leaves it
    others       every choice of every slot is a leaf right below the root; no degrees
    ===========  ===================================================================================================

    Args:
        variant: "released" sums subtrees as the authors' code does (tw_2g_v2b.py): pairs without pool-pool
            (skip-skip), operations without the last one, and on topology the convolutions without 3x3 but with
            pooling. There both ``grams`` use the same nodes.

    Deviations of "released": its adjacency matrices on NAS-Bench-201 are random and no part of the cell, here they are
    the cell's own (a search has random ones: `DrawnMatrices`); a cell without operations divides by zero there.
    """

    grams: int = 1
    alpha: float = 0.1
    variant: Variant = "paper"

    def __post_init__(self) -> None:
        if self.variant not in get_args(Variant):
            raise BadValue(f"variant={self.variant!r} given; legal: {', '.join(get_args(Variant))}")
        family_tree(CELLS, self.grams, self.alpha)  # raises on grams and alpha

    def tree(self, space: Space) -> Tree:
        """The tree of operations."""
        return _tree(self, space)

    def components(self, space: Space, ids: Ids) -> tuple[Component, ...]:
        if isinstance(space, (Cells101, Topology, Size)):
            return self.of_rows(space, space.operations(ids))
        tree, choices = self.tree(space), one_hot(space, ids).astype(np.float64)
        return (Component("operations", tree.names, tree.weights, normalised(choices)),)

    def of_rows(self, space: Cells101 | Topology | Size, rows: npt.NDArray[np.int8]) -> tuple[Component, ...]:
        """The components of rows of `Space.operations`; cells of NAS-Bench-101 may be unpruned and in any order."""
        if isinstance(space, Size):
            entering, leaving = _channels(rows)
            count = np.full(len(rows), entering.shape[1])
            return self._all(self.tree(space), _width_masses(rows, self.grams), entering, leaving, count)
        if isinstance(space, Cells101):
            return self.of_graphs(space, cell_graphs(rows))
        return self.of_graphs(space, line_graphs(rows), TOPOLOGY_LAYERS)

    def of_graphs(
        self, space: Cells101 | Topology, graphs: OperationGraphs, layers: int | None = None
    ) -> tuple[Component, ...]:
        """The components of graphs with the operations of a space.

        Args:
            layers: how many a graph has at most; default: as many as nodes.
        """
        entering, leaving, count = degree_masses(graphs)
        shares = gram_masses(graphs, 3 if isinstance(space, Cells101) else 4, self.grams)
        return self._all(self.tree(space), shares, entering[:, :layers], leaving[:, :layers], count)

    def _all(self, tree: Tree, shares: Floats, ins: Floats, outs: Floats,
             count: npt.NDArray[np.int64]) -> tuple[Component, ...]:  # fmt: skip
        shares = np.pad(shares, ((0, 0), (0, tree.leaves - shares.shape[1])))  # one tree serves both as released
        widths, _ = chain_grid(ins.shape[1])
        starts = np.concatenate([[0], np.cumsum(widths)[:-1]])
        names = tuple(f"layers up to {start:.3f}" for start in starts)
        return (
            Component("operations", tree.names, tree.weights, tree.masses(shares)),
            Component("in-degrees", names, tuple(widths.tolist()), chain_coordinates(ins, count)),
            Component("out-degrees", names, tuple(widths.tolist()), chain_coordinates(outs, count)),
        )


def _width_masses(rows: npt.NDArray[np.int8], grams: int) -> Floats:
    widths = len(WIDTHS)
    one_hot = (rows[:, :, None] == np.arange(widths)).astype(np.float64)
    counts = one_hot.sum(axis=1)
    if grams == 2:
        pairs = np.einsum("nla,nlb->nab", one_hot[:, :-1], one_hot[:, 1:])
        counts = np.concatenate([counts, pairs.reshape(len(rows), widths**2)], axis=1)
    return normalised(counts)


def _channels(rows: npt.NDArray[np.int8]) -> tuple[Floats, Floats]:
    leaving = 8.0 * (rows.astype(np.float64) + 1)
    entering = np.concatenate([np.full((len(rows), 1), float(FIRST_WIDTH)), leaving[:, :-1]], axis=1)
    return normalised(entering), normalised(leaving)


@lru_cache(maxsize=32)
def _tree(distance: TreeWasserstein, space: Space) -> Tree:
    if isinstance(space, Cells101):
        tree = family_tree(CELLS, distance.grams, distance.alpha)
        slips = {"1-gram": range(2), "2-gram": range(3, 11)}
        return with_slips(tree, slips) if distance.variant == "released" else tree
    if isinstance(space, Topology):
        if distance.variant == "released":
            slips = {"conv": range(1, 3), "1-gram": range(3), "2-gram": range(4, 19)}
            return with_slips(family_tree(TOPOLOGY, 2, distance.alpha), slips)
        return family_tree(TOPOLOGY, distance.grams, distance.alpha)
    if isinstance(space, Size):
        return dyadic_tree(WIDTHS, distance.grams, distance.alpha)
    levels = Slots(space).levels
    return star(f"slot {slot}: {choice}" for slot, count in enumerate(levels) for choice in range(count))
