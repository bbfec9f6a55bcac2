"""Recipes: the published ones, what is refused, and streams that depend on what they are keyed by alone."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from nasgauge.bench.errors import BadValue, NotMeasured, UnknownName
from nasgauge.bench.live.recipe import (
    TrainingRecipe,
    augmentation_seed,
    changes_of,
    epoch_order,
    learning_rate,
    parameter_seed,
    recipe_of,
    steps_per_epoch,
)


@pytest.mark.parametrize(("space", "budgets"), [("topology", (12, 200)), ("size", (1, 12, 90))])
def test_published_recipes_of_nats_bench(space: str, budgets: tuple[int, ...]) -> None:
    for budget in budgets:
        recipe = recipe_of(space, budget)
        assert (recipe.epochs, recipe.batch, recipe.lr, recipe.momentum) == (budget, 256, 0.1, 0.9)
        assert recipe.nesterov and recipe.weight_decay == 5e-4 and recipe.schedule == "cosine"
        assert recipe.augment == ("crop", "flip") and recipe.precision == "float32"


def test_published_recipe_of_nasbench101() -> None:
    recipe = recipe_of("cells101", 108)
    assert recipe.optimizer == "rmsprop" and recipe.lr == 0.2 and recipe.weight_decay == 1e-4


def test_unknown_budget_or_space_names_the_legal_ones() -> None:
    with pytest.raises(NotMeasured, match="12, 200"):
        recipe_of("topology", 90)
    with pytest.raises(UnknownName, match="topology"):
        recipe_of("topologie", 12)


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 0}, {"epochs": 1.5}, {"batch": 0}, {"lr": 0}, {"lr": math.nan}, {"lr": -1}, {"momentum": 1},
        {"weight_decay": -1}, {"schedule": "step"}, {"precision": "float16"}, {"optimizer": "adam"}, {"momentum": 0},
        {"optimizer": "rmsprop"}, {"nesterov": "yes"},
    ],
)  # fmt: skip
def test_illegal_fields_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadValue, match="recipe"):
        TrainingRecipe(12).but(**changes)


def test_unknown_field_or_augmentation_is_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'epochs'"):
        TrainingRecipe(12).but(epoch=3)
    with pytest.raises(UnknownName, match="flip"):
        TrainingRecipe(12, augment=("flop",))


def test_fields_are_read_from_text() -> None:
    assert changes_of(["epochs=3", "lr=.05", "nesterov=false", "augment=none", "precision=bf16"]) == {
        "epochs": 3, "lr": 0.05, "nesterov": False, "augment": (), "precision": "bf16",
    }  # fmt: skip
    assert changes_of(["augment=crop,flip"]) == {"augment": ("crop", "flip")}
    for text in ("epochs", "epochs=many", "nesterov=1"):
        with pytest.raises(BadValue, match="recipe"):
            changes_of([text])
    with pytest.raises(UnknownName, match="epochs"):
        changes_of(["epoch=3"])


def test_learning_rate_falls_along_a_half_wave_by_step() -> None:
    recipe = TrainingRecipe(12)
    rates = [learning_rate(recipe, step, 98) for step in range(12 * 98 + 1)]
    assert rates[0] == 0.1 and rates[6 * 98] == pytest.approx(0.05) and rates[-1] == pytest.approx(0, abs=1e-12)
    assert all(later < earlier for earlier, later in itertools.pairwise(rates))
    assert learning_rate(recipe.but(schedule="constant"), 1000, 98) == 0.1


def test_last_batch_is_kept() -> None:
    assert steps_per_epoch(TrainingRecipe(1), 25_000) == 98  # 97 whole ones and one of 168


def test_streams_differ_by_seed_and_epoch_and_repeat() -> None:
    assert np.array_equal(np.sort(epoch_order(777, 3, 100)), np.arange(100))
    orders = {tuple(epoch_order(seed, epoch, 100)) for seed in (777, 888) for epoch in range(5)}
    assert len(orders) == 10
    assert np.array_equal(epoch_order(777, 3, 100), epoch_order(777, 3, 100))
    seeds = {augmentation_seed(seed, epoch) for seed in (777, 888) for epoch in range(5)}
    seeds |= {parameter_seed(seed, name) for seed in (777, 888) for name in ("stem.0.weight", "classifier.weight")}
    assert len(seeds) == 14 and all(0 <= seed < 2**63 for seed in seeds)
