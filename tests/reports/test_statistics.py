"""What the statistics of repeated runs promise."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nasgauge.bench.errors import BadValue
from nasgauge.reports.statistics import bootstrap_mean, iqm, paired, summarise

SAMPLES = st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=30)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("law", ["normal", "exponential"])
def test_interval_agrees_with_scipy(law: str) -> None:
    sample = getattr(rng(1), law)(size=25)
    theirs = stats.bootstrap((sample,), np.mean, n_resamples=20_000, method="BCa", rng=rng(2)).confidence_interval
    ours = bootstrap_mean(sample, rng(3), resamples=20_000)
    assert ours == pytest.approx(theirs, abs=0.05 * np.std(sample))


@pytest.mark.parametrize(("law", "least"), [("normal", 0.92), ("exponential", 0.89)])
def test_interval_covers_the_true_mean_about_as_often_as_it_says(law: str, least: float) -> None:
    samples = getattr(rng(4), law)(size=(40, 800))  # 800 experiments of 40 runs
    low, high = bootstrap_mean(samples, rng(5), resamples=1000)
    truth = {"normal": 0.0, "exponential": 1.0}[law]
    covered = np.mean((low <= truth) & (truth <= high))
    assert least < covered < 0.975


def test_error_bars_are_intervals_of_the_mean_and_not_scaled_deviations() -> None:
    """A peer's plots draw 0.5 or 0.15 standard deviations without saying so, whatever the number of runs."""
    few, many = rng(6).normal(size=50), rng(6).normal(size=5000)
    for sample in (few, many):
        low, high = bootstrap_mean(sample, rng(7))
        assert high - low == pytest.approx(2 * 1.96 * sample.std(ddof=1) / np.sqrt(len(sample)), rel=0.1)


@given(SAMPLES, st.floats(-50, 50, width=16))
@settings(max_examples=40)
def test_interval_moves_and_mirrors_with_the_sample_and_stays_inside_it(sample: list[float], shift: float) -> None:
    values = np.array(sample)
    low, high = bootstrap_mean(values, rng(8), resamples=300)
    assert values.min() - 1e-9 <= low <= high <= values.max() + 1e-9
    assert bootstrap_mean(values + shift, rng(8), resamples=300) == pytest.approx((low + shift, high + shift), abs=1e-6)
    assert bootstrap_mean(-values, rng(8), resamples=300) == pytest.approx((-high, -low), abs=1e-6)


def test_runs_that_all_ended_alike_have_an_interval_of_no_width() -> None:
    assert bootstrap_mean(np.full(7, 94.37), rng()) == (94.37, 94.37)


def test_one_run_or_none_has_no_interval() -> None:
    for sample in ([93.0], [93.0, np.nan], [np.nan, np.nan], []):
        assert np.isnan(bootstrap_mean(np.array(sample), rng())).all()


def test_missing_numbers_are_left_out_of_each_column() -> None:
    columns = rng(9).normal(size=(12, 3))
    columns[3:5, 1] = np.nan
    columns[:, 2] = np.nan
    low, high = bootstrap_mean(columns, rng(10))
    whole = bootstrap_mean(columns[:, 0], rng(10))
    known = np.delete(columns[:, 1], [3, 4])
    assert (low[0], high[0]) == whole
    assert low[1] < known.mean() < high[1]
    assert np.isnan([low[2], high[2]]).all()


def test_absurd_settings_are_refused() -> None:
    with pytest.raises(BadValue, match="level"):
        bootstrap_mean([1.0, 2.0], rng(), level=95)
    with pytest.raises(BadValue, match="resamples"):
        bootstrap_mean([1.0, 2.0], rng(), resamples=0)
    with pytest.raises(BadValue, match="single number"):
        bootstrap_mean(3.0, rng())


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=40))
def test_iqm_is_the_mean_of_the_middle_half(sample: list[float]) -> None:
    assert iqm(sample) == pytest.approx(stats.trim_mean(sample, 0.25))


def test_summary_counts_what_is_missing() -> None:
    summary = summarise([1.0, 2.0, 3.0, 4.0, np.nan], rng())
    assert (summary.runs, summary.missing, summary.mean, summary.median) == (4, 1, 2.5, 2.5)
    assert (summary.q1, summary.q3, summary.iqm, summary.smallest, summary.largest) == (1.75, 3.25, 2.5, 1.0, 4.0)
    assert summary.std == pytest.approx(np.std([1, 2, 3, 4], ddof=1))
    assert summary.low < 2.5 < summary.high


def test_summary_of_nothing_is_missing_and_of_one_run_has_no_spread() -> None:
    nothing = summarise([], rng())
    assert nothing.runs == 0 and np.isnan(nothing.mean)
    one = summarise([93.0], rng())
    assert (one.mean, one.median, one.iqm) == (93.0, 93.0, 93.0)
    assert np.isnan([one.std, one.low, one.high]).all()


def test_pairs_are_made_by_seed_whatever_the_order() -> None:
    difference = paired([3.0, 1.0, 2.0, 9.0], [2, 0, 1, 5], [1.0, 1.0, 1.0, np.nan], [0, 1, 2, 5], rng())
    assert (difference.pairs, difference.mean) == (3, 1.0)
    assert (difference.wins, difference.ties, difference.losses) == (2, 1, 0)


def test_a_verdict_needs_an_interval_that_excludes_zero() -> None:
    seeds = np.arange(40)
    noise = rng(11).normal(size=40)
    assert paired(noise + 3, seeds, np.zeros(40), seeds, rng()).verdict == 1
    assert paired(noise - 3, seeds, np.zeros(40), seeds, rng()).verdict == -1
    assert paired(noise - noise.mean(), seeds, np.zeros(40), seeds, rng()).verdict == 0
    assert paired([5.0], [0], [1.0], [0], rng()).verdict == 0  # one pair: no interval, no verdict


def test_global_random_state_is_left_alone() -> None:
    before = (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002
    summarise(np.arange(10.0), rng())
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002
