"""How well predictions agree with measurements: rank correlation, explained variance, error, coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import BadValue

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """Agreement of predictions with the truth; NaN where fewer than two pairs are known or one side is constant."""

    pairs: int
    tau: float  # Kendall's tau-b
    tau_top: float  # the same among the better half, by the truth
    rho: float  # Spearman's
    r2: float  # 1 - residual sum of squares / total sum of squares; below 0 where worse than the mean
    error: float  # mean absolute error, in the unit of the numbers


def agreement(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> Agreement:
    """Compare two arrays (n,); pairs with a NaN are left out.

    >>> agreement([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 3.0]).tau
    0.6666666666666667
    """
    ours, theirs = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if ours.shape != theirs.shape or ours.ndim != 1:
        raise BadValue(f"predictions of shape {ours.shape} for numbers of shape {theirs.shape}; give two of (n,)")
    known = ~(np.isnan(ours) | np.isnan(theirs))
    ours, theirs = ours[known], theirs[known]
    if len(ours) < 2:
        return Agreement(len(ours), *[float("nan")] * 5)
    total = float(((theirs - theirs.mean()) ** 2).sum())
    residual = float(((theirs - ours) ** 2).sum())
    top = theirs >= np.median(theirs)
    return Agreement(
        pairs=len(ours),
        tau=tau(theirs, ours),
        tau_top=tau(theirs[top], ours[top]),
        rho=_rho(theirs, ours),
        r2=1 - residual / total if total else float("nan"),
        error=float(np.abs(theirs - ours).mean()),
    )


def tau(one: Floats, other: Floats) -> float:
    """Kendall's tau-b over pairs that are both known; NaN where one side is constant or fewer than two are left."""
    from scipy.stats import kendalltau

    known = ~(np.isnan(one) | np.isnan(other))
    one, other = one[known], other[known]
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(kendalltau(one, other).statistic)


def precision(truth: Floats, predicted: Floats, k: int) -> float:
    """The share of the first ``k`` by prediction that are among the first ``k`` by truth (P@k); NaN of fewer than k.

    Ties have no order of their own: each number is the expected value over fair draws of one.

    >>> precision(np.array([1.0, 2.0, 3.0, 4.0]), np.zeros(4), 2)
    0.5
    """
    known = ~(np.isnan(truth) | np.isnan(predicted))
    if known.sum() < k:
        return float("nan")
    return float((_among_first(truth[known], k) * _among_first(predicted[known], k)).sum() / k)


def _among_first(values: Floats, k: int) -> Floats:
    """The probability of each to be among the ``k`` largest, ties drawn fairly, (n,)."""
    last = np.partition(values, len(values) - k)[len(values) - k]
    above, equal = values > last, values == last
    return above + equal * ((k - above.sum()) / equal.sum())


def noise_ceiling(runs: Floats) -> float:
    """Mean tau between two runs, over all pairs of columns of (n, run); NaN where there is one run only."""
    pairs = [tau(runs[:, one], runs[:, other]) for one in range(runs.shape[1]) for other in range(one)]
    known = [each for each in pairs if not np.isnan(each)]
    return float(np.mean(known)) if known else float("nan")


def coverage(truth: Floats, low: Floats, high: Floats) -> float:
    """The share of known numbers that lie within their intervals."""
    known = ~np.isnan(truth)
    return float(((truth >= low) & (truth <= high))[known].mean()) if known.any() else float("nan")


def _rho(one: Floats, other: Floats) -> float:
    from scipy.stats import spearmanr

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(spearmanr(one, other).statistic)
