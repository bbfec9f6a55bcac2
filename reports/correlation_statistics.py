"""How well one number orders what another one measured: rank correlations with bootstrap intervals over architectures.

Kendall's tau-b, Vigna's weighted tau, Spearman's rho (which is Pearson's correlation of the ranks, equal numbers
sharing the mean of theirs). Signs are kept: a score that orders backwards has a negative correlation. NaN means that
there is no score or no truth; such architectures are left out of the pair and counted.

The values are scipy's, in O(n log n). The intervals are percentiles over resamples of whole architectures. A resample
differs from the sample only in how often each architecture was drawn, so that ranks, ties and order are worked out
once for all of them (`net_signs`): a thousand resamples of 15,625 architectures take about two seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau, spearmanr, weightedtau

from ..bench.errors import BadValue
from .net_signs import Ints, NetSigns, Singles, dense_ranks
from .statistics import LEVEL, SEED, Floats

RESAMPLES = 1000
CHUNK = 125  # resamples at a time: what one array of them holds stays in tens of megabytes
SHARES = (1.0, 0.1, 0.01)  # of the architectures, the best by truth

Draws = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Estimate:
    """A statistic of a sample with the ends of its interval; NaN where it is not defined."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, resampled: Floats, level: float = LEVEL) -> Estimate:
        """The value, and percentiles of it over resamples (those where it is defined)."""
        known = resampled[~np.isnan(resampled)]
        if not known.size or np.isnan(value):
            return cls(float(value), float("nan"), float("nan"))
        low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
        return cls(float(value), float(low), float(high))


@dataclass(frozen=True)
class Agreement:
    """How a score agrees with the truth on some architectures; ``missing`` had no score or no truth."""

    used: int
    missing: int
    score_ties: int  # architectures that share their score with another one
    kendall: Estimate
    weighted: Estimate
    spearman: Estimate


def agreement(
    scores: npt.ArrayLike, truth: npt.ArrayLike, rng: np.random.Generator | None = None, *,
    resamples: int = RESAMPLES, level: float = LEVEL,
) -> Agreement:  # fmt: skip
    """Rank correlations of ``scores`` and ``truth``, both (n,), larger is better for both.

    Fewer than two architectures, or a constant score, have no correlation (NaN).

    Args:
        rng: of the bootstrap; default: a fixed one, so that the same numbers give the same intervals.
        resamples: 0 leaves the intervals out.

    Raises:
        BadValue: the two differ in length.
    """
    x, y, missing = both_known(scores, truth)
    nothing = Estimate(float("nan"), float("nan"), float("nan"))
    ties = int((np.unique(x, return_counts=True)[1][dense_ranks(x)] > 1).sum()) if x.size else 0
    if x.size < 2 or x.min() == x.max() or y.min() == y.max():
        return Agreement(x.size, missing, ties, nothing, nothing, nothing)
    values = {
        "kendall": kendalltau(x, y).statistic,
        "weighted": weightedtau(x, y).statistic,
        "spearman": spearmanr(x, y).statistic,
    }
    resampled = Resampled(x, y)
    found: dict[str, list[Floats]] = {name: [np.empty(0)] for name in values}
    for drawn in draws(x.size, resamples, rng):
        for name, each in resampled(drawn).items():
            found[name].append(each)
    made = {name: Estimate.of(float(value), np.concatenate(found[name]), level) for name, value in values.items()}
    return Agreement(x.size, missing, ties, **made)


def best(truth: Floats, share: float) -> npt.NDArray[np.bool_]:
    """Which of ``truth`` (n,) are among the best ``share``, ties with the last one included; NaN never is."""
    known = np.sort(truth[~np.isnan(truth)])
    if not known.size or share >= 1:
        return ~np.isnan(truth)
    count = max(1, int(np.ceil(share * known.size - 1e-9)))
    return np.asarray(truth >= known[-count])


def both_known(scores: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[Floats, Floats, int]:
    """The two without what one of them lacks, and how many that were; infinite scores are numbers."""
    x, y = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise BadValue(f"scores of shape {x.shape}, truth of shape {y.shape}; both are one number per architecture")
    known = ~(np.isnan(x) | np.isnan(y))
    return x[known], y[known], int((~known).sum())


def draws(n: int, resamples: int, rng: np.random.Generator | None = None) -> Iterator[Draws]:
    """How often each of ``n`` is drawn in each resample, in chunks (n, up to `CHUNK`).

    Without ``rng`` they are the same every time, and those of the last ``n`` are remembered: the scores of one report
    are resampled alike.
    """
    chunks = _fixed(n, resamples) if rng is None else _drawn(n, resamples, rng)
    for chunk in chunks:
        yield chunk.astype(np.int32)


@lru_cache(maxsize=1)
def _fixed(n: int, resamples: int) -> list[npt.NDArray[np.int16]]:
    return list(_drawn(n, resamples, np.random.default_rng(SEED)))


def _drawn(n: int, resamples: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int16]]:
    for first in range(0, resamples, CHUNK):
        many = min(CHUNK, resamples - first)
        rows = rng.integers(n, size=(many, n)) + n * np.arange(many)[:, None]
        counts = np.bincount(rows.ravel(), minlength=many * n).reshape(many, n)
        yield np.ascontiguousarray(counts.T.astype(np.int16))


class Resampled:
    """The three correlations of resamples of (x, y), given how often each point was drawn."""

    def __init__(self, x: Floats, y: Floats) -> None:
        self._x, self._y = Ordered(x), Ordered(y)
        self._net = NetSigns(self._x.ranks, self._y.ranks)
        n = len(x)
        self._harmonic = np.r_[0.0, np.cumsum(1.0 / np.arange(1, n + 1))]
        descending = [np.lexsort((self._y.ranks, self._x.ranks)), np.lexsort((self._x.ranks, self._y.ranks))]
        self._orders = [each[::-1] for each in descending]  # as `scipy.stats.weightedtau` ranks: by x, then by y

    def __call__(self, drawn: Draws) -> dict[str, Floats]:
        """kendall, weighted and spearman of each column of ``drawn`` (n, m); each column sums to n."""
        n = float(drawn.shape[0])
        weights = drawn.astype(np.float32)
        net = self._net(weights)
        pairs = n * (n - 1) / 2
        x_total, y_total = self._x.totals(weights), self._y.totals(weights)
        untied = [pairs - (each * (each - 1) / 2).sum(axis=0, dtype=np.float64) for each in (x_total, y_total)]
        with np.errstate(invalid="ignore", divide="ignore"):
            kendall = (weights * net).sum(axis=0, dtype=np.float64) / 2 / np.sqrt(untied[0] * untied[1])
            weighted = np.mean([self._weighted(drawn, net, x_total, y_total, order) for order in self._orders], axis=0)
            spearman = self._spearman(weights, x_total, y_total)
        return {"kendall": kendall, "weighted": weighted, "spearman": spearman}

    def _weighted(self, drawn: Draws, net: Singles, x_total: Singles, y_total: Singles, order: Ints) -> Floats:
        """Additive hyperbolic tau (Vigna, WWW 2015, section 4): a pair weighs 1/(r_i + 1) + 1/(r_j + 1).

        Copies of a point hold consecutive ranks, so that a difference of harmonic numbers is their weight together.
        """
        heights = self._harmonic[np.cumsum(drawn[order], axis=0)]
        weight = np.empty_like(heights)
        weight[order] = np.diff(heights, axis=0, prepend=0.0)
        top = np.einsum("ij,ij->j", weight, net, dtype=np.float64)
        whole = (drawn.shape[0] - 1) * self._harmonic[-1]
        left = [
            whole - ((total - 1) * each.sums(weight)).sum(axis=0, dtype=np.float64)
            for each, total in ((self._x, x_total), (self._y, y_total))
        ]
        return np.asarray(top / np.sqrt(left[0] * left[1]))

    def _spearman(self, weights: Singles, x_total: Singles, y_total: Singles) -> Floats:
        middle = (weights.shape[0] + 1) / 2
        x, y = (each.mean_ranks(total) - middle for each, total in ((self._x, x_total), (self._y, y_total)))
        spread = [np.einsum("ij,ij,ij->j", total, each, each) for total, each in ((x_total, x), (y_total, y))]
        top = np.einsum("ij,ij,ij->j", weights, self._x.spread(x), self._y.spread(y))
        return np.asarray(top / np.sqrt(spread[0] * spread[1]))


class Ordered:
    """One variable: dense ranks, and sums over its ties for any weights."""

    def __init__(self, values: Floats) -> None:
        self.ranks = dense_ranks(values)
        self._order = np.argsort(self.ranks, kind="stable")
        self._starts = np.flatnonzero(np.diff(self.ranks[self._order], prepend=-1))

    def sums(self, numbers: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Sums of ``numbers`` (n, m) over ties, (distinct, m), in ascending order of the variable."""
        ordered = numbers[self._order]
        return ordered if len(self._starts) == len(ordered) else np.add.reduceat(ordered, self._starts, axis=0)

    def totals(self, weights: Singles) -> Singles:
        """How often each distinct value was drawn, (distinct, m)."""
        return np.asarray(self.sums(weights), dtype=np.float32)

    def mean_ranks(self, totals: Singles) -> Floats:
        """The rank that the copies of each distinct value share, (distinct, m), from 1."""
        above = np.cumsum(totals, axis=0, dtype=np.float64)
        return above - (totals - 1) / 2

    def spread(self, numbers: Floats) -> Floats:
        """A number of each distinct value, (distinct, m), for every point (n, m)."""
        return numbers[self.ranks]
