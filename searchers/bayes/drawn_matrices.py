"""Cells of NAS-Bench-201 as the authors' code keeps them: with an adjacency matrix that is no part of them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import numpy.typing as npt

from ...bench.objective import Evaluation
from ...bench.spaces import Ids, Topology
from ...proxies.encodings.graph import line_adjacency
from ..slots import Rows, other_choices
from .candidates import Candidates
from .embedding import Points, points_of
from .operation_graphs import TOPOLOGY_PLACES, OperationGraphs
from .tree_wasserstein import TreeWasserstein

NODES = 8  # input, six operations, output
SOURCES, TARGETS = np.triu_indices(NODES, 1)
EDGES = len(SOURCES)
EDGE_BITS = 1 << np.arange(EDGES, dtype=np.int64)
EDGE_RATE = 1 / NODES
SLOTS = NODES - 2
CHOICES = 5

Edges = npt.NDArray[np.int8]  # (n, EDGES), 1 where there is one


def _ways() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The edges that each of the 64 ways from input to output takes (a code), and the worth of each operation on it.

    A way is the set of operations on it; its number in the authors' code is written in base 5, first one lowest.
    """
    bit = np.zeros((NODES, NODES), dtype=np.int64)
    bit[SOURCES, TARGETS] = EDGE_BITS
    edges, worth = np.zeros(1 << SLOTS, dtype=np.int64), np.zeros((SLOTS, 1 << SLOTS), dtype=np.int64)
    for way in range(1 << SLOTS):
        inside = [slot for slot in range(SLOTS) if way >> slot & 1]
        stops = [0, *(slot + 1 for slot in inside), NODES - 1]
        edges[way] = bit[stops[:-1], stops[1:]].sum()
        worth[inside, way] = CHOICES ** np.arange(len(inside))
    return edges, worth


WAYS, WORTH = _ways()


class DrawnMatrices(Candidates):
    """Pairs of six operations and an adjacency matrix of eight nodes, as in the code of Nguyen et al. (ICML 2021).

    The matrix is drawn at random (every edge upwards with probability 1/2) and mutated beside the operations (every
    edge with probability 1/8, every operation with 1/6). Nothing is looked up by it, but degrees and layers are its
    own, an operation without an edge does not count, and two pairs are the same where their paths are: equal operations
    may be asked again with another matrix, and equal matrices never with other operations beside the paths.

    A candidate is a number, that of the matrix times the size of the space plus the architecture. What was told without
    being asked gets the matrix that an architecture has.
    """

    def __init__(self, space: Topology, distance: TreeWasserstein) -> None:
        super().__init__(space, distance)
        self._topology = space
        self._tree_distance = distance
        self._waiting: dict[int, deque[int]] = defaultdict(deque)  # architecture -> its candidates asked and not told
        own = line_adjacency()[SOURCES, TARGETS].astype(np.int64)
        self._own = int(own @ EDGE_BITS)

    def draw(self, n: int, seen: AbstractSet[int], rng: np.random.Generator) -> Ids:
        """``n`` pairs of other paths than all seen, drawn uniformly."""
        found = np.empty(0, dtype=np.int64)
        while len(found) < n:
            edges = rng.integers(0, 2, (n, EDGES), dtype=np.int8)
            rows = rng.integers(0, CHOICES, (n, SLOTS), dtype=np.int8)
            found = np.concatenate([found, self._new(edges, rows, [*seen, *found.tolist()])])
        return found[:n]

    def mutants(
        self, parents: Sequence[int], seen: AbstractSet[int], rng: np.random.Generator, *, each: int, size: int
    ) -> Ids:
        """Mutants of other paths than all seen, ``each`` of every parent, the first ``size`` by parents."""
        edges, rows = self._parts(np.repeat(np.array(parents, dtype=np.int64), each))
        edges = edges ^ (rng.random(edges.shape) < EDGE_RATE)
        rows = other_choices(rows, rng.random(rows.shape) < 1 / SLOTS, np.full(SLOTS, CHOICES), rng)
        return self._new(edges, rows, seen)[:size]

    def embed(self, candidates: npt.ArrayLike) -> Points:
        edges, rows = self._parts(np.asarray(candidates, dtype=np.int64))
        adjacency = np.zeros((len(rows), NODES, NODES), dtype=np.int8)
        adjacency[:, SOURCES, TARGETS] = edges
        labels = np.full((len(rows), NODES), -1, dtype=np.int8)
        labels[:, 1:-1] = TOPOLOGY_PLACES[rows]
        return points_of(self._tree_distance.of_graphs(self._topology, OperationGraphs(adjacency, labels)))

    def asked(self, candidates: Sequence[int]) -> Sequence[int]:
        found = [candidate % self.space.size for candidate in candidates]
        for arch, candidate in zip(found, candidates, strict=True):
            self._waiting[arch].append(candidate)
        return found

    def told(self, outcome: Evaluation) -> Evaluation:
        waiting = self._waiting[outcome.id]
        candidate = waiting.popleft() if waiting else self._own * self.space.size + outcome.id
        return outcome._replace(id=candidate)

    def _parts(self, candidates: npt.NDArray[np.int64]) -> tuple[Edges, Rows]:
        """Matrices and operations."""
        codes, archs = np.divmod(candidates, self.space.size)
        return (codes[:, None] & EDGE_BITS > 0).astype(np.int8), self._topology.operations(archs)

    def _new(self, edges: Edges, rows: Rows, seen: Collection[int]) -> Ids:
        """Those whose paths nothing seen has and none before them."""
        known = set(self._paths(*self._parts(np.fromiter(seen, dtype=np.int64, count=len(seen)))))
        kept = []
        for place, paths in enumerate(self._paths(edges, rows)):
            if paths not in known:
                known.add(paths)
                kept.append(place)
        codes = edges[kept].astype(np.int64) @ EDGE_BITS
        return codes * self.space.size + self._topology.from_operations(rows[kept])

    def _paths(self, edges: Edges, rows: Rows) -> list[bytes]:
        """The numbers of the paths of each, in the authors' order, with those that occur twice."""
        there = (edges.astype(np.int64) @ EDGE_BITS)[:, None] & WAYS == WAYS
        numbers = (rows.astype(np.int64) + 1) @ WORTH
        return [own[on].tobytes() for own, on in zip(numbers, there, strict=True)]
