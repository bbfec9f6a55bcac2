"""Local search in an encoding: neighbours are the nearest rows, whatever the encoding."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import space
from nasgauge.proxies.encodings import vectors
from nasgauge.searchers import Recipe, encoded_space, nearest
from nasgauge.searchers.encoded_space import EncodedSpace
from nasgauge.testing import SearcherConformance, TinySpace


class TestNearest(SearcherConformance):
    spaces = ("topology", "size", "tiny")

    def make_recipe(self) -> Recipe:
        return nearest(neighbours=6)


class TestNearestOnPaths(SearcherConformance):
    spaces = ("topology",)

    def make_recipe(self) -> Recipe:
        return nearest("whole-neighbourhood", encoding="path")


@pytest.mark.parametrize("encoding", ["adjacency", "path"])
def test_nearest_are_those_of_a_plain_search(encoding: str) -> None:
    topology = space("topology")
    ids = topology.sample(700, np.random.default_rng(0))
    ids = np.unique(ids)
    rows = vectors(topology, encoding)
    found = EncodedSpace(topology, encoding).nearest(77, ids, 20)
    distances = np.linalg.norm(rows[ids] - rows[77], axis=1)
    assert found == ids[np.argsort(distances, kind="stable")[:20]].tolist()
    assert EncodedSpace(topology, encoding).nearest(77, ids[:3], 20) == sorted(
        ids[:3].tolist(), key=lambda arch: np.linalg.norm(rows[arch] - rows[77])
    )
    assert EncodedSpace(topology, encoding).nearest(77, ids[:0], 20) == []


def test_a_space_too_large_to_remember_is_encoded_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    topology, ids = space("topology"), np.arange(200, 3_000)
    kept = EncodedSpace(topology, "adjacency").nearest(5, ids, 9)
    encoded_space._whole.cache_clear()
    monkeypatch.setattr(encoded_space, "KEPT", 0)
    monkeypatch.setattr(encoded_space, "TOGETHER", 64)
    assert EncodedSpace(topology, "adjacency").nearest(5, ids, 9) == kept
    encoded_space._whole.cache_clear()


def test_copies_of_a_space_share_the_rows_that_are_remembered() -> None:
    topology = space("topology")
    copy = pickle.loads(pickle.dumps(topology))
    assert copy is not topology
    EncodedSpace(topology, "path").rows([0])
    before = encoded_space._whole.cache_info().misses
    EncodedSpace(copy, "path").rows([0])
    assert encoded_space._whole.cache_info().misses == before


def test_the_neighbours_of_the_best_are_asked_nearest_first() -> None:
    topology = space("topology")
    searcher = nearest(encoding="path", starts=3, neighbours=5).start(topology, np.random.default_rng(0))
    first = searcher.ask(3)
    searcher.tell([Evaluation(arch, float(place), 1.0) for place, arch in enumerate(first)])
    asked = [searcher.ask(1)[0] for _ in range(5)]
    rows = vectors(topology, "path")
    distances = np.square(rows - rows[first[-1]]).sum(axis=1)
    distances[list(first)] = np.inf
    assert [distances[arch] for arch in asked] == np.sort(distances)[:5].tolist()


def test_on_one_hot_rows_of_sizes_it_finds_the_optimum_of_a_hill() -> None:
    size = space("size")
    searcher = nearest(neighbours=40).start(size, np.random.default_rng(0))
    best = 0.0
    for _ in range(400):
        (arch,) = searcher.ask(1)
        value = float(size.widths(arch).sum())
        best = max(best, value)
        searcher.tell([Evaluation(arch, value, 1.0)])
    assert best == 5 * 64


def test_senseless_settings_are_refused() -> None:
    with pytest.raises(BadValue, match="neighbours=0"):
        nearest(neighbours=0).start(TinySpace(), np.random.default_rng(0))
    with pytest.raises(UnknownName, match="no such"):
        nearest(encoding="no such").start(space("size"), np.random.default_rng(0))
