"""The registry of encodings: one call for all of them, whatever the space, and clear words where there is none."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import nasgauge
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadArchitecture, BadValue, UnknownName
from nasgauge.bench.spaces import Ids, Space, space
from nasgauge.proxies.encodings import ENCODINGS, Entry, encode, encodings, vectors
from nasgauge.testing import TinySpace

SPACES = ("topology", "size", "cells101")
FIXED = ("adjacency", "path", "graph", "tree-wasserstein")
NAMES = [(each, name) for each in SPACES for name in encodings(space(each), vectors=True) if name.startswith(FIXED)]


@pytest.mark.parametrize(("of", "name"), NAMES)
def test_every_architecture_has_a_row_of_its_own_that_others_do_not_change(of: str, name: str) -> None:
    ids = space(of).sample(40, np.random.default_rng(0))
    rows = vectors(space(of), name, ids)
    assert rows.dtype == np.float32 and rows.shape == (40, vectors(space(of), name, ids[:1]).shape[1])
    assert np.isfinite(rows).all()
    np.testing.assert_array_equal(vectors(space(of), name, ids[::-1]), rows[::-1])
    assert vectors(space(of), name, ids[:0]).shape == (0, rows.shape[1])


def test_a_whole_space_comes_in_the_order_of_its_ids() -> None:
    topology = space("topology")
    whole = nasgauge.encode("topology", "path")
    np.testing.assert_array_equal(whole, encode(topology, "path", np.arange(topology.size)))
    np.testing.assert_array_equal(nasgauge.encode(topology, "path", topology.text(5)), whole[[5]])  # type: ignore[index]


def test_a_benchmark_is_encoded_as_its_space(toy: Benchmark) -> None:
    np.testing.assert_array_equal(nasgauge.encode(toy, "adjacency", [3]), encode(space("topology"), "adjacency", [3]))


@pytest.mark.parametrize("name", ["path", "no such encoding"])
def test_what_a_space_does_not_have_is_refused_with_what_it_has(name: str) -> None:
    with pytest.raises(UnknownName, match=r"space 'size'.*adjacency, adjacency-categorical"):
        encode(space("size"), name)


def test_a_graph_is_no_row_of_numbers() -> None:
    assert "graph" in encodings(space("topology"))
    with pytest.raises(UnknownName, match="no row of numbers"):
        vectors(space("topology"), "graph")


def test_senseless_settings_and_architectures_are_refused() -> None:
    with pytest.raises(BadValue, match="no setting 'lenght'; legal: length, computed, sparse"):
        encode(space("topology"), "path", lenght=3)
    for length in (0, 156, 1.5, "all", True):
        with pytest.raises(BadValue, match="legal: 1 to 155"):
            encode(space("topology"), "path", [0], length=length)
    with pytest.raises(BadArchitecture, match="15625"):
        encode(space("topology"), "path", [15_625])


def test_an_encoding_of_your_own_joins_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def widths(of: Space, ids: Ids, *, power: int = 1) -> np.ndarray:
        return of.operations(ids).astype(np.float32) ** power

    monkeypatch.setitem(ENCODINGS, "mine", Entry(widths))
    np.testing.assert_array_equal(nasgauge.encode("size", "mine", [9], power=2), [[0, 0, 0, 1, 1]])


def test_spaces_of_your_own_have_the_encodings_that_need_no_cell() -> None:
    tiny = TinySpace()
    names = encodings(tiny, vectors=True)
    assert {"adjacency", "adjacency-categorical", "adjacency-continuous"} <= set(names)
    assert len(np.unique(vectors(tiny, "adjacency"), axis=0)) == tiny.size


def test_names_are_listed_without_torch_and_scipy() -> None:
    code = "import sys, nasgauge.proxies.encodings as e; len(e.ENCODINGS); print({'torch', 'scipy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "set()"
