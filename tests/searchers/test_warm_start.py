"""A warm start asks what a proxy likes best, and tells it to the searcher that goes on."""

from __future__ import annotations

import numpy as np
import pytest

from nasgauge.bench.errors import BadValue
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import space
from nasgauge.searchers import Recipe, bohb, evolution, local_search, warm_start
from nasgauge.searchers.warm_start import best_by_proxy
from nasgauge.testing import SearcherConformance, made_up_score


class TestOfEvolution(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return warm_start("evolution", sampled=40, kept=5)


class TestOfBohb(SearcherConformance):
    spaces = ("topology", "tiny")

    def make_recipe(self) -> Recipe:
        return warm_start(bohb(), sampled=40, kept=5)


def test_best_by_proxy_puts_nan_last_and_keeps_the_order_of_ties() -> None:
    scores = {3: 1.0, 5: np.nan, 8: 2.0, 9: 2.0, 1: -np.inf}

    def scorer(proxy: str, ids: object) -> list[float]:
        return [scores[arch] for arch in ids]  # type: ignore[attr-defined]

    assert best_by_proxy(scorer, "any", np.array(list(scores)), 5)[:3] == [8, 9, 3]  # type: ignore[arg-type]


def test_the_first_asked_are_the_best_of_the_sample() -> None:
    topology = space("topology")
    searcher = warm_start("random", sampled=500, kept=20).start(
        topology, np.random.default_rng(0), scorer=made_up_score
    )
    first = searcher.ask(20)
    sample = np.unique(topology.sample(500, np.random.default_rng(0)))
    scores = np.sort(np.nan_to_num(made_up_score("synflow", sample), nan=-1))[::-1]
    np.testing.assert_allclose(np.sort(made_up_score("synflow", first))[::-1], scores[:20])  # type: ignore[arg-type]
    assert len(set(first)) == 20


def test_local_search_climbs_from_the_best_it_was_told() -> None:
    topology = space("topology")
    searcher = warm_start(local_search(starts=3), sampled=100, kept=3).start(
        topology, np.random.default_rng(0), scorer=made_up_score
    )
    first = searcher.ask(3)
    searcher.tell([Evaluation(arch, 50.0 + place, 1.0) for place, arch in enumerate(first)])  # type: ignore[arg-type]
    assert set(searcher.ask(30)) <= set(topology.neighbours(first[-1]).tolist())  # type: ignore[arg-type]


def test_two_warm_starts_differ_where_the_searchers_do() -> None:
    assert warm_start("evolution").key != warm_start(evolution("worst-dies")).key
    assert warm_start("evolution").key == warm_start(evolution()).key
    assert warm_start("evolution").label == "evolution from synflow"


def test_it_needs_scores_and_keeps_no_more_than_it_samples() -> None:
    topology = space("topology")
    with pytest.raises(BadValue, match="needs scores"):
        warm_start().start(topology, np.random.default_rng(0))
    with pytest.raises(BadValue, match="kept=9"):
        warm_start(sampled=5, kept=9).start(topology, np.random.default_rng(0), scorer=made_up_score)
