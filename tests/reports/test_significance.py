"""What tests and effect sizes promise, against scipy, statsmodels and plain definitions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nasgauge.reports.significance import (
    FEWEST_TASKS,
    average_ranks,
    detectable,
    effect,
    friedman,
    holm,
    signed_rank,
    verdict,
)

SAMPLES = st.lists(st.sampled_from([1.0, 2.0, 2.5, 3.0, np.nan]), min_size=2, max_size=12)


def test_signed_rank_equals_scipy_without_ties_and_counts_ties_half() -> None:
    difference = np.random.default_rng(0).normal(0.3, 1, 30)
    assert signed_rank(difference) == pytest.approx(stats.wilcoxon(difference).pvalue)
    assert signed_rank(np.zeros(9)) == 1.0
    assert signed_rank([np.nan, 1.0]) == signed_rank([1.0])
    assert np.isnan(signed_rank([np.nan]))
    assert signed_rank(np.r_[difference, np.zeros(20)]) > signed_rank(difference)  # ties speak for no difference


@given(st.lists(st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 1.0, 3.0]), min_size=1, max_size=9).filter(any))
@settings(max_examples=60)
def test_signed_rank_with_ties_counts_all_signs(difference: list[float]) -> None:
    values = np.array(difference)
    ranks = stats.rankdata(np.abs(values))
    signs = np.array(list(itertools.product([0, 1], repeat=len(values))))
    half = ranks[values == 0].sum() / 2
    sums = (signs * np.where(values == 0, 0, ranks)).sum(1) + half
    found = ranks[values > 0].sum() + half
    tail = min((sums <= found + 1e-9).mean(), (sums >= found - 1e-9).mean())
    assert signed_rank(values) == pytest.approx(min(1.0, 2 * tail))


def test_nobody_is_told_to_be_above_where_mean_and_ranks_disagree() -> None:
    """19 small wins and one large loss: the test is sure of the wins, the mean is below."""
    torn = np.r_[np.linspace(0.1, 0.2, 19), -9.0, np.nan]
    assert signed_rank(torn) < 0.05 and np.nanmean(torn) < 0
    assert verdict(torn, signed_rank(torn)) == verdict(-torn, signed_rank(torn)) == 0
    assert (verdict(torn[:19], 0.01), verdict(-torn[:19], 0.01), verdict(torn[:19], 0.05)) == (1, -1, 0)
    assert verdict([np.nan], np.nan) == verdict([0.0, 0.0], 0.01) == 0


@given(st.lists(st.sampled_from([0.0, 0.01, 0.02, 0.02, 0.2, 0.7, 1.0, np.nan]), min_size=1, max_size=8))
@settings(max_examples=40)
def test_holm_rejects_what_the_step_down_procedure_rejects(p: list[float]) -> None:
    adjusted = holm(p)
    there = sorted(each for each in p if each == each)
    for level in (0.01, 0.05, 0.1, 0.5):
        rejected = 0
        while rejected < len(there) and there[rejected] <= level / (len(there) - rejected):
            rejected += 1
        assert sum(each <= level + 1e-12 for each in adjusted) == rejected
    assert [each != each for each in adjusted] == [each != each for each in p]


@given(SAMPLES, SAMPLES)
@settings(max_examples=80)
def test_a12_counts_wins_and_half_ties(x: list[float], y: list[float]) -> None:
    n = min(len(x), len(y))
    pairs = [(a, b) for a, b in zip(x[:n], y[:n], strict=True) if a == a and b == b]
    found = effect(x[:n], y[:n])
    if not pairs:
        assert np.isnan(found.a12)
        return
    ours, theirs = zip(*pairs, strict=True)
    assert found.a12 == pytest.approx(np.mean([(a > b) + 0.5 * (a == b) for a in ours for b in theirs]))
    assert effect(y[:n], x[:n]).a12 == pytest.approx(1 - found.a12)
    if len(pairs) > 1:
        assert 0 <= found.low <= found.a12 <= found.high <= 1


def test_the_interval_of_a12_covers_nine_and_a_half_times_in_ten() -> None:
    rng, truth, hits = np.random.default_rng(1), stats.norm.cdf(0.5 / np.sqrt(2)), 0
    for _ in range(600):
        found = effect(rng.normal(0.5, 1, 40), rng.normal(0, 1, 40))
        hits += found.low <= truth <= found.high
    assert 0.92 < hits / 600 < 0.975


def test_complete_separation_has_an_interval_too() -> None:
    found = effect([2.0, 3.0, 4.0, 5.0], [0.0, 0.0, 1.0, 1.0])
    assert found.a12 == 1.0 and found.high == 1.0
    assert found.low == pytest.approx(stats.binomtest(4, 4).proportion_ci(0.95).low)


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    rng, n = np.random.default_rng(2), 25
    difference = rng.normal(0, 1, n)
    delta = detectable((difference - difference.mean()) / difference.std(ddof=1))  # of a sample with deviation 1
    power = stats.nct.sf(stats.t.ppf(0.975, n - 1), n - 1, delta * np.sqrt(n))
    assert power == pytest.approx(0.8, abs=0.01)
    assert np.isnan(detectable([1.0]))


@given(st.lists(st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=3, max_size=3), min_size=1, max_size=6))
@settings(max_examples=50)
def test_tied_ranks_are_average_ranks(rows: list[list[float]]) -> None:
    """A peer breaks ties by array order, so that a constant score looks perfect or useless."""
    values = np.array(rows)
    np.testing.assert_allclose(average_ranks(values), stats.rankdata(-values, axis=0))


def test_constant_values_all_rank_in_the_middle_and_nan_ranks_last() -> None:
    assert average_ranks(np.full((4, 2), 7.0)).tolist() == [[2.5, 2.5]] * 4
    assert average_ranks(np.array([[1.0, np.nan], [np.nan, np.nan], [2.0, np.nan]]))[:, 0].tolist() == [2.0, 3.0, 1.0]
    assert np.isnan(average_ranks(np.array([[np.nan], [np.nan]]))).all()


def test_friedman_by_hand() -> None:
    """Four competitors on 14 tasks with ties, equations 2, 3 and 5 of Demsar (2006) written out."""
    rng = np.random.default_rng(5)
    scores = np.round(rng.normal((0, 1, 0.2, 1.2), size=(14, 4)), 1)
    found = friedman(scores)
    ranks = np.array([stats.rankdata(-row) for row in scores])
    np.testing.assert_allclose(found.ranks, ranks.mean(axis=0))
    chi2 = stats.friedmanchisquare(*scores.T).statistic
    assert found.p == pytest.approx(stats.f.sf(13 * chi2 / (14 * 3 - chi2), 3, 39))
    assert found.critical == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), abs=1e-3)
    apart = np.abs(found.ranks[:, None] - found.ranks[None, :]) > found.critical
    np.testing.assert_array_equal(apart, found.pairs < 0.05)
    assert found.refused == ""


@pytest.mark.parametrize(("k", "q"), [(3, 2.343), (5, 2.728), (10, 3.164)])  # Demsar (2006), Table 5 (a)
def test_critical_values_are_the_published_ones(k: int, q: float) -> None:
    found = friedman(np.random.default_rng(k).normal(size=(20, k)))
    assert found.critical == pytest.approx(q * np.sqrt(k * (k + 1) / (6 * 20)), abs=1e-3)


def test_groups_are_maximal_and_within_the_critical_difference() -> None:
    rng = np.random.default_rng(3)
    found = friedman(rng.normal(size=(12, 6)) + np.arange(6))
    ordered = np.sort(found.ranks)
    for first, last in found.groups():
        assert ordered[last] - ordered[first] < found.critical
        assert last == 5 or ordered[last + 1] - ordered[first] >= found.critical


@pytest.mark.parametrize("tasks", range(FEWEST_TASKS))
def test_too_few_tasks_are_refused_with_the_reason(tasks: int) -> None:
    found = friedman(np.random.default_rng(0).normal(size=(tasks, 4)))
    assert f"at least {FEWEST_TASKS} are needed" in found.refused
    assert np.isnan(found.p) and np.isnan(found.critical)


def test_two_competitors_and_equal_competitors() -> None:
    assert "two searchers" in friedman(np.random.default_rng(0).normal(size=(9, 2))).refused
    flat = friedman(np.ones((8, 3)))
    assert flat.p == 1.0 and flat.groups() == ((0, 2),)
