"""A cell as a directed acyclic graph, the same shape for every space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import BadArchitecture


@dataclass(frozen=True)
class Graph:
    """A directed acyclic graph with labelled nodes and labelled edges.

    ``nodes[i]`` is the label of node i; ``edges`` holds (source, target, label) with source < target. Spaces that
    put operations on nodes (NAS-Bench-101) leave the edge labels empty, spaces that put them on edges
    (NAS-Bench-201) label their nodes by role.
    """

    nodes: tuple[str, ...]
    edges: tuple[tuple[int, int, str], ...]

    def __post_init__(self) -> None:
        for source, target, _ in self.edges:
            if not 0 <= source < target < len(self.nodes):
                raise BadArchitecture(
                    f"edge {source}->{target} in a graph of {len(self.nodes)} nodes; "
                    "an edge runs from a lower to a higher node number"
                )
        if len({(source, target) for source, target, _ in self.edges}) < len(self.edges):
            raise BadArchitecture(f"two edges join the same two nodes: {self.edges}; each pair may be joined once")

    @property
    def adjacency(self) -> npt.NDArray[np.bool_]:
        """Upper triangular matrix, (nodes, nodes): entry [i, j] is true where an edge i->j exists."""
        matrix = np.zeros((len(self.nodes), len(self.nodes)), dtype=bool)
        for source, target, _ in self.edges:
            matrix[source, target] = True
        return matrix
