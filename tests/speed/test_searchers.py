"""What searchers spend on thinking: one evaluation of each beside random search, BANANAS beside scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.searchers import Recipe, bananas, bohb, evolution, local_search, random, reinforce
from nasgauge.searchers.ensemble import Ensemble, Training
from nasgauge.searchers.runner.search import search_once

from .conftest import Row, best_of, median

PLAN = Training()


def run(bench: Benchmark, recipe: Recipe, queries: int) -> None:
    objective = bench.objective("cifar10", queries=queries, budget=12)
    search_once(recipe.start(bench.space, np.random.default_rng(0), budgets=(12,)), objective)


def points(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(2, size=(count, 30)).astype(np.float32), rng.uniform(5, 90, count).astype(np.float32)


def five_of_scikit_learn(inputs: np.ndarray, targets: np.ndarray) -> None:
    """The same five perceptrons (on the squared error, the only one there is), one after the other."""
    from sklearn.neural_network import MLPRegressor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for member in range(PLAN.members):
            MLPRegressor(
                hidden_layer_sizes=(PLAN.width,) * PLAN.layers, batch_size=PLAN.batch, learning_rate_init=PLAN.rate,
                max_iter=PLAN.epochs, n_iter_no_change=PLAN.epochs, alpha=0.0, beta_2=0.99, tol=1e-12,
                random_state=member,
            ).fit(inputs, targets)  # fmt: skip


def test_ensemble(benchmark: Any, row: Row) -> None:
    inputs, targets = points(140)
    benchmark.pedantic(lambda: Ensemble(30, PLAN, np.random.default_rng(0)).fit(inputs, targets), rounds=3)
    other = best_of(2, lambda: five_of_scikit_learn(inputs, targets))
    row("BANANAS, one fit on 140 points", median(benchmark), "s", 1, "scikit-learn", other)


def test_bananas(benchmark: Any, tss: Benchmark, row: Row) -> None:
    """150 queries: 14 fits, on 10 to 140 points, which take three fifths of 14 fits on 140."""
    benchmark.pedantic(lambda: run(tss, bananas(), 150), rounds=1)
    inputs, targets = points(140)
    other = 0.6 * 14 * best_of(1, lambda: five_of_scikit_learn(inputs, targets))
    row("BANANAS, 150 queries", median(benchmark), "s", 10, "scikit-learn's fits", other)


@pytest.mark.parametrize(
    ("name", "recipe", "claim"),
    [
        ("evolution, worst dies", evolution("worst-dies"), 20),
        ("evolution on rows", evolution("naszilla"), 100),
        ("local search", local_search(), 20),
        ("REINFORCE", reinforce(), 200),
        ("BOHB", bohb(), 2_000),
    ],
)
def test_one_evaluation(benchmark: Any, tss: Benchmark, row: Row, name: str, recipe: Recipe, claim: float) -> None:
    run(tss, recipe, 100)
    benchmark(lambda: run(tss, recipe, 1_000))
    floor = best_of(5, lambda: run(tss, random(), 1_000))
    row(f"{name}, one evaluation", 1e3 * median(benchmark), "us", claim, "random search", 1e3 * floor)
