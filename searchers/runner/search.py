"""One repetition: ask, evaluate and tell until the clock or the searcher ends, with one trainer or several."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ...bench.errors import BadValue
from ...bench.objective import Evaluation, Objective, Trial
from ...bench.workers import Workers
from ..scores import CountedScores
from ..searcher import Searcher

Mode = Literal["async", "sync"]


@dataclass
class Spending:
    """Measured seconds so far after each evaluation, in the order of the objective's log."""

    searcher: list[float] = field(default_factory=list)  # the searcher itself
    proxy: list[float] = field(default_factory=list)  # the scores it asked for, as recorded when they were computed


def search_once(
    searcher: Searcher,
    objective: Objective,
    *,
    workers: int = 1,
    mode: Mode = "async",
    scorer: CountedScores | None = None,
) -> Spending:
    """Let a searcher spend the objective's clock.

    Args:
        workers: trainers that run at a time.
        mode: "async" asks for one architecture as soon as a trainer is free and tells each result when it is there;
            "sync" asks for as many as there are trainers, waits for all of them, and tells them together. Both tell in
            the order trainings end; one trainer does the same in both.
        scorer: the scores the searcher was built with; what they cost is read here.

    Raises:
        BadValue: more architectures than asked for.
    """
    purse = _Purse(searcher, scorer)
    if workers == 1:
        _alone(purse, objective)
    elif mode == "async":
        _together(purse, objective, Workers(objective, workers))
    else:
        _in_batches(purse, objective, Workers(objective, workers))
    return purse.spending


class _Purse:
    """Asks and tells a searcher, and measures it doing so."""

    def __init__(self, searcher: Searcher, scorer: CountedScores | None) -> None:
        self._ask, self._tell, self._scorer = searcher.ask, searcher.tell, scorer
        self._now: Callable[[], float] = time.perf_counter
        self._spent = 0.0
        self.spending = Spending()

    def ask(self, n: int) -> Sequence[int | Trial]:
        started = self._now()
        asked = self._ask(n)
        self._spent += self._now() - started
        if len(asked) > n:
            raise BadValue(f"asked for {n} architectures, the searcher gave {len(asked)}")
        return asked

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        started = self._now()
        self._tell(evaluations)
        self._spent += self._now() - started
        proxy = 0.0 if self._scorer is None else self._scorer.seconds
        for _ in evaluations:
            self.spending.searcher.append(self._spent)
            self.spending.proxy.append(proxy)


def _alone(purse: _Purse, objective: Objective) -> None:
    clock, evaluate = objective.clock, objective.evaluate
    while not clock.exhausted:
        asked = purse.ask(1)
        if not len(asked):
            break
        evaluations = evaluate(asked)
        if evaluations:
            purse.tell(evaluations)


def _together(purse: _Purse, objective: Objective, workers: Workers) -> None:
    clock = objective.clock
    waiting = False  # the searcher had nothing to ask before it is told more
    while True:
        while workers.free and not waiting and not clock.exhausted:
            asked = purse.ask(1)
            waiting = not len(asked)
            for each in asked:
                workers.start(each)
        if not workers.busy:
            break
        evaluation = workers.finish()
        if evaluation is not None:
            purse.tell([evaluation])
            waiting = False


def _in_batches(purse: _Purse, objective: Objective, workers: Workers) -> None:
    clock = objective.clock
    while not clock.exhausted:
        asked = purse.ask(int(min(workers.count, clock.query_limit - clock.queries)))
        if not len(asked):
            break
        for each in asked:
            workers.start(each)
        ended = [workers.finish() for _ in range(workers.busy)]
        evaluations = [each for each in ended if each is not None]
        if evaluations:
            purse.tell(evaluations)
