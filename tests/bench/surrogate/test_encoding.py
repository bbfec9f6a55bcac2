"""Encodings say what a cell computes: against paths enumerated one by one on the cell's graph."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.spaces import space
from nasgauge.bench.spaces.product import ProductSpace
from nasgauge.bench.surrogate.encoding import encode

LETTERS = {"topology": ("nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"),
           "cells101": ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")}  # fmt: skip
DEPTH = {"topology": 3, "cells101": 5}


def words_of(name, arch):
    """Every path from input to output as the tuple of operations it passes (0, 1, 2), skips left out."""
    graph = space(name).graph(arch)
    onward = {}
    for source, target, label in graph.edges:
        if label != "none":
            onward.setdefault(source, []).append((target, label))

    def walk(node, word):
        if node == len(graph.nodes) - 1:
            yield word
        for target, label in onward.get(node, []):
            step = label or graph.nodes[target]
            yield from walk(target, (*word, LETTERS[name].index(step)) if step in LETTERS[name] else word)

    return list(walk(0, ()))


@pytest.mark.parametrize("name", ["topology", "cells101"])
@settings(max_examples=60)
@given(data=st.data())
def test_words_are_counted_as_the_graph_has_them(name, data):
    arch = data.draw(st.integers(0, space(name).size - 1))
    row = encode(space(name), np.array([arch]))[0]
    words = words_of(name, arch)
    every = [word for length in range(DEPTH[name] + 1) for word in itertools.product(range(3), repeat=length)]
    counts = Counter(words)
    np.testing.assert_array_equal(row[: len(every)], [counts[word] for word in every])
    summaries = row[len(every) :]
    assert summaries[0] == len(words)
    kinds = [[len(word) for word in words], *([word.count(letter) for word in words] for letter in range(3)),
             [word.count(0) + word.count(1) for word in words]]  # fmt: skip
    for place, kind in enumerate(kinds):
        expected = [max(kind, default=-1), min(kind, default=DEPTH[name] + 1), sum(kind)]
        np.testing.assert_array_equal(summaries[1 + 3 * place : 4 + 3 * place], expected)


def test_cells_of_one_class_have_the_same_paths():
    topology = space("topology")
    ids = np.arange(topology.size)
    paths = encode(topology, ids)[:, :40]
    np.testing.assert_array_equal(paths, paths[topology.canonical(ids)])


@pytest.mark.parametrize("name", ["topology", "size", "cells101"])
def test_rows_do_not_depend_on_what_is_asked_beside_them(name):
    ids = space(name).sample(50, np.random.default_rng(0))
    rows = encode(space(name), ids)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    np.testing.assert_array_equal(rows[:7], encode(space(name), ids[:7]))
    assert encode(space(name), ids[:0]).shape == (0, rows.shape[1])


def test_a_space_of_ones_own_is_encoded_by_its_choices():
    class Pizza(ProductSpace):
        name = "pizza"
        choices = (("thin", "thick"), ("plain", "olives", "both"))

        def graph(self, arch):
            raise NotImplementedError

        def from_graph(self, graph):
            raise NotImplementedError

        def canonical(self, ids):
            return self.check(ids)

    rows = encode(Pizza(), np.arange(6))
    assert rows.shape == (6, 5)
    assert (rows.sum(axis=1) == 2).all()
    assert len(np.unique(rows, axis=0)) == 6
