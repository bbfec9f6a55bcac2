"""Successive halving (Jamieson & Talwalkar, AISTATS 2016) and Hyperband (Li et al., JMLR 2018, Algorithm 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from ..bench.errors import BadValue
from ..bench.objective import Evaluation, Trial
from ..bench.spaces import Space
from .searcher import Recipe

Law = Literal["paper", "hpbandster"]


class Rung(NamedTuple):
    """``size`` configurations trained for ``budget`` epochs."""

    size: int
    budget: float


Ladder = tuple[Rung, ...]


def steps(smallest: float, largest: float, eta: float) -> int:
    """s_max: how often the budget can grow by ``eta`` from ``smallest`` without passing ``largest``."""
    count = math.floor(math.log(largest / smallest) / math.log(eta) + 1e-9)  # log(27)/log(3) falls short of 3
    return max(count, 0)


def hyperband_brackets(smallest: float, largest: float, eta: float, law: Law = "paper") -> tuple[Ladder, ...]:
    """The brackets of one Hyperband iteration, most exploring first.

    With R the largest budget and s = s_max .. 0, rung i of bracket s trains n_i configurations for R eta^(i - s):

    * "paper": n = ceil((s_max + 1) / (s + 1) eta^s), n_i = floor(n eta^-i);
    * "hpbandster" (the released BOHB): n = floor((s_max + 1) / (s + 1)) eta^s, n_i = max(int(n eta^-i), 1).
    """
    most = steps(smallest, largest, eta)
    brackets = []
    for s in range(most, -1, -1):
        if law == "paper":
            first = math.ceil((most + 1) / (s + 1) * eta**s - 1e-9)
        else:
            first = math.ceil((most + 1) // (s + 1) * eta**s)
        sizes = [max(math.floor(first * eta**-i + 1e-9), 1) for i in range(s + 1)]
        brackets.append(tuple(Rung(size, largest * eta ** (i - s)) for i, size in enumerate(sizes)))
    return tuple(brackets)


def measured(ladder: Ladder, budgets: Sequence[int]) -> Ladder:
    """The ladder on the training lengths that exist: each rung takes the nearest one by ratio (the shorter of two).

    Where several rungs fall on one length, the first of them trains and the others drop out: the configurations that
    it would have passed on to them wait for the next length.
    """
    nearest = [min(budgets, key=lambda have: (abs(math.log(have / rung.budget)), have)) for rung in ladder]
    return tuple(
        Rung(rung.size, budget)
        for place, (rung, budget) in enumerate(zip(ladder, nearest, strict=True))
        if place == 0 or budget > nearest[place - 1]
    )


class Bracket:
    """One run of successive halving over configurations of any kind.

    A rung is done when all its results are in; then the best go on. What failed (NaN) does not, and empty places of
    the next rung are filled with new configurations, as in hpbandster.
    """

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        self._stage = 0
        self._queue: list[Any] = []
        self._started = 0
        self._told: list[tuple[float, Any]] = []

    @property
    def done(self) -> bool:
        """Whether every rung is done."""
        return self._stage == len(self._ladder)

    def next(self, propose: Callable[[int], Any]) -> tuple[Any, int] | None:
        """The next configuration and its budget; None while results are awaited and when the bracket is done."""
        if self.done or self._started == self._ladder[self._stage].size:
            return None
        budget = int(self._ladder[self._stage].budget)
        self._started += 1
        return (self._queue.pop(0) if self._queue else propose(budget)), budget

    def tell(self, configuration: Any, value: float) -> None:
        """The result of one configuration of the current rung."""
        self._told.append((value, configuration))
        if len(self._told) < self._ladder[self._stage].size:
            return
        self._stage += 1
        if not self.done:
            ranked = sorted((each for each in self._told if each[0] == each[0]), key=lambda each: -each[0])
            self._queue = [configuration for _, configuration in ranked[: self._ladder[self._stage].size]]
        self._started, self._told = 0, []


class Hyperband:
    """Hyperband on the training lengths a benchmark has; random configurations, the best of each rung go on.

    With several trainers the next bracket begins where the present ones wait for results, so that nobody idles.

    Args:
        budgets: training lengths that can be asked [epochs], ascending.
        eta: the best 1/eta of a rung go on.
        smallest, largest: range of the budgets; default: all of ``budgets``. `measured` says how the ladder meets
            lengths that are no powers of eta.
        law: sizes of the rungs, see `hyperband_brackets`.
        brackets: stop after so many brackets (hpbandster's iterations); None for no end.
        one_length: the ladder counts its budgets as ever, but every rung trains for the search budget, again and in
            full. This is what the BOHB of NAS-Bench-201 did: its worker ignored the budget it was given.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, budgets: tuple[int, ...], eta: float = 3.0,
        smallest: float | None = None, largest: float | None = None, law: Law = "paper", brackets: int | None = None,
        one_length: bool = False,
    ) -> None:  # fmt: skip
        low, high = smallest or budgets[0], largest or budgets[-1]
        if not eta > 1 or not 0 < low <= high or law not in ("paper", "hpbandster"):
            raise BadValue(
                f"eta={eta}, smallest={low}, largest={high}, law={law!r} given; legal: eta > 1, 0 < smallest <= "
                "largest, law 'paper' or 'hpbandster'"
            )
        self._space = space
        self._rng = rng
        ladders = self._plan(low, high, eta, law)
        self._ladders = list(ladders) if one_length else [measured(ladder, budgets) for ladder in ladders]
        self._one_length = one_length
        self._limit = brackets
        self._begun = 0
        self._active: list[Bracket] = []
        self._running: dict[tuple[int, int], list[tuple[Bracket, Any, int]]] = {}  # by architecture and length

    def _plan(self, smallest: float, largest: float, eta: float, law: Law) -> tuple[Ladder, ...]:
        return hyperband_brackets(smallest, largest, eta, law)

    def ask(self, n: int = 1) -> Sequence[int | Trial]:
        asked: list[int | Trial] = []
        while len(asked) < n and (trial := self._next()) is not None:
            asked.append(trial)
        return asked

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        for told in evaluations:
            waiting = self._running.get((told.id, 0 if self._one_length else told.budget))
            if not waiting:
                self._learn(self._configuration(told.id), told.budget, told.value)
                continue
            bracket, configuration, budget = waiting.pop(0)
            self._learn(configuration, budget, told.value)
            bracket.tell(configuration, told.value)

    def _next(self) -> int | Trial | None:
        while True:
            bracket, found = self._slot()
            if found is None:
                return None
            configuration, budget = found
            arch = self._id(configuration)
            if arch >= 0:
                length = 0 if self._one_length else budget
                self._running.setdefault((arch, length), []).append((bracket, configuration, budget))
                return arch if self._one_length else Trial(arch, budget)
            self._learn(configuration, budget, 0.0)  # error 1 at no cost, as nas_benchmarks answers illegal cells
            bracket.tell(configuration, 0.0)

    def _slot(self) -> tuple[Bracket, tuple[Any, int] | None]:
        self._active = [bracket for bracket in self._active if not bracket.done]
        for bracket in self._active:
            if found := bracket.next(self._propose):
                return bracket, found
        bracket = Bracket(self._ladders[self._begun % len(self._ladders)])
        if self._limit is not None and self._begun >= self._limit:
            return bracket, None
        self._begun += 1
        self._active.append(bracket)
        return bracket, bracket.next(self._propose)

    def _propose(self, budget: int) -> Any:
        """A new configuration that starts at ``budget`` epochs."""
        return int(self._space.sample(1, self._rng)[0])

    def _id(self, configuration: Any) -> int:
        """The architecture of a configuration, -1 where it is none."""
        return configuration

    def _configuration(self, arch: int) -> Any:
        """The configuration of an architecture that was told without having been asked."""
        return arch

    def _learn(self, configuration: Any, budget: int, value: float) -> None:
        """What a model would want to know of every result."""


class SuccessiveHalving(Hyperband):
    """One bracket again and again: ``configurations`` at the smallest budget, the best 1/eta at eta times it, ...

    Args:
        configurations: how many start; default eta^s_max, so that one is left at the largest budget.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, budgets: tuple[int, ...], eta: float = 3.0,
        smallest: float | None = None, largest: float | None = None, configurations: int | None = None,
        brackets: int | None = None,
    ) -> None:  # fmt: skip
        if configurations is not None and configurations < 1:
            raise BadValue(f"configurations={configurations} given; at least 1 starts")
        self._configurations = configurations
        super().__init__(space, rng, budgets=budgets, eta=eta, smallest=smallest, largest=largest, brackets=brackets)

    def _plan(self, smallest: float, largest: float, eta: float, law: Law) -> tuple[Ladder, ...]:
        most = steps(smallest, largest, eta)
        first = self._configurations or math.ceil(eta**most - 1e-9)
        sizes = [max(math.floor(first * eta**-i + 1e-9), 1) for i in range(most + 1)]
        return (tuple(Rung(size, largest * eta ** (i - most)) for i, size in enumerate(sizes)),)


HYPERBAND: dict[str, dict[str, Any]] = {
    "paper": {"eta": 3.0, "law": "paper"},
    "hpbandster": {"eta": 3.0, "law": "hpbandster"},
}
HALVING: dict[str, dict[str, Any]] = {"default": {"eta": 3.0}}


def hyperband(preset: str = "paper", *, label: str = "", **settings: Any) -> Recipe:
    """Hyperband with eta 3; ``preset`` is "paper" (Li et al., Algorithm 1) or "hpbandster" (the sizes of its rungs)."""
    return Recipe.from_preset("hyperband", Hyperband, HYPERBAND, preset, label, settings)


def successive_halving(preset: str = "default", *, label: str = "", **settings: Any) -> Recipe:
    """Successive halving with eta 3, repeated until the clock ends."""
    return Recipe.from_preset("successive-halving", SuccessiveHalving, HALVING, preset, label, settings)
