"""Path encoding (White et al., AAAI 2021): which paths of operations lead from the input of a cell to its output."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from ..bench.spaces import Cells101, Space, Topology
from ..bench.spaces.cells101_code import EDGE_SLOTS, INTERIOR, MAX_VERTICES
from ..bench.spaces.topology import EDGES
from ..bench.spaces.topology import OPERATIONS as TOPOLOGY_OPERATIONS
from .slots import Slots

#: Positions of the encoding, paths with few operations first, that naszilla keeps: all paths of up to 2 operations on
#: topology (its cut-off 30), of up to 3 on cells101 (40).
KEPT = {"topology": 30, "cells101": 40}


def path_encoding(space: Space, ids: npt.ArrayLike, length: int | None = None) -> npt.NDArray[np.float32]:
    """One row of zeros and ones per architecture, (n, length): position p is 1 where the cell has path p.

    Paths are numbered by their number of operations, then by what the operations spell, the first one fastest. On
    topology ``none`` is an operation like any other, as in naszilla. Spaces whose architectures are no cells have no
    paths; theirs are one-hot choices (the adjacency encoding), of which ``length`` keeps nothing out.

    Args:
        length: how many positions to keep; default: `KEPT`.
    """
    ids = np.asarray(ids)
    if isinstance(space, Topology):
        return _topology(space, ids)[:, : length or KEPT["topology"]]
    if isinstance(space, Cells101):
        return _cells(space, ids)[:, : length or KEPT["cells101"]]
    return one_hot(space, ids)


def one_hot(space: Space, ids: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """One-hot choices of every slot, (n, sum of levels); all zero where a slot does not apply."""
    rows, levels = space.operations(ids), Slots(space).levels
    parts = [rows[:, [slot]] == np.arange(count) for slot, count in enumerate(levels)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _topology(space: Topology, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    rows, base = space.operations(ids).astype(np.int64), len(TOPOLOGY_OPERATIONS)
    encoded = np.zeros((len(rows), base + base**2 + base**3), dtype=np.float32)
    every = np.arange(len(rows))
    for inner in itertools.chain.from_iterable(itertools.combinations((1, 2), size) for size in range(3)):
        nodes = (0, *inner, 3)
        slots = [EDGES.index(edge) for edge in itertools.pairwise(nodes)]
        first = sum(base**size for size in range(1, len(slots)))
        encoded[every, first + rows[:, slots] @ base ** np.arange(len(slots))] = 1
    return encoded


def _cells(space: Cells101, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    rows, base = np.maximum(space.operations(ids), 0).astype(np.int64), 3
    encoded = np.zeros((len(rows), sum(base**size for size in range(INTERIOR + 1))), dtype=np.float32)
    slot_of = {edge: slot for slot, edge in enumerate(itertools.combinations(range(MAX_VERTICES), 2))}
    for size in range(INTERIOR + 1):
        first = sum(base**shorter for shorter in range(size))
        for inner in itertools.combinations(range(1, MAX_VERTICES - 1), size):
            nodes = (0, *inner, MAX_VERTICES - 1)
            there = np.flatnonzero(rows[:, [slot_of[edge] for edge in itertools.pairwise(nodes)]].all(axis=1))
            spelled = rows[np.ix_(there, np.array(inner, dtype=np.int64) + EDGE_SLOTS - 1)] @ base ** np.arange(size)
            encoded[there, first + spelled] = 1
    return encoded
