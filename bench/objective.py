"""The only handle a searcher gets: validation accuracy and cost, on a clock, with no way to test data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .clock import Clock
from .errors import BadArchitecture, BadValue, NotMeasured
from .spaces import Space

Floats = npt.NDArray[np.float64]


class Trial(NamedTuple):
    """What a multi-fidelity searcher asks: one architecture, trained for ``budget`` epochs."""

    id: int
    budget: int


class Evaluation(NamedTuple):
    """What a searcher is told of one architecture."""

    id: int
    value: float  # validation accuracy, percent; NaN where nobody measured it, or where the limit rules it out
    seconds: float  # simulated seconds this evaluation cost
    budget: int = 0  # epochs it was trained for
    cost: float = math.nan  # the second objective, where the search has one (smaller is better), e.g. MFLOPs


@dataclass(frozen=True, eq=False)
class Level:
    """What trainings of one length gave: validation accuracy [percent] and cost [simulated seconds].

    Both are (n_arch,) means or (n_arch, n_run) single runs, NaN where unknown.
    """

    values: Floats
    seconds: Floats


class Log(NamedTuple):
    """What happened, one entry an evaluation, in the order they ended."""

    ids: list[int]
    values: list[float]
    budgets: list[int]
    ended: list[float]  # simulated seconds
    started: list[float]
    workers: list[int]
    known: list[int]  # evaluations that had ended when this one was asked for


class Objective:
    """Validation accuracy of architectures on a simulated clock.

    Holds validation and cost columns, the space and the clock, and nothing else: neither the table nor a test accuracy
    can be reached from here. `evaluate` trains one architecture after the other; `Workers` trains several at a time.

    Args:
        space: the space of the ids.
        values: validation accuracy [percent] of a bare id, (n_arch,) means or (n_arch, n_run) single runs.
        seconds: cost of one such evaluation, (n_arch,) or (n_arch, n_run).
        clock: where evaluations are charged.
        rng: draws one existing run for every evaluation of an (n_arch, n_run) column; value and cost are of that run.
        budget: epochs of the training of a bare id.
        levels: further training lengths [epochs] that a `Trial` may ask for.
        resume: charge only what a training adds to the longest one that has ended of the same run of the same
            architecture; a run drawn before is the one that goes on. Default: every training is charged in full.
        costs: second objective of every architecture, (n_arch,); smaller is better.
        allowed: which architectures a hard limit allows, (n_arch,) bool. The limit is known before training: what it
            rules out costs 0 s, is told with the value NaN, and counts as an evaluation.
    """

    def __init__(
        self,
        space: Space,
        values: Floats,
        seconds: Floats,
        clock: Clock,
        rng: np.random.Generator | None = None,
        *,
        budget: int = 0,
        levels: Mapping[int, Level] | None = None,
        resume: bool = False,
        costs: Floats | None = None,
        allowed: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self._levels = {**(levels or {}), budget: Level(values, seconds)}
        for level in self._levels.values():
            if len(level.values) != space.size or len(level.seconds) != space.size:
                raise BadValue(
                    f"{len(level.values)} values and {len(level.seconds)} costs for a space of {space.size} "
                    "architectures"
                )
            if level.values.ndim == 2 and rng is None:
                raise BadValue("values of single runs need rng= to draw one; or give their mean")
        if resume and len({level.values.shape for level in self._levels.values()}) > 1:
            raise BadValue("resume=True needs the same runs at every training length; search by their mean")
        self.space = space
        self.clock = clock
        self.log = Log([], [], [], [], [], [], [])
        self.budget = budget
        self._value, self._cost = values.item, seconds.item
        single = values.ndim == 1 and not resume and costs is None and allowed is None
        self._plain = space.size if single else 0  # ids below it need no more than their two numbers
        self._rng = rng
        self._costs = costs
        self._allowed = allowed
        self._trained: dict[tuple[int, int], int] | None = {} if resume else None
        self._longest: dict[int, tuple[int, int]] = {}  # id -> (epochs, run) of its longest training that has ended

    def __repr__(self) -> str:
        return f"<objective on space {self.space.name!r}: {len(self.ids):,} evaluations, {self.clock.elapsed:,.0f} s>"

    @property
    def ids(self) -> list[int]:
        """Architectures evaluated, in the order their evaluations ended."""
        return self.log.ids

    @property
    def values(self) -> list[float]:
        """What was told of each."""
        return self.log.values

    @property
    def elapsed(self) -> list[float]:
        """Simulated seconds at the end of each evaluation."""
        return self.log.ended

    def evaluate(self, asked: Sequence[int | Trial]) -> list[Evaluation]:
        """Train what is asked one after the other; the list ends early where the clock does.

        Raises:
            BadArchitecture: an id outside the space.
            NotMeasured: a training length that the benchmark does not have.
        """
        clock, known = self.clock, len(self.log.ids)
        told = []
        for each in asked:
            if clock.exhausted:
                break
            evaluation, run = self.train(each)
            started = clock.elapsed
            if not clock.charge(evaluation.seconds):
                break
            self.finish(evaluation, run, started, 0, known)
            told.append(evaluation)
        return told

    def train(self, asked: int | Trial) -> tuple[Evaluation, int]:
        """What a training started now will give, and the run it belongs to (0 where a mean is told). Charges nothing.

        Raises:
            BadArchitecture: an id outside the space.
            NotMeasured: a training length that the benchmark does not have.
        """
        if type(asked) is int and 0 <= asked < self._plain:
            return Evaluation(asked, self._value(asked), self._cost(asked), self.budget), 0
        arch, budget = asked if isinstance(asked, tuple) else (asked, self.budget)
        if not isinstance(arch, (int, np.integer)) or not 0 <= arch < self.space.size:
            raise BadArchitecture(f"id {arch!r} asked; space {self.space.name!r} has ids 0 to {self.space.size - 1}")
        level = self._levels.get(budget)
        if level is None:
            legal = ", ".join(map(str, sorted(self._levels)))
            raise NotMeasured(f"a training of {budget!r} epochs asked; here it can be {legal}")
        cost = math.nan if self._costs is None else self._costs.item(arch)
        if self._allowed is not None and not self._allowed[arch]:
            return Evaluation(arch, math.nan, 0.0, budget, cost), 0
        if level.values.ndim == 1:
            value, seconds, run = level.values.item(arch), level.seconds.item(arch), 0
        else:
            value, seconds, run = self._draw(arch, budget, level)
        if self._trained:
            seconds -= self._done_before(arch, run, budget)
        return Evaluation(arch, value, seconds, budget, cost), run

    def finish(self, evaluation: Evaluation, run: int, started: float, worker: int, known: int) -> None:
        """Log a training that ends now; ``known`` evaluations had ended when it was asked for."""
        log = self.log
        log.ids.append(evaluation[0])
        log.values.append(evaluation[1])
        log.budgets.append(evaluation[3])
        log.ended.append(self.clock.elapsed)
        log.started.append(started)
        log.workers.append(worker)
        log.known.append(known)
        if self._trained is not None:
            self._remember(evaluation, run)

    def _draw(self, arch: int, budget: int, level: Level) -> tuple[float, float, int]:
        """Value, cost and number of one existing run; with ``resume``, of the run that goes on."""
        assert self._rng is not None
        runs, priced = level.values[arch], level.seconds.ndim == 2
        known = np.flatnonzero(~np.isnan(runs))
        if not len(known):
            return math.nan, float(np.nanmean(level.seconds[arch])) if priced else level.seconds.item(arch), 0
        epochs, run = self._longest.get(arch, (budget, -1))
        if epochs >= budget or run not in known:
            run = int(known[int(self._rng.random() * len(known))])
        return float(runs[run]), level.seconds.item(arch, run) if priced else level.seconds.item(arch), run

    def _done_before(self, arch: int, run: int, budget: int) -> float:
        """Simulated seconds of a training to ``budget`` epochs that an ended training of this run already spent."""
        assert self._trained is not None
        epochs = self._trained.get((arch, run))
        if epochs is None:
            return 0.0
        seconds = [self._levels[length].seconds[arch] for length in (min(epochs, budget), budget)]
        spent, whole = (float(each if np.ndim(each) == 0 else each[run]) for each in seconds)
        return min(spent, whole) if spent == spent else 0.0

    def _remember(self, evaluation: Evaluation, run: int) -> None:
        assert self._trained is not None
        if evaluation.value == evaluation.value:
            arch, budget = evaluation.id, evaluation.budget
            self._trained[arch, run] = max(budget, self._trained.get((arch, run), 0))
            self._longest[arch] = max((budget, run), self._longest.get(arch, (0, 0)))
