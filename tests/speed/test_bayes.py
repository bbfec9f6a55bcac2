"""Bayesian optimisation: embeddings, distance matrices and whole runs, beside the distances taken pair by pair.

In processor time: what is claimed is of one core, and a busy machine changes it little.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.clock import Clock
from nasgauge.bench.objective import Objective
from nasgauge.bench.spaces import space
from nasgauge.searchers import Recipe, tw_gp, tw_gp_batch
from nasgauge.searchers.bayes.embedding import embed, explain, whole_space
from nasgauge.searchers.bayes.likelihood import Likelihood
from nasgauge.searchers.bayes.tree_wasserstein import TreeWasserstein
from nasgauge.searchers.runner.search import search_once

from .conftest import Row, median
from .conftest import best_of as best_of_any

pytestmark = pytest.mark.benchmark(timer=time.process_time)

best_of = partial(best_of_any, clock=time.process_time)

PAIRS = 200
GROWTH = 9.0  # of the cost of a fit where n doubles: n^3 and an eighth for the noise of the measurement
NEEDED = 6.46e6  # pairs of a run of 200 evaluations where nothing is remembered, as in the authors' code


def run(bench: Benchmark, recipe: Recipe, queries: int) -> None:
    objective = bench.objective("cifar10", queries=queries, budget=12)
    search_once(recipe.start(bench.space, np.random.default_rng(0), budgets=(12,)), objective)


def one_pair() -> float:
    """Seconds of one distance when each is computed for itself."""
    topology = space("topology")
    return best_of(2, lambda: [explain(TreeWasserstein(), topology, 0, other) for other in range(PAIRS)]) / PAIRS


@pytest.mark.parametrize("preset", ["published", "tuned", "released"])
def test_run_of_200(benchmark: Any, tss: Benchmark, row: Row, preset: str) -> None:
    run(tss, tw_gp(preset, initial=3), 6)  # scipy is imported
    benchmark.pedantic(lambda: run(tss, tw_gp(preset), 200), rounds=2)
    row(f"tw-gp:{preset}, 200 evaluations", median(benchmark), "s", 3, "pair by pair", NEEDED * one_pair())


def test_run_of_200_on_nasbench101(benchmark: Any, row: Row) -> None:
    cells = space("cells101")
    values = 90 + 5 * np.random.default_rng(0).random(cells.size)

    def search() -> None:
        objective = Objective(cells, values, np.ones(cells.size), Clock(queries=200))
        search_once(tw_gp().start(cells, np.random.default_rng(0)), objective)

    benchmark.pedantic(search, rounds=2, warmup_rounds=1)
    row("tw-gp on nasbench101, 200 evaluations", median(benchmark), "s", 10, "pair by pair", NEEDED * one_pair())


def test_batches_of_300(benchmark: Any, tss: Benchmark, row: Row) -> None:
    run(tss, tw_gp_batch(initial=3), 13)
    benchmark.pedantic(lambda: run(tss, tw_gp_batch(), 300), rounds=2)
    row("tw-gp-batch, 300 evaluations", median(benchmark), "s", 2, "pair by pair", NEEDED / 5 * one_pair())


@pytest.mark.parametrize(("name", "most"), [("topology", 2), ("cells101", 20)])
def test_whole_space(benchmark: Any, row: Row, name: str, most: float) -> None:
    cells = space(name)
    benchmark.pedantic(lambda: whole_space.__wrapped__(TreeWasserstein(2), cells), rounds=1)
    other = best_of(1, lambda: [embed(TreeWasserstein(2), cells, [arch]) for arch in range(200)]) / 200 * cells.size
    row(f"embedding of {cells.size:,} cells", median(benchmark), "s", most, "one by one", other)


def test_distance_matrix(benchmark: Any, row: Row) -> None:
    everything = whole_space(TreeWasserstein(), space("topology"))
    some = everything.take(np.arange(1000))
    benchmark.pedantic(lambda: some.distances(everything), rounds=3)
    row("distances 1,000 x 15,625", median(benchmark), "s", 1, "pair by pair", 15_625_000 * one_pair())


def test_cost_of_a_fit_grows_with_the_cube(benchmark: Any, row: Row) -> None:
    """One likelihood with its gradient, the step a fit takes some 200 times: at most 5 n^3 operations of the machine.

    The yardstick is n^3 / 3 multiply-adds at the rate of a Cholesky factorisation of the largest matrix; `GROWTH` is
    what twice as many observations may cost.
    """
    everything = whole_space(TreeWasserstein(), space("topology"))
    rng = np.random.default_rng(0)
    seconds = {}
    for n in (400, 800, 1600):
        some = everything.take(rng.choice(15_625, n, replace=False))
        likelihood = Likelihood(some.distances(), rng.normal(size=n))
        theta = np.log([0.1, 0.2, 0.2, 1e-2])
        if n == 1600:
            benchmark.pedantic(lambda of=likelihood, at=theta: of.with_gradient(at), rounds=2, warmup_rounds=1)
        seconds[n] = best_of(3, lambda of=likelihood, at=theta: of.with_gradient(at))
    matrix = np.exp(-some.distances().sum(axis=0)) + np.eye(1600)
    factorisation = best_of(3, lambda: np.linalg.cholesky(matrix))
    row("likelihood and gradient, n = 1,600", seconds[1600], "s", 15 * factorisation, "its Cholesky", factorisation)
    for n in (400, 800):
        row(f"the same, {2 * n} over {n}", seconds[2 * n] / seconds[n], "x", GROWTH, "the cube", 8)
    assert max(seconds[800] / seconds[400], seconds[1600] / seconds[800]) <= GROWTH
