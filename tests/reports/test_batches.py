"""What was asked for together, and how far apart it lies."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadFile
from nasgauge.bench.spaces import space
from nasgauge.reports import report
from nasgauge.reports.comparison.batches import MEASURES, Places, at_random, blind_pairs, diversity, measures
from nasgauge.reports.comparison.outcome import outcome
from nasgauge.reports.comparison.trajectory import split
from nasgauge.searchers import Run, evolution, random
from nasgauge.searchers.runner.experiment import compare

KNOWN = st.lists(st.floats(0, 1), min_size=1, max_size=12).map(
    lambda shares: np.array([float(int(share * (place + 1)) if share < 1 else place)
                             for place, share in enumerate(shares)])
)  # fmt: skip


@given(KNOWN)
@settings(max_examples=60)
def test_pairs_are_those_that_knew_nothing_of_each_other(known: np.ndarray) -> None:
    later, other = blind_pairs(known)
    expected = {
        frozenset((i, j)) for i, j in combinations(range(len(known)), 2) if known[j] <= i and known[i] <= j
    }  # fmt: skip
    assert {frozenset(pair) for pair in zip(later.tolist(), other.tolist(), strict=True)} == expected
    assert len(later) == len(expected) and (known[later] >= known[other]).all()


@pytest.mark.parametrize("name", ["topology", "size", "cells101"])
def test_distances_are_those_of_the_space(name: str) -> None:
    where = space(name)
    rng = np.random.default_rng(0)
    parents = where.sample(50, rng)
    children = where.mutate(parents, rng)
    apart = Places.of(where, np.concatenate([parents, children])).apart(parents, children)
    assert set(apart) == set(measures(where)) <= set(MEASURES)
    np.testing.assert_array_equal(apart["repeated"], parents == children)
    np.testing.assert_array_equal(apart["isomorphic"], where.canonical(parents) == where.canonical(children))
    assert (apart["tree_wasserstein"][apart["repeated"] > 0] == 0).all()
    assert apart["tree_wasserstein"].mean() < 0.9 * at_random(where)["tree_wasserstein"]  # relatives, not strangers
    if "choices" in apart:
        rows = where.operations(parents), where.operations(children)
        np.testing.assert_array_equal(apart["choices"], [(a != b).sum() for a, b in zip(*rows, strict=True)])
        assert apart["choices"].max() <= 1
    assert ("choices" in apart) == (name != "cells101")


def test_two_random_architectures_of_a_product_differ_as_often_as_arithmetic_says() -> None:
    assert at_random(space("topology"))["choices"] == pytest.approx(6 * 4 / 5, abs=0.03)
    assert at_random(space("size"))["choices"] == pytest.approx(5 * 7 / 8, abs=0.03)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_run_with_several_trainers_tells_how_diverse_its_batches_are(
    toy: Benchmark, tmp_path: Path, mode: str
) -> None:
    run = compare(
        toy, [random(), evolution()], tmp_path / "run", datasets=["cifar10"], queries=40, seeds=6, workers=4, mode=mode,
        jobs=1,
    )  # type: ignore[arg-type]  # fmt: skip
    found = outcome(run)
    table = found.tables["batches"].set_index("searcher")
    assert (table["runs"] == 6).all()
    assert table.loc["evolution", "choices_mean"] < table.loc["random", "choices_mean"]
    assert table.loc["random", "choices_low"] < 4.8 < table.loc["random", "choices_high"]
    assert (table["repeated_mean"] <= table["isomorphic_mean"]).all()
    first = run.records().query("searcher == 'random' and seed == 0")
    if mode == "sync":
        expected = np.mean([
            (toy.space.operations([a]) != toy.space.operations([b])).sum()
            for _, batch in first.groupby("known") for a, b in combinations(batch["id"], 2)
        ])  # fmt: skip
        runs = found.repetitions["cifar10", "random"]
        ours = diversity(runs, Places.of(toy.space, runs.id[runs.id >= 0]))["choices"][0]
        assert ours == pytest.approx(expected)
        page = report(run)
        assert {"batches"} <= set(page.figures) & set(page.tables)
        assert "Diversity of what is asked for together" in page.html()


def test_one_trainer_has_no_batches(toy: Benchmark, tmp_path: Path) -> None:
    run = compare(toy, [random()], tmp_path / "run", datasets=["cifar10"], queries=10, seeds=2, jobs=1)
    assert (run.records()["known"] == run.records()["query"] - 1).all()
    assert not len(outcome(run).tables["batches"])
    assert "batches" not in report(run).figures


def test_a_run_of_an_earlier_version_has_no_batches_and_no_memory(make_run: Any) -> None:
    """Its parts have no such columns; everything else is told all the same."""
    page = report(make_run(workers=4, evaluations=12))
    assert "batches" not in page.figures
    assert page.tables["effort"]["memory_peak_most"].isna().all()


def test_a_repetition_that_knew_what_had_not_ended_is_refused(toy: Benchmark, tmp_path: Path) -> None:
    run = compare(toy, [random()], tmp_path / "run", datasets=["cifar10"], queries=10, seeds=2, jobs=1)
    records = Run(run.folder).records()
    records.loc[4, "known"] = 5
    with pytest.raises(BadFile, match="knows results that were not there yet"):
        split(records)
