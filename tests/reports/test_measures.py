"""What one number per run promises: milestones, areas, gaps, ranks over time, trainers, hypervolume."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from nasgauge.reports.comparison.anytime import mean_ranks, ranks_over
from nasgauge.reports.comparison.asked import Optimum
from nasgauge.reports.comparison.fronts import attained, hypervolume, told
from nasgauge.reports.comparison.milestones import Reached, reached
from nasgauge.reports.comparison.outcome import _final, outcome
from nasgauge.reports.comparison.quality import area, common_start, gaps_of_selection
from nasgauge.reports.comparison.trainers import idle_share, makespan
from nasgauge.reports.comparison.trajectory import Repetitions, split
from nasgauge.reports.statistics import iqm, iqm_interval

NAN = float("nan")


def runs_of(*runs: dict[str, list[float]]) -> Repetitions:
    """One repetition for each dictionary of columns; what is not given is filled in."""
    frames = []
    for seed, columns in enumerate(runs):
        n = len(next(iter(columns.values())))
        query = np.arange(1, n + 1)
        filled: dict[str, Any] = {
            "dataset": "d", "searcher": "s", "seed": seed, "query": query, "id": query, "value": 1.0, "budget": 12,
            "cost": NAN, "started": query - 1.0, "seconds": query * 1.0, "worker": 0, "searcher_seconds": 0.0,
            "proxy_seconds": 0.0, "valid": 90.0, "test": 90.0,
        }  # fmt: skip
        frames.append(pd.DataFrame({**filled, **columns}))
    return split(pd.concat(frames, ignore_index=True))["d", "s"]


def test_the_longest_training_is_incumbent_whatever_its_value() -> None:
    ours = runs_of({"value": [90.0, 95.0, 80.0, 85.0, 99.0, 85.0], "budget": [4, 4, 12, 12, 4, 12]})
    assert ours.incumbents.tolist() == [[0, 1, 2, 3, 3, 3]]
    nothing = runs_of({"value": [90.0, NAN, 80.0], "budget": [4, 12, 4]})
    assert nothing.incumbents.tolist() == [[0, 0, 0]]  # a long training without a number is no incumbent


@given(st.lists(st.tuples(st.sampled_from([4, 12, 36]), st.sampled_from([1.0, 2.0, 3.0, NAN])), min_size=1, max_size=9))
@settings(max_examples=60)
def test_incumbents_equal_a_plain_loop(told: list[tuple[int, float]]) -> None:
    best, place, expected = (0, -np.inf), -1, []
    for step, (budget, value) in enumerate(told):
        if value == value and (budget, value) > best:
            best, place = (budget, value), step
        expected.append(place)
    budgets, values = (list(each) for each in zip(*told, strict=True))
    assert runs_of({"value": values, "budget": budgets}).incumbents.tolist() == [expected]


def test_arrivals_are_of_incumbents() -> None:
    ours = runs_of(
        {"value": [1.0, 3.0, 2.0], "test": [90.0, 91.0, 99.0]},  # 99 is never incumbent
        {"value": [1.0, 2.0], "test": [90.0, 95.0], "seconds": [5.0, 9.0]},
        {"value": [1.0], "test": [99.0]},
    )
    assert reached(ours, "test", 95.0, "queries").times.tolist() == [np.inf, 2.0, 1.0]
    assert reached(ours, "test", 95.0, "seconds").times.tolist() == [np.inf, 9.0, 1.0]


def test_the_run_whose_budget_ends_last_does_not_stand_for_those_that_ended_before() -> None:
    """Budgets end runs within one training of each other; the estimate of Kaplan and Meier ended at 100 % here."""
    ended = [{"value": [1.0, 2.0], "test": [90.0, 91.0], "seconds": [50.0, 100.0 + run]} for run in range(9)]
    ours = runs_of(*ended, {"value": [1.0, 2.0], "test": [90.0, 95.0], "seconds": [50.0, 120.0]})
    arrival = reached(ours, "test", 95.0, "seconds")
    assert arrival.curve[1].tolist() == [0.0, 0.1] and arrival.median()[0] == np.inf


@given(st.lists(st.sampled_from([1.0, 2.0, 2.5, 7.0, np.inf]), min_size=1, max_size=30))
def test_the_curve_is_the_share_of_all_runs_that_arrived(times: list[float]) -> None:
    arrival = Reached(np.array(times))
    x, share, low, high = arrival.curve
    np.testing.assert_allclose(share, [(np.array(times) <= each).mean() for each in x])
    exact = [binomtest(round(each * len(times)), len(times)).proportion_ci() for each in share]
    np.testing.assert_allclose(np.stack([low, high], axis=1), exact, atol=1e-12)
    assert arrival.median()[0] == sorted(times)[(len(times) - 1) // 2]
    assert arrival.share == (share[-1], low[-1], high[-1])


@given(st.lists(st.floats(0.5, 5), min_size=2, max_size=8), st.floats(1.0, 30.0))
@settings(max_examples=50)
def test_the_area_is_the_exact_integral_of_the_steps(costs: list[float], end: float) -> None:
    seconds = np.cumsum(costs)
    regret = np.random.default_rng(len(costs)).uniform(0, 5, len(costs))
    value = np.arange(len(costs), dtype=float)  # each one is incumbent
    ours = runs_of({"value": list(value), "test": list(94.0 - regret), "seconds": list(seconds)})
    start = float(seconds[0])
    [found] = area(ours, "test", 94.0, "seconds", start, end)
    if end <= start:
        assert np.isnan(found)
        return
    t = np.linspace(start, end, 20_001)[:-1] + (end - start) / 40_000
    plain = regret[np.searchsorted(seconds, t, "right") - 1].mean()
    assert found == pytest.approx(plain, abs=2e-3)


def test_the_area_begins_where_every_run_has_an_incumbent() -> None:
    one = runs_of({"value": [NAN, 1.0, 2.0]}, {"value": [1.0, 1.0, 2.0]})
    assert common_start([one], "queries") == 2.0
    assert np.isnan(common_start([runs_of({"value": [NAN]})], "queries"))


def test_selection_misses_what_validation_does_not_see() -> None:
    ours = runs_of({"value": [3.0, 1.0, NAN], "valid": [91.0, 90.0, 90.0], "test": [93.0, 94.5, 99.0]})
    rows = {row["gap"]: row["mean"] for row in gaps_of_selection(_task(), "s", ours)}
    assert rows == {"validation - test": -2.0, "missed": 1.5}  # what came back without a value was never a candidate


def test_ranks_over_time_share_ties_and_put_late_starters_last() -> None:
    early = runs_of({"value": [1.0, 2.0], "test": [90.0, 92.0], "seconds": [1.0, 2.0]})
    late = runs_of({"value": [1.0, 2.0], "test": [92.0, 92.0], "seconds": [2.0, 3.0]})
    ranks = ranks_over({"early": early, "late": late}, "test", "seconds", np.array([0.5, 1.0, 2.0]))
    assert ranks[:, 0, 1:].tolist() == [[1.0, 1.5], [2.0, 1.5]] and np.isnan(ranks[:, 0, 0]).all()
    assert [band.y[-1] for band in mean_ranks(ranks)] == [1.5, 1.5]


def test_idle_share_is_what_the_trainers_did_not_work() -> None:
    ours = runs_of({"started": [0.0, 0.0, 2.0], "seconds": [2.0, 3.0, 4.0], "worker": [0, 1, 0]})
    assert makespan(ours).tolist() == [4.0]
    assert idle_share(ours, 2).tolist() == [1 / 8]
    assert idle_share(runs_of({"started": [0.0], "seconds": [0.0]}), 2).tolist() == [0.0]


POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=10)


@given(POINTS)
@settings(max_examples=100)
def test_hypervolume_counts_the_cells_that_are_dominated(points: list[tuple[int, int]]) -> None:
    values, costs = (np.array(each, dtype=float) for each in zip(*points, strict=True))
    found = hypervolume(values, costs, (1.0, 6.0))
    for n in range(1, len(points) + 1):
        cells = [
            any(value >= v + 1 and cost <= c for value, cost in points[:n])
            for v, c in product(range(1, 6), range(6))
        ]  # fmt: skip
        assert found[n - 1] == sum(cells)


def test_hypervolume_ignores_what_has_no_number() -> None:
    assert hypervolume(np.array([NAN, 3.0]), np.array([1.0, NAN]), (0.0, 9.0)).tolist() == [0.0, 0.0]


def test_a_limit_on_cost_leaves_the_best_told_and_test_is_looked_up() -> None:
    ours = runs_of({"value": [5.0, 9.0, 7.0], "cost": [1.0, 3.0, 2.0], "test": [50.0, 60.0, 70.0]})
    assert attained(ours, "value", np.array([0.5, 1.0, 2.0, 3.0])).tolist()[0][1:] == [5.0, 7.0, 9.0]
    assert attained(ours, "test", np.array([0.5, 1.0, 2.0, 3.0])).tolist()[0][1:] == [50.0, 70.0, 60.0]
    assert np.isnan(attained(ours, "test", np.array([0.5]))).all()


def test_the_interval_of_the_interquartile_mean_covers_skewed_samples() -> None:
    rng = np.random.default_rng(0)
    whole = np.exp(rng.normal(size=200_000))
    truth = iqm(whole)
    samples = np.exp(rng.normal(size=(40, 1500)))
    middle, low, high = iqm_interval(samples)
    assert middle[0] == pytest.approx(iqm(samples[:, 0]))
    assert 0.92 < np.mean((low <= truth) & (truth <= high)) < 0.975


def test_the_interquartile_mean_leaves_out_what_is_missing() -> None:
    values = np.array([[1.0, NAN], [2.0, 2.0], [3.0, 9.0], [4.0, NAN], [99.0, 4.0]])
    middle, low, _ = iqm_interval(values)
    assert middle.tolist() == [3.0, 5.0] and np.isnan(low).tolist() == [False, True]  # three numbers: no interval


def test_test_accuracy_of_others_changes_nothing_but_what_selection_missed(make_run: Any) -> None:
    """The peeking incumbent, end to end: only the oracle's gain may see the test accuracy of what was not chosen."""
    run = make_run(seeds=6, evaluations=25)
    before = outcome(run).tables
    frame = run.records()
    chosen = {int(each.id[row, column]) for each in split(frame).values() for row in range(len(each.seeds))
              for column in each.incumbents[row] if column >= 0}  # fmt: skip
    frame.loc[~frame["id"].isin(chosen), "test"] = 100.0
    for path in run.folder.glob("part-*.parquet"):
        path.unlink()
    run.write_part("all", frame)
    after = outcome(run).tables
    for name in ("final", "pairs", "milestones", "area", "incumbents", "effort"):
        pd.testing.assert_frame_equal(before[name], after[name])
    assert (after["selection"].query("gap == 'missed'")["mean"] > 1).all()


def test_validation_and_test_are_never_the_same_numbers(make_run: Any) -> None:
    found = outcome(make_run())
    for name in ("final", "pairs", "area", "milestones"):
        table = found.tables[name]
        number = {"final": "mean", "pairs": "mean", "area": "area", "milestones": "accuracy"}[name]
        columns = [table[table["split"] == split][number].to_numpy() for split in ("test", "valid")]
        assert not np.array_equal(columns[0], columns[1])


def _task() -> Any:
    from types import SimpleNamespace

    return SimpleNamespace(dataset="d")


def test_only_the_longest_trainings_take_part_in_a_front() -> None:
    ours = runs_of({"value": [90.0, 80.0, NAN, 85.0], "budget": [4, 12, 12, 12], "cost": [1.0, 2.0, 3.0, NAN]})
    assert told(ours).tolist() == [[False, True, False, False]]


def test_the_share_at_the_optimum_forgives_rounding_and_nothing_else() -> None:
    ours = runs_of(*({"value": [1.0], "test": [accuracy]} for accuracy in (95.0, 95.0 - 5e-6, 94.9, 90.0)))
    task: Any = SimpleNamespace(dataset="d", optimum={"test": Optimum(1, 95.0, "")}, mean_of_space={"test": 80.0})
    row = _final(task, "s", "test", ours)
    assert row["at_optimum"] == 0.5
    assert row["regret"] == pytest.approx(95 - np.mean([95.0, 95.0, 94.9, 90.0]), abs=1e-5)
