"""The only handle a searcher gets: validation accuracy and cost, on a clock, with no way to test data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .clock import Clock
from .errors import BadArchitecture, BadValue
from .spaces import Space


class Trial(NamedTuple):
    """What a multi-fidelity searcher asks: one architecture, trained for ``budget`` epochs."""

    id: int
    budget: int


class Evaluation(NamedTuple):
    """What a searcher is told of one architecture."""

    id: int
    value: float  # validation accuracy, percent; NaN where nobody measured it
    seconds: float  # simulated seconds this evaluation cost
    budget: int = 0  # epochs it was trained for
    cost: float = math.nan  # the second objective, where the search has one (smaller is better), e.g. MFLOPs


class Objective:
    """Validation accuracy of architectures, one training at a time on a simulated clock.

    Holds the validation column, the cost column, the space and the clock, and nothing else: neither the table nor a
    test accuracy can be reached from here.

    Args:
        space: the space of the ids.
        values: validation accuracy [percent], (n_arch,) means or (n_arch, n_run) single runs, NaN where unknown.
        seconds: cost of one evaluation, (n_arch,) or (n_arch, n_run).
        clock: where evaluations are charged.
        rng: draws one existing run for every evaluation of an (n_arch, n_run) column; value and cost are of that run.
    """

    def __init__(
        self,
        space: Space,
        values: npt.NDArray[np.float64],
        seconds: npt.NDArray[np.float64],
        clock: Clock,
        rng: np.random.Generator | None = None,
    ) -> None:
        if len(values) != space.size or len(seconds) != space.size:
            raise BadValue(f"{len(values)} values and {len(seconds)} costs for a space of {space.size} architectures")
        if values.ndim == 2 and rng is None:
            raise BadValue("values of single runs need rng= to draw one; or give their mean")
        self.space = space
        self.clock = clock
        self.ids: list[int] = []
        self.values: list[float] = []
        self.elapsed: list[float] = []
        self._values = values
        self._seconds = seconds
        self._rng = rng

    def evaluate(self, ids: Sequence[int]) -> list[Evaluation]:
        """Train ``ids`` one after the other; the list ends early where the clock does.

        Raises:
            BadArchitecture: an id outside the space.
        """
        clock = self.clock
        told = []
        for arch in ids:
            if not 0 <= arch < self.space.size:
                raise BadArchitecture(f"id {arch} asked; space {self.space.name!r} has ids 0 to {self.space.size - 1}")
            if clock.exhausted:
                break
            value, seconds = self._look_up(arch)
            if not clock.charge(seconds):
                break
            self.ids.append(arch)
            self.values.append(value)
            self.elapsed.append(clock.elapsed)
            told.append(Evaluation(arch, value, seconds))
        return told

    def _look_up(self, arch: int) -> tuple[float, float]:
        if self._rng is None or self._values.ndim == 1:
            return self._values.item(arch), self._seconds.item(arch)
        runs = self._values[arch]
        known = np.flatnonzero(~np.isnan(runs))
        if not len(known):
            return np.nan, float(np.nanmean(self._seconds[arch])) if self._seconds.ndim == 2 else float("nan")
        run = known[int(self._rng.random() * len(known))]
        return float(runs[run]), self._seconds.item(arch, run) if self._seconds.ndim == 2 else self._seconds.item(arch)
