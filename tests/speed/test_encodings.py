"""Fixed encodings of all 423,624 cells of NAS-Bench-101, beside walking the graph of one cell after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nasgauge.bench.spaces import Graph, space
from nasgauge.proxies.encodings import encode, encodings

from .conftest import Row, best_of, median

CLAIM = 30.0  # s
MEMORY = 200.0  # MB of the path encoding
SPARSE = ("path", "path-truncated", "path-continuous", "path-weighted")
FIXED = [name for name in encodings(space("cells101")) if name.startswith(("adjacency", "path", "graph", "tree"))]


def walked(graph: Graph) -> list[list[int]]:
    """The operations on every path to the last vertex, vertex after vertex, as nas-encodings collects them."""
    names = {name: place for place, name in enumerate(dict.fromkeys(graph.nodes))}
    paths: list[list[list[int]]] = [[] for _ in graph.nodes]
    paths[0] = [[]]
    for source, target, _ in sorted(graph.edges, key=lambda edge: edge[1]):
        paths[target] += [[*path, names[graph.nodes[source]]] for path in paths[source]]
    return paths[-1]


def one_by_one() -> float:
    """Seconds for all cells when each is walked by itself."""
    cells = space("cells101")
    some = cells.sample(300, np.random.default_rng(0)).tolist()
    return best_of(3, lambda: [walked(cells.graph(arch)) for arch in some]) / len(some) * cells.size


@pytest.mark.parametrize("name", FIXED)
def test_all_cells(benchmark: Any, row: Row, name: str) -> None:
    cells = space("cells101")
    settings = {"sparse": True} if name in SPARSE else {}
    encode(cells, name, [0], **settings)  # what is imported is imported
    benchmark.pedantic(lambda: encode(cells, name, **settings), rounds=2)
    row(f"{name}, 423,624 cells", median(benchmark), "s", CLAIM, "walking cell by cell", one_by_one())


def test_paths_are_stored_sparse(benchmark: Any, row: Row) -> None:
    cells = space("cells101")
    rows = benchmark.pedantic(lambda: encode(cells, "path", sparse=True), rounds=1)
    stored = sum(part.nbytes for part in (rows.data, rows.indices, rows.indptr)) / 1e6
    assert stored <= MEMORY
    row("path encoding of 423,624 cells", stored, "MB", MEMORY, "dense float32", cells.size * rows.shape[1] * 4 / 1e6)
