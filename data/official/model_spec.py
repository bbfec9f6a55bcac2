"""``ModelSpec`` of the official ``nasbench``: a cell, pruned, with its module hash; traps included."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...bench.spaces.cells101_hash import graph_hash, refined


class ModelSpec:
    """A cell as adjacency matrix and operation labels, as in the official package.

    ``original_matrix`` and ``original_ops`` are what was given; ``matrix`` and ``ops`` what is left after vertices on
    no path from input to output went, or None with ``valid_spec=False`` where there is no such path.

    >>> spec = ModelSpec([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input", "maxpool3x3", "output"])
    >>> spec.hash_spec(["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"])
    '53cee42601ad14d661bb6878031d6acb'

    Raises:
        ValueError: the matrix is not square, not strictly upper triangular, or of another size than ``ops``.
        TypeError: ``ops`` is a tuple and pruning has to shorten it (as officially).
    """

    def __init__(self, matrix: Any, ops: Any, data_format: str = "channels_last") -> None:
        if not isinstance(matrix, np.ndarray):
            matrix = np.array(matrix)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ValueError("matrix must be square")
        if len(matrix) != len(ops):
            raise ValueError("length of ops must match matrix dimensions")
        if np.tril(matrix != 0).any():
            raise ValueError("matrix must be upper triangular")
        self.original_matrix = _copy(matrix)
        self.original_ops = _copy(ops)
        self.matrix: npt.NDArray[Any] | None = _copy(matrix)
        self.ops: Any = _copy(ops)
        self.valid_spec = True
        self._prune()
        self.data_format = data_format

    def _prune(self) -> None:
        edges = (self.original_matrix != 0).tolist()
        last = len(edges) - 1
        reached, reaching = {0}, {last}
        for vertex in range(1, last + 1):
            if any(edges[source][vertex] for source in reached):
                reached.add(vertex)
        for vertex in range(last - 1, -1, -1):
            if any(edges[vertex][target] for target in reaching):
                reaching.add(vertex)
        kept = sorted(reached & reaching)
        if len(kept) < 2:
            self.matrix, self.ops, self.valid_spec = None, None, False
            return
        if len(kept) <= last:
            self.matrix = self.original_matrix[np.ix_(kept, kept)]
        for vertex in sorted(set(range(last + 1)) - set(kept), reverse=True):
            del self.ops[vertex]

    def hash_spec(self, canonical_ops: Sequence[str]) -> str:
        """The module hash, 32 hexadecimal digits, given the names of the operations in their official order.

        As officially, a matrix of floats hashes differently from the same matrix of integers (or bools).
        """
        labels = [-1, *(list(canonical_ops).index(op) for op in self.ops[1:-1]), -2]
        return hash_module(np.asarray(self.matrix), labels)

    def visualize(self) -> Any:
        """A ``graphviz.Digraph`` of the cell; needs the package graphviz."""
        import graphviz  # type: ignore[import-not-found, import-untyped, unused-ignore]

        matrix = np.asarray(self.matrix)
        last = len(matrix) - 1
        graph = graphviz.Digraph()
        for vertex, name in enumerate(["input", *self.ops[1:-1], "output"]):
            graph.node(str(vertex), name)
        for source in range(last):
            for target in range(source + 1, last + 1):
                if matrix[source, target]:
                    graph.edge(str(source), str(target))
        return graph


def _copy(value: Any) -> Any:
    """What ``copy.deepcopy`` gives, at once for what cells are made of."""
    if type(value) is list and all(type(item) is str for item in value):
        return value[:]
    return value.copy() if type(value) is np.ndarray and value.dtype != object else copy.deepcopy(value)


def hash_module(matrix: npt.NDArray[Any], labels: Sequence[int]) -> str:
    """``graph_util.hash_module``: as `nasgauge.bench.spaces.cells101_hash.module_hash`, for entries of any type.

    Degrees enter as Python prints them, which is why a matrix of floats has another hash.
    """
    edges = matrix != 0
    if matrix.dtype.kind in "biu" and (matrix == edges).all():  # degrees are the numbers of edges
        return graph_hash(edges.tobytes(), tuple(labels))
    vertices, there = range(len(matrix)), edges.tolist()
    neighbours = tuple(
        (tuple(w for w in vertices if there[w][v]), tuple(w for w in vertices if there[v][w])) for v in vertices
    )
    degrees = zip(np.sum(matrix, axis=1).tolist(), np.sum(matrix, axis=0).tolist(), labels, strict=True)
    return refined([str(degree) for degree in degrees], neighbours)
