"""Adjacency encodings (White et al., NeurIPS 2020, section 3): which edges a cell has and which operations it takes."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadValue
from ...bench.spaces import Cells101, Ids, ProductSpace, Size, Space, Topology
from ...bench.spaces.cells101_code import EDGE_SLOTS, INTERIOR, MAX_EDGES
from ...bench.spaces.cells101_hash import OPERATIONS as LABELS
from ...bench.spaces.size import WIDTHS

Rows = npt.NDArray[np.float32]
PROBED = 20_000  # ids whose operations tell the choices of a space of your own

#: Convolution 3x3, convolution 1x1, pool as naszilla's one number for each; absent vertices count as the first.
SCALARS = np.array([0.5, 0.0, 1.0], dtype=np.float32)


def levels(space: Space) -> npt.NDArray[np.int64]:
    """Number of choices of each slot of `Space.operations`, (slots,); of other spaces by what many ids show."""
    if isinstance(space, ProductSpace):
        return space.sizes
    if isinstance(space, Cells101):
        return np.repeat([2, len(LABELS)], [EDGE_SLOTS, INTERIOR])
    some = np.unique(np.linspace(0, space.size - 1, min(PROBED, space.size)).astype(np.int64))
    return space.operations(some).max(axis=0).astype(np.int64) + 1


def choices(space: Space, ids: npt.ArrayLike) -> Rows:
    """One-hot choices of every slot, (n, sum of levels); all zero where a slot does not apply."""
    rows = space.operations(ids)
    parts = [rows[:, [slot]] == np.arange(count) for slot, count in enumerate(levels(space))]
    return np.concatenate(parts, axis=1).astype(np.float32)


def one_hot(space: Space, ids: Ids, *, operations: Literal["one-hot", "scalar"] = "one-hot") -> Rows:
    """A bit for every edge, and one bit of each operation: 36 numbers on cells101, 30 on topology, 40 on size.

    Spaces without edges have one bit of each choice. On cells101 the 21 edges of 7 vertices come row by row of the
    matrix, then three bits for each of the vertices 1 to 5, all zero where the cell is smaller.

    Args:
        operations: "scalar" writes operations of cells101 as one number (1x1 0, 3x3 0.5, pool 1), naszilla's 26
            numbers; other spaces have no edges beside their operations, so that it means `continuous` there.
    """
    if operations not in ("one-hot", "scalar"):
        raise BadValue(f"operations={operations!r} given; legal: 'one-hot', 'scalar'")
    if operations == "scalar":
        rows = continuous(space, ids)
        return np.delete(rows, EDGE_SLOTS, axis=1) if isinstance(space, Cells101) else rows
    if not isinstance(space, Cells101):
        return choices(space, ids)
    slots = space.operations(ids)
    bits = (slots[:, EDGE_SLOTS:, None] == np.arange(len(LABELS))).reshape(-1, INTERIOR * len(LABELS))
    return np.concatenate([slots[:, :EDGE_SLOTS] == 1, bits], axis=1, dtype=np.float32)


def categorical(space: Space, ids: Ids, *, pad: float = -1) -> Rows:
    """Which edges there are, ascending, then the operations: 9 + 5 numbers on cells101; elsewhere a choice per slot.

    On cells101 an edge is its index (0 to 20) among those of 7 vertices and an operation one number as in `one_hot`.
    On other spaces a slot is the index of its choice, as in nas-encodings: 6 numbers on topology, 5 on size.

    Args:
        pad: fills the places of edges that a cell does not have. Deviation: nas-encodings fills with 0, which is also
            the index of the edge from input to vertex 1.
    """
    rows = space.operations(ids)
    if not isinstance(space, Cells101):
        return rows.astype(np.float32)
    indices = np.where(rows[:, :EDGE_SLOTS] == 1, np.arange(EDGE_SLOTS), EDGE_SLOTS)
    present = np.sort(indices, axis=1)[:, :MAX_EDGES].astype(np.float32)
    return np.concatenate([np.where(present == EDGE_SLOTS, np.float32(pad), present), _scalars(rows)], axis=1)


def continuous(space: Space, ids: Ids) -> Rows:
    """A real number for every edge, how many of the largest are edges, and operations as numbers from 0 to 1.

    Of a given cell the numbers of its edges are 1, of others 0. 27 numbers on cells101 (21, the count, 5), 13 on
    topology (6, the count, 6; ``none`` is no edge, operations in their order), a number per choice elsewhere: widths
    over the largest one on size.

    Deviation: nas-encodings overwrites the operation of vertex 1 by the count; all are kept here.
    """
    rows = space.operations(ids)
    if isinstance(space, Cells101):
        edges, scalars = rows[:, :EDGE_SLOTS] == 1, _scalars(rows)
        return np.concatenate([edges, edges.sum(axis=1, keepdims=True), scalars], axis=1, dtype=np.float32)
    if isinstance(space, Size):
        return (space.widths(ids) / max(map(int, WIDTHS))).astype(np.float32)
    shares = (np.maximum(rows, 0) / np.maximum(levels(space) - 1, 1)).astype(np.float32)
    if not isinstance(space, Topology):
        return shares
    edges = rows != 0
    return np.concatenate([edges, edges.sum(axis=1, keepdims=True), shares], axis=1, dtype=np.float32)


def _scalars(rows: npt.NDArray[np.int8]) -> Rows:
    return SCALARS[np.maximum(rows[:, EDGE_SLOTS:], 0)]
