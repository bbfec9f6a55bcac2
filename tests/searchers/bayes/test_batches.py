"""Batches: the k-DPP draws what its law says, and every method keeps its promise."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.errors import UnknownName
from nasgauge.searchers.bayes.batches import BATCHES, choose
from nasgauge.searchers.bayes.kdpp import elementary_symmetric, likelihood_kernel, sample_k_dpp


def posterior(n: int, seed: int = 0, rank: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, rank or n))
    return rng.normal(size=n), factor @ factor.T / n


def ucb(mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    return mean + 2 * np.sqrt(np.maximum(np.diag(covariance), 0))


@pytest.mark.parametrize("k", [1, 2, 4])
def test_subsets_come_up_as_their_determinants_say(k: int) -> None:
    mean, covariance = posterior(6)
    kernel = likelihood_kernel(mean / 2, covariance)
    subsets = list(itertools.combinations(range(6), k))
    law = np.array([np.linalg.det(kernel[np.ix_(subset, subset)]) for subset in subsets])
    law /= law.sum()
    rng, draws = np.random.default_rng(1), 2500
    counts = Counter(tuple(sorted(sample_k_dpp(kernel, k, rng))) for _ in range(draws))
    shares = np.array([counts[subset] for subset in subsets]) / draws
    assert (np.abs(shares - law) < 5 * np.sqrt(law * (1 - law) / draws) + 1e-3).all()


@given(st.lists(st.floats(0, 3), min_size=1, max_size=7), st.integers(1, 4))
@settings(max_examples=40)
def test_symmetric_polynomials_are_sums_of_products(values: list[float], k: int) -> None:
    table = elementary_symmetric(np.array(values), k)
    for size in range(k + 1):
        expected = sum(np.prod(subset) for subset in itertools.combinations(values, size))
        assert table[size, -1] == pytest.approx(expected)


def test_near_duplicates_are_rarely_drawn_together_unless_as_released() -> None:
    covariance = np.eye(8)
    covariance[0, 1] = covariance[1, 0] = 0.999
    mean, rng = np.zeros(8), np.random.default_rng(0)
    both = [{0, 1} <= set(choose("k-dpp", 3, mean, covariance, ucb, rng)) for _ in range(1000)]
    assert np.mean(both) < 0.01
    plain = likelihood_kernel(mean, covariance, "released")
    both = [{0, 1} <= set(sample_k_dpp(plain, 3, rng)) for _ in range(1000)]
    assert abs(np.mean(both) - 3 * 2 / (8 * 7)) < 0.05  # as often as any pair of eight
    one, two = (choose("k-dpp", 3, mean, covariance, ucb, np.random.default_rng(s), variant="released") for s in (1, 2))
    assert one == two  # the same seed at every call


def test_the_k_dpp_prefers_quality() -> None:
    mean, rng = np.array([2.0, 0, 0, 0, 0, -3.0]), np.random.default_rng(0)
    counts = np.bincount(
        np.concatenate([choose("k-dpp", 2, mean, np.eye(6), ucb, rng) for _ in range(500)]), minlength=6
    )
    assert counts[0] > 2 * counts[1:5].max() and counts[5] < counts[1:5].min() / 5


def test_where_the_rank_is_too_small_the_best_follow() -> None:
    mean = np.arange(6.0)
    chosen = sample_k_dpp(np.ones((6, 6)), 4, np.random.default_rng(0), mean)
    assert len(set(chosen)) == 4
    assert chosen[1:] == [row for row in (5, 4, 3, 2, 1, 0) if row != chosen[0]][:3]
    assert len(sample_k_dpp(np.zeros((4, 4)), 3, np.random.default_rng(0))) == 3


@pytest.mark.parametrize("method", BATCHES)
@pytest.mark.parametrize("rank", [None, 2])
def test_batches_have_no_repeats_and_end_with_the_candidates(method: str, rank: int | None) -> None:
    mean, covariance = posterior(12, rank=rank)
    covariance[3] = covariance[4]
    covariance[:, 3] = covariance[:, 4]  # a duplicate
    for k in (1, 5, 12, 20):
        chosen = choose(method, k, mean, covariance, ucb, np.random.default_rng(0))
        assert len(chosen) == len(set(chosen)) == min(k, 12)
        assert all(isinstance(row, int) and 0 <= row < 12 for row in chosen)


@pytest.mark.parametrize("method", ["local-penalisation", "kriging-believer", "constant-liar", "top"])
def test_greedy_batches_start_with_the_most_promising(method: str) -> None:
    mean, covariance = posterior(12)
    chosen = choose(method, 3, mean, covariance, ucb, np.random.default_rng(0), best=0.5)
    assert chosen[0] == int(np.argmax(ucb(mean, covariance)))


@pytest.mark.parametrize("method", ["local-penalisation", "kriging-believer"])
def test_greedy_batches_avoid_the_twin_that_plain_ranking_takes(method: str) -> None:
    mean, covariance = np.array([1.0, 0.99, 0.5, 0.4]), np.eye(4)
    covariance[0, 1] = covariance[1, 0] = 0.9999
    assert choose("top", 2, mean, covariance, ucb, np.random.default_rng(0)) == [0, 1]
    assert choose(method, 2, mean, covariance, ucb, np.random.default_rng(0)) == [0, 2]


def test_believing_is_observing_the_mean() -> None:
    """The update of the believer equals the posterior with one more observation."""
    mean, covariance = posterior(6)
    noise, seen = 0.1, []

    def watching(m: np.ndarray, c: np.ndarray) -> np.ndarray:
        seen.append((m, c))
        return ucb(m, c)

    first, _ = choose("constant-liar", 2, mean, covariance, watching, np.random.default_rng(0), noise=noise, best=3.0)
    gain = covariance[:, first] / (covariance[first, first] + noise)
    np.testing.assert_allclose(seen[1][0], mean + gain * (3.0 - mean[first]))
    np.testing.assert_allclose(seen[1][1], covariance - np.outer(gain, covariance[first]))


def test_batch_methods_have_names() -> None:
    with pytest.raises(UnknownName, match="k-dpp"):
        choose("best", 2, np.zeros(3), np.eye(3), ucb, np.random.default_rng(0))
