"""The marginal likelihood of a Gaussian process over architectures, its gradient, and the climb to its top.

=========  ==========================================================================================
symbol     meaning
=========  ==========================================================================================
D_g        distances of group g of components among n architectures, (n, n)
l_g        length scale of group g
s          variance of the noise of a standardised value
K          exp(-sum_g D_g / l_g) + s I
y          standardised values, (n,)
a          K^-1 y
=========  ==========================================================================================

scikit-learn's `log_marginal_likelihood` says the same (a test compares them) at several times the cost on matrices of
this size: it copies and checks its kernel at every step. This module needs scipy only.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack
from scipy.optimize import minimize

from .embedding import Points
from .fitting import Scales, Tuning

Floats = npt.NDArray[np.float64]

JITTER = 1e-10  # added to the diagonal, as scikit-learn does
UNLIKELY = 1e25  # negative log likelihood where a matrix is no covariance: finite, for line searches go on from it


class Likelihood:
    """Negative log marginal likelihood of values as a function of logarithms: of every length scale, then of the noise.

    Args:
        distances: of every group, (groups, n, n).
        values: standardised, (n,).
    """

    def __init__(self, distances: Floats, values: Floats) -> None:
        self._distances = distances.reshape(len(distances), -1)
        self._values = values
        self._constant = len(values) / 2 * math.log(2 * math.pi)

    def __call__(self, theta: Floats) -> float:
        """The negative log likelihood."""
        return self._factored(theta)[0]

    def with_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """The same, and its derivatives by ``theta``: -1/2 tr((a a' - K^-1) dK/dtheta), Rasmussen & Williams 5.9."""
        found, smooth, factor, weights = self._factored(theta)
        if factor is None:
            return found, np.zeros(len(theta))
        lower, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
        diagonal = np.square(weights) - np.diag(lower)
        slopes = np.empty(len(theta))
        slopes[-1] = -0.5 * math.exp(theta[-1]) * diagonal.sum()
        # every D_g and the other factor are symmetric and D_g is 0 on the diagonal: below the diagonal counts twice
        product = (np.tril(np.outer(weights, weights) - lower, -1) * smooth).ravel()
        slopes[:-1] = -(self._distances @ product) * np.exp(-theta[:-1])
        return found, slopes

    def _factored(self, theta: Floats) -> tuple[float, Floats, Floats | None, Floats]:
        """Negative log likelihood, exp(-sum_g D_g / l_g), the Cholesky factor (None: there is none), and a."""
        n = len(self._values)
        smooth = np.exp(-(np.exp(-theta[:-1]) @ self._distances)).reshape(n, n)
        matrix = smooth.copy(order="F")
        matrix.flat[:: n + 1] += math.exp(theta[-1]) + JITTER
        factor, failed = lapack.dpotrf(matrix, lower=1, clean=0, overwrite_a=1)
        if failed:
            return UNLIKELY, smooth, None, self._values
        weights, _ = lapack.dpotrs(factor, self._values, lower=1)
        found = 0.5 * float(self._values @ weights) + float(np.log(np.diag(factor)).sum()) + self._constant
        return found, smooth, factor, weights


def fit_scales(points: Points, values: Floats, tuning: Tuning, rng: np.random.Generator) -> Scales:
    """Length scales and noise of the highest marginal likelihood that ``tuning.restarts`` climbs find.

    Each climb starts from the best of ``tuning.starts`` uniform draws inside the bounds and follows L-BFGS-B in the
    logarithms of the parameters (the authors: in the parameters, with numerical gradients).

    Args:
        values: standardised values, (n,).
    """
    distances = points.distances()
    limits = tuning.limits(len(distances))
    shared = tuning.shared_when_fitted and len(distances) == 3
    if shared:
        distances = np.stack([distances[0], distances[1] + distances[2]])
    climbed = _climb(Likelihood(distances, values), [*limits[: len(distances)], tuning.noise], tuning, rng)
    *lengths, noise = np.exp(climbed).tolist()
    if shared:
        lengths.append(float(rng.uniform(*limits[2])))
    return Scales(tuple(lengths), noise)


def _climb(
    likelihood: Likelihood, limits: list[tuple[float, float]], tuning: Tuning, rng: np.random.Generator
) -> Floats:
    low, high = np.array(limits).T
    best, lowest = np.log(high), np.inf
    for _ in range(tuning.restarts):
        starts = np.log(rng.uniform(low, high, (tuning.starts, len(low))))
        start = min(starts, key=likelihood)
        bounds = np.log(limits)
        found = minimize(likelihood.with_gradient, start, jac=True, bounds=bounds, method="L-BFGS-B")
        if found.fun < lowest:
            best, lowest = found.x, float(found.fun)
    return best
