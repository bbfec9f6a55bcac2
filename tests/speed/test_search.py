"""Searches through ask and tell, clock and records included, against a bare loop over a list."""

from __future__ import annotations

import random as plain
from collections import deque
from typing import Any

import numpy as np

from nasgauge.bench.benchmark import Benchmark
from nasgauge.searchers import Recipe, evolution, random
from nasgauge.searchers.experiment import search_once

from .conftest import Row, best_of, median

EVALUATIONS = 1_000


def bare_evolution(values: list[float], neighbours: list[list[int]], rng: plain.Random) -> float:
    """Regularized evolution with nothing around it: the floor of plain Python."""
    population: deque[tuple[float, int]] = deque(maxlen=10)
    best = 0.0
    for step in range(EVALUATIONS):
        if step < 10:
            arch = rng.randrange(len(values))
        else:
            arch = rng.choice(neighbours[max(rng.choices(population, k=3))[1]])
        population.append((values[arch], arch))
        best = max(best, values[arch])
    return best


def run(bench: Benchmark, recipe: Recipe) -> None:
    objective = bench.objective("cifar10", queries=EVALUATIONS, budget=12)
    search_once(recipe.start(bench.space, np.random.default_rng(0)), objective)


def floor(bench: Benchmark) -> float:
    values = bench.query(np.arange(15_625), "valid_accuracy", dataset="cifar10", budget=12).tolist()
    neighbours = bench.space.neighbour_table.tolist()  # type: ignore[attr-defined]
    return best_of(30, lambda: bare_evolution(values, neighbours, plain.Random(0))) / EVALUATIONS


def test_evolution(benchmark: Any, tss: Benchmark, row: Row) -> None:
    run(tss, evolution())
    benchmark(lambda: run(tss, evolution()))
    row("evolution, one evaluation", 1e6 * median(benchmark) / EVALUATIONS, "us", 20, "bare loop", 1e6 * floor(tss))


def test_random(benchmark: Any, tss: Benchmark, row: Row) -> None:
    run(tss, random())
    benchmark(lambda: run(tss, random()))
    row("random, one evaluation", 1e6 * median(benchmark) / EVALUATIONS, "us", 20, "bare evolution", 1e6 * floor(tss))
