"""The laws of a searcher: what it asks, what decides it, what it survives, and that it never holds test data."""

from __future__ import annotations

import io
import pickle
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ..bench.benchmark import Benchmark
from ..bench.objective import Evaluation, Objective, Trial
from ..bench.spaces import Graph, Ids, ProductSpace, Space
from ..bench.spaces import space as space_called
from ..bench.table import Table
from ..searchers import Recipe, Searcher


class TinySpace(ProductSpace):
    """Six architectures."""

    name = "tiny"
    choices = (("left", "right"), ("small", "medium", "large"))

    def graph(self, arch: int) -> Graph:
        return Graph(tuple(self.text(arch).split("-")), ((0, 1, ""),))

    def from_graph(self, graph: Graph) -> int:
        return self.parse("-".join(graph.nodes))

    def canonical(self, ids: npt.ArrayLike) -> Ids:
        return self.check(ids)


def made_up_score(proxy: str, ids: Sequence[int]) -> npt.NDArray[np.float64]:
    """Scores of a proxy that nobody measured: the same for the same architecture, NaN for one in eleven."""
    archs = np.asarray(ids)
    return np.where(archs % 11 == 5, np.nan, (archs * 7919 + len(proxy)) % 1009 / 1009)


def made_up_training(asked: int | Trial, default: int) -> Evaluation:
    """A training that nobody made: the outcome follows from architecture and budget."""
    arch, budget = asked if isinstance(asked, tuple) else (asked, default)
    noise = arch * 2_654_435_761 % 2**32 / 2**32
    return Evaluation(arch, 10 + 80 * noise + budget / 10, 1.0 + budget, budget, 100 * (noise * 7 % 1))


class _HoldsNoTable(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        assert not isinstance(obj, (Benchmark, Table, Objective)), f"the searcher holds {obj!r}, and test data with it"
        return NotImplemented


class SearcherConformance(ABC):
    """The laws of `nasgauge.searchers.Searcher`, on every space of ``spaces`` and on one of six architectures."""

    #: Names of the spaces the searcher works on; "tiny" is `TinySpace`.
    spaces: tuple[str, ...] = ("topology", "size", "cells101", "tiny")
    #: Training lengths that can be asked [epochs].
    budgets: tuple[int, ...] = (4, 12, 36)
    #: Trainings of one short search.
    queries = 45

    @abstractmethod
    def make_recipe(self) -> Recipe:
        """How the searcher under test is built."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "space" in metafunc.fixturenames:
            spaces = [TinySpace() if name == "tiny" else space_called(name) for name in self.spaces]
            metafunc.parametrize("space", spaces, ids=self.spaces)

    def start(self, space: Space, seed: int = 0) -> Searcher:
        """A fresh searcher."""
        return self.make_recipe().start(space, np.random.default_rng(seed), budgets=self.budgets, scorer=made_up_score)

    def train(self, asked: int | Trial) -> Evaluation:
        """The outcome of one made-up training."""
        return made_up_training(asked, self.budgets[-1])

    def search(
        self, searcher: Searcher, queries: int, batch: int = 1,
        change: Callable[[Evaluation], Evaluation] = lambda told: told,
    ) -> list[int | Trial]:  # fmt: skip
        """What a searcher asks for while everything is told in the order asked."""
        trace: list[int | Trial] = []
        while len(trace) < queries and len(asked := searcher.ask(min(batch, queries - len(trace)))):
            searcher.tell([change(self.train(each)) for each in asked])
            trace += asked
        return trace

    def test_asks_for_what_exists_and_for_no_more_than_it_is_asked(self, space: Space) -> None:
        searcher = self.start(space)
        for n in (1, 2, 7, 1, 30):
            asked = searcher.ask(n)
            assert len(asked) <= n
            for each in asked:
                arch, budget = each if isinstance(each, tuple) else (each, self.budgets[-1])
                assert isinstance(arch, (int, np.integer)) and not isinstance(arch, bool)
                assert 0 <= arch < space.size
                assert budget in self.budgets
            searcher.tell([self.train(each) for each in asked])

    def test_is_decided_by_its_generator(self, space: Space) -> None:
        traces = [self.search(self.start(space, seed), self.queries) for seed in (1, 1, 2, 3)]
        assert traces[0] == traces[1]
        assert len(traces[0]) > 0
        assert space.size < 100 or not traces[0] == traces[2] == traces[3]

    def test_works_in_batches(self, space: Space) -> None:
        assert len(self.search(self.start(space), self.queries, batch=7)) > 0

    def test_takes_results_late_and_in_any_order(self, space: Space) -> None:
        searcher, rng = self.start(space), np.random.default_rng(5)
        running: list[int | Trial] = []
        told = 0
        while told < self.queries:
            if len(running) < 5 and len(asked := searcher.ask(1)):
                running += asked
                continue
            if not running:
                break  # nothing left to ask
            searcher.tell([self.train(running.pop(int(rng.integers(len(running)))))])
            told += 1
        assert told > 0

    def test_goes_on_when_results_never_come(self, space: Space) -> None:
        searcher = self.start(space)
        for step in range(self.queries // 3):
            asked = searcher.ask(3)
            searcher.tell([self.train(each) for each in asked[: step % 4]])

    def test_learns_from_what_it_did_not_ask(self, space: Space) -> None:
        searcher = self.start(space)
        for arch in (0, space.size - 1, 0, space.size // 2):
            searcher.tell([self.train(arch)])
        searcher.tell([])
        assert space.size < 100 or len(self.search(searcher, 20)) > 0

    @pytest.mark.parametrize("law", ["nothing measured", "half measured", "all equal"])
    def test_survives_values_that_say_nothing(self, space: Space, law: str) -> None:
        def change(told: Evaluation) -> Evaluation:
            if law == "all equal":
                return told._replace(value=50.0, cost=7.0)
            lost = law == "nothing measured" or told.id % 2
            return told._replace(value=float("nan"), cost=float("nan")) if lost else told

        assert len(self.search(self.start(space), self.queries, change=change)) > 0

    def test_a_saved_search_goes_on_as_if_nothing_had_happened(self, space: Space) -> None:
        searcher = self.start(space)
        for length in (0, self.queries // 3, self.queries // 4):
            self.search(searcher, length, batch=2)
            in_training = [self.train(each) for each in searcher.ask(2)]
            saved = pickle.loads(pickle.dumps(searcher))
            for each in (saved, searcher):
                each.tell(in_training)
            assert self.search(saved, self.queries // 3) == self.search(searcher, self.queries // 3)

    def test_holds_nothing_that_knows_test_data(self, space: Space) -> None:
        searcher = self.start(space)
        self.search(searcher, self.queries // 3)
        _HoldsNoTable(io.BytesIO()).dump(searcher)

    def test_leaves_the_global_generators_alone(self, space: Space) -> None:
        before, numpy_before = random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002
        self.search(self.start(space), self.queries // 3)
        assert random.getstate() == before
        np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # type: ignore[index]  # noqa: NPY002
