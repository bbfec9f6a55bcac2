"""What incumbents and their curves promise."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.errors import BadFile
from nasgauge.reports.comparison.curves import curve as curve_of
from nasgauge.reports.comparison.curves import query_grid, seconds_grid
from nasgauge.reports.comparison.trajectory import Repetitions, split

VALUES = st.sampled_from([1.0, 2.0, 2.0, 3.0, np.nan])  # ties and missing numbers are ordinary
RUNS = st.lists(st.lists(VALUES, min_size=1, max_size=8), min_size=1, max_size=5)


def records(runs: list[list[float]], *, searcher: str = "random", dataset: str = "cifar10") -> pd.DataFrame:
    """One repetition for each list of values; test accuracy and clock derive from seed and query."""
    rows = [
        {"dataset": dataset, "searcher": searcher, "seed": seed, "query": query, "id": 10 * seed + query,
         "value": value, "budget": 12, "cost": np.nan, "started": (query - 1) * (seed + 1.0), "worker": 0,
         "seconds": query * (seed + 1.0), "searcher_seconds": query * 1e-5, "proxy_seconds": 0.0, "valid": value + 0.5,
         "test": 50.0 + (7 * seed + 3 * query) % 11}
        for seed, values in enumerate(runs)
        for query, value in enumerate(values, start=1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def repetitions(runs: list[list[float]]) -> Repetitions:
    return split(records(runs))["cifar10", "random"]


def naive(frame: pd.DataFrame, column: str, limit: str, bound: float) -> list[float]:
    """The incumbent's number of every run at ``bound``, with a plain loop over evaluations."""
    best: dict[int, tuple[float, float]] = {}
    for seed, reached, value, number in zip(*(frame[name] for name in ("seed", limit, "value", column)), strict=True):
        best.setdefault(seed, (-np.inf, np.nan))
        if reached <= bound and value > best[seed][0]:
            best[seed] = (value, number)
    return [number for _, number in best.values()]


@given(RUNS)
@settings(max_examples=40)
def test_curves_equal_a_plain_loop(runs: list[list[float]]) -> None:
    frame, ours = records(runs), repetitions(runs)
    queries, seconds = np.arange(1, 11), np.linspace(0.5, 45, 23)
    by_queries = ours.at("test", ours.finished_after_queries(queries))
    by_seconds = ours.at("test", ours.finished_by(seconds))
    np.testing.assert_array_equal(by_queries.T, [naive(frame, "test", "query", bound) for bound in queries])
    np.testing.assert_array_equal(by_seconds.T, [naive(frame, "test", "seconds", bound) for bound in seconds])
    np.testing.assert_array_equal(ours.final("valid"), naive(frame, "valid", "query", 99))


@given(RUNS, st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_the_test_trace_does_not_peek(runs: list[list[float]], shuffle: object) -> None:
    """A peer sorts by test error to find its "best by validation": permuting test of all others must change nothing."""
    frame, ours = records(runs), repetitions(runs)
    queries = np.arange(1, 9)
    trace = ours.at("test", ours.finished_after_queries(queries))
    chosen = np.take_along_axis(ours.id, np.maximum(ours.incumbents, 0), axis=1)
    incumbents = set(chosen[ours.incumbents >= 0].tolist())
    others = frame.index[~frame["id"].isin(incumbents)].to_list()
    permuted = others[:]
    shuffle.shuffle(permuted)  # type: ignore[attr-defined]
    peeked = frame.copy()
    peeked.loc[others, "test"] = 100.0 + frame.loc[permuted, "test"].to_numpy()  # better than any incumbent
    again = split(peeked)["cifar10", "random"]
    np.testing.assert_array_equal(again.at("test", again.finished_after_queries(queries)), trace)


def test_the_first_of_equals_stays_incumbent() -> None:
    ours = repetitions([[2.0, 3.0, 3.0, 1.0, 3.0]])
    assert ours.incumbents.tolist() == [[0, 1, 1, 1, 1]]
    assert ours.final_id.tolist() == [2]


def test_an_evaluation_without_value_is_never_incumbent() -> None:
    ours = repetitions([[np.nan, 1.0, np.nan], [np.nan]])
    assert ours.incumbents.tolist() == [[-1, 1, 1], [-1, -1, -1]]
    assert ours.final_id.tolist() == [2, -1]
    assert np.isnan(ours.final("test")).tolist() == [False, True]


def test_a_mean_begins_when_every_run_has_an_incumbent_and_ends_flat() -> None:
    ours = repetitions([[1.0, 2.0], [1.0, 2.0], [np.nan, 3.0]])  # the last one begins after 2 queries, at 6 seconds
    queries = np.arange(1, 6)
    curve = curve_of(ours, "test", queries, ours.finished_after_queries(queries), np.random.default_rng(0))
    assert np.isnan(curve.mean.y).tolist() == [True, False, False, False, False]
    assert len(set(curve.mean.y[1:])) == 1
    times = np.array([0.5, 5.9, 6.0, 99.0])
    curve = curve_of(ours, "test", times, ours.finished_by(times), np.random.default_rng(0))
    assert np.isnan(curve.mean.y).tolist() == [True, True, False, False]


def test_an_incumbent_without_a_test_number_is_left_out_and_counted() -> None:
    frame = records([[1.0], [1.0], [1.0]])
    frame.loc[1, "test"] = np.nan
    ours = split(frame)["cifar10", "random"]
    curve = curve_of(ours, "test", [1.0], ours.finished_after_queries(np.array([1])), np.random.default_rng(0))
    assert curve.runs.tolist() == [2]
    assert curve.mean.y[0] == np.mean(frame["test"].dropna())


def test_one_run_has_a_curve_without_interval() -> None:
    ours = repetitions([[1.0, 2.0]])
    curve = curve_of(ours, "test", [1, 2], ours.finished_after_queries(np.array([1, 2])), np.random.default_rng(0))
    assert not np.isnan(curve.mean.y).any()
    assert np.isnan(curve.mean.low).all() and np.isnan(curve.mean.high).all()


def test_distinct_architectures_are_counted_in_each_run() -> None:
    frame = records([[1.0, 2.0, 3.0], [1.0]])
    frame.loc[2, "id"] = frame.loc[0, "id"]
    assert split(frame)["cifar10", "random"].distinct.tolist() == [2, 1]


def test_grids_end_at_the_budget() -> None:
    assert seconds_grid(12_000.0)[-1] == 12_000.0
    assert query_grid(1).tolist() == [1]
    grid = query_grid(1000)
    assert grid[0] == 1 and grid[-1] == 1000 and (np.diff(grid) > 0).all() and len(grid) < 400


def test_searchers_and_data_sets_are_kept_apart() -> None:
    frame = pd.concat(
        [records([[1.0, 2.0]], dataset=dataset, searcher=searcher) for dataset in "ab" for searcher in "xy"],
        ignore_index=True,
    )
    assert set(split(frame)) == {("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")}
    with pytest.raises(BadFile, match="not in order"):
        split(pd.concat([frame, records([[1.0]], dataset="a", searcher="x")], ignore_index=True))


def test_a_part_that_is_there_twice_is_refused() -> None:
    frame = records([[1.0, 2.0], [1.0, 2.0]])
    twice = pd.concat([frame, frame]).sort_values(["seed", "query"], kind="stable", ignore_index=True)
    with pytest.raises(BadFile, match=r"repetition 0 of 'random' on cifar10 .* there twice"):
        split(twice)


def test_a_lost_row_a_backward_clock_and_an_absent_column_are_refused() -> None:
    frame = records([[1.0, 2.0, 3.0]])
    with pytest.raises(BadFile, match="once each"):
        split(frame.drop(index=1).reset_index(drop=True))
    with pytest.raises(BadFile, match="backwards"):
        split(frame.assign(seconds=[3.0, 2.0, 4.0]))
    with pytest.raises(BadFile, match="test"):
        split(frame.drop(columns="test"))


@pytest.mark.speed
def test_half_a_million_evaluations_take_no_time() -> None:
    seeds, evaluations = 500, 1000
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "dataset": "cifar10", "searcher": "random", "seed": np.repeat(np.arange(seeds), evaluations),
        "query": np.tile(np.arange(1, evaluations + 1), seeds), "id": rng.integers(15625, size=seeds * evaluations),
        "value": rng.normal(size=seeds * evaluations), "valid": 90.0, "test": 93.0, "searcher_seconds": 0.0,
        "seconds": np.tile(np.arange(1, evaluations + 1) * 100.0, seeds), "budget": 12, "cost": np.nan, "started": 0.0,
        "worker": 0, "proxy_seconds": 0.0,
    })  # fmt: skip
    started = time.perf_counter()
    ours = split(frame)["cifar10", "random"]
    times = seconds_grid(100_000.0)
    curve_of(ours, "test", times, ours.finished_by(times), rng)
    assert time.perf_counter() - started < 3  # measured: 0.2 s on one core, 2026-11
