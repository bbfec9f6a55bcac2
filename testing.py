"""Conformance suites: inherit one in your tests, give it a factory, and your plug-in meets the laws ours meet.

from nasgauge.testing import ProxyConformance, SearcherConformance, SpaceConformance

class TestMySpace(SpaceConformance):
    def make_space(self):
        return MySpace()

class TestMySearcher(SearcherConformance):
    def make_recipe(self):
        return Recipe("mine", MySearcher)

class TestMyProxy(ProxyConformance):
    def make_proxy(self):
        return my_function  # f(network, batch), or a Proxy
"""

from __future__ import annotations

import functools
import io
import pickle
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from .bench.benchmark import Benchmark
from .bench.errors import BadArchitecture
from .bench.objective import Evaluation, Objective, Trial
from .bench.spaces import Graph, Ids, ProductSpace, Space
from .bench.spaces import space as space_called
from .bench.table import Table
from .searchers import Recipe, Searcher

if TYPE_CHECKING:
    from torch import nn

    from .proxies import Batch, Proxy
    from .proxies.subject import Candidate

WHOLE = 40_000  # spaces up to this size are checked whole, larger ones on a random sample of `SAMPLE`
SAMPLE = 2_000


@functools.cache
def _made(suite: type[SpaceConformance]) -> Space:
    return suite().make_space()


class SpaceConformance(ABC):
    """The laws of `nasgauge.bench.spaces.Space`, checked on the whole space where it is small enough."""

    @abstractmethod
    def make_space(self) -> Space:
        """A fresh object of the space under test."""

    @pytest.fixture
    def space(self) -> Space:
        """The space under test, one object for the whole class."""
        return _made(type(self))

    @pytest.fixture
    def ids(self, space: Space) -> Ids:
        """Ids to check: all, or a sample with both ends."""
        if space.size <= WHOLE:
            return np.arange(space.size)
        sample = space.sample(SAMPLE, np.random.default_rng(0))
        return np.unique(np.concatenate([sample, [0, space.size - 1]]))

    @pytest.fixture
    def few(self, ids: Ids) -> Ids:
        """At most 200 of the ids, for laws that are slow to check."""
        return ids[:: max(1, len(ids) // 200)]

    def test_text_leads_back_to_the_id(self, space: Space, ids: Ids) -> None:
        assert [space.parse(space.text(arch)) for arch in ids.tolist()] == ids.tolist()

    def test_texts_are_distinct(self, space: Space, ids: Ids) -> None:
        assert len({space.text(arch) for arch in ids.tolist()}) == len(ids)

    def test_operations_lead_back_to_the_ids(self, space: Space, ids: Ids) -> None:
        np.testing.assert_array_equal(space.from_operations(space.operations(ids)), ids)

    def test_graph_leads_back_to_the_id(self, space: Space, few: Ids) -> None:
        assert [space.from_graph(space.graph(arch)) for arch in few.tolist()] == few.tolist()

    def test_architectures_can_be_drawn(self, space: Space, few: Ids) -> None:
        for arch in few[:: max(1, len(few) // 5)].tolist():
            drawing = space.draw(arch)
            assert drawing.svg.startswith("<svg") and drawing.title.endswith(space.text(arch))

    def test_id_accepts_number_text_and_graph(self, space: Space, few: Ids) -> None:
        arch = int(few[-1])
        assert space.id(arch) == space.id(np.int32(arch)) == space.id(space.text(arch)) == space.id(space.graph(arch))
        np.testing.assert_array_equal(space.ids([arch, space.text(arch), space.graph(arch)]), [arch] * 3)

    def test_canonical_names_one_member_of_each_class(self, space: Space, ids: Ids) -> None:
        canonical = space.canonical(ids)
        assert (canonical <= ids).all()
        np.testing.assert_array_equal(space.canonical(canonical), canonical)

    def test_neighbours_are_other_architectures_in_ascending_order(self, space: Space, few: Ids) -> None:
        for arch in few.tolist():
            neighbours = space.neighbours(arch)
            assert arch not in neighbours
            assert (np.diff(neighbours) > 0).all()
            space.check(neighbours)

    def test_neighbours_of_many_are_those_of_each(self, space: Space, few: Ids) -> None:
        rows, found = space.neighbour_pairs(few)
        for row, arch in enumerate(few.tolist()):
            np.testing.assert_array_equal(found[rows == row], space.neighbours(arch))

    def test_mutation_is_decided_by_the_generator_alone(self, space: Space, ids: Ids) -> None:
        first, second = (space.mutate(ids, np.random.default_rng(7)) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        assert first.shape == ids.shape
        space.check(first)
        one, again = (space.mutate_one(int(ids[0]), np.random.default_rng(7)) for _ in range(2))
        assert one == again

    def test_mutating_one_follows_the_law_of_mutating_many(self, space: Space, ids: Ids) -> None:
        arch, draws = int(ids[len(ids) // 2]), 1_000
        rng = np.random.default_rng(1)
        many = space.mutate(np.full(draws, arch), rng)
        single = np.array([space.mutate_one(arch, rng) for _ in range(draws)])
        values = np.unique(np.concatenate([many, single]))
        counts = np.array([[(each == value).sum() for value in values] for each in (many, single)], dtype=float)
        common = counts.sum(axis=0) >= 20  # rare children say nothing at this sample size
        spread = np.sqrt(counts.sum(axis=0))
        assert (np.abs(counts[0] - counts[1])[common] < 5 * spread[common]).all()

    def test_sampling_is_decided_by_the_generator_alone(self, space: Space) -> None:
        first, second = (space.sample(100, np.random.default_rng(3)) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        space.check(first)

    def test_no_global_generator_is_touched(self, space: Space, few: Ids) -> None:
        before, numpy_before = random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002
        space.sample(3, np.random.default_rng(0))
        space.mutate(few, np.random.default_rng(0))
        space.mutate_one(int(few[0]), np.random.default_rng(0))
        space.neighbours(int(few[0]))
        space.canonical(few)
        assert random.getstate() == before
        np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # type: ignore[index]  # noqa: NPY002

    @pytest.mark.parametrize("wrong", [-1, 10**9, True, 0.5, None, "", "no such architecture"])
    def test_what_is_no_architecture_is_refused(self, space: Space, wrong: object) -> None:
        with pytest.raises(BadArchitecture):
            space.id(wrong)  # type: ignore[arg-type]

    @pytest.mark.parametrize("wrong", [[-1], [10**9], [0.5], [float("nan")]])
    def test_arrays_with_wrong_ids_are_refused(self, space: Space, wrong: list[float]) -> None:
        with pytest.raises(BadArchitecture):
            space.ids(np.array(wrong))

    def test_operations_outside_the_choices_are_refused(self, space: Space) -> None:
        rows = space.operations([0])
        with pytest.raises(BadArchitecture):
            space.from_operations(np.full_like(rows, 120))
        with pytest.raises(BadArchitecture):
            space.from_operations(rows[:, :-1])

    def test_the_empty_question_has_an_empty_answer(self, space: Space) -> None:
        assert space.ids([]).shape == (0,)
        assert len(space.operations(np.array([], dtype=int))) == 0
        assert len(space.canonical(np.array([], dtype=int))) == 0


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


class ProxyConformance(ABC):
    """The laws of `nasgauge.proxies.Proxy`, on small networks of the topology space and made-up images."""

    #: Ids of the topology space whose networks are scored: convolutions, poolings and skips, some edges dead.
    archs: tuple[int, ...] = (6111, 9930, 2412)
    #: Images of the batch, of 8 x 8 grey pixels.
    images = 16
    #: Whether the score may depend on the order of the images.
    order_matters = False
    #: How far two orders of the same images may be apart, relative; float32 sums differ in their last digits.
    tolerance = 1e-3

    @abstractmethod
    def make_proxy(self) -> Proxy | Callable[[nn.Module, Batch], float]:
        """The proxy under test, or a function of a network and a batch."""

    @property
    def proxy(self) -> Proxy:
        """The proxy under test."""
        from .proxies.names import chosen

        (single,), _ = chosen([self.make_proxy()])
        return single

    def batch(self, order: Sequence[int] | None = None) -> Batch:
        """Made-up images of ten classes, the same every time; in another order if asked."""
        import torch

        from .proxies import Batch

        rows = list(range(self.images)) if order is None else list(order)
        stream = torch.Generator().manual_seed(11)
        pictures = torch.randn(2 * self.images, 1, 8, 8, generator=stream)
        labels = torch.arange(2 * self.images) // 2 % 10
        first, second = pictures[: self.images], pictures[self.images :]
        return Batch(first[rows], labels[: self.images][rows], 10, second[rows], labels[self.images :][rows])

    def subject(self, arch: int, batch: Batch | None = None) -> Candidate:
        """An architecture's untrained network beside a batch."""
        from .bench.live.macro import Macro
        from .proxies.subject import Candidate

        return Candidate(space_called("topology"), arch, batch or self.batch(), seed=3, macro=Macro.mini())

    def score(self, subject: Candidate) -> float:
        """The proxy's score of one subject.

        Raises:
            AssertionError: the proxy raised an error.
        """
        from .proxies.work import scores

        proxy = self.proxy
        if proxy.column is not None:
            from .proxies.subject import Asked

            return float(proxy.column(Asked(subject.space, subject.seed), np.array([subject.arch]))[0])
        row = scores(subject, (proxy,), proxy.reads, {})
        assert row[f"{proxy.name}_error"] is None, row[f"{proxy.name}_error"]
        return float(row[proxy.name])

    def test_says_what_it_is(self) -> None:
        assert self.proxy.name
        assert self.proxy.cites
        assert self.proxy.direction in ("higher", "lower")

    def test_is_decided_by_network_batch_and_seed(self) -> None:
        first, again = ([self.score(self.subject(arch)) for arch in self.archs] for _ in range(2))
        assert first == again

    def test_is_finite_on_reachable_cells(self) -> None:
        assert all(np.isfinite(self.score(self.subject(arch))) for arch in self.archs)

    def test_leaves_the_network_as_it_was(self) -> None:
        import torch

        subject = self.subject(self.archs[-1])
        network = subject.network.eval()
        before = {name: value.clone() for name, value in network.state_dict().items()}
        self.score(subject)
        assert subject.network is network
        assert not any(module.training for module in network.modules())
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
        assert all(value.grad is None and value.requires_grad for value in network.parameters())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())

    def test_the_order_of_the_images_does_not_matter(self) -> None:
        if self.order_matters:
            pytest.skip("this proxy depends on the order of the images")
        order = np.random.default_rng(5).permutation(self.images).tolist()
        for arch in self.archs:
            one, other = self.score(self.subject(arch)), self.score(self.subject(arch, self.batch(order)))
            assert other == pytest.approx(one, rel=self.tolerance, abs=1e-5)

    def test_leaves_the_global_generators_alone(self) -> None:
        import torch

        before, numpy_before = random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002
        torch_before = torch.get_rng_state()
        self.score(self.subject(self.archs[0]))
        assert random.getstate() == before
        np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # type: ignore[index]  # noqa: NPY002
        assert torch.equal(torch.get_rng_state(), torch_before)

    def test_the_number_of_workers_changes_no_score(self, tmp_path: Path) -> None:
        from .proxies.engine import score

        values = []
        for jobs in (1, 2):
            run = score(
                "topology", [self.make_proxy()], tmp_path / str(jobs), archs=self.archs, images=self.batch(), jobs=jobs
            )
            values.append(run.frame()[self.proxy.name].to_numpy())
        np.testing.assert_array_equal(values[0], values[1])
