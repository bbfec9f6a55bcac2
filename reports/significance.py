"""Is a difference more than luck, and how large is it: tests and effect sizes for repeated runs and for many tasks.

Ties are ordinary everywhere (average ranks, half wins), NaN means "not measured" and is left out in pairs, and what
cannot be computed is NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit
from scipy.stats import f as f_law
from scipy.stats import rankdata, studentized_range, wilcoxon

from .statistics import LEVEL, Floats

POWER = 0.8
SIGNIFICANT = 0.05  # adjusted p: below, two are told apart
EXACT = 50  # pairs; up to here the signed-rank test counts all signs, ties or not
FEWEST_TASKS = 6  # with five, even winning everywhere is p = 2 / 2^5 = .0625


def signed_rank(difference: npt.ArrayLike) -> float:
    """Two-sided p of the Wilcoxon signed-rank test; zeros are shared between both signs (Demsar 2006, section 3.1.3).

    Up to `EXACT` pairs, p is exact under random signs whatever the ties (scipy calls its statistic 2^n times for that,
    or takes the normal limit).

    >>> round(signed_rank([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), 4)
    0.0312
    """
    known = np.asarray(difference, dtype=np.float64)
    known = known[~np.isnan(known)]
    if not known.size:
        return math.nan
    if not known.any():
        return 1.0
    if known.size > EXACT:
        return float(wilcoxon(known, zero_method="zsplit").pvalue)
    ranks = (2 * rankdata(np.abs(known))).astype(np.int64)  # doubled, so that averages of ties are whole
    ranks, signs = ranks[known != 0], known[known != 0] > 0
    ways = np.zeros(ranks.sum() + 1)  # ways[t]: choices of signs whose positive ranks sum to t
    ways[0] = 1.0
    for rank in ranks:
        ways[rank:] += ways[:-rank].copy()
    found = ranks[signs].sum()
    tail = min(ways[: found + 1].sum(), ways[found:].sum()) / ways.sum()
    return float(min(1.0, 2 * tail))


def verdict(difference: npt.ArrayLike, adjusted: float) -> int:
    """1 where ours is told to be above, -1 below, 0 where neither, by differences and their adjusted p.

    The test looks at signed ranks, reports at means. Where the two lie on different sides (many small differences
    against a few large ones) neither is told to be above.

    >>> verdict([1.0, 2.0, 3.0], 0.01), verdict([1.0, 2.0, 3.0], 0.2), verdict([1.0, 2.0, 3.0, -9.0], 0.01)
    (1, 0, 0)
    """
    known = np.asarray(difference, dtype=np.float64)
    known = known[~np.isnan(known)]
    if not known.size or not adjusted < SIGNIFICANT:
        return 0
    sides = np.sign([known.mean(), np.sign(known) @ rankdata(np.abs(known))])
    return int(sides[0]) if sides[0] == sides[1] else 0


def holm(p: npt.ArrayLike) -> Floats:
    """Adjusted p (Holm 1979): the k-th smallest of m times m - k + 1, made monotone; NaN is no member of the family.

    >>> holm([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    order = np.argsort(p, kind="stable")[: int((~np.isnan(p)).sum())]
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1.0)
    return adjusted


@dataclass(frozen=True)
class Effect:
    """A12 (Vargha & Delaney 2000): the chance that a run of ours ends above one of theirs, a tie counting half."""

    a12: float
    low: float
    high: float


def effect(ours: npt.ArrayLike, theirs: npt.ArrayLike, *, level: float = LEVEL) -> Effect:
    """A12 of two samples (n,) that are paired by seed, with its interval.

    The variance is that of A12's influence function, which keeps the covariance of pairs (DeLong et al. 1988); the
    interval is symmetric on the logit scale. Where all runs lie on one side there is no variance: the far end is then
    the exact binomial one of n wins in n pairs.
    """
    x, y = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    known = ~(np.isnan(x) | np.isnan(y))
    x, y, n = x[known], y[known], int(known.sum())
    if not n:
        return Effect(math.nan, math.nan, math.nan)
    wins, losses = _halves(x, y), _halves(y, x)  # (n,) each
    a12 = int(wins.sum()) / (2 * n * n)
    if n < 2:
        return Effect(a12, math.nan, math.nan)
    deviation = float(np.std((wins - losses) / (2 * n), ddof=1)) / math.sqrt(n)
    tail = (1 - level) / 2
    if a12 in (0.0, 1.0):
        edge = tail ** (1 / n)
        return Effect(a12, *((edge, 1.0) if a12 else (0.0, 1 - edge)))
    logit = math.log(a12 / (1 - a12))
    reach = float(ndtri(1 - tail)) * deviation / (a12 * (1 - a12))
    return Effect(a12, *(1 / (1 + math.exp(-(logit + side * reach))) for side in (-1, 1)))


def _halves(x: Floats, y: Floats) -> npt.NDArray[np.int64]:
    """How many of ``y`` each of ``x`` is above, in halves: two for a win, one for a tie."""
    ordered = np.sort(y)
    return np.searchsorted(ordered, x, "left") + np.searchsorted(ordered, x, "right")


def detectable(difference: npt.ArrayLike, *, level: float = LEVEL, power: float = POWER) -> float:
    """The smallest mean difference that so many pairs would reveal with probability ``power``.

    For the paired t test at the spread that was seen, (t[1 - alpha/2] + t[power]) s / sqrt(n) with n - 1 degrees of
    freedom (Campelo & Takahashi 2019); the signed-rank test needs up to 1.16 times as many pairs.
    """
    known = np.asarray(difference, dtype=np.float64)
    known = known[~np.isnan(known)]
    n = known.size
    if n < 2:
        return math.nan
    quantiles = stdtrit(n - 1, (1 + level) / 2) + stdtrit(n - 1, power)
    return float(quantiles * known.std(ddof=1) / math.sqrt(n))


def average_ranks(values: Floats) -> Floats:
    """Ranks over the first axis, 1 for the largest: ``values`` (k, ...), equal numbers share the mean of their ranks.

    NaN ranks last. Where all are NaN, so are the ranks.
    """
    filled = np.where(np.isnan(values), -np.inf, values)
    ranks = np.full(values.shape, 0.5)
    for mine, place in zip(filled, ranks, strict=True):
        for other in filled:
            place += other > mine
            place += 0.5 * (other == mine)
    ranks[:, np.isnan(values).all(axis=0)] = np.nan
    return ranks


@dataclass(frozen=True)
class Friedman:
    """Mean ranks over tasks, 1 the best, with the tests of whether they differ.

    ``p`` is of Iman & Davenport's F (1980); ``critical`` is Nemenyi's critical difference of mean ranks at 5 %;
    ``pairs`` are Nemenyi's p of every pair (k, k). ``refused`` says why there is no test (then all of these are NaN).
    """

    tasks: int
    ranks: Floats  # (k,)
    p: float
    critical: float
    pairs: Floats
    refused: str

    def groups(self) -> tuple[tuple[int, int], ...]:
        """Maximal runs of places (in the order of rank) within one critical difference: not told apart."""
        ordered = np.sort(self.ranks)
        found: list[tuple[int, int]] = []
        for first in range(len(ordered)):
            last = int(np.searchsorted(ordered, ordered[first] + self.critical, "left")) - 1
            if last > first and (not found or last > found[-1][1]):
                found.append((first, last))
        return tuple(found)


def friedman(scores: Floats) -> Friedman:
    """Friedman's test with Nemenyi's differences (Demsar 2006, section 3.2): ``scores`` (n_task, k), larger is better.

    Tasks are data sets, never seeds: seeds of one data set are no independent tasks. Refused below `FEWEST_TASKS`
    tasks and for two competitors.
    """
    scores = scores[~np.isnan(scores).any(axis=1)]
    tasks, k = scores.shape
    nothing = np.full((k, k), np.nan)
    ranks = rankdata(-scores, axis=1).mean(axis=0) if tasks else np.full(k, np.nan)
    why = ""
    if tasks < FEWEST_TASKS:
        why = (
            f"{tasks} data set{'s' * (tasks != 1)} with runs of every searcher, at least {FEWEST_TASKS} are needed"
            + f"; a searcher that won on all {tasks} would still have p = {2 * 0.5**tasks:.4g} in a two-sided sign test"
            * (tasks > 1)
        )
    elif k < 3:
        why = "two searchers: the paired comparison above says it all"
    if why:
        return Friedman(tasks, ranks, math.nan, math.nan, nothing, why)
    from scikit_posthocs import posthoc_nemenyi_friedman
    from scipy.stats import friedmanchisquare

    chi2 = float(friedmanchisquare(*scores.T).statistic) if (scores != scores[:, :1]).any() else 0.0
    rest = tasks * (k - 1) - chi2
    p = 0.0 if rest <= 0 else float(f_law.sf((tasks - 1) * chi2 / rest, k - 1, (k - 1) * (tasks - 1)))
    critical = float(studentized_range.ppf(LEVEL, k, np.inf)) / math.sqrt(2) * math.sqrt(k * (k + 1) / (6 * tasks))
    return Friedman(tasks, ranks, p, critical, posthoc_nemenyi_friedman(scores).to_numpy(), "")
