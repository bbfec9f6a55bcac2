"""The best of many by a proxy: what is asked is the argmax of what was drawn, and the scores are paid for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadValue
from nasgauge.bench.spaces import space
from nasgauge.searchers import Recipe, best_of, recipe
from nasgauge.searchers.runner.experiment import compare
from nasgauge.testing import SearcherConformance, made_up_score


class TestBestOf(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return best_of(proxy="synflow", sampled=30, kept=5)


@pytest.mark.parametrize("preset", ["10", "100", "1000"])
def test_asks_once_for_the_highest_score_of_its_draw(preset: str) -> None:
    topology = space("topology")
    searcher = recipe(f"best-of:{preset}").start(topology, np.random.default_rng(4), scorer=made_up_score)
    drawn = topology.sample(int(preset), np.random.default_rng(4))
    scores = np.nan_to_num(made_up_score("naswot", drawn.tolist()), nan=-np.inf)
    assert list(searcher.ask(3)) == [drawn[scores.argmax()]]
    assert list(searcher.ask(3)) == []


def test_the_scores_of_all_that_were_drawn_are_charged(toy: Benchmark, tmp_path: Path) -> None:
    ids = np.arange(toy.space.size)
    frame = pd.DataFrame({"id": ids, "naswot": ids / 3, "naswot_seconds": 2.0})
    frame.to_parquet(tmp_path / "scores.parquet")
    run = compare(
        toy, [best_of("100")], tmp_path / "run", datasets=["cifar10"], queries=5, seeds=3, jobs=1,
        scores=tmp_path / "scores.parquet",
    )  # fmt: skip
    records = run.records()
    assert records.groupby("seed").size().tolist() == [1, 1, 1]
    assert records["proxy_seconds"].between(190, 200).all()  # each architecture once, few are drawn twice
    assert (records["id"] > toy.space.size * 0.9).all()


def test_what_cannot_be_kept_is_refused() -> None:
    with pytest.raises(BadValue, match="kept=9, sampled=5"):
        best_of(sampled=5, kept=9).start(space("topology"), np.random.default_rng(0), scorer=made_up_score)
    with pytest.raises(BadValue, match="scores of proxies"):
        best_of().start(space("topology"), np.random.default_rng(0))
