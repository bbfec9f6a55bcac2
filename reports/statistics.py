"""Statistics of repeated runs: the mean with its bootstrap interval, and the spread around it.

Policy on missing numbers, everywhere in this file: NaN means "not measured" and is left out; how many numbers were
there is part of every answer. What cannot be computed (an interval from one number) is NaN, never a guess. Ties are
ordinary: nothing here depends on the order of equal numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit
from scipy.stats import trim_mean

from ..bench.errors import BadValue

Floats: TypeAlias = npt.NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 2000
SEED = 20240229  # of every bootstrap in a report: the same run folder gives the same bytes


def bootstrap_mean(
    values: npt.ArrayLike, rng: np.random.Generator, *, level: float = LEVEL, resamples: int = RESAMPLES
) -> tuple[Floats, Floats]:
    """The bootstrap interval of the mean over the first axis: ``values`` (n, ...) -> low (...), high (...).

    Bias-corrected and accelerated (BCa; Efron 1987, "Better bootstrap confidence intervals", equations 2.3 and 6.6;
    the acceleration of a mean is a sixth of its sample's skewness over the root of n). One set of resamples of the
    n rows serves all columns, so neighbouring points of a curve move together. Fewer than two known numbers: NaN;
    all numbers equal: that number twice.

    >>> low, high = bootstrap_mean([93.1, 93.4, 93.9, 94.0], np.random.default_rng(0))
    >>> 93.1 < low < 93.6 < high < 94.0
    np.True_
    """
    if not 0 < level < 1:
        raise BadValue(f"level={level}; an interval's level lies between 0 and 1, e.g. 0.95")
    if resamples < 1:
        raise BadValue(f"resamples={resamples}; at least 1, usually 2000")
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0:
        raise BadValue("bootstrap_mean wants an array with one row per run, a single number was given")
    columns = array.reshape(len(array), math.prod(array.shape[1:]))
    low = np.full(columns.shape[1], np.nan)
    high = low.copy()
    known = ~np.isnan(columns)
    pending = known.sum(axis=0) >= 2
    complete = known.all(axis=0) & pending
    if complete.any():
        low[complete], high[complete] = _bca(columns[:, complete], rng, level, resamples)
    partial = np.flatnonzero(pending & ~complete)
    if partial.size:  # columns that miss the same runs share their resamples
        patterns, which = np.unique(known[:, partial], axis=1, return_inverse=True)
        for pattern, rows in enumerate(patterns.T):
            chosen = partial[which == pattern]
            low[chosen], high[chosen] = _bca(columns[np.ix_(rows, chosen)], rng, level, resamples)
    return low.reshape(array.shape[1:]), high.reshape(array.shape[1:])


def _bca(x: Floats, rng: np.random.Generator, level: float, resamples: int) -> tuple[Floats, Floats]:
    """BCa interval of the column means of ``x`` (n, m), n >= 2, nothing missing."""
    n = len(x)
    mean = x.mean(axis=0)
    d = x - mean
    scale = np.abs(d).max(axis=0)
    rows = rng.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    counts = np.bincount(rows.ravel(), minlength=resamples * n).reshape(resamples, n)
    shifts = counts.astype(np.float64) @ d / n  # resampled mean - mean, (resamples, m)
    near = np.abs(shifts) <= 1e-12 * scale  # equal to the mean but for rounding: counts half
    below = ((shifts < 0) & ~near).mean(axis=0) + near.mean(axis=0) / 2
    z0 = ndtri(np.clip(below, 0.5 / resamples, 1 - 0.5 / resamples))
    power = np.where(scale > 0, (d**2).sum(axis=0), 1.0)
    a = (d**3).sum(axis=0) / (6 * power**1.5)
    shifts.sort(axis=0)
    ends = []
    for z in (ndtri((1 - level) / 2), ndtri((1 + level) / 2)):
        place = ndtr(z0 + (z0 + z) / (1 - a * (z0 + z))) * (resamples - 1)
        left = np.floor(place).astype(np.int64)
        right = np.minimum(left + 1, resamples - 1)
        at = np.take_along_axis(shifts, np.stack([left, right]), axis=0)
        ends.append(mean + at[0] + (place - left) * (at[1] - at[0]))
    flat = scale <= 1e-12 * np.abs(mean)
    return np.where(flat, mean, ends[0]), np.where(flat, mean, ends[1])


def iqm(values: npt.ArrayLike) -> float:
    """Interquartile mean: a quarter of the numbers, rounded down, is cut at each end (Agarwal et al. 2021)."""
    known = _known(values)
    return float(trim_mean(known, 0.25)) if known.size else float("nan")


def iqm_interval(values: npt.ArrayLike, *, level: float = LEVEL) -> tuple[Floats, Floats, Floats]:
    """Interquartile means over the first axis with their intervals: ``values`` (n, ...) -> iqm, low, high (...).

    Tukey & McLaughlin (1963): the squared deviations of the winsorized sample, over h (h - 1) where h numbers are
    kept, estimate the variance of the trimmed mean; the interval takes Student's t with h - 1 degrees of freedom.
    Fewer than four known numbers: no interval.
    """
    array = np.asarray(values, dtype=np.float64)
    columns = np.sort(array.reshape(len(array), math.prod(array.shape[1:])), axis=0)  # NaN last
    n = (~np.isnan(columns)).sum(axis=0)
    cut, places = n // 4, np.arange(len(columns))[:, None]
    kept = np.maximum(n - 2 * cut, 1)
    inside = (places >= cut) & (places < n - cut)
    middle = np.where(n > 0, np.where(inside, columns, 0.0).sum(axis=0) / kept, np.nan)
    every = np.arange(columns.shape[1])
    edges = np.minimum(cut, len(columns) - 1), np.maximum(n - cut - 1, 0)
    winsorized = np.clip(columns, columns[edges[0], every], columns[edges[1], every])
    centre = np.where(places < n, winsorized, 0.0).sum(axis=0) / np.maximum(n, 1)
    squares = np.where(places < n, (winsorized - centre) ** 2, 0.0).sum(axis=0)
    half = stdtrit(np.maximum(kept - 1, 1), (1 + level) / 2) * np.sqrt(squares / (kept * np.maximum(kept - 1, 1)))
    half = np.where(n >= 4, half, np.nan)
    shape = array.shape[1:]
    return middle.reshape(shape), (middle - half).reshape(shape), (middle + half).reshape(shape)


@dataclass(frozen=True)
class Summary:
    """One sample of numbers, one per run. ``low`` to ``high`` is the bootstrap interval of the mean."""

    runs: int  # numbers known
    missing: int  # numbers asked for and not measured
    mean: float
    low: float
    high: float
    std: float  # of the sample (n - 1)
    median: float
    q1: float
    q3: float
    iqm: float
    iqm_low: float
    iqm_high: float
    smallest: float
    largest: float


def summarise(values: npt.ArrayLike, rng: np.random.Generator) -> Summary:
    """The summary of a sample (n,); NaN is left out and counted, an empty sample is all NaN."""
    array = np.asarray(values, dtype=np.float64).ravel()
    known = _known(array)
    nan = float("nan")
    if not known.size:
        return Summary(0, array.size, *[nan] * 12)
    low, high = bootstrap_mean(known, rng)
    iqm_ends = iqm_interval(known)[1:]
    q1, median, q3 = (float(quantile) for quantile in np.quantile(known, [0.25, 0.5, 0.75]))
    return Summary(
        runs=known.size,
        missing=array.size - known.size,
        mean=float(known.mean()),
        low=float(low),
        high=float(high),
        std=float(known.std(ddof=1)) if known.size > 1 else nan,
        median=median,
        q1=q1,
        q3=q3,
        iqm=iqm(known),
        iqm_low=float(iqm_ends[0]),
        iqm_high=float(iqm_ends[1]),
        smallest=float(known.min()),
        largest=float(known.max()),
    )


@dataclass(frozen=True)
class Paired:
    """Differences ``ours - theirs`` of runs with the same seed."""

    pairs: int
    mean: float
    low: float
    high: float
    wins: int
    ties: int
    losses: int

    @property
    def verdict(self) -> int:
        """1 or -1 where the interval excludes zero, 0 where it does not, or where there is no interval."""
        return int(self.low > 0) - int(self.high < 0)


def paired(
    ours: npt.ArrayLike, our_seeds: npt.ArrayLike, theirs: npt.ArrayLike, their_seeds: npt.ArrayLike,
    rng: np.random.Generator,
) -> Paired:  # fmt: skip
    """Compare two samples seed by seed; seeds (and numbers) that only one of them has are left out."""
    _, mine, yours = np.intersect1d(our_seeds, their_seeds, assume_unique=True, return_indices=True)
    difference = np.asarray(ours, dtype=np.float64)[mine] - np.asarray(theirs, dtype=np.float64)[yours]
    difference = _known(difference)
    low, high = bootstrap_mean(difference, rng)
    return Paired(
        pairs=difference.size,
        mean=float(difference.mean()) if difference.size else float("nan"),
        low=float(low),
        high=float(high),
        wins=int((difference > 0).sum()),
        ties=int((difference == 0).sum()),
        losses=int((difference < 0).sum()),
    )


def _known(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64).ravel()
    return array[~np.isnan(array)]
