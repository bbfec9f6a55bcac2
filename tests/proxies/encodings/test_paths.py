"""Path encodings are the words on the paths of the graph, numbered as published, equal where cells compute the same."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

from nasgauge.bench.errors import BadArchitecture, BadValue
from nasgauge.bench.spaces import Cells101, Graph, space
from nasgauge.bench.spaces.cells101_hash import OPERATIONS as LABELS
from nasgauge.bench.spaces.topology import OPERATIONS
from nasgauge.proxies.encodings import encode, vectors
from nasgauge.proxies.encodings.paths import likely, words_of


def walked(graph: Graph, labels_on_edges: bool) -> set[tuple[str, ...]]:
    """Every path from the first to the last vertex as the operations on it, by walking the graph."""
    last = len(graph.nodes) - 1

    def walk(vertex: int) -> list[tuple[str, ...]]:
        if vertex == last:
            return [()]
        found = []
        for source, target, label in graph.edges:
            if source == vertex:
                here = (label,) if labels_on_edges else () if target == last else (graph.nodes[target],)
                found += [here + rest for rest in walk(target)]
        return found

    return set(walk(0))


def number(word: tuple[str, ...], letters: tuple[str, ...], shortest: int) -> int:
    """Place of a word among all, short ones first, its first letter fastest."""
    base = len(letters)
    shorter = sum(base**size for size in range(shortest, len(word)))
    return shorter + sum(letters.index(letter) * base**place for place, letter in enumerate(word))


@pytest.mark.parametrize(("of", "letters", "shortest"), [("topology", OPERATIONS, 1), ("cells101", LABELS, 0)])
def test_bits_are_the_paths_of_the_graph(of: str, letters: tuple[str, ...], shortest: int) -> None:
    ids = space(of).sample(150, np.random.default_rng(0))
    rows = vectors(space(of), "path", ids)
    categorical = vectors(space(of), "path-categorical", ids)
    for row, words, arch in zip(rows, categorical, ids.tolist(), strict=True):
        paths = walked(space(of).graph(arch), labels_on_edges=of == "topology")
        expected = sorted(number(word, letters, shortest) for word in paths)
        assert np.flatnonzero(row).tolist() == expected
        assert words[: len(expected)].tolist() == expected
        assert (words[len(expected) :] == -1).all()


def test_sizes_are_the_published_ones() -> None:
    cells, topology = space("cells101"), space("topology")
    names = ("path", "path-truncated", "path-categorical", "path-continuous", "path-weighted")
    assert [vectors(cells, name, [0]).shape[1] for name in names] == [364, 40, 20, 365, 364]
    assert [vectors(topology, name, [0]).shape[1] for name in names] == [155, 30, 4, 156, 155]
    assert vectors(cells, "path-continuous", [0], length=40).shape[1] == 41
    assert vectors(topology, "path", [0], computed=True).shape[1] == 1 + 3 + 9 + 27


def test_a_cell_of_101_by_hand() -> None:
    """3x3 alone is word 1, the pool alone 3, 3x3 then pool 4 + 0 + 3 * 2."""
    row = vectors(space("cells101"), "path", "conv3x3~0+maxpool3x3~0,1+output~1,2")[0]
    assert np.flatnonzero(row).tolist() == [1, 3, 10]
    weighted = vectors(space("cells101"), "path-weighted", "conv3x3~0+maxpool3x3~0,1+output~1,2")[0]
    np.testing.assert_allclose(weighted[[1, 3, 10]], [0.127, 0.127, 3.36e-2], rtol=1e-6)
    assert np.count_nonzero(weighted) == 3
    assert vectors(space("cells101"), "path", "output~0")[0].nonzero()[0].tolist() == [0]


def test_a_cell_of_201_by_hand() -> None:
    text = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
    assert vectors(space("topology"), "path", text)[0].nonzero()[0].tolist() == [1, 8, 18, 103]
    # left out: the skip (an empty word) and the path through none; 3x3 1x1 is 4 + 1, 3x3 pool 1x1 is 13 + 1 + 3 * 2
    assert vectors(space("topology"), "path", text, computed=True)[0].nonzero()[0].tolist() == [0, 5, 20]
    assert vectors(space("topology"), "path-categorical", text, computed=True)[0].tolist() == [0, 5, 20, -1]


def test_cells_of_201_that_are_isomorphic_compute_the_same_words() -> None:
    topology = space("topology")
    rows = vectors(topology, "path", computed=True)
    canonical = topology.canonical(np.arange(topology.size))
    np.testing.assert_array_equal(rows, rows[canonical])
    assert len(np.unique(rows, axis=0)) > 2_000  # and they tell most classes apart


def test_any_graph_that_prunes_to_a_cell_of_101_has_the_paths_of_the_cell() -> None:
    cells, rng = space("cells101"), np.random.default_rng(0)
    compared = 0
    while compared < 50:
        bits = np.triu(rng.random((7, 7)) < 0.35, 1)
        names = ("input", *np.array(LABELS)[rng.integers(3, size=5)].tolist(), "output")
        graph = Graph(names, tuple((int(a), int(b), "") for a, b in np.argwhere(bits)))
        try:
            row = vectors(cells, "path", graph)[0]
        except BadArchitecture:
            continue
        words = {number(word, LABELS, 0) for word in walked(graph, labels_on_edges=False)}
        assert set(np.flatnonzero(row).tolist()) == words
        compared += 1


@pytest.mark.parametrize("of", ["topology", "cells101"])
def test_truncation_keeps_the_shortest_and_most_probable_words(of: str) -> None:
    ids = space(of).sample(200, np.random.default_rng(1))
    whole = vectors(space(of), "path", ids)
    short = vectors(space(of), "path-truncated", ids)
    np.testing.assert_array_equal(short, whole[:, : short.shape[1]])
    assert (np.diff(likely(space(of))) <= 0).all()  # whatever the length: never less probable than what is cut off
    categorical = vectors(space(of), "path-categorical", ids, length=short.shape[1])
    assert [sorted(row[row >= 0].astype(int).tolist()) for row in categorical] == [
        np.flatnonzero(row).tolist() for row in short
    ]


def test_probabilities_of_words_are_their_shares_of_all_cells_of_201() -> None:
    topology = space("topology")
    np.testing.assert_allclose(vectors(topology, "path").mean(axis=0, dtype=np.float64), likely(topology), rtol=1e-5)


def test_probabilities_on_cells101_are_in_proportion_to_the_official_law_of_drawing() -> None:
    """The constants of nas-encodings count draws that are no cells, too: about 5 of 8."""
    cells = space("cells101")
    assert isinstance(cells, Cells101)
    words = vectors(cells, "path", cells.sample_rejection(20_000, np.random.default_rng(0)))
    ends = np.cumsum([0, *(3**size for size in range(6))])
    shares = np.array([words[:, a:b].mean() for a, b in pairwise(ends)])
    given = likely(cells)[ends[:-1]]
    np.testing.assert_allclose(given[:5] / shares[:5], 0.375, rtol=0.1)


@pytest.mark.parametrize("of", ["topology", "cells101"])
def test_a_continuous_encoding_counts_its_words(of: str) -> None:
    ids = space(of).sample(50, np.random.default_rng(2))
    rows = vectors(space(of), "path-continuous", ids)
    np.testing.assert_array_equal(rows[:, :-1], vectors(space(of), "path", ids))
    np.testing.assert_array_equal(rows[:, -1], rows[:, :-1].sum(axis=1))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("path", {}),
        ("path", {"length": 7}),
        ("path", {"computed": True}),
        ("path-truncated", {}),
        ("path-continuous", {}),
        ("path-continuous", {"computed": True, "length": 9}),
        ("path-weighted", {}),
    ],
)
@pytest.mark.parametrize("of", ["topology", "cells101"])
def test_sparse_rows_hold_the_same_numbers(of: str, name: str, settings: dict[str, int]) -> None:
    ids = space(of).sample(300, np.random.default_rng(3))
    rows = encode(space(of), name, ids, sparse=True, **settings)
    assert isinstance(rows, sparse.csr_array) and rows.has_canonical_format
    np.testing.assert_array_equal(rows.toarray(), encode(space(of), name, ids, **settings))
    np.testing.assert_array_equal(vectors(space(of), name, ids, sparse=True, **settings), rows.toarray())


def test_paths_of_a_cell_are_numbered_before_they_are_encoded() -> None:
    words = words_of(space("cells101"), np.array([0, 7]))
    assert words.shape == (2, 32) and words.min() == -1 and words.max() < 364
    with pytest.raises(BadValue, match="'size' has no paths"):
        words_of(space("size"), np.array([0]))


@pytest.mark.parametrize("length", [0, -3, 156])
def test_senseless_lengths_are_refused(length: int) -> None:
    with pytest.raises(BadValue, match=f"length={length} given; legal: 1 to 155"):
        vectors(space("topology"), "path", [0], length=length)
