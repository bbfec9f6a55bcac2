"""Step curves of the incumbent over a common grid: mean, interquartile mean, median, each with what surrounds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..statistics import Floats, bootstrap_mean, iqm_interval
from .trajectory import Ints, Repetitions

POINTS = 200  # of a grid of times
RESAMPLES = 1000  # of the bootstrap of a curve


class Band(NamedTuple):
    """One number with its two ends at every point of a grid, each (n_grid,)."""

    y: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Curve:
    """Statistics over runs of one number of the incumbent [percent] on the grid ``x``; all arrays are (n_grid,).

    NaN until every run has an incumbent; ``runs`` is how many runs each statistic is over.
    """

    x: Floats
    runs: Ints
    mean: Band  # 95 % bootstrap interval of the mean
    iqm: Band  # interquartile mean with its 95 % interval
    median: Band  # from the lower to the upper quartile

    def band(self, statistic: str) -> Band:
        """One of the three, by name."""
        return {"mean": self.mean, "iqm": self.iqm, "median": self.median}[statistic]


def curve(repetitions: Repetitions, name: str, x: npt.ArrayLike, finished: Ints, rng: np.random.Generator) -> Curve:
    """The curve of number ``name`` over the grid ``x``, at whose points ``finished`` evaluations are done.

    An incumbent whose number was never measured is left out at that point (``runs`` tells).
    """
    started = repetitions.started(finished).all(axis=0)
    values = np.where(started, repetitions.at(name, finished), np.nan)
    known = ~np.isnan(values)
    runs = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean = np.divide(total, runs, out=np.full(len(runs), np.nan), where=runs > 0)
    return Curve(
        x=np.asarray(x, dtype=np.float64),
        runs=runs,
        mean=Band(mean, *bootstrap_mean(values, rng, resamples=RESAMPLES)),
        iqm=Band(*iqm_interval(values)),
        median=Band(*quantiles(values)),
    )


def quantiles(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Median, lower and upper quartile of each column of ``values`` (n, m), NaN left out (numpy's linear rule)."""
    ordered = np.sort(values, axis=0)  # NaN last
    known = (~np.isnan(ordered)).sum(axis=0)
    columns = np.arange(values.shape[1])
    found = []
    for level in (0.5, 0.25, 0.75):
        place = level * np.maximum(known - 1, 0)
        left = np.floor(place).astype(np.int64)
        right = np.minimum(left + 1, np.maximum(known - 1, 0))
        low, high = ordered[left, columns], ordered[right, columns]
        found.append(low + (place - left) * (high - low))
    return found[0], found[1], found[2]


def grid(axis: str, end: float, points: int = POINTS) -> Floats:
    """The points of an axis up to ``end``: query counts, or evenly spread seconds."""
    return query_grid(int(end), points).astype(np.float64) if axis == "queries" else seconds_grid(end, points)


def query_grid(end: int, points: int = POINTS) -> Ints:
    """Up to about ``points`` query counts from 1 to ``end``: all of the first fifty, then evenly spread."""
    early = np.arange(1, min(end, 50) + 1)
    late = np.round(np.linspace(1, end, points)).astype(np.int64)
    return np.unique(np.concatenate([early, late]))


def seconds_grid(end: float, points: int = POINTS) -> Floats:
    """Evenly spread times up to and including ``end`` [simulated seconds]."""
    return end * np.arange(1, points + 1) / points
