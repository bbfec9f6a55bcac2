"""The laws of a space: ids, texts, operations and graphs are one thing; neighbours, mutations and draws."""

from __future__ import annotations

import functools
import random
from abc import ABC, abstractmethod

import numpy as np
import pytest

from ..bench.errors import BadArchitecture
from ..bench.spaces import Ids, Space

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
