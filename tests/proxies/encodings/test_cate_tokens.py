"""Cells as tokens: who reaches whom, one sequence for isomorphic cells, the released collisions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.spaces import Graph, space
from nasgauge.proxies.encodings.cate_tokens import closure, costs, population, representatives, tokens

TSS = space("topology")
CELLS = space("cells101")
EVERY = np.arange(TSS.size)


@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_the_closure_is_all_powers_of_the_adjacency(length: int, seed: int) -> None:
    edges = np.triu(np.random.default_rng(seed).random((5, length, length)) < 0.4, k=1)
    powers, expected = edges.astype(np.int64), np.zeros(edges.shape, dtype=bool)
    for _ in range(length):
        expected |= powers > 0
        powers = np.minimum(powers @ edges, 1)
    np.testing.assert_array_equal(closure(edges), expected)


def test_isomorphic_cells_are_one_sequence() -> None:
    found = tokens(TSS, EVERY)
    classes = TSS.canonical(EVERY)
    rows = np.concatenate([found.symbols, found.edges.reshape(len(found), -1)], axis=1)
    np.testing.assert_array_equal(rows, rows[classes])
    assert len(population(TSS)) == len(np.unique(classes)) == 6466


def test_the_representative_is_the_smallest_member() -> None:
    chosen = representatives(TSS)
    np.testing.assert_array_equal(TSS.canonical(chosen), TSS.canonical(EVERY))
    sizes = (tokens(TSS, EVERY).symbols > 1).sum(1)
    through = TSS.id("|skip_connect~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|")
    direct = TSS.id("|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|")
    assert TSS.canonical([through]) == TSS.canonical([direct])
    assert sizes[through] == sizes[direct] == 3  # input, one convolution, output


def test_a_cell_that_computes_nothing_is_input_and_output() -> None:
    nothing = TSS.id("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|none~0|none~1|none~2|")
    found = tokens(TSS, np.array([nothing]))
    assert (found.symbols[0] != found.pad).tolist() == [True, *[False] * 6, True]
    assert not found.edges.any()


def test_tokens_of_cells101_are_the_graph() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(CELLS.size, size=50)
    found = tokens(CELLS, ids)
    for row, arch in enumerate(ids):
        graph = CELLS.graph(int(arch))
        kept = found.symbols[row] != found.pad
        np.testing.assert_array_equal(found.edges[row][np.ix_(kept, kept)], graph.adjacency)
        assert not found.edges[row][~kept].any()
        assert kept.sum() == len(graph.nodes)
        assert kept[-1]


def test_paper_reserves_numbers_and_released_collides() -> None:
    paper, released = tokens(CELLS, np.arange(100)), tokens(CELLS, np.arange(100), "released")
    assert (paper.pad, paper.mask, paper.first, paper.vocabulary) == (0, 1, 2, 7)
    assert not (paper.symbols == paper.mask).any()
    assert (released.pad, released.mask, released.first, released.vocabulary) == (0, 1, 0, 5)
    assert (released.symbols[:, 0] == released.pad).all()  # the input


def test_released_puts_padding_behind_the_output() -> None:
    small = CELLS.from_graph(Graph(("input", "conv3x3-bn-relu", "output"), ((0, 1, ""), (1, 2, ""))))
    found = tokens(CELLS, np.array([small]), "released")
    assert found.symbols[0, 2] == 4
    assert not found.symbols[0, 3:].any()
    assert np.argwhere(found.edges[0]).tolist() == [[0, 1], [1, 2]]


def test_a_class_costs_what_its_cheapest_member_costs() -> None:
    flops, classes = TSS.flops(EVERY), TSS.canonical(EVERY)
    found = costs(TSS, EVERY)
    np.testing.assert_array_equal(found, found[classes])
    assert (found <= flops).all()
    for one in np.unique(classes)[::997]:
        assert found[one] == flops[classes == one].min()


@pytest.mark.parametrize(("name", "by"), [("topology", "flops"), ("cells101", "params")])
def test_default_costs(name: str, by: str) -> None:
    one = space(name)
    np.testing.assert_array_equal(costs(one, np.arange(99)), costs(one, np.arange(99), by))
