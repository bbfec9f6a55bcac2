"""A space of one's own in one class: the example of the README, and uneven slots."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.errors import BadArchitecture
from nasgauge.bench.spaces import Graph, Ids, ProductSpace
from nasgauge.testing import SpaceConformance


class Chain(ProductSpace):
    """Layers in a row, each one of its own choices."""

    name = "chain"

    def __init__(self, choices: tuple[tuple[str, ...], ...] = (("conv", "pool"), ("conv", "pool", "skip"), ("relu",))):
        self._choices = choices

    @property
    def choices(self) -> tuple[tuple[str, ...], ...]:
        return self._choices

    def graph(self, arch: int) -> Graph:
        layers = self.text(arch).split("-")
        return Graph(("input", *layers), tuple((layer, layer + 1, "") for layer in range(len(layers))))

    def from_graph(self, graph: Graph) -> int:
        return self.parse("-".join(graph.nodes[1:]))

    def canonical(self, ids: npt.ArrayLike) -> Ids:
        return self.check(ids)


class TestChain(SpaceConformance):
    def make_space(self) -> Chain:
        return Chain()


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5).filter(lambda sizes: max(sizes) > 1))
def test_neighbours_are_exactly_the_single_slot_changes(sizes: list[int]) -> None:
    space = Chain(tuple(tuple(f"{letter}{slot}" for letter in "abcde"[:size]) for slot, size in enumerate(sizes)))
    rows = space.operations(np.arange(space.size))
    for arch in range(0, space.size, max(1, space.size // 20)):
        expected = np.flatnonzero((rows != rows[arch]).sum(axis=1) == 1)
        np.testing.assert_array_equal(space.neighbours(arch), expected)


def test_mutation_takes_slots_that_can_change_equally_often() -> None:
    space = Chain()
    children = space.mutate(np.zeros(30_000, dtype=int), np.random.default_rng(0))
    changed = space.operations(children) != space.operations(0)
    np.testing.assert_allclose(changed.mean(axis=0), [0.5, 0.5, 0.0], atol=0.02)


def test_a_wrong_choice_is_refused_with_the_legal_ones() -> None:
    with pytest.raises(BadArchitecture, match="conv, pool, skip"):
        Chain().from_operations([[0, 3, 0]])
