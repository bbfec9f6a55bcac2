"""Other distances of architectures behind the same interface, and the Weisfeiler-Lehman kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadValue, UnknownName
from ...bench.spaces import Cells101, Ids, Size, Space, Topology
from ..paths import one_hot, path_encoding
from .embedding import Component, Distance
from .operation_graphs import OperationGraphs, cell_graphs, line_graphs
from .tree_wasserstein import TreeWasserstein

Floats = npt.NDArray[np.float64]
ALL_PATHS = 10_000  # more positions than any path encoding has


@dataclass(frozen=True)
class Hamming:
    """The share of choices that differ: the adjacency encoding of White et al. (NeurIPS 2020), normalised."""

    def components(self, space: Space, ids: Ids) -> tuple[Component, ...]:
        rows = one_hot(space, ids)
        return (_plain("choices", rows, 0.5 / space.operations(ids[:1]).shape[1]),)


@dataclass(frozen=True)
class Paths:
    """The number of paths that only one of two cells has (naszilla's path distance), as a share of ten."""

    def components(self, space: Space, ids: Ids) -> tuple[Component, ...]:
        return (_plain("paths", path_encoding(space, ids, ALL_PATHS), 0.1),)


@dataclass(frozen=True)
class Nasbot:
    """Sorted in-degrees, sorted out-degrees and operation counts, Manhattan (naszilla's stand-in for NASBOT).

    naszilla divides by the edges of both cells, which is no metric; we divide by the nodes, the same for every cell.
    On spaces without graphs it is `Hamming`.
    """

    def components(self, space: Space, ids: Ids) -> tuple[Component, ...]:
        if not isinstance(space, (Cells101, Topology)):
            return Hamming().components(space, ids)
        graphs = _graphs(space, ids)
        counts = (graphs.labels[:, :, None] == np.arange(4)).sum(axis=1)
        degrees = [np.sort(graphs.adjacency.sum(axis=axis), axis=1) for axis in (1, 2)]
        return (_plain("degrees and counts", np.concatenate([*degrees, counts], axis=1), 1 / graphs.labels.shape[1]),)


@dataclass(frozen=True)
class WeisfeilerLehman:
    """Shares of the neighbourhoods up to ``depth`` steps against the edges (Shervashidze et al., JMLR 2011).

    The features of NAS-BOWL (Ru et al., ICLR 2021): how often each label occurs, relabelled ``depth`` times by what a
    node takes from. Neighbourhoods are hashed into ``buckets``; equal ones always meet, different ones rarely. On
    spaces without graphs architectures are chains of their choices.
    """

    depth: int = 2
    buckets: int = 512

    def __post_init__(self) -> None:
        if self.depth < 0 or self.buckets < 2:
            raise BadValue(f"depth={self.depth}, buckets={self.buckets} given; legal: depth from 0, buckets from 2")

    def components(self, space: Space, ids: Ids) -> tuple[Component, ...]:
        counts = self.features(space, ids)
        return (_plain("neighbourhoods", counts / counts.sum(axis=1, keepdims=True), 1.0),)

    def features(self, space: Space, ids: Ids) -> Floats:
        """Neighbourhood counts, (n, (depth + 1) buckets)."""
        graphs = _graphs(space, ids)
        adjacency = graphs.adjacency.astype(np.uint64)
        labels = graphs.labels.astype(np.int64)
        labels[:, 0], labels[:, -1] = -2, -3
        touched = np.asarray(graphs.adjacency.any(axis=1) | graphs.adjacency.any(axis=2))
        touched[:, [0, -1]] = True
        codes = _scrambled(labels.astype(np.uint64))
        found = []
        for _ in range(self.depth + 1):
            buckets = (codes % np.uint64(self.buckets)).astype(np.int64)
            counts = np.zeros((len(codes), self.buckets))
            np.add.at(counts, (np.arange(len(codes))[:, None], buckets), touched)
            found.append(counts)
            # the multiset of sources as a sum of scrambled codes, wrapping around: order does not matter
            sources = np.einsum("nij,ni->nj", adjacency, _scrambled(codes))
            codes = _scrambled(codes * np.uint64(3) + sources)
        return np.concatenate(found, axis=1)

    def kernel(self, space: Space, a: Ids, b: Ids) -> Floats:
        """The normalised Weisfeiler-Lehman kernel, (len(a), len(b)): cosine of the neighbourhood counts."""
        one, two = (self.features(space, ids) for ids in (a, b))
        norms = np.linalg.norm(one, axis=1)[:, None] * np.linalg.norm(two, axis=1)
        return one @ two.T / norms


DISTANCES: dict[str, Distance] = {
    "tree-wasserstein": TreeWasserstein(),
    "tree-wasserstein-2": TreeWasserstein(2),
    "hamming": Hamming(),
    "paths": Paths(),
    "nasbot": Nasbot(),
    "weisfeiler-lehman": WeisfeilerLehman(),
}


def distance_called(name: str) -> Distance:
    """The distance of that name.

    Raises:
        UnknownName: there is none; the message lists the legal ones.
    """
    if name not in DISTANCES:
        raise UnknownName.of("distance", name, DISTANCES)
    return DISTANCES[name]


def _plain(name: str, values: npt.ArrayLike, weight: float) -> Component:
    masses = np.asarray(values, dtype=np.float64)
    size = masses.shape[1]
    return Component(name, tuple(f"{name} {column}" for column in range(size)), (weight,) * size, masses)


def _graphs(space: Space, ids: Ids) -> OperationGraphs:
    rows = space.operations(ids)
    if isinstance(space, Topology):
        return line_graphs(rows)
    if isinstance(space, Cells101):
        return cell_graphs(rows)
    n, slots = rows.shape
    adjacency = np.broadcast_to(np.eye(slots + 2, k=1, dtype=np.int8), (n, slots + 2, slots + 2))
    # a choice is a label of its own in every slot, unless slots mean the same, as the widths of `Size` do
    offset = np.zeros(slots) if isinstance(space, Size) else 100 * np.arange(slots)
    return OperationGraphs(adjacency, np.pad(rows + offset, ((0, 0), (1, 1)), constant_values=-1).astype(np.int64))


def _scrambled(codes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of splitmix64, elementwise."""
    mixed = codes + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
