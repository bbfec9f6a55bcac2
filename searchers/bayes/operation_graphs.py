"""Cells as graphs with operations on nodes, many at once: what is counted, and how far from the input it lies."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...bench.spaces.cells101_code import EDGE_SLOTS, MAX_VERTICES, SOURCES, TARGETS
from ...proxies.encodings.graph import line_adjacency

Floats = npt.NDArray[np.float64]

#: Operation of NAS-Bench-201 (none, skip, conv 1x1, conv 3x3, pool) -> its place in the tree; none is no node.
TOPOLOGY_PLACES = np.array([-1, 3, 1, 0, 2], dtype=np.int8)


class OperationGraphs(NamedTuple):
    """Graphs of V nodes; node 0 is the input, the last one the output, edges run to higher numbers."""

    adjacency: npt.NDArray[np.int8]  # (n, V, V)
    labels: npt.NDArray[np.int8]  # (n, V): place of the operation in the tree, -1 for what is none


def cell_graphs(rows: npt.NDArray[np.int8]) -> OperationGraphs:
    """Cells of NAS-Bench-101 from rows of 21 edges and 5 operations (n, 26), pruned or not."""
    adjacency = np.zeros((len(rows), MAX_VERTICES, MAX_VERTICES), dtype=np.int8)
    adjacency[:, SOURCES, TARGETS] = rows[:, :EDGE_SLOTS] == 1
    labels = np.full((len(rows), MAX_VERTICES), -1, dtype=np.int8)
    labels[:, 1:-1] = rows[:, EDGE_SLOTS:]
    return OperationGraphs(adjacency, labels)


def line_graphs(rows: npt.NDArray[np.int8]) -> OperationGraphs:
    """Cells of NAS-Bench-201 from rows of six operations (n, 6): an operation is a node, ``none`` is left out.

    Operation i->j feeds every operation j->k; the input feeds what leaves node 0, the output takes what enters node 3.
    """
    every = line_adjacency()
    labels = np.full((len(rows), len(every)), -1, dtype=np.int8)
    labels[:, 1:-1] = TOPOLOGY_PLACES[rows]
    there = np.ones(labels.shape, dtype=np.int8)
    there[:, 1:-1] = labels[:, 1:-1] >= 0
    return OperationGraphs(every * there[:, :, None] * there[:, None, :], labels)


def gram_masses(graphs: OperationGraphs, operations: int, grams: int) -> Floats:
    """Share of every operation, and of every ordered pair along an edge, (n, operations [+ operations^2]).

    Counted are nodes with an edge. The sum of a row is 1, or 0 where nothing is counted (that mass lies on the root).
    """
    adjacency, labels = graphs
    touched = np.asarray(adjacency.any(axis=1) | adjacency.any(axis=2))
    one_hot = (labels[:, :, None] == np.arange(operations)) & touched[:, :, None]
    counts = one_hot.sum(axis=1).astype(np.float64)
    if grams == 2:
        known = one_hot.astype(np.float32)
        pairs = np.matmul(known.transpose(0, 2, 1), np.matmul(adjacency.astype(np.float32), known))
        counts = np.concatenate([counts, pairs.reshape(len(pairs), -1)], axis=1)
    return normalised(counts)


def normalised(counts: Floats) -> Floats:
    """Rows divided by their sums; rows of zeros stay."""
    total = counts.sum(axis=1, keepdims=True)
    return counts / np.where(total > 0, total, 1)


def degree_masses(graphs: OperationGraphs) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Share of in-degrees and of out-degrees in every layer, (n, V) each, and the number of layers (n,).

    The layer of a node is the length of the shortest path from the input; nodes out of reach lie in none. Where a
    graph has no degree at all its layers share equally.
    """
    adjacency = graphs.adjacency
    n, size = adjacency.shape[:2]
    far = size  # more than any path
    layer = np.full((n, size), far, dtype=np.int8)
    layer[:, 0] = 0
    for node in range(1, size):
        sources = np.where(adjacency[:, :node, node] == 1, layer[:, :node], far)
        layer[:, node] = np.minimum(sources.min(axis=1) + 1, far)
    inside = np.arange(size) == layer[:, :, None]  # (n, node, layer)
    count = np.where(layer < far, layer, 0).max(axis=1).astype(np.int64) + 1
    ins, outs = (
        _shares(np.matmul(adjacency.sum(axis=axis, dtype=np.float32)[:, None, :], inside.astype(np.float32)), count)
        for axis in (1, 2)
    )
    return ins, outs, count


def _shares(sums: npt.NDArray[np.float32], count: npt.NDArray[np.int64]) -> Floats:
    sums_by_layer = sums[:, 0, :].astype(np.float64)
    empty = sums_by_layer.sum(axis=1) == 0
    sums_by_layer[empty] = np.arange(sums_by_layer.shape[1]) < count[empty, None]
    return normalised(sums_by_layer)


@cache
def chain_grid(layers: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The common refinement of the grids t/n, t < n, of all n up to ``layers``.

    Returns the width of each interval, (points,), and how many of n layers lie at or left of its start, (layers + 1,
    points); exact, in fractions.
    """
    points = sorted({Fraction(t, n) for n in range(1, layers + 1) for t in range(n)})
    widths = np.array([float(b - a) for a, b in zip(points, [*points[1:], Fraction(1)], strict=True)])
    passed = np.array([[int(point * n) + 1 if n else 0 for point in points] for n in range(layers + 1)])
    return widths, passed


def chain_coordinates(masses: Floats, count: npt.NDArray[np.int64]) -> Floats:
    """Mass at or left of every grid point, (n, points), with layer t of a graph of n layers at t/n.

    Times the widths of the intervals these are the coordinates whose Manhattan distance is the integral of |F - G|.
    """
    _, passed = chain_grid(masses.shape[1])
    cumulated = np.concatenate([np.zeros((len(masses), 1)), np.cumsum(masses, axis=1)], axis=1)
    return np.take_along_axis(cumulated, passed[count], axis=1)
