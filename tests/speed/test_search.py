"""Searches through ask and tell, clock and records included, against a bare loop over a list."""

from __future__ import annotations

import json
import random as plain
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from nasgauge.bench.benchmark import Benchmark
from nasgauge.searchers import Recipe, evolution, random
from nasgauge.searchers.runner.search import search_once

from .conftest import Row, best_of, in_python, median

EVALUATIONS = 1_000
STUDY = """
import json, resource, sys, time
from joblib.externals.loky import get_reusable_executor
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.memory import resident, since
from nasgauge.bench.table import Table
from nasgauge.searchers import Run, evolution
from nasgauge.searchers.runner.experiment import compare
if __name__ == "__main__":
    before, started = resident(), time.perf_counter()
    run = compare(Benchmark(Table(sys.argv[1])), [evolution()], sys.argv[2], datasets=["cifar10"], queries=1_000,
                  seeds=500, jobs=2)
    wall = time.perf_counter() - started
    get_reusable_executor().shutdown(wait=True)
    us, them = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    records = run.records()
    assert len(records) == 500_000
    children = them.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)
    print(json.dumps({
        "wall": wall, "cpu": us.ru_utime + us.ru_stime + them.ru_utime + them.ru_stime,
        "memory": max(children, since(before).peak, records["memory_peak"].max()),  # MB; NaN is no peak
    }))
"""


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


def test_several_trainers(benchmark: Any, tss: Benchmark, row: Row) -> None:
    def search() -> None:
        objective = tss.objective("cifar10", queries=EVALUATIONS, budget=12)
        search_once(evolution().start(tss.space, np.random.default_rng(0)), objective, workers=8)

    search()
    benchmark(search)
    alone = best_of(10, lambda: run(tss, evolution())) / EVALUATIONS
    row("evolution, 8 trainers", 1e6 * median(benchmark) / EVALUATIONS, "us", 20, "one trainer", 1e6 * alone)


def test_a_study_of_500_repetitions(tss_path: Path, tss: Benchmark, tmp_path: Path, row: Row) -> None:
    """500 seeds x 1,000 evaluations from an empty folder to the last part, in two processes."""
    script = tmp_path / "study.py"
    script.write_text(STUDY)
    code = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    used = json.loads(in_python(code, str(script), str(tss_path), str(tmp_path / "run")).splitlines()[-1])
    memory = used["memory"]
    bare = 500 * EVALUATIONS * floor(tss) / 2
    row("500 x 1,000 of evolution, 2 cores", used["wall"], "s", 15, "bare loops on 2 cores", bare)
    row("  CPU seconds of it", used["cpu"], "s", 30, "bare loops", 2 * bare)
    row("  memory of a process", memory, "MB", 500, "claimed", 500)
    assert used["cpu"] <= 30
    assert memory <= 500
