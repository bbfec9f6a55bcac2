"""Searchers are found by name, configured, and may be a class of one's own."""

from __future__ import annotations

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.searchers import SEARCHERS, evolution, recipe
from nasgauge.searchers.runner.search import search_once


@pytest.mark.parametrize("name", SEARCHERS)
def test_every_name_makes_a_recipe_that_carries_it(name: str) -> None:
    assert recipe(name).name == name
    assert recipe(recipe(name)) is recipe(name) or recipe(name).key == recipe(name).key


def test_a_name_can_carry_a_preset_a_sampler_or_what_a_warm_start_leads_to() -> None:
    assert recipe("bohb:nats").settings["brackets"] == 300
    assert recipe("optuna:GPSampler").settings == {"sampler": "GPSampler"}
    warm = recipe("warm-start:evolution:naszilla")
    assert warm.settings["searcher"] == evolution("naszilla").table
    assert warm.label == "warm-start:evolution:naszilla"


def test_names_presets_and_settings_are_checked() -> None:
    assert recipe("evolution:nb101").settings.items() > {"population": 50, "tournament": 10, "replace": False}.items()
    assert recipe("evolution:nb101").label == "evolution:nb101"
    with pytest.raises(UnknownName, match="did you mean 'evolution'"):
        recipe("evolutoin")
    with pytest.raises(UnknownName, match="nb201, nats"):
        recipe("evolution:nb102")
    with pytest.raises(BadValue, match="plain numbers"):
        evolution(population=object())
    with pytest.raises(UnknownName, match="population, tournament, replace"):
        evolution(sample=3)


def test_a_class_of_ones_own_is_a_searcher(toy: Benchmark) -> None:
    class Last:
        def __init__(self, space: object, rng: np.random.Generator) -> None:
            self.next = 15_625

        def ask(self, n: int = 1) -> list[int]:
            self.next -= n
            return list(range(self.next, self.next + n))

        def tell(self, evaluations: object) -> None: ...

    objective = toy.objective("cifar10", queries=3)
    search_once(recipe(Last).start(toy.space, np.random.default_rng(0)), objective)
    assert objective.ids == [15_624, 15_623, 15_622]


def test_all_settings_are_known_with_their_defaults() -> None:
    assert recipe("evolution").in_full.items() >= {"population": 10, "tournament": 3, "replace": True}.items()
    assert recipe("bohb").in_full == recipe({"name": "bohb", "settings": recipe("bohb").in_full}).in_full
    assert not {"budgets", "scorer"} & set(recipe("bohb").in_full) | {"scorer"} & set(recipe("evolution:area").in_full)
