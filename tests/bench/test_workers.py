"""The laws of the clock with one trainer and with several: time, order, capacity, every evaluation charged once."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.clock import FREE_IN_A_ROW, Clock
from nasgauge.bench.errors import BadArchitecture, BadValue, NotMeasured
from nasgauge.bench.objective import Evaluation, Level, Log, Objective, Trial
from nasgauge.bench.spaces import space
from nasgauge.bench.workers import Workers
from nasgauge.searchers.runner.search import search_once

SPACE = space("topology")
IDS = 12  # the random searchers ask for these only
LENGTHS = (4, 12, 36)


def padded(numbers: list[list[float]]) -> np.ndarray:
    """Numbers of the first ids, one row each, the rest of the space filled up; one column: a mean."""
    whole = np.full((SPACE.size, len(numbers[0])), 1.0)
    whole[: len(numbers)] = numbers
    return whole[:, 0].copy() if whole.shape[1] == 1 else whole


@dataclass
class Wanderer:
    """Asks at random: bare ids and trials, fewer than it may, now and then nothing while something is in training."""

    seed: int
    lazy: float
    deep: float
    asked: list[int] = field(default_factory=list)
    told: list[Evaluation] = field(default_factory=list)
    end: int = 400
    heard: float = 0.0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def ask(self, n: int = 1) -> list[int | Trial]:
        rng = self.rng
        waiting = len(self.asked) > len(self.told)
        if len(self.asked) >= self.end or (waiting and rng.random() < self.lazy):
            return []
        ids = [rng.randrange(IDS) for _ in range(rng.randint(1, n))]
        self.asked += ids
        return [Trial(arch, rng.choice(LENGTHS)) if rng.random() < self.deep else arch for arch in ids]

    def tell(self, evaluations: list[Evaluation]) -> None:
        self.told += evaluations
        for each in evaluations:
            self.heard += each.value if each.value == each.value else 0.0
        self.rng = random.Random(f"{self.seed} {len(self.told)} {self.heard:.6f}")


@st.composite
def situations(draw: st.DrawFn) -> dict[str, object]:
    """A made-up benchmark and a way to search it."""
    runs = draw(st.sampled_from([1, 3]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (IDS, runs)
    costs = {"even": rng.uniform(0.001, 1_000, shape), "equal": np.ones(shape), "long tail": rng.pareto(0.5, shape),
             "whole": rng.integers(0, 4, shape).astype(float)}  # fmt: skip
    costs["gaps"] = np.where(rng.random((IDS, runs)) < 0.3, math.nan, costs["even"])
    base = padded(costs[draw(st.sampled_from(list(costs)))].tolist())
    levels = {}
    for length in LENGTHS:
        values = rng.uniform(10, 95, (IDS, runs))
        values[rng.random(values.shape) < 0.1] = math.nan
        levels[length] = Level(padded(values.tolist()), base * length)
    return {
        "levels": levels, "budget": draw(st.sampled_from(LENGTHS)), "resume": draw(st.booleans()),
        "allowed": padded(rng.random((IDS, 1)).tolist()) >= draw(st.sampled_from([0.5, 0.0])),
        "costs": np.arange(float(SPACE.size)),
        "seconds": draw(st.one_of(st.none(), st.floats(0.5, 20_000))), "queries": draw(st.integers(1, 60)),
        "count_last": draw(st.booleans()), "seed": draw(st.integers(0, 2**32)),
        "workers": draw(st.integers(1, 9)), "mode": draw(st.sampled_from(["async", "sync"])),
        "lazy": draw(st.sampled_from([0.0, 0.5])), "deep": draw(st.sampled_from([0.0, 0.4])),
        "end": draw(st.sampled_from([7, 400])),
    }  # fmt: skip


def objective(given: dict[str, object]) -> Objective:
    levels: dict[int, Level] = given["levels"]  # type: ignore[assignment]
    clock = Clock(given["seconds"], given["queries"], count_last=given["count_last"])  # type: ignore[arg-type]
    plain = levels[given["budget"]]  # type: ignore[index]
    return Objective(
        SPACE, plain.values, plain.seconds, clock, np.random.default_rng(1), budget=given["budget"], levels=levels,
        resume=given["resume"], costs=given["costs"], allowed=given["allowed"],  # type: ignore[arg-type]
    )  # fmt: skip


def searched(given: dict[str, object], workers: int, mode: str) -> tuple[Objective, Wanderer]:
    what = objective(given)
    searcher = Wanderer(given["seed"], given["lazy"], given["deep"], end=given["end"])  # type: ignore[arg-type]
    spending = search_once(searcher, what, workers=workers, mode=mode)  # type: ignore[arg-type]
    assert len(spending.searcher) == len(spending.proxy) == len(what.ids)
    assert (np.diff(spending.searcher) >= 0).all()
    return what, searcher


def same(one: Log, other: Log) -> bool:
    return all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(map(np.array, one), map(np.array, other), strict=True)
    )


laws = settings(max_examples=1_000, suppress_health_check=list(HealthCheck))


@laws
@given(situations())
def test_no_search_breaks_the_laws_of_the_clock(given: dict[str, object]) -> None:
    """1,000 random searchers and settings."""
    workers: int = given["workers"]  # type: ignore[assignment]
    what, searcher = searched(given, workers, given["mode"])  # type: ignore[arg-type]
    clock, log = what.clock, what.log
    started, ended = np.array(log.started), np.array(log.ended)
    # time is monotone, and nothing ends before it starts
    assert (np.diff(ended) >= 0).all()
    assert (started >= 0).all() and (ended >= started).all()
    # every evaluation is told once, charged once, and takes what it was said to take
    assert [each.id for each in searcher.told] == log.ids
    assert clock.queries == len(log.ids) <= given["queries"]  # type: ignore[operator]
    charged = np.array([each.seconds if each.seconds == each.seconds else 0.0 for each in searcher.told])
    np.testing.assert_allclose(ended - started, charged, rtol=1e-9, atol=1e-6)
    assert not Counter(log.ids) - Counter(searcher.asked)
    assert len(searcher.asked) - len(log.ids) <= (0 if given["count_last"] and workers == 1 else workers)
    # a trainer does one thing at a time, so so many trainers never beat the critical path
    for worker in set(log.workers):
        mine = np.array(log.workers) == worker
        assert (started[mine][1:] >= ended[mine][:-1]).all()
    assert set(log.workers) <= set(range(workers))
    if len(ended):
        work = (ended - started).sum()
        assert ended.max() >= work / workers - 1e-6
        assert ended.max() >= (ended - started).max()
        assert clock.elapsed >= ended.max()
    # what was known when it was asked for had ended by then, and all that had ended before was known
    known = np.array(log.known)
    assert (known >= np.searchsorted(ended, started, "left")).all()
    assert (known <= np.searchsorted(ended, started, "right")).all()
    assert (known <= np.arange(len(known))).all()
    # nothing starts after the end, and without count_last nothing ends after it
    assert (started < clock.limit).all()
    assert given["count_last"] or (ended <= clock.limit).all()
    # what the limit rules out is free and has no value
    out = ~np.asarray(given["allowed"])[log.ids] if log.ids else np.array([], dtype=bool)
    assert np.isnan(np.array(log.values))[out].all() and (ended - started)[out].sum() == 0


@laws
@given(situations())
def test_one_trainer_is_the_sequential_clock(given: dict[str, object]) -> None:
    alone, _ = searched(given, 1, "async")
    for mode in ("async", "sync"):
        what = objective(given)
        searcher = Wanderer(given["seed"], 0.0, given["deep"], end=given["end"])  # type: ignore[arg-type]
        trainer = Workers(what, 1)
        while not what.clock.exhausted and (asked := searcher.ask(1)):
            trainer.start(asked[0])
            evaluation = trainer.finish()
            if evaluation is not None:
                searcher.tell([evaluation])
        assert same(what.log, alone.log), mode
        assert what.clock.elapsed == alone.clock.elapsed
        assert same(searched(given, 1, mode)[0].log, alone.log)


@given(st.lists(st.floats(0.5, 100), min_size=1, max_size=40), st.integers(1, 8))
def test_a_free_trainer_takes_the_next_in_line(costs: list[float], workers: int) -> None:
    """Against list scheduling done by hand: the next training goes to whoever is free first."""
    costs = (costs * IDS)[: max(len(costs), 1)]
    seconds = np.ones(SPACE.size)
    seconds[: len(costs)] = costs

    class InOrder:
        next = 0

        def ask(self, n: int = 1) -> list[int]:
            self.next += 1
            return [self.next - 1]

        def tell(self, evaluations: list[Evaluation]) -> None:
            pass

    what = Objective(SPACE, np.ones(SPACE.size), seconds, Clock(queries=len(costs)))
    search_once(InOrder(), what, workers=workers)
    free = [0.0] * workers
    expected = []
    for arch, cost in enumerate(costs):
        first = min(free)
        free[free.index(first)] = first + cost
        expected.append((first + cost, first, arch))
    assert sorted(zip(what.log.ended, what.log.started, what.log.ids, strict=True)) == sorted(expected)


def test_a_barrier_makes_everybody_wait_for_the_slowest() -> None:
    seconds = np.ones(SPACE.size)
    seconds[:4] = (1, 5, 2, 2)

    class Pairs:
        next = 0

        def ask(self, n: int = 1) -> list[int]:
            self.next += n
            return list(range(self.next - n, self.next))

        def tell(self, evaluations: list[Evaluation]) -> None:
            assert len(evaluations) == 2

    what = Objective(SPACE, np.ones(SPACE.size), seconds, Clock(queries=4))
    search_once(Pairs(), what, workers=2, mode="sync")
    assert (what.log.started, what.log.ended, what.log.workers) == ([0, 0, 5, 5], [1, 5, 7, 7], [0, 1, 0, 1])
    assert what.log.known == [0, 0, 2, 2]


def test_up_to_so_many_trainers_cross_the_budget_and_count_unless_told_otherwise() -> None:
    class Ones:
        def ask(self, n: int = 1) -> list[int]:
            return [0] * n

        def tell(self, evaluations: list[Evaluation]) -> None:
            pass

    for count_last, ended in ((True, [4.0] * 3 + [8.0] * 3 + [12.0] * 3), (False, [4.0] * 3 + [8.0] * 3)):
        what = Objective(SPACE, np.ones(SPACE.size), np.full(SPACE.size, 4.0), Clock(10, count_last=count_last))
        search_once(Ones(), what, workers=3)
        assert what.elapsed == ended
        assert what.clock.elapsed == (12 if count_last else 10)


def test_a_rung_is_charged_in_full_and_with_resume_only_what_it_adds() -> None:
    levels = {
        length: Level(np.full(SPACE.size, float(length)), np.full(SPACE.size, 10.0 * length)) for length in LENGTHS
    }
    asked = [Trial(5, 4), Trial(5, 12), Trial(5, 36), Trial(6, 36), Trial(5, 12), 5]
    for resume, paid in ((False, [40, 120, 360, 360, 120, 40]), (True, [40, 80, 240, 360, 0, 0])):
        plain = levels[4]
        clock = Clock(queries=9)
        what = Objective(SPACE, plain.values, plain.seconds, clock, budget=4, levels=levels, resume=resume)
        told = what.evaluate(asked)
        assert [each.seconds for each in told] == paid
        assert [each.budget for each in told] == [4, 12, 36, 36, 12, 4]
        assert [each.value for each in told] == [4, 12, 36, 36, 12, 4]


def test_what_is_resumed_is_the_run_that_was_begun() -> None:
    """Value and cost of one evaluation come from one run, and a longer training goes on with it."""
    rng = np.random.default_rng(0)
    values = {length: rng.uniform(0, 90, (SPACE.size, 3)) for length in LENGTHS}
    seconds = {length: length * (1 + np.arange(3.0)) + np.zeros((SPACE.size, 1)) for length in LENGTHS}
    levels = {length: Level(values[length], seconds[length]) for length in LENGTHS}
    what = Objective(
        SPACE, values[4], seconds[4], Clock(queries=10**6), rng, budget=4, levels=levels, resume=True
    )  # fmt: skip
    for arch in range(200):
        short, longer, whole = what.evaluate([Trial(arch, 4), Trial(arch, 12), Trial(arch, 36)])
        run = int(np.flatnonzero(values[4][arch] == short.value)[0])
        assert (longer.value, whole.value) == (values[12][arch, run], values[36][arch, run])
        assert [short.seconds, longer.seconds, whole.seconds] == [each * (run + 1) for each in (4, 8, 24)]


def test_two_trainings_at_once_do_not_resume_each_other() -> None:
    levels = {length: Level(np.ones(SPACE.size), np.full(SPACE.size, float(length))) for length in LENGTHS}
    what = Objective(SPACE, levels[4].values, levels[4].seconds, Clock(queries=9), budget=4, levels=levels, resume=True)
    workers = Workers(what, 2)
    workers.start(Trial(0, 4))
    workers.start(Trial(0, 12))
    assert [workers.finish().seconds for _ in range(2)] == [4, 12]  # type: ignore[union-attr]
    with pytest.raises(BadValue, match="all 2 workers are busy"):
        for _ in range(3):
            workers.start(1)


def test_resume_needs_the_same_runs_at_every_length() -> None:
    levels = {
        4: Level(np.ones(SPACE.size), np.ones(SPACE.size)),
        12: Level(np.ones((SPACE.size, 2)), np.ones(SPACE.size)),
    }
    with pytest.raises(BadValue, match="resume=True needs the same runs"):
        Objective(
            SPACE, levels[4].values, levels[4].seconds, Clock(queries=1), np.random.default_rng(0), budget=4,
            levels=levels, resume=True,
        )  # fmt: skip


def test_trials_of_every_legal_length_are_answered_and_others_refused(toy: Benchmark) -> None:
    what = toy.objective("cifar10", queries=9, budget=12, budgets=(12, 200))
    short, longer, bare = what.evaluate([Trial(10_000, 12), Trial(10_000, 200), 10_000])
    assert (short.value, short.seconds) == (16, pytest.approx(24))
    assert (longer.value, longer.seconds) == (pytest.approx(12), pytest.approx(400))
    assert bare == short
    with pytest.raises(NotMeasured, match="training of 90 epochs asked; here it can be 12, 200"):
        what.evaluate([Trial(0, 90)])
    for wrong in (Trial(-1, 12), 15_625, 0.5, "0", None):
        with pytest.raises(BadArchitecture):
            what.evaluate([wrong])  # type: ignore[list-item]


def test_a_second_objective_is_told_and_a_hard_limit_costs_nothing(toy: Benchmark) -> None:
    latency = toy.static("latency_ms:phone", "cifar10")
    what = toy.objective("cifar10", queries=9, budget=12, cost="latency_ms:phone", limit=("latency_ms:phone", 1.5))
    inside, outside = what.evaluate([100, 10_000])
    assert (inside.cost, outside.cost) == (latency[100], latency[10_000])
    assert inside.value == pytest.approx(15.01)
    assert math.isnan(outside.value) and outside.seconds == 0
    assert what.clock.queries == 2


def test_senseless_second_objectives_and_limits_are_refused(toy: Benchmark) -> None:
    with pytest.raises(BadValue, match="comes from training; known before it are latency_ms:phone"):
        toy.objective("cifar10", queries=1, cost="test_accuracy")
    with pytest.raises(BadValue, match="no architecture meets it: the smallest has 1"):
        toy.objective("cifar10", queries=1, limit=("latency_ms:phone", 0.5))
    with pytest.raises(NotMeasured, match="on 'cifar100'"):
        toy.objective("cifar100", queries=1, cost="latency_ms:phone")


def test_a_budget_in_which_nothing_fits_is_refused_unless_the_last_one_counts(toy: Benchmark) -> None:
    with pytest.raises(BadValue, match="the cheapest evaluation on 'cifar10' takes 12 s \\(12 epochs\\), so none fits"):
        toy.objective("cifar10", seconds=11.9, budget=12, budgets=(200,), count_last=False)
    assert len(toy.objective("cifar10", seconds=11.9, budget=12).evaluate([0, 1])) == 1
    assert len(toy.objective("cifar10", seconds=12, budget=12, count_last=False).evaluate([0, 1])) == 1


def test_a_search_that_only_asks_what_costs_nothing_ends_with_an_error() -> None:
    clock = Clock(seconds=5)
    with pytest.raises(BadValue, match="would never end"):
        for _ in range(FREE_IN_A_ROW + 1):
            clock.charge(0.0)
    endless = Clock(seconds=5, queries=FREE_IN_A_ROW + 5)
    for _ in range(FREE_IN_A_ROW + 1):
        endless.charge(math.nan)
    assert endless.queries == endless.unpriced == FREE_IN_A_ROW + 1


def test_senseless_numbers_of_trainers_and_durations_are_refused() -> None:
    what = Objective(SPACE, np.ones(SPACE.size), np.full(SPACE.size, -1.0), Clock(queries=3))
    with pytest.raises(BadValue, match="workers=0"):
        Workers(what, 0)
    with pytest.raises(BadValue, match="backwards"):
        what.evaluate([0])


def test_the_free_trainer_with_the_smallest_number_is_next() -> None:
    seconds = np.arange(1.0, SPACE.size + 1)
    objective = Objective(SPACE, np.ones(SPACE.size), seconds, Clock(queries=20))
    workers = Workers(objective, 4)
    for arch in (8, 2, 1, 0):
        workers.start(arch)
    for _ in range(3):
        workers.finish()  # trainers 3, 2 and 1, in this order
    for _ in range(3):
        workers.start(5)
    while workers.busy:
        workers.finish()
    assert objective.log.workers == [3, 2, 1, 0, 1, 2, 3]
