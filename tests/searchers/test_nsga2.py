"""NSGA-II sorts, spreads and selects as Deb et al. define."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nasgauge.bench.errors import BadValue
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import space
from nasgauge.searchers import Recipe, nsga2
from nasgauge.searchers.nsga2 import Nsga2, crowding, fronts
from nasgauge.testing import SearcherConformance, TinySpace


class TestNsga2(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return nsga2(population=10)


def dominates(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one >= other).all() and (one > other).any())


points = arrays(np.float64, st.tuples(st.integers(1, 14), st.just(2)), elements=st.integers(-3, 3).map(float))


@given(points)
def test_a_front_is_dominated_only_by_the_fronts_before_it(objectives: np.ndarray) -> None:
    rank = fronts(objectives)
    for row, front in enumerate(rank):
        above = [rank[other] for other in range(len(rank)) if dominates(objectives[other], objectives[row])]
        assert front == max(above, default=-1) + 1


def test_crowding_of_a_front_by_hand() -> None:
    front = np.array([[0.0, 10.0], [1.0, 6.0], [3.0, 5.0], [4.0, 0.0]])
    assert crowding(front).tolist() == [np.inf, 3 / 4 + 5 / 10, 3 / 4 + 6 / 10, np.inf]
    assert crowding(np.array([[1.0, 1.0]])).tolist() == [np.inf]
    assert np.isfinite(crowding(np.array([[-np.inf, 0.0], [0.0, 0.0], [1.0, 0.0]]))[1])


def costs(arch: int) -> tuple[float, float]:
    """Accuracy grows with the choices of the first three edges, cost with those of all: a front of several points."""
    choices = space("topology").operations(arch).astype(float)
    return 50 + 2 * choices[:3].sum(), choices.sum()


def hypervolume(archs: list[int]) -> float:
    best, area = 50.0, 0.0
    for accuracy, cost in sorted(map(costs, archs), key=lambda point: point[1]):
        if accuracy > best:
            area += (accuracy - best) * (24 - cost)
            best = accuracy
    return area


def test_it_finds_a_larger_front_than_random_search() -> None:
    topology = space("topology")
    for seed in range(3):
        searcher = nsga2().start(topology, np.random.default_rng(seed))
        trace = []
        for _ in range(200):
            (arch,) = searcher.ask(1)
            trace.append(arch)
            accuracy, cost = costs(arch)
            searcher.tell([Evaluation(arch, accuracy, 1.0, 12, cost)])
        assert hypervolume(trace) > hypervolume(topology.sample(200, np.random.default_rng(seed)).tolist())


def test_the_next_generation_is_the_best_of_parents_and_children() -> None:
    searcher = nsga2(population=3).start(TinySpace(), np.random.default_rng(0))
    searcher.tell([Evaluation(arch, value, 1.0, 12, cost) for arch, value, cost in ((0, 9, 9), (1, 5, 5), (2, 1, 8))])
    searcher.tell([Evaluation(arch, value, 1.0, 12, cost) for arch, value, cost in ((3, 1, 1), (4, 9, 10), (5, 4, 6))])
    assert {arch for arch, _, _ in searcher._parents} == {0, 1, 3}  # type: ignore[attr-defined]


def test_with_one_objective_the_best_survive() -> None:
    searcher = nsga2(population=2).start(TinySpace(), np.random.default_rng(0))
    nan = float("nan")
    searcher.tell([Evaluation(0, 5.0, 1.0), Evaluation(1, nan, 1.0), Evaluation(2, 7.0, 1.0), Evaluation(3, 1.0, 1.0)])
    assert [arch for arch, _, _ in searcher._parents] == [2, 0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("wrong", [{"population": 1}, {"crossover": -0.1}])
def test_senseless_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadValue, match="population="):
        nsga2(**wrong).start(TinySpace(), np.random.default_rng(0))


def test_of_one_front_the_lonely_survive() -> None:
    """Six mutual non-dominated points, four places: both ends, then those with the most room around them."""
    searcher = Nsga2(space("topology"), np.random.default_rng(0), population=4)
    values, costs = [10.0, 20.0, 21.0, 22.0, 60.0, 90.0], [1.0, 2.0, 2.1, 2.2, 6.0, 9.0]
    searcher.tell([Evaluation(*each) for each in zip(range(6), values, [1.0] * 6, [12] * 6, costs, strict=True)])
    assert {arch for arch, _, _ in searcher._parents} == {0, 3, 4, 5}
