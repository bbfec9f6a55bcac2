"""Graphs for graph networks hold what the cells hold."""

from __future__ import annotations

import numpy as np
import pytest

from nasgauge.bench.spaces import Graph, space
from nasgauge.proxies.encodings import encode
from nasgauge.proxies.encodings.graph import Graphs


def graphs(of: str, ids: object, **settings: bool) -> Graphs:
    found = encode(space(of), "graph", ids, **settings)  # type: ignore[arg-type]
    assert isinstance(found, Graphs)
    return found


def test_cells_of_101_come_back_from_their_graphs() -> None:
    cells = space("cells101")
    ids = cells.sample(100, np.random.default_rng(0))
    found = graphs("cells101", ids)
    assert found.nodes.shape == (100, 7) and found.adjacency.shape == (100, 7, 7) and found.one_hot.shape == (100, 7, 5)
    for nodes, adjacency, arch in zip(found.nodes, found.adjacency, ids.tolist(), strict=True):
        kept = np.flatnonzero(nodes >= 0)
        small = adjacency[np.ix_(kept, kept)]
        assert small.sum() == adjacency.sum()
        names = tuple(found.labels[label] for label in nodes[kept])
        edges = tuple((int(a), int(b), "") for a, b in np.argwhere(small))
        assert cells.from_graph(Graph(names, edges)) == arch


@pytest.mark.parametrize("keep_none", [False, True])
def test_operations_of_201_are_nodes_between_input_and_output(keep_none: bool) -> None:
    topology = space("topology")
    text = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
    found = graphs("topology", text, keep_none=keep_none)
    labels = [found.labels[label] if label >= 0 else None for label in found.nodes[0]]
    none = "none" if keep_none else None
    assert labels == ["input", "nor_conv_3x3", none, "avg_pool_3x3", "skip_connect", none, "nor_conv_1x1", "output"]
    edges = {(int(a), int(b)) for a, b in np.argwhere(found.adjacency[0])}
    expected = {(0, 1), (0, 4), (1, 3), (3, 6), (4, 7), (6, 7)}  # input to 0->1 and 0->3; 0->1 to 1->2 to 2->3
    assert edges == (expected | {(0, 2), (1, 5), (2, 6), (5, 7)} if keep_none else expected)
    assert found.one_hot[0].sum() == (8 if keep_none else 6)
    whole = graphs("topology", np.arange(topology.size))
    assert (np.tril(whole.adjacency) == 0).all()


def test_sizes_are_chains_of_widths() -> None:
    found = graphs("size", "8:16:64:64:32")
    assert [found.labels[label] for label in found.nodes[0]] == ["input", "8", "16", "64", "64", "32", "output"]
    np.testing.assert_array_equal(found.adjacency[0], np.eye(7, k=1))
