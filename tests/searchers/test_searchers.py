"""Random search and regularized evolution do what their papers say, from their own stream only."""

from __future__ import annotations

import random as global_random

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.bench.objective import Evaluation
from nasgauge.searchers import Recipe, evolution, random, recipe
from nasgauge.searchers.evolution import RegularizedEvolution
from nasgauge.searchers.experiment import search_once

RECIPES = [random(), random("distinct"), evolution(), evolution("nb101")]


@pytest.mark.parametrize("each", RECIPES, ids=str)
class TestEverySearcher:
    def test_is_decided_by_its_generator(self, toy: Benchmark, each: Recipe) -> None:
        traces = []
        for seed in (3, 3, 4):
            objective = toy.objective("cifar10", queries=200)
            search_once(each.start(toy.space, np.random.default_rng(seed)), objective)
            traces.append(objective.ids)
        assert traces[0] == traces[1] != traces[2]
        assert len(traces[0]) == 200

    def test_works_in_batches(self, toy: Benchmark, each: Recipe) -> None:
        searcher = each.start(toy.space, np.random.default_rng(0))
        objective = toy.objective("cifar10", queries=101)
        while not objective.clock.exhausted:
            ids = searcher.ask(7)
            assert 1 <= len(ids) <= 7
            searcher.tell(objective.evaluate(ids))
        assert len(objective.ids) == 101

    def test_survives_values_that_nobody_measured(self, toy: Benchmark, each: Recipe) -> None:
        searcher = each.start(toy.space, np.random.default_rng(0))
        for _ in range(120):
            searcher.tell([Evaluation(arch, float("nan"), 0.0) for arch in searcher.ask(1)])
        assert len(searcher.ask(3)) == 3

    def test_touches_no_global_generator(self, toy: Benchmark, each: Recipe) -> None:
        before, numpy_before = global_random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002
        search_once(each.start(toy.space, np.random.default_rng(0)), toy.objective("cifar10", queries=100))
        assert global_random.getstate() == before
        np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # type: ignore[index]  # noqa: NPY002


def test_distinct_random_search_never_repeats_and_ends_with_the_space(toy: Benchmark) -> None:
    objective = toy.objective("cifar10", queries=20_000)
    search_once(random("distinct").start(toy.space, np.random.default_rng(0)), objective)
    assert sorted(objective.ids) == list(range(toy.space.size))


def evolve(toy: Benchmark, told: list[float], **settings: int) -> tuple[RegularizedEvolution, list[int]]:
    searcher = RegularizedEvolution(toy.space, np.random.default_rng(0), **settings)  # type: ignore[arg-type]
    asked: list[int] = []
    for value in told:
        (arch,) = searcher.ask(1)
        asked.append(arch)
        searcher.tell([Evaluation(arch, value, 1.0)])
    return searcher, asked


def test_the_oldest_dies_even_if_it_is_the_best(toy: Benchmark) -> None:
    searcher, asked = evolve(toy, [99.0] + [float(value) for value in range(10)], population=3, tournament=40)
    parent_pool = asked[-3:]
    for child in searcher.ask(50):
        assert any(child in toy.space.neighbours(parent) for parent in parent_pool[-1:])  # the best alive is the last


def test_a_tournament_of_everybody_breeds_from_the_best_alive(toy: Benchmark) -> None:
    searcher, asked = evolve(toy, [1.0, 5.0, 2.0], population=3, tournament=3, replace=False)
    assert all(child in toy.space.neighbours(asked[1]) for child in searcher.ask(30))


def test_a_tournament_of_one_breeds_from_anybody(toy: Benchmark) -> None:
    searcher, asked = evolve(toy, [1.0, 5.0, 2.0], population=3, tournament=1)
    children = searcher.ask(60)
    for parent in asked:
        assert any(child in toy.space.neighbours(parent) for child in children)


def test_founders_are_random_architectures_and_come_first(toy: Benchmark) -> None:
    searcher = RegularizedEvolution(toy.space, np.random.default_rng(5), population=8)
    expected = toy.space.sample(8, np.random.default_rng(5)).tolist()
    assert [*searcher.ask(3), *searcher.ask(5)] == expected


@pytest.mark.parametrize(
    "wrong", [{"population": 0}, {"tournament": 0}, {"population": 2, "tournament": 3, "replace": False}]
)
def test_senseless_settings_are_refused(toy: Benchmark, wrong: dict[str, int]) -> None:
    with pytest.raises(BadValue, match="population="):
        RegularizedEvolution(toy.space, np.random.default_rng(0), **wrong)  # type: ignore[arg-type]


def test_names_presets_and_settings_are_checked() -> None:
    assert recipe("evolution:nb101").settings == {"population": 50, "tournament": 10, "replace": False}
    assert recipe("evolution:nb101").label == "evolution:nb101"
    with pytest.raises(UnknownName, match="did you mean 'evolution'"):
        recipe("evolutoin")
    with pytest.raises(UnknownName, match="nb201, nb101"):
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
