"""What rank correlations and top-k statistics promise, against scipy, sklearn and brute force over all tie orders."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import ndcg_score

from nasgauge.bench.errors import BadValue
from nasgauge.reports.correlation_statistics import Resampled, agreement, best, draws
from nasgauge.reports.net_signs import NetSigns, blocks, dense_ranks
from nasgauge.reports.top_statistics import Ranked, halves, top

NAN = float("nan")
FEW = st.sampled_from([0.0, 1.0, 2.0, 3.0])


@given(st.integers(2, 400), st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_net_signs_equal_the_double_sum(n: int, x_values: int, y_values: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = dense_ranks(rng.integers(x_values, size=n)), dense_ranks(rng.integers(y_values, size=n))
    weights = rng.integers(0, 4, (n, 3)).astype(np.float32)
    signs = np.sign(x[:, None] - x[None]) * np.sign(y[:, None] - y[None])
    np.testing.assert_array_equal(NetSigns(x, y)(weights), signs @ weights)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=200), st.integers(1, 40))
@settings(max_examples=40)
def test_blocks_never_divide_a_tie_and_stay_small(values: list[int], size: int) -> None:
    ranks = dense_ranks(values)
    found = blocks(ranks, size)
    for block in np.unique(found):
        inside = np.unique(ranks[found == block])
        assert set(found[np.isin(ranks, inside)]) == {block}
        assert (found == block).sum() < 2 * size or len(inside) == 1
    order = np.argsort(ranks, kind="stable")
    assert (np.diff(found[order]) >= 0).all()


@pytest.mark.parametrize(("n", "decimals"), [(30, 9), (300, 0), (700, 9), (900, 1)])
def test_resampled_correlations_are_those_of_the_resample(n: int, decimals: int) -> None:
    rng = np.random.default_rng(n)
    y = rng.normal(size=n)
    x, y = np.round(y + rng.normal(size=n), decimals), np.round(y, max(decimals, 1))
    [drawn] = draws(n, 4, rng)
    found = Resampled(x, y)(drawn)
    for column, counts in enumerate(drawn.T):
        xs, ys = np.repeat(x, counts), np.repeat(y, counts)
        assert found["kendall"][column] == pytest.approx(stats.kendalltau(xs, ys).statistic, abs=1e-12)
        assert found["weighted"][column] == pytest.approx(stats.weightedtau(xs, ys).statistic, abs=1e-12)
        assert found["spearman"][column] == pytest.approx(stats.spearmanr(xs, ys).statistic, abs=1e-12)


def test_values_are_scipys_and_lie_in_their_intervals() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=200)
    x = -y + rng.normal(size=200)
    found = agreement(x, y, resamples=200)
    assert found.kendall.value == stats.kendalltau(x, y).statistic < 0  # a sign is never lost
    for each in (found.kendall, found.weighted, found.spearman):
        assert each.low < each.value < each.high < 0
    ranks = stats.rankdata(x), stats.rankdata(y)
    assert found.spearman.value == pytest.approx(stats.pearsonr(*ranks).statistic)


def test_the_interval_of_tau_covers() -> None:
    rng, hits = np.random.default_rng(3), 0
    truth = 2 / np.pi * np.arcsin(0.6)  # of a normal pair with correlation .6 (Greiner)
    for _ in range(150):
        x, y = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=120).T
        each = agreement(x, y, rng, resamples=250).kendall
        hits += each.low <= truth <= each.high
    assert 0.88 < hits / 150 <= 0.99


def test_the_same_numbers_give_the_same_intervals() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    assert agreement(x, y, resamples=50) == agreement(x, y, resamples=50)


def test_metrics_on_healthy_data_are_finite_and_what_is_missing_is_counted() -> None:
    """A peer's bare except turns every metric into NaN."""
    x = np.array([1.0, 2.0, NAN, 4.0, np.inf, 6.0, 6.0])
    y = np.array([2.0, 1.0, 5.0, NAN, 4.0, 6.0, 7.0])
    found = agreement(x, y, resamples=50)
    assert (found.used, found.missing, found.score_ties) == (5, 2, 2)
    assert np.isfinite([found.kendall.value, found.weighted.value, found.spearman.value]).all()
    [first] = top(x, y, [2], resamples=50)
    assert np.isfinite([getattr(first, name).value for name in NAMES]).all() and first.missing == 2


@pytest.mark.parametrize("x", [[], [1.0], [2.0, 2.0, 2.0], [NAN, NAN]])
def test_what_has_no_correlation_is_nan(x: list[float]) -> None:
    found = agreement(x, list(range(len(x))), resamples=20)
    assert np.isnan(found.kendall.value) and np.isnan(found.spearman.low)


def test_lengths_and_k_are_checked() -> None:
    with pytest.raises(BadValue, match="one number per architecture"):
        agreement([1.0, 2.0], [1.0])
    with pytest.raises(BadValue, match="each at least 1"):
        top([1.0], [1.0], [3, 0])


def test_the_best_by_truth_include_who_ties_with_the_last() -> None:
    truth = np.array([5.0, 4.0, 4.0, 3.0, NAN] + [1.0] * 15)
    assert best(truth, 0.1).sum() == 3 and best(truth, 1.0).sum() == 19 and best(truth, 0.001).sum() == 1


NAMES = ("precision", "recall", "best_rank", "regret", "ndcg")


def brute(x: np.ndarray, y: np.ndarray, k: int) -> dict[str, float]:
    """The mean over every order that agrees with the score, and every one that agrees with the truth."""
    n = len(x)
    gains = (stats.rankdata(y) - 1) / max(1, n - 1)
    relevant = max(1, int(np.ceil(0.01 * n)))
    by_score, by_truth = (
        [order for order in permutations(range(n)) if all(z[a] >= z[b] for a, b in pairwise(order))] for z in (x, y)
    )
    rows: dict[str, list[float]] = {name: [] for name in NAMES}
    for order in by_score:
        first = order[:k]
        rows["best_rank"].append(min(1 + (y > y[each]).sum() for each in first))
        rows["regret"].append(y.max() - max(y[each] for each in first))
        rows["ndcg"].append(sum(gains[each] / np.log2(place + 2) for place, each in enumerate(first)))
        for true in by_truth:
            rows["precision"].append(len(set(first) & set(true[:k])) / k)
            rows["recall"].append(len(set(first) & set(true[:relevant])) / relevant)
    means = {name: float(np.mean(values)) for name, values in rows.items()}
    ideal = sum(gain / np.log2(place + 2) for place, gain in enumerate(sorted(gains, reverse=True)[:k]))
    means["ndcg"] = means["ndcg"] / ideal if ideal else NAN
    return means


@given(st.lists(st.tuples(FEW, FEW), min_size=2, max_size=6), st.integers(1, 6))
@settings(max_examples=60)
def test_top_statistics_equal_the_mean_over_all_orders_of_ties(pairs: list[tuple[float, float]], k: int) -> None:
    x, y = (np.array(each) for each in zip(*pairs, strict=True))
    k = min(k, len(x))
    [found], expected = top(x, y, [k], resamples=0), brute(x, y, k)
    for name in NAMES:
        assert getattr(found, name).value == pytest.approx(expected[name], nan_ok=True), name


@given(st.lists(st.tuples(FEW, FEW), min_size=3, max_size=6), st.integers(1, 4), st.integers(0, 999))
@settings(max_examples=40)
def test_resampled_top_statistics_are_those_of_the_resample(
    pairs: list[tuple[float, float]], k: int, seed: int
) -> None:
    x, y = (np.array(each) for each in zip(*pairs, strict=True))
    k = min(k, len(x))
    [drawn] = draws(len(x), 2, np.random.default_rng(seed))
    [found] = Ranked(x, y)(drawn, [k])
    for column, counts in enumerate(drawn.T):
        [alone] = top(np.repeat(x, counts), np.repeat(y, counts), [k], resamples=0)
        for name in NAMES:
            assert found[name][column] == pytest.approx(getattr(alone, name).value, nan_ok=True), name


def test_a_constant_score_is_worth_a_random_choice_in_any_order_of_the_truth() -> None:
    """A peer's P@10 of a constant score is 1 or 0, depending on how the truth is sorted."""
    truth = np.random.default_rng(0).permutation(200).astype(float)
    for y in (truth, np.sort(truth), np.sort(truth)[::-1]):
        [found] = top(np.zeros(200), y, [10], resamples=100)
        assert found.precision.value == pytest.approx(10 / 200) and found.recall.value == pytest.approx(10 / 200)
        assert found.best_rank.value == pytest.approx(201 / 11)  # of the smallest of 10 out of 1 .. 200
        assert found.precision.low <= found.precision.value <= found.precision.high


def test_ndcg_is_sklearns() -> None:
    rng = np.random.default_rng(1)
    x, y = np.round(rng.normal(size=300), 1), rng.normal(size=300)
    gains = (stats.rankdata(y) - 1) / 299
    assert top(x, y, [25], resamples=0)[0].ndcg.value == pytest.approx(ndcg_score([gains], [x], k=25))


def test_a_perfect_score_is_perfect() -> None:
    y = np.random.default_rng(0).normal(size=100)
    [found] = top(y, y, [10], resamples=0)
    assert [getattr(found, name).value for name in NAMES] == pytest.approx([1.0, 1.0, 1.0, 0.0, 1.0])


def test_several_k_are_what_each_is_alone_and_more_than_all_is_all() -> None:
    x, y = np.round(np.random.default_rng(0).normal(size=(2, 400)), 1)
    several = top(x, y, [1, 7, 300, 999], resamples=60)
    assert several == tuple(top(x, y, [k], resamples=60)[0] for k in (1, 7, 300, 999))
    assert several[-1].best_rank.value == 1.0 and several[-1].regret.value == 0.0 and several[-1].recall.value == 1.0


@given(st.lists(st.tuples(FEW, FEW), min_size=4, max_size=9), st.integers(1, 4), st.integers(0, 999))
@settings(max_examples=40)
def test_the_top_statistics_of_a_half_are_those_of_its_architectures(
    pairs: list[tuple[float, float]], k: int, seed: int
) -> None:
    x, y = (np.array(each) for each in zip(*pairs, strict=True))
    [drawn] = halves(len(x), 3, np.random.default_rng(seed))
    k = min(k, len(x) // 2)
    [found] = Ranked(x, y)(drawn, [k])
    for column, inside in enumerate(drawn.T):
        assert set(inside) == {0, 1} and inside.sum() == len(x) // 2  # nobody twice
        [alone] = top(x[inside > 0], y[inside > 0], [k], resamples=0)
        for name in NAMES:
            assert found[name][column] == pytest.approx(getattr(alone, name).value, nan_ok=True), name


def test_halves_spread_a_mean_as_samples_do() -> None:
    """The standard deviation over halves of n numbers is that of the mean of n."""
    values = np.random.default_rng(0).normal(size=200)
    means = np.concatenate([values @ half / 100 for half in halves(200, 4000)])
    assert means.std() == pytest.approx(values.std(ddof=1) / np.sqrt(200), rel=0.05)
    assert list(halves(1, 10)) == []


def test_a_perfect_score_is_perfect_in_every_half() -> None:
    """Where a bootstrap's copies tie, a perfect score chooses other copies than the truth does."""
    y = np.random.default_rng(0).normal(size=100)
    for found in top(y, y, [1, 10], resamples=200):
        assert (found.precision.low, found.regret.high, found.best_rank.high) == pytest.approx((1.0, 0.0, 1.0))
        assert (found.recall.low, found.ndcg.low) == pytest.approx((1.0, 1.0))
