"""Bayesian optimisation with tree-Wasserstein distances on real tables: what was published, and what is claimed here.

`NASGAUGE_RUNS=200` makes of every search as many runs as the findings are of; ``-s`` prints them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import nasgauge as ng
from nasgauge.bench.clock import Clock
from nasgauge.bench.objective import Objective
from nasgauge.bench.spaces import Ids
from nasgauge.reports.significance import effect, holm, signed_rank
from nasgauge.searchers import Recipe, evolution, random, tw_gp, tw_gp_batch
from nasgauge.searchers.runner.search import search_once

from ...measured_cells import MeasuredCells

pytestmark = [pytest.mark.real, pytest.mark.slow]

RUNS = int(os.environ.get("NASGAUGE_RUNS", "20"))
PAIRS = max(RUNS, 60)  # enough for nine corrected comparisons of .6 standard deviations
LEVEL = 0.01
DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
#: Mean and standard deviation over five runs [percent], computed from the result files of ntienvu/TW_NAS.
PUBLISHED = {
    ("tw-gp", "cifar10"): (10.990, 0.157), ("tw-gp", "cifar100"): (39.292, 0.731),
    ("tw-gp", "ImageNet16-120"): (62.133, 0.812), ("tw-gp-batch", "cifar10"): (10.982, 0.147),
    ("tw-gp-batch", "cifar100"): (38.740, 0.120), ("tw-gp-batch", "ImageNet16-120"): (61.893, 0.484),
}  # fmt: skip


class Topology:
    """12-epoch columns of nats-tss and the searches over them; each search runs once."""

    def __init__(self, home: Path) -> None:
        bench = ng.open("nats-tss", home=home)
        self.space = bench.space
        ids = np.arange(self.space.size)
        columns = {name: bench.query(ids, "valid_accuracy", dataset=name, budget=12) for name in DATASETS}
        # the released code looks cifar10 up in the test images of the training on all 50,000 (algorithms: "quirks")
        columns["cifar10, as released"] = bench.query(ids, "test_accuracy", dataset="cifar10", budget=12)
        self.accuracy = columns
        self._found: dict[tuple[str, str, int], np.ndarray] = {}

    def errors(self, recipe: Recipe, column: str, at: Sequence[int], runs: int = RUNS) -> np.ndarray:
        """Lowest 12-epoch validation error [percent] after so many evaluations, (len(at), runs)."""
        key = (str(recipe.table), column, max(at))
        values = self.accuracy[column]
        if key not in self._found or self._found[key].shape[1] < runs:
            traces = []
            for seed in range(runs):
                objective = Objective(self.space, values, np.ones(len(values)), Clock(queries=max(at)), budget=12)
                search_once(recipe.start(self.space, np.random.default_rng(seed), budgets=(12,)), objective)
                traces.append(np.minimum.accumulate(100 - np.array(objective.values)))
            self._found[key] = np.array(traces).T
        found = self._found[key][np.array(at) - 1, :runs]
        for queries, row in zip(at, found, strict=True):
            print(f"{recipe.label}:{recipe.preset} {column} {queries}: {row.mean():.3f} ±{row.std(ddof=1):.3f}")
        return found


class MeasuredRows(MeasuredCells):
    """The same for searchers that mutate rows of operations."""

    def from_operations(self, operations: npt.ArrayLike) -> Ids:
        found = super().from_operations(operations)
        return np.where(self.measured[found], found, -1)  # as `Slots.ids` says what is no architecture


@pytest.fixture(scope="module")
def topology(real_home: Path) -> Topology:
    return Topology(real_home)


def better(ours: dict[object, np.ndarray], theirs: dict[object, np.ndarray]) -> None:
    """All of these errors are lower than those, pair by pair, Holm-corrected."""
    p = holm([signed_rank(ours[key] - theirs[key]) for key in ours])
    for key, adjusted in zip(ours, p, strict=True):
        size = effect(-ours[key], -theirs[key])
        print(f"{key}: p {adjusted:.1e}, A12 {size.a12:.3f} [{size.low:.3f}, {size.high:.3f}]")
        assert ours[key].mean() < theirs[key].mean() and adjusted < LEVEL, key


def test_tree_wasserstein_search_finds_better_cells_than_random_search(topology: Topology) -> None:
    ours, theirs = (
        {name: topology.errors(recipe, name, [200], PAIRS)[0] for name in DATASETS} for recipe in (tw_gp(), random())
    )
    better(ours, theirs)


@pytest.mark.parametrize(
    ("recipe", "queries", "name"),
    [
        (tw_gp(), 200, "cifar100"),
        (tw_gp(), 200, "ImageNet16-120"),
        *(
            (recipe, queries, name)
            for recipe, queries in ((tw_gp("tuned"), 200), (tw_gp_batch(), 300))
            for name in DATASETS
        ),
    ],
    ids=lambda given: f"{given.name}:{given.preset}" if isinstance(given, Recipe) else str(given),
)
def test_errors_are_the_published_ones_or_lower(topology: Topology, recipe: Recipe, queries: int, name: str) -> None:
    """On cifar10 `tw_gp()` one by one does not: 11.40 +- 0.32 (100 runs) against 10.99, see the findings."""
    found = topology.errors(recipe, as_released(name), [queries])[0]
    mean, spread = PUBLISHED[recipe.name, name]
    assert found.mean() <= mean + 2 * spread / np.sqrt(5)


@pytest.mark.parametrize(
    ("recipe", "queries", "name"),
    [*((tw_gp("released"), 200, name) for name in DATASETS), (tw_gp_batch("released"), 300, "cifar10")],
    ids=lambda given: given.name if isinstance(given, Recipe) else str(given),
)
def test_the_released_search_finds_what_was_published(
    topology: Topology, recipe: Recipe, queries: int, name: str
) -> None:
    """Equality within two standard errors of the difference: with random matrices the released numbers come out."""
    found = topology.errors(recipe, as_released(name), [queries], PAIRS)[0]
    mean, spread = PUBLISHED[recipe.name, name]
    error = np.hypot(spread / np.sqrt(5), found.std(ddof=1) / np.sqrt(len(found)))
    assert abs(found.mean() - mean) <= 2 * error


def test_random_matrices_find_better_cells_than_the_formulas_of_the_paper(topology: Topology) -> None:
    """Which is why `tw_gp()` misses the published number of cifar10: see the findings."""
    column = as_released("cifar10")
    ours, theirs = (
        {column: topology.errors(recipe, column, [200], PAIRS)[0]} for recipe in (tw_gp("released"), tw_gp())
    )
    better(ours, theirs)


def as_released(name: str) -> str:
    """The column that the released code reads."""
    return "cifar10, as released" if name == "cifar10" else name


def test_tuned_search_finds_better_cells_than_evolution_early_and_late(topology: Topology) -> None:
    at = (100, 200, 300)
    ours, theirs = (
        {
            (name, n): row
            for name in DATASETS
            for n, row in zip(at, topology.errors(recipe, name, at, PAIRS), strict=True)
        }
        for recipe in (tw_gp("tuned"), evolution())
    )
    better(ours, theirs)


def test_on_nasbench101_it_finds_better_cells_than_random_search_and_evolution(real_home: Path) -> None:
    bench = ng.open("nasbench101", home=real_home)
    accuracy = bench.query(np.arange(bench.space.size), "valid_accuracy", dataset="cifar10", budget=108)
    cells = MeasuredRows()
    cells.measured = ~np.isnan(accuracy)
    found: dict[str, np.ndarray] = {}
    bred = evolution(population=50, tournament=10, replace=False)  # the settings of the published code
    for recipe in (random(), bred, tw_gp(), tw_gp("tuned")):
        best = []
        for seed in range(max(RUNS, 24)):
            objective = Objective(cells, accuracy, np.ones(cells.size), Clock(queries=200), budget=108)
            search_once(recipe.start(cells, np.random.default_rng(seed), budgets=(108,)), objective)
            best.append(100 - max(objective.values))
        key = f"{recipe.name}:{recipe.preset}"
        found[key] = np.array(best)
        print(f"nasbench101 {key} 200: {found[key].mean():.3f} ±{found[key].std(ddof=1):.3f}")
    published, tuned = (found[f"tw-gp:{preset}"] for preset in ("published", "tuned"))
    others = [row for key, row in found.items() if not key.startswith("tw-gp")]
    better({"random": published, "evolution": published}, dict(zip(("random", "evolution"), others, strict=True)))
    better({"published": tuned}, {"published": published})
