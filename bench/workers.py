"""Several trainers at a time: a queue of the ends of trainings, on one simulated clock."""

from __future__ import annotations

import heapq

from .counts import check_count
from .errors import BadValue
from .objective import Evaluation, Objective, Trial


class Workers:
    """``count`` trainers that share an objective and its clock.

    `start` gives a training to the free trainer with the smallest number; `finish` lets time pass to the next end of a
    training (the earliest; of several at the same moment the one started first) and answers what came out.
    No training starts once the clock is exhausted, those in flight go on: with ``count_last`` (the official protocol)
    up to ``count`` evaluations cross the budget and count, without it they are broken off at the limit. One trainer
    does exactly what `Objective.evaluate` does.
    """

    def __init__(self, objective: Objective, count: int) -> None:
        check_count("workers", count, "the trainers of a search")
        self.count = count
        self._objective = objective
        self._free = list(range(count))
        self._running: list[tuple[float, int, int, float, int, int, Evaluation | None]] = []
        self._started = 0

    @property
    def free(self) -> int:
        """How many trainers have nothing to do."""
        return len(self._free)

    @property
    def busy(self) -> int:
        """How many trainings are in flight."""
        return len(self._running)

    def start(self, asked: int | Trial) -> None:
        """Begin a training now, on a free trainer.

        Raises:
            BadValue: no trainer is free.
            BadArchitecture, NotMeasured: as `Objective.train`.
        """
        if not self._free:
            raise BadValue(f"all {self.count} workers are busy")
        clock = self._objective.clock
        evaluation, run = self._objective.train(asked)
        ends, counts = clock.start(evaluation.seconds)
        worker = heapq.heappop(self._free)
        known = len(self._objective.ids)
        entry = (ends, self._started, worker, clock.elapsed, run, known, evaluation if counts else None)
        heapq.heappush(self._running, entry)
        self._started += 1

    def finish(self) -> Evaluation | None:
        """The next training to end; None where it was broken off at the limit of the clock."""
        ends, _, worker, started, run, known, evaluation = heapq.heappop(self._running)
        self._objective.clock.advance(ends)
        heapq.heappush(self._free, worker)
        if evaluation is not None:
            self._objective.finish(evaluation, run, started, worker, known)
        return evaluation
