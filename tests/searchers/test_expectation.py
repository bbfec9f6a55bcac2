"""The closed form of random search equals what drawing gives."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.benchmark import Benchmark
from nasgauge.searchers import random
from nasgauge.searchers.expectation import RandomSearchLaw, seconds_a_query, thinned
from nasgauge.searchers.runner.experiment import compare
from nasgauge.searchers.runner.search import Mode


def by_enumeration(fitness: list[float], queries: int) -> np.ndarray:
    """Chance of each outcome to be the first best of all len(fitness)**queries sequences."""
    chances = np.zeros(len(fitness))
    for sequence in itertools.product(range(len(fitness)), repeat=queries):
        incumbent = sequence[0]
        for drawn in sequence[1:]:
            if fitness[drawn] > fitness[incumbent]:
                incumbent = drawn
        chances[incumbent] += 1
    return chances / chances.sum()


@given(st.lists(st.integers(0, 3), min_size=1, max_size=5), st.integers(1, 4))
def test_probabilities_equal_enumeration_with_ties(fitness: list[float], queries: int) -> None:
    law = RandomSearchLaw(np.array(fitness, dtype=float))
    np.testing.assert_allclose(law.probabilities(queries), by_enumeration(fitness, queries), atol=1e-12)


def test_unequal_weights_equal_repeated_outcomes() -> None:
    weighted = RandomSearchLaw(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0]))
    repeated = RandomSearchLaw(np.array([1.0, 1, 1, 2, 2, 3]))
    expected = [part.sum() for part in np.split(repeated.probabilities(4), [3, 5])]
    np.testing.assert_allclose(weighted.probabilities(4), expected)


def test_mean_and_quantiles_equal_simulation() -> None:
    rng = np.random.default_rng(0)
    fitness = np.round(rng.normal(size=200), 1)  # many ties
    reported = fitness + rng.normal(size=200)
    law = RandomSearchLaw(fitness)
    mean, low, high = law.mean_and_quantiles(reported, np.array([30]))[0]
    draws = rng.integers(200, size=(40_000, 30))
    found = reported[draws[np.arange(len(draws)), fitness[draws].argmax(axis=1)]]
    assert mean == pytest.approx(found.mean(), abs=5 * found.std() / 200)
    assert np.mean(found < low) <= 0.03
    assert np.mean(found <= high) >= 0.97


def test_unknown_numbers_are_left_out_and_unknown_fitness_loses() -> None:
    law = RandomSearchLaw(np.array([1.0, np.nan, 2.0]))
    np.testing.assert_allclose(law.probabilities(2), [3 / 9, 1 / 9, 5 / 9])
    assert law.mean_and_quantiles(np.array([10.0, np.nan, np.nan]), np.array([5]))[0, 0] == 10
    assert np.isnan(law.mean_and_quantiles(np.full(3, np.nan), np.array([5]))).all()


def test_thinned_counts_keep_both_ends() -> None:
    for last in (1, 2, 7, 12_345):
        counts = thinned(last)
        assert (counts[0], counts[-1]) == (1, last)
        assert (np.diff(counts) > 0).all()


@pytest.mark.parametrize(("mode", "workers"), [("async", 1), ("sync", 1), ("async", 4), ("sync", 4)])
def test_the_closed_form_takes_as_long_as_random_searches_do(
    toy: Benchmark, tmp_path: Path, mode: Mode, workers: int
) -> None:
    run = compare(
        toy, [random()], tmp_path / "run", datasets=["cifar10"], queries=400, seeds=10, workers=workers, mode=mode,
        jobs=1,
    )  # fmt: skip
    took = run.repetitions()["makespan"].mean()
    assert run.expectation("cifar10")["seconds"].iloc[-1] == pytest.approx(took, rel=0.02)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=6), st.integers(1, 3))
def test_a_batch_takes_as_long_as_the_longest_of_its_trainings(costs: list[float], workers: int) -> None:
    batches = list(itertools.product(costs, repeat=workers))
    expected = sum(map(max, batches)) / len(batches) / workers
    assert seconds_a_query(np.array([*costs, np.nan]), workers, "sync") == pytest.approx(expected)
