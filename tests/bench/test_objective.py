"""What a searcher may know: validation and cost of one and the same run, on a clock, and never test data."""

from __future__ import annotations

import gc
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.clock import Clock
from nasgauge.bench.column import Column
from nasgauge.bench.errors import BadArchitecture, BadValue, NotMeasured
from nasgauge.bench.table import Table, write_table


def test_evaluations_report_validation_and_cost_and_advance_the_clock(toy: Benchmark) -> None:
    objective = toy.objective("cifar10", seconds=100, budget=12)
    first, second = objective.evaluate([0, 10_000])
    assert (first.value, first.seconds) == (15, 12)
    assert second.seconds == pytest.approx(24)
    assert objective.clock.elapsed == pytest.approx(36)
    assert (objective.ids, objective.elapsed) == ([0, 10_000], [12, pytest.approx(36)])


def test_the_evaluation_that_crosses_the_budget_counts_unless_told_otherwise(toy: Benchmark) -> None:
    assert len(toy.objective("cifar10", seconds=30, budget=12).evaluate([0] * 9)) == 3
    strict = toy.objective("cifar10", seconds=30, budget=12, count_last=False)
    assert len(strict.evaluate([0] * 9)) == 2
    assert strict.clock.exhausted
    assert strict.clock.elapsed == 30


def test_queries_end_the_clock_too(toy: Benchmark) -> None:
    objective = toy.objective("cifar10", queries=4, seconds=1e9)
    assert len(objective.evaluate(range(9))) == 4
    assert objective.evaluate([1]) == []


def test_value_and_cost_come_from_one_run(tmp_path: Path) -> None:
    """NATS simulate_train_eval may mix the accuracy of one run with the time of another."""
    runs = np.arange(15_625 * 3, dtype=float).reshape(-1, 3)
    runs[5, 0] = np.nan
    columns = [
        Column("valid_accuracy", runs, "toy", 1, (1, 2, 3)),
        Column("search_seconds", runs * 2, "toy", 1, (1, 2, 3)),
    ]
    bench = Benchmark(Table(write_table(tmp_path / "t.h5", columns, name="t", space="topology", licence="CC0")))
    objective = bench.objective(queries=1_000, seed=np.random.default_rng(0))
    told = objective.evaluate([5] * 300)
    assert all(each.seconds == 2 * each.value for each in told)
    assert {each.value for each in told} == set(runs[5, 1:])


def test_no_test_number_can_be_reached_from_an_objective(toy: Benchmark) -> None:
    objective = toy.objective("cifar10", queries=3)
    test = toy.query(np.arange(15_625), "test_accuracy", dataset="cifar10")
    skip = {id(test), id(globals())}
    seen, waiting = set(skip), [objective]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type) or type(thing).__name__ in ("module", "function"):
            continue
        seen.add(id(thing))
        assert not isinstance(thing, (Benchmark, Table))
        if isinstance(thing, np.ndarray):
            assert thing.shape[:1] != test.shape or not np.allclose(
                np.nan_to_num(thing.reshape(len(test), -1)[:, 0]), test
            )
        waiting.extend(gc.get_referents(thing))


def test_drawing_single_runs_is_refused_where_most_are_known_only_as_means(tmp_path: Path) -> None:
    runs = np.full((15_625, 2), np.nan)
    runs[:9] = 50.0
    columns = [
        Column("valid_accuracy", runs, "toy", 1, (1, 2)),
        Column("valid_accuracy", np.full(15_625, 50.0), "toy", 1, means_over="both runs"),
    ]
    bench = Benchmark(Table(write_table(tmp_path / "t.h5", columns, name="t", space="topology", licence="CC0")))
    with pytest.raises(NotMeasured, match="no single run, of 15,616 architectures"):
        bench.objective(queries=3, seed=np.random.default_rng(0))


@pytest.mark.parametrize("wrong", [-1, 15_625])
def test_an_id_outside_the_space_is_refused(toy: Benchmark, wrong: int) -> None:
    with pytest.raises(BadArchitecture):
        toy.objective("cifar10", queries=3).evaluate([wrong])


def test_a_search_without_an_end_or_with_a_senseless_one_is_refused(toy: Benchmark) -> None:
    for wrong in (
        {}, {"seconds": 0}, {"seconds": math.nan}, {"seconds": -1}, {"queries": 0}, {"seconds": math.inf},
        {"seconds": "12"}, {"seconds": True}, {"queries": 2.5}, {"queries": math.inf}, {"queries": "3"},
        {"queries": 3, "seed": "all"},
    ):  # fmt: skip
        with pytest.raises(BadValue):
            toy.objective("cifar10", **wrong)  # type: ignore[arg-type]
    with pytest.raises(NotMeasured, match="give dataset= one of"):
        toy.objective(queries=1)


@given(st.lists(st.floats(0, 1e6) | st.just(math.nan), max_size=50), st.floats(1, 1e6), st.booleans())
def test_time_is_monotone_and_adds_up(costs: list[float], limit: float, count_last: bool) -> None:
    clock = Clock(seconds=limit, count_last=count_last)
    counted, before = [], 0.0
    for cost in costs:
        if clock.exhausted:
            break
        if clock.charge(cost):
            counted.append(0.0 if math.isnan(cost) else cost)
        assert clock.elapsed >= before
        before = clock.elapsed
    assert clock.queries == len(counted)
    assert clock.elapsed in (pytest.approx(sum(counted)), limit)
    assert count_last or clock.elapsed <= limit
