"""How a searcher is asked and told: one at a time, by several trainers, in batches; whose seconds are whose."""

from __future__ import annotations

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadArchitecture, BadValue
from nasgauge.bench.objective import Evaluation, Objective, Trial
from nasgauge.searchers import SEARCHERS, Recipe, recipe
from nasgauge.searchers.runner.search import search_once
from nasgauge.searchers.scores import Scores


class Rungs:
    """Four at 12 epochs; the best two of them at 200, once all four are told."""

    def __init__(self, space: object, rng: object, *, budgets: tuple[int, ...]) -> None:
        self.short, self.long = budgets
        self.first = [Trial(arch, self.short) for arch in (1_000, 3_000, 2_000, 0)]
        self.told: list[Evaluation] = []
        self.promoted: list[Trial] | None = None

    def ask(self, n: int = 1) -> list[Trial]:
        if self.first:
            batch, self.first = self.first[:n], self.first[n:]
            return batch
        if len(self.told) < 4:
            return []
        if self.promoted is None:
            best = sorted(self.told, key=lambda each: -each.value)[:2]
            self.promoted = [Trial(each.id, self.long) for each in best]
        batch, self.promoted = self.promoted[:n], self.promoted[n:]
        return batch

    def tell(self, evaluations: list[Evaluation]) -> None:
        self.told += evaluations


@pytest.mark.parametrize("mode", ["async", "sync"])
@pytest.mark.parametrize("workers", [1, 2, 3, 4, 9])
def test_a_rung_waits_for_its_members(toy: Benchmark, workers: int, mode: str) -> None:
    objective = toy.objective("cifar10", queries=99, budget=12, budgets=(12, 200))
    searcher = recipe(Rungs).start(toy.space, np.random.default_rng(0), budgets=(200, 12))
    search_once(searcher, objective, workers=workers, mode=mode)  # type: ignore[arg-type]
    log = objective.log
    assert sorted(zip(log.ids, log.budgets, strict=True)) == [
        (0, 12), (1_000, 12), (2_000, 12), (2_000, 200), (3_000, 12), (3_000, 200),
    ]  # fmt: skip
    short = [end for end, budget in zip(log.ended, log.budgets, strict=True) if budget == 12]
    late = [start for start, budget in zip(log.started, log.budgets, strict=True) if budget == 200]
    assert min(late) >= max(short)


@pytest.mark.parametrize("name", sorted(set(SEARCHERS) - {"warm-start", "best-of"}))  # these two need scores
@pytest.mark.parametrize(("workers", "mode"), [(4, "async"), (16, "async"), (16, "sync")])
def test_every_searcher_works_for_more_trainers_than_it_has_members(
    toy: Benchmark, name: str, workers: int, mode: str
) -> None:
    queries = 40
    made = recipe("optuna:TPESampler") if name == "optuna" else recipe(name)
    objective = toy.objective("cifar10", queries=queries, budget=12, budgets=(12, 200))
    searcher = made.start(toy.space, np.random.default_rng(0), budgets=(12, 200))
    search_once(searcher, objective, workers=workers, mode=mode)  # type: ignore[arg-type]
    assert len(objective.ids) == queries
    assert len(set(objective.log.workers)) > 1


def answers(objective: Objective, given: list[object], **how: object) -> None:
    class Once:
        def ask(self, n: int = 1) -> list[object]:
            return given

        def tell(self, evaluations: list[Evaluation]) -> None:
            pass

    search_once(Once(), objective, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [{}, {"workers": 2}, {"workers": 2, "mode": "sync"}])
def test_more_than_asked_for_and_what_is_no_architecture_are_errors(toy: Benchmark, how: dict[str, object]) -> None:
    with pytest.raises(BadValue, match="the searcher gave 3"):
        answers(toy.objective("cifar10", queries=9), [1, 2, 3], **how)
    for wrong in (15_625, -1, 0.5, "1", None):
        with pytest.raises(BadArchitecture):
            answers(toy.objective("cifar10", queries=9), [wrong], **how)


def test_seconds_of_the_proxies_are_their_own(toy: Benchmark) -> None:
    """Each architecture is paid for once; neither the simulated nor the searcher's seconds know of it."""
    size = toy.space.size
    scores = Scores({"naswot": np.arange(float(size))}, {"naswot": np.full(size, 1_000.0)})

    class Climber:
        def __init__(self, space: object, rng: np.random.Generator, *, scorer: object) -> None:
            self.rng, self.scorer = rng, scorer

        def ask(self, n: int = 1) -> list[int]:
            pool = [0, 1, *self.rng.integers(2, 9, size=2).tolist()]
            return [pool[int(np.argmax(self.scorer("naswot", pool)))]]  # type: ignore[operator]

        def tell(self, evaluations: list[Evaluation]) -> None:
            pass

    for workers in (1, 3):
        scorer = scores.count()
        objective = toy.objective("cifar10", queries=30, budget=12)
        searcher = recipe(Climber).start(toy.space, np.random.default_rng(0), scorer=scorer)
        spending = search_once(searcher, objective, workers=workers, scorer=scorer)
        assert spending.proxy[-1] == scorer.seconds == 9_000
        assert (np.diff(spending.proxy) >= 0).all()
        assert spending.searcher[-1] < 60
        assert objective.clock.elapsed < 30 * 12.01
    with pytest.raises(BadValue, match="needs scores of proxies"):
        recipe(Climber).start(toy.space, np.random.default_rng(0))
    with pytest.raises(BadValue, match="needs training lengths"):
        recipe(Rungs).start(toy.space, np.random.default_rng(0))


def test_what_the_experiment_fills_is_no_setting() -> None:
    from nasgauge.bench.errors import UnknownName

    for name in ("budgets", "scorer"):
        with pytest.raises(UnknownName, match=name):
            Recipe("rungs", Rungs, {name: [1]})
