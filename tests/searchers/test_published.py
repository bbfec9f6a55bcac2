"""Our baselines on the real nats-tss table against the published ones, and what moves them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import nasgauge as ng
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.clock import Clock
from nasgauge.bench.objective import Objective
from nasgauge.searchers import Recipe, bohb, evolution, random, reinforce
from nasgauge.searchers.runner.experiment import Plan, Task, repetitions, search_once

pytestmark = pytest.mark.real

SEEDS = 500
SECONDS = 12_000
DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
METHODS = {"RS": random(), "REA": evolution(), "REINFORCE": reinforce(rate=0.05), "BOHB": bohb("nb201")}
REPETITIONS = {"RS": SEEDS, "REA": SEEDS, "REINFORCE": 200, "BOHB": 200}  # the published ones are 500


@pytest.fixture(scope="module")
def bench(real_home: Path) -> Benchmark:
    return ng.open("nats-tss", home=real_home)


def published(shared: Path, method: str, dataset: str, metric: str) -> tuple[float, float]:
    """Mean and standard deviation of NASWOT's Table 2a: searched on cifar10, 12,000 s, 500 runs."""
    with open(shared / "spec" / "published.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (row["method"], row["space"], row["dataset"], row["metric"]) == (method, "NB201", dataset, metric):
                return float(row["mean"]), float(row["std"])
    raise LookupError((method, dataset, metric))


@pytest.fixture(scope="module")
def incumbents(bench: Benchmark) -> dict[str, np.ndarray]:
    """The architecture each of the searches on cifar10 ends with."""
    found = {}
    for method, recipe in METHODS.items():
        task = Task("cifar10", 12, 200, (12, 200))
        seeds = REPETITIONS[method]
        frame = repetitions(bench, Plan((task,), (recipe,), SECONDS, None, seeds), task, recipe, range(seeds))
        found[method] = frame.loc[frame.groupby("seed")["value"].idxmax(), "id"].to_numpy()
    return found


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("split", ["valid", "test"])
def test_mean_agrees_with_the_published_one(
    bench: Benchmark, shared: Path, incumbents: dict[str, np.ndarray], method: str, dataset: str, split: str
) -> None:
    """Within 3 standard errors of the difference of two means, and .05 for rounding and conventions."""
    mean, spread = published(shared, method, dataset, f"{split.removesuffix('id')}_acc")
    ours = bench.query(incumbents[method], f"{split}_accuracy", dataset=dataset)
    print(f"{method:<4} {dataset:<15} {split:<5} {ours.mean():.2f} ±{ours.std():.2f}  published {mean} ±{spread}")
    error = np.hypot(spread / np.sqrt(SEEDS), ours.std() / np.sqrt(len(ours)))
    assert abs(ours.mean() - mean) <= 3 * error + 0.05


def test_best_of_n_equals_the_anchors_of_the_table(bench: Benchmark) -> None:
    """Oracle anchors of few-shot-NAS (cifar10 test, choosing by test itself), best of N: the table's own order."""
    test = bench.query(np.arange(bench.space.size), "test_accuracy", dataset="cifar10")
    assert test.mean() == pytest.approx(87.06, abs=0.005)
    assert test.std() == pytest.approx(12.94, abs=0.01)
    assert test.max() == pytest.approx(94.3733, abs=0.0001)
    draws = np.random.default_rng(0).integers(len(test), size=(10_000, 1_000))
    for count, mean, spread in ((10, 93.09, 0.55), (100, 93.85, 0.22), (1_000, 94.21, 0.13)):
        best = test[draws[:, :count]].max(axis=1)
        assert best.mean() == pytest.approx(mean, abs=0.02)
        assert best.std() == pytest.approx(spread, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("noise", "seconds"), [(0, 12_000), (0.4, 12_000), (0.8, 12_000), (0.4, 15_000), (0.8, 20_000)]
)
def test_what_the_trial_and_clock_conventions_move(bench: Benchmark, noise: float, seconds: int) -> None:
    """Two made-up runs around the stored mean of two, and a faster clock: the experiment of FINDINGS, printed."""
    everything = np.arange(bench.space.size)
    mean = bench.query(everything, "valid_accuracy", dataset="cifar10", budget=12)
    cost = bench.cost(everything, dataset="cifar10", budget=12).seconds
    test = bench.query(everything, "test_accuracy", dataset="cifar10")

    def final(recipe: Recipe, seed: int) -> float:
        rng = np.random.default_rng([seed, 1])
        half = np.abs(rng.normal(0, noise, len(mean)))
        objective = Objective(bench.space, np.column_stack([mean + half, mean - half]), cost, Clock(seconds), rng)
        search_once(recipe.start(bench.space, np.random.default_rng([seed, 0]), budgets=(12, 200)), objective)
        return float(test[objective.ids[int(np.argmax(objective.values))]])

    recipes = METHODS | {"REINFORCE .01": reinforce()}
    results = {name: np.array([final(recipe, seed) for seed in range(SEEDS)]) for name, recipe in recipes.items()}
    for name, values in results.items():
        print(f"{name:<13} half-difference {noise} clock {seconds} s: {values.mean():.2f} ±{values.std():.2f}")
    assert results["REA"].mean() > results["RS"].mean()
    assert results["REINFORCE"].mean() > results["REINFORCE .01"].mean()


def found(bench: Benchmark, recipe: Recipe, seeds: int) -> np.ndarray:
    """What searches on cifar10 end with: test accuracy [percent] on cifar100, where methods differ most, (seeds,)."""
    test = bench.query(np.arange(bench.space.size), "test_accuracy", dataset="cifar100")
    answers = []
    for seed in range(seeds):
        objective = bench.objective("cifar10", seconds=SECONDS, budget=12)
        search_once(recipe.start(bench.space, np.random.default_rng(seed), budgets=(12, 200)), objective)
        answers.append(test[objective.ids[int(np.argmax(objective.values))]])
    print(f"{recipe.settings}: {np.mean(answers):.2f} ±{np.std(answers):.2f}")
    return np.array(answers)


@pytest.mark.slow
def test_the_learning_rate_decides_how_good_reinforce_is(bench: Benchmark) -> None:
    means = [found(bench, reinforce(rate=rate), SEEDS).mean() for rate in (0.01, 0.02, 0.05, 0.1, 0.5)]
    assert means[0] < means[1] < means[2] and means[4] < means[0]


@pytest.mark.slow
def test_proper_densities_are_what_bohb_lacked(bench: Benchmark) -> None:
    released, paper = (found(bench, bohb("nb201", variant=variant), SEEDS) for variant in ("released", "paper"))
    assert paper.mean() > released.mean() + 0.3
