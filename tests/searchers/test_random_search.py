"""Random search draws by the law it names, with or without repetition."""

from __future__ import annotations

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadValue
from nasgauge.bench.spaces import Cells101, space
from nasgauge.searchers import Recipe, random
from nasgauge.searchers.runner.search import search_once
from nasgauge.testing import SearcherConformance


class TestWithReplacement(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return random()


class TestDistinct(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return random("distinct")


class TestClasses(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return random("classes")


class TestRejection(SearcherConformance):
    spaces = ("cells101",)

    def make_recipe(self) -> Recipe:
        return random("nb101")


def test_distinct_search_never_repeats_and_ends_with_the_space(toy: Benchmark) -> None:
    objective = toy.objective("cifar10", queries=20_000)
    search_once(random("distinct").start(toy.space, np.random.default_rng(0)), objective)
    assert sorted(objective.ids) == list(range(toy.space.size))


def test_search_by_class_asks_one_member_of_each_class() -> None:
    topology = space("topology")
    asked = random("classes").start(topology, np.random.default_rng(0)).ask(20_000)
    classes = topology.canonical(asked)
    assert len(asked) == len(np.unique(classes)) == 6_466
    assert (np.asarray(asked) != classes).any()  # a random member stands for its class, not the smallest id


def test_large_classes_come_up_early() -> None:
    """The first member drawn stands for its class, so half the classes hold much less than half the cells."""
    topology = space("topology")
    sizes = np.bincount(topology.canonical(np.arange(topology.size)), minlength=topology.size)
    asked = random("classes").start(topology, np.random.default_rng(0)).ask(20_000)
    in_order = sizes[topology.canonical(asked)]
    assert in_order[:1_000].mean() > 2 * in_order[-1_000:].mean()


def test_the_notebook_law_draws_small_cells_too_often() -> None:
    cells = space("cells101")
    assert isinstance(cells, Cells101)
    asked = random("nb101").start(cells, np.random.default_rng(0)).ask(5_000)
    trivial = cells.parse("output~0")
    assert 0.08 < np.mean(np.asarray(asked) == trivial) < 0.12


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("topology", {"law": "rejection"}),
        ("cells101", {"law": "rejection", "replace": False}),
        ("cells101", {"law": "uniform"}),
        ("topology", {"by_class": True}),
    ],
)
def test_laws_that_contradict_each_other_are_refused(name: str, wrong: dict[str, bool]) -> None:
    with pytest.raises(BadValue):
        random(**wrong).start(space(name), np.random.default_rng(0))
