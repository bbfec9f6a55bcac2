"""Rungs and brackets are those of the papers, and the best of a rung go on."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.errors import BadValue
from nasgauge.bench.objective import Evaluation, Trial
from nasgauge.bench.spaces import space
from nasgauge.searchers import Recipe, hyperband, successive_halving
from nasgauge.searchers.halving import Bracket, Rung, hyperband_brackets, measured, steps
from nasgauge.testing import SearcherConformance


class TestHyperband(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return hyperband()


class TestHyperbandOfHpbandster(SearcherConformance):
    budgets = (12, 200)

    def make_recipe(self) -> Recipe:
        return hyperband("hpbandster")


class TestSuccessiveHalving(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return successive_halving()


class TestOneBudgetOnly(SearcherConformance):
    budgets = (12,)

    def make_recipe(self) -> Recipe:
        return hyperband()


def sizes(brackets: tuple[tuple[Rung, ...], ...]) -> list[list[tuple[int, int]]]:
    return [[(rung.size, round(rung.budget)) for rung in ladder] for ladder in brackets]


def test_brackets_of_the_paper() -> None:
    """Li et al., JMLR 2018, Table 1 (R = 81, eta = 3); n = ceil((s_max + 1) / (s + 1) eta^s) as in Algorithm 1."""
    assert sizes(hyperband_brackets(1, 81, 3)) == [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(34, 3), (11, 9), (3, 27), (1, 81)],
        [(15, 9), (5, 27), (1, 81)],
        [(8, 27), (2, 81)],
        [(5, 81)],
    ]


def test_brackets_of_hpbandster() -> None:
    assert sizes(hyperband_brackets(4, 108, 3, "hpbandster")) == [
        [(27, 4), (9, 12), (3, 36), (1, 108)],
        [(9, 12), (3, 36), (1, 108)],
        [(6, 36), (2, 108)],
        [(4, 108)],
    ]
    assert sizes(hyperband_brackets(1, 12, 3, "hpbandster")) == [
        [(9, 1), (3, 4), (1, 12)],
        [(3, 4), (1, 12)],
        [(3, 12)],
    ]


@given(st.integers(1, 50), st.floats(1, 500), st.integers(2, 5))
def test_steps_are_the_whole_part_of_the_logarithm(smallest: int, ratio: float, eta: int) -> None:
    count = steps(smallest, smallest * ratio, eta)
    assert eta**count <= ratio * (1 + 1e-6)
    assert eta ** (count + 1) > ratio * (1 - 1e-6)


@given(st.sets(st.integers(1, 300), min_size=1, max_size=12), st.sampled_from([2.0, 3.0, 4.0]))
def test_ladders_use_lengths_that_exist_each_once_and_ascending(budgets: set[int], eta: float) -> None:
    have = sorted(budgets)
    for law in ("paper", "hpbandster"):
        for ladder in hyperband_brackets(have[0], have[-1], eta, law):  # type: ignore[arg-type]
            found = measured(ladder, have)
            lengths = [rung.budget for rung in found]
            assert set(lengths) <= budgets
            assert lengths == sorted(set(lengths))
            assert lengths[-1] == have[-1]
            assert found[0].size == ladder[0].size
            assert all(a.size >= b.size >= 1 for a, b in itertools.pairwise(found))


def test_powers_of_eta_stay_as_they_are_and_others_take_the_nearest_length() -> None:
    for ladder in hyperband_brackets(4, 108, 3):
        assert measured(ladder, (4, 12, 36, 108)) == tuple(Rung(size, round(budget)) for size, budget in ladder)
    first, *_ = hyperband_brackets(12, 200, 3)
    assert [round(rung.budget, 1) for rung in first] == [22.2, 66.7, 200]
    assert measured(first, (12, 200)) == (Rung(9, 12), Rung(3, 200))  # 22.2 -> 12; 66.7 -> 200 by ratio


def test_the_best_of_each_rung_go_on() -> None:
    bracket = Bracket((Rung(9, 1), Rung(3, 3), Rung(1, 9)))
    news = iter(range(100))
    values = {arch: float(arch * 7 % 10) for arch in range(10)}
    rungs = []
    for size in (9, 3, 1):
        rung = [bracket.next(lambda _: next(news)) for _ in range(size)]
        assert bracket.next(lambda _: next(news)) is None  # waits
        rungs.append([each[0] for each in rung if each])
        for arch in rungs[-1]:
            bracket.tell(arch, values[arch])
    assert rungs[0] == list(range(9))
    assert rungs[1] == sorted(range(9), key=values.__getitem__, reverse=True)[:3]
    assert rungs[2] == [max(range(9), key=values.__getitem__)]
    assert bracket.done


def test_what_failed_does_not_go_on_and_its_place_is_filled() -> None:
    bracket = Bracket((Rung(3, 1), Rung(2, 3)))
    news = iter(range(100))
    for _ in range(3):
        bracket.next(lambda _: next(news))
    for arch, value in ((0, math.nan), (1, 5.0), (2, math.nan)):
        bracket.tell(arch, value)
    assert [bracket.next(lambda _: next(news)) for _ in range(2)] == [(1, 3), (3, 3)]


def run(recipe: Recipe, trainings: int, budgets: tuple[int, ...]) -> list[Trial]:
    searcher = recipe.start(space("topology"), np.random.default_rng(0), budgets=budgets)
    trace = []
    for _ in range(trainings):
        asked = searcher.ask(1)
        if not asked:
            break
        (trial,) = asked
        assert isinstance(trial, Trial)
        trace.append(trial)
        searcher.tell([Evaluation(trial.id, float(trial.id % 1000), 1.0, trial.budget)])
    return trace


def test_one_iteration_of_hyperband_trains_its_brackets_one_after_the_other() -> None:
    brackets = hyperband_brackets(4, 108, 3)
    expected = [int(rung.budget + 0.5) for ladder in brackets for rung in ladder for _ in range(rung.size)]
    trace = run(hyperband(), 2 * len(expected), (4, 12, 36, 108))
    assert [trial.budget for trial in trace] == 2 * expected
    first = trace[: brackets[0][0].size]
    promoted = trace[brackets[0][0].size :][: brackets[0][1].size]
    best = sorted({trial.id for trial in first}, key=lambda arch: -(arch % 1000))[: len(promoted)]
    assert [trial.id for trial in promoted] == best


def test_successive_halving_leaves_one_at_the_largest_budget() -> None:
    trace = run(successive_halving(), 27 + 9 + 3 + 1, (4, 12, 36, 108))
    assert [trial.budget for trial in trace] == [4] * 27 + [12] * 9 + [36] * 3 + [108]
    assert trace[-1].id % 1000 == max(trial.id % 1000 for trial in trace)


def test_the_search_ends_after_so_many_brackets() -> None:
    assert len(run(successive_halving(brackets=2, configurations=9), 1_000, (4, 12, 36))) == 2 * (9 + 3 + 1)


def test_several_trainers_begin_the_next_bracket_instead_of_waiting() -> None:
    searcher = hyperband().start(space("topology"), np.random.default_rng(0), budgets=(4, 12, 36))
    asked = searcher.ask(9 + 4)  # the rung of 9 waits: the next bracket starts at 12 epochs
    assert [trial.budget for trial in asked if isinstance(trial, Trial)] == [4] * 9 + [12] * 4


@pytest.mark.parametrize("wrong", [{"eta": 1.0}, {"smallest": 50, "largest": 12}, {"law": "mine"}, {"smallest": -3}])
def test_senseless_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadValue, match="eta="):
        hyperband(**wrong).start(space("topology"), np.random.default_rng(0), budgets=(4, 12))
    with pytest.raises(BadValue, match="configurations=0"):
        successive_halving(configurations=0).start(space("topology"), np.random.default_rng(0), budgets=(4, 12))
    with pytest.raises(BadValue, match="budgets="):
        hyperband().start(space("topology"), np.random.default_rng(0))
