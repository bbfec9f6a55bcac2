"""What a score owes to the size of a network: correlations given parameters and FLOPs, and within bands of FLOPs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau, rankdata

from ..correlation_statistics import Estimate, Ordered, draws
from ..statistics import Floats
from .evidence import Evidence, Scored, Truth

BANDS = 10
ENOUGH = 5  # architectures of a band, for a correlation
NOTHING = 1e-9  # share of variance that counts as none


def partial(score: Floats, truth: Floats, given: Sequence[Floats], resamples: int) -> Estimate:
    """Spearman's partial correlation of ``score`` and ``truth`` given others, all (n,), with a bootstrap interval.

    The correlation of what linear regression of both ranks on the others' ranks leaves over. NaN where nothing is left
    over, as of a score that is one of the others.
    """
    known = ~np.any(np.isnan([score, truth, *given]), axis=0)
    columns = [each[known] for each in (score, truth, *given)]
    n = int(known.sum())
    if n < len(columns) + 2:
        return Estimate(np.nan, np.nan, np.nan)
    ordered = [Ordered(each) for each in columns]
    plain = weighted_partial(np.array([rankdata(each) for each in columns])[:, :, None], np.ones((n, 1)))
    found = [np.empty(0)]
    for drawn in draws(n, resamples):
        weights = drawn.astype(np.float32)
        ranks = np.array([each.spread(each.mean_ranks(each.totals(weights))) for each in ordered])
        found.append(weighted_partial(ranks, weights))
    return Estimate.of(float(plain[0]), np.concatenate(found))


def weighted_partial(ranks: Floats, weights: npt.NDArray[np.floating]) -> Floats:
    """Partial correlation of the first two of ``ranks`` (variables, n, m) given the others, ``weights`` (n, m)."""
    middle = (weights.sum(axis=0) + 1) / 2
    centred = ranks - middle
    whole = np.einsum("aim,bim,im->mab", centred, centred, weights, optimize=True)
    scale = np.sqrt(np.maximum(np.einsum("maa->ma", whole), NOTHING))
    whole = whole / (scale[:, :, None] * scale[:, None, :])
    inner, outer = whole[:, 2:, 2:], whole[:, :2, 2:]
    left = whole[:, :2, :2] - outer @ np.linalg.pinv(inner, rcond=NOTHING, hermitian=True) @ outer.transpose(0, 2, 1)
    power = left[:, 0, 0] * left[:, 1, 1]
    safe = (left[:, 0, 0] > NOTHING) & (left[:, 1, 1] > NOTHING)
    return np.divide(left[:, 0, 1], np.sqrt(np.where(safe, power, 1.0)), out=np.full(len(power), np.nan), where=safe)


def within_bands(found: Evidence, truth: Truth, by: Scored) -> tuple[Floats, Floats]:
    """Tau inside tenths of the architectures, from the smallest ``by`` to the largest: (n_score, band), edges (band,).

    Equal sizes stay together, so that bands may differ in number; too few architectures have no correlation.
    """
    order = rankdata(by.values, nan_policy="omit")
    band = np.minimum(np.ceil(order / len(order) * BANDS).astype(np.float64), BANDS) - 1
    taus = np.full((len(found.scored), BANDS), np.nan)
    edges = np.full(BANDS, np.nan)
    for place in range(BANDS):
        inside = band == place
        edges[place] = by.values[inside].max() if inside.any() else np.nan
        for row, each in enumerate(found.scored):
            taus[row, place] = tau(each.values[inside], truth.values[inside])
    return taus, edges


def tau(one: Floats, other: Floats) -> float:
    """Kendall's tau-b of what both have; NaN where that is too little, or constant."""
    known = ~(np.isnan(one) | np.isnan(other))
    if known.sum() < ENOUGH:
        return float("nan")
    return float(kendalltau(one[known], other[known]).statistic)


def between_scores(scored: Sequence[Scored]) -> Floats:
    """Tau of every pair of scores, (n_score, n_score)."""
    taus = np.full((len(scored), len(scored)), np.nan)
    for row, one in enumerate(scored):
        for column, other in enumerate(scored[: row + 1]):
            taus[row, column] = taus[column, row] = tau(one.values, other.values)
    return taus
