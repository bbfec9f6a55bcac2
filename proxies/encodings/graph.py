"""Cells as arrays of graphs with operations on nodes, what a graph network takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...bench.spaces import Cells101, Ids, Size, Space, Topology
from ...bench.spaces.cells101_code import EDGE_SLOTS, INTERIOR, MAX_VERTICES, SOURCES, TARGETS
from ...bench.spaces.cells101_hash import OPERATIONS as LABELS
from ...bench.spaces.size import WIDTHS
from ...bench.spaces.topology import EDGES
from ...bench.spaces.topology import OPERATIONS as TOPOLOGY_OPERATIONS
from .adjacency import levels

INPUT, OUTPUT = 0, 1  # labels of the first and the last node; operations follow


class Graphs(NamedTuple):
    """Graphs of V nodes each; node 0 is the input, the last one the output, edges run from lower to higher numbers."""

    nodes: npt.NDArray[np.int8]  # (n, V): 0 input, 1 output, 2 + number of the operation; -1 where there is no node
    adjacency: npt.NDArray[np.int8]  # (n, V, V): 1 where an edge runs from the first to the second
    labels: tuple[str, ...]  # what the numbers of nodes mean

    @property
    def one_hot(self) -> npt.NDArray[np.float32]:
        """Features of nodes, (n, V, labels); all zero where there is no node."""
        return (self.nodes[:, :, None] == np.arange(len(self.labels))).astype(np.float32)


def graphs(space: Space, ids: Ids, *, keep_none: bool = False) -> Graphs:
    """Node labels and adjacency of every architecture.

    cells101: 7 nodes, the output always last, nodes in between missing where the cell is smaller. topology: 8 nodes,
    an operation is a node between input and output (the line graph): operation i->j feeds every operation j->k, the
    input feeds what leaves node 0, the output takes what enters node 3. Others: a chain of their choices.

    Args:
        keep_none: on topology let ``none`` be a node with its edges, as arch2vec and CATE have it, instead of no node.
    """
    rows = space.operations(ids)
    if isinstance(space, Cells101):
        return _cells(rows)
    if isinstance(space, Topology):
        return _line(rows, keep_none)
    n, slots = rows.shape
    counts = levels(space)
    first = np.zeros(slots, dtype=np.int64) if isinstance(space, Size) else np.cumsum(counts) - counts
    nodes = np.where(rows >= 0, rows + 2 + first, -1)
    names = (
        WIDTHS
        if isinstance(space, Size)
        else [f"{slot}:{each}" for slot in range(slots) for each in range(counts[slot])]
    )
    chain = np.repeat(np.eye(slots + 2, k=1, dtype=np.int8)[None], n, axis=0)
    return Graphs(_with_ends(nodes), chain, ("input", "output", *names))


def _cells(rows: npt.NDArray[np.int8]) -> Graphs:
    adjacency = np.zeros((len(rows), MAX_VERTICES, MAX_VERTICES), dtype=np.int8)
    adjacency[:, SOURCES, TARGETS] = rows[:, :EDGE_SLOTS] == 1
    operations = rows[:, EDGE_SLOTS : EDGE_SLOTS + INTERIOR]
    return Graphs(_with_ends(np.where(operations >= 0, operations + 2, -1)), adjacency, ("input", "output", *LABELS))


def line_adjacency() -> npt.NDArray[np.int8]:
    """What feeds what in a cell of NAS-Bench-201 whose operations are nodes: input, six operations, output; (8, 8)."""
    size = len(EDGES) + 2
    every = np.zeros((size, size), dtype=np.int8)
    for one, (source, target) in enumerate(EDGES, start=1):
        every[0, one] = source == 0
        every[one, -1] = target == 3
        for two, (other, _) in enumerate(EDGES, start=1):
            every[one, two] = target == other
    return every


def _line(rows: npt.NDArray[np.int8], keep_none: bool) -> Graphs:
    every = line_adjacency()
    nodes = _with_ends(np.where((rows == 0) & (not keep_none), -1, rows + 2))
    there = (nodes >= 0).astype(np.int8)
    return Graphs(nodes, every * there[:, :, None] * there[:, None, :], ("input", "output", *TOPOLOGY_OPERATIONS))


def _with_ends(inside: npt.NDArray[np.integer]) -> npt.NDArray[np.int8]:
    ends = np.zeros((len(inside), 1), dtype=np.int8)
    return np.concatenate([ends + INPUT, inside.astype(np.int8), ends + OUTPUT], axis=1)
