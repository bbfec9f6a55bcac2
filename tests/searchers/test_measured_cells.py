"""Multi-fidelity search on the 30,001 cells of NAS-Bench-101 whose learning is public at 4, 12, 36 and 108 epochs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nasgauge as ng
from nasgauge.bench.clock import Clock
from nasgauge.bench.objective import Level, Objective
from nasgauge.searchers import Recipe, evolution, hyperband, random, successive_halving
from nasgauge.searchers.runner.search import search_once

from ..measured_cells import MeasuredCells

pytestmark = [pytest.mark.real, pytest.mark.slow]

BUDGETS = (4, 12, 36, 108)
SEEDS = 100


class Cells:
    """Columns of the table, and what a search over them finds."""

    def __init__(self, home: Path) -> None:
        bench = ng.open("nasbench101", home=home)
        ids = np.arange(bench.space.size)
        values = {budget: bench.query(ids, "valid_accuracy", dataset="cifar10", budget=budget) for budget in BUDGETS}
        seconds = bench.cost(ids, dataset="cifar10", budget=108).seconds
        self.levels = {budget: Level(values[budget], seconds * budget / 108) for budget in BUDGETS}
        self.test = bench.query(ids, "test_accuracy", dataset="cifar10")
        self.space = MeasuredCells()
        self.space.measured = ~np.isnan(values[108])

    def found(self, recipe: Recipe, seconds: float) -> np.ndarray:
        """Validation of the best cell trained for 108 epochs, and its mean test accuracy [percent], (2, seeds)."""
        found = []
        for seed in range(SEEDS):
            whole = self.levels[108]
            objective = Objective(
                self.space, whole.values, whole.seconds, Clock(seconds), budget=108, levels=self.levels
            )
            search_once(recipe.start(self.space, np.random.default_rng(seed), budgets=BUDGETS), objective)
            values = np.where(np.array(objective.log.budgets) == 108, objective.values, -np.inf)
            best = int(np.argmax(values))
            found.append((values[best], self.test[objective.ids[best]]))
        valid, test = np.array(found).T
        print(f"{recipe.label:<20} {seconds:.0e} s valid {valid.mean():.2f} ±{valid.std():.2f} "
              f"test {test.mean():.2f} ±{test.std():.2f}")  # fmt: skip
        return np.array([valid, test])


@pytest.fixture(scope="module")
def cells(real_home: Path) -> Cells:
    return Cells(real_home)


def test_halving_finds_better_cells_than_random_search_in_the_same_time(cells: Cells) -> None:
    plain, bands, halving = (cells.found(recipe, 1e5) for recipe in (random(), hyperband(), successive_halving()))
    assert bands[0].mean() > plain[0].mean() + 0.05
    assert halving[0].mean() > bands[0].mean() + 0.03
    assert halving[1].mean() > plain[1].mean() + 0.05


def test_regularized_evolution_finds_better_cells_than_random_search(cells: Cells) -> None:
    """Population and tournament of the notebook, where 1e6 s let some five hundred random cells through."""
    plain = cells.found(random(), 1e6)
    bred = cells.found(evolution(population=50, tournament=10, replace=False), 1e6)
    assert bred[0].mean() > plain[0].mean()
