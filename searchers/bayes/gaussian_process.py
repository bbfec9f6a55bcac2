"""The Gaussian process over architectures: exponentials of tree-Wasserstein distances as covariance.

=========  ==========================================================================================
symbol     meaning
=========  ==========================================================================================
d_c        distance in component c (operations, in-degrees, out-degrees), (n, m)
l_c        length scale of component c
sigma      variance of the noise of a standardised value
k          exp(-sum_c d_c / l_c) + sigma [same observation]
=========  ==========================================================================================

Nguyen et al., ICML 2021: unit signal variance, values standardised. `Posterior.regressor` is scikit-learn's for what is
not offered here, and the oracle of the tests; a search needs numpy and scipy only, and is imported in a blink.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, lapack, solve_triangular
from scipy.spatial.distance import cdist

from ...bench.errors import BadValue
from .embedding import Points
from .fitting import Scales
from .likelihood import JITTER
from .likelihood import fit_scales as fit_scales

if TYPE_CHECKING:
    from sklearn.gaussian_process import GaussianProcessRegressor

Floats = npt.NDArray[np.float64]


def covariance(a: Points, b: Points, scales: Scales) -> Floats:
    """exp(-sum_c d_c / l_c) between two lists of architectures, (len(a), len(b)): one Manhattan distance."""
    lengths = np.repeat(scales.lengths, a.sizes)
    matrix = cdist(a.values / lengths, b.values / lengths, "cityblock")
    np.negative(matrix, out=matrix)
    return np.exp(matrix, out=matrix)


class Prediction(NamedTuple):
    """What is believed about some architectures, standardised."""

    mean: Floats  # (n,)
    covariance: Floats  # (n, n), of the value without noise

    @property
    def variance(self) -> Floats:
        """(n,), never negative."""
        return np.maximum(np.diag(self.covariance), 0)


@dataclass(frozen=True)
class Posterior:
    """A Gaussian process that has seen ``values`` [any unit, (n,)] of ``points`` with given ``scales``.

    Raises:
        BadValue: no values, values that are not finite, or another number of them than points.
    """

    points: Points
    values: Floats
    scales: Scales

    def __post_init__(self) -> None:
        if not len(self.values) or len(self.values) != len(self.points.values) or not np.isfinite(self.values).all():
            raise BadValue(
                f"{len(self.values)} values of {len(self.points.values)} points; legal: one finite value each"
            )

    @cached_property
    def standard(self) -> tuple[float, float]:
        """Mean and standard deviation of the values; (mean, 1) where they are all equal."""
        return standard(self.values)

    @cached_property
    def factor(self) -> Floats:
        """Lower Cholesky factor of the covariance of the noisy observations, (n, n)."""
        return _factor(covariance(self.points, self.points, self.scales), self.scales.noise)

    @cached_property
    def whitened(self) -> Floats:
        """The standardised values, solved by the factor, (n,)."""
        mean, spread = self.standard
        return solve_triangular(self.factor, (self.values - mean) / spread, lower=True, check_finite=False)

    @cached_property
    def weights(self) -> Floats:
        """Solution of the covariance for the standardised values, (n,)."""
        return solve_triangular(self.factor, self.whitened, lower=True, trans=1, check_finite=False)

    def followed_by(self, points: Points, values: Floats) -> Posterior:
        """What is believed after more points; the factor grows by as many rows instead of being made again.

        Args:
            points: all points, those known first.
            values: of all of them; those known before may have changed.
        """
        new = Posterior(points, values, self.scales)
        old = len(self.values)
        if len(values) > old:
            added = points.take(np.arange(old, len(values)))
            cross = covariance(added, self.points, self.scales)
            corner = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
            rest = _factor(covariance(added, added, self.scales) - corner.T @ corner, self.scales.noise)
            grown = np.zeros((len(values), len(values)))
            grown[:old, :old], grown[old:, :old], grown[old:, old:] = self.factor, corner.T, rest
        else:
            grown = self.factor
        new.__dict__["factor"] = grown  # what the cached property would compute
        return new

    @cached_property
    def regressor(self) -> GaussianProcessRegressor:
        """scikit-learn's, fitted to the standardised values with the given scales; for what is not offered here."""
        from sklearn.gaussian_process import GaussianProcessRegressor

        from .kernel import TreeExponential

        mean, spread = self.standard
        kernel = TreeExponential(self.scales.lengths, self.scales.noise, sizes=self.points.sizes, noise_bounds="fixed")
        known = GaussianProcessRegressor(kernel, optimizer=None, copy_X_train=False)
        return known.fit(self.points.values, (self.values - mean) / spread)

    def predict(self, points: Points) -> Prediction:
        """Mean and full covariance of the standardised values of other architectures, noise left out."""
        cross = covariance(points, self.points, self.scales)
        solved = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
        return Prediction(cross @ self.weights, covariance(points, points, self.scales) - solved.T @ solved)

    def marginals(self, points: Points, chunk: int = 4096) -> tuple[Floats, Floats]:
        """Mean and variance of the standardised values of other architectures, noise left out, (n,) each."""
        means, variances = [], []
        for first in range(0, len(points.values), chunk):
            cross = covariance(Points(points.values[first : first + chunk], points.sizes), self.points, self.scales)
            solved = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
            means.append(cross @ self.weights)
            variances.append(1 - np.square(solved).sum(axis=0))
        return np.concatenate(means), np.maximum(np.concatenate(variances), 0)

    def mean_and_deviation(self, points: Points, chunk: int = 4096) -> tuple[Floats, Floats]:
        """Mean and standard deviation in the unit of the values, noise left out, (n,) each; for whole spaces."""
        mean, spread = self.standard
        means, variances = self.marginals(points, chunk)
        return mean + spread * means, spread * np.sqrt(variances)

    def leave_one_out(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of each value as the others predict it, noise included, in its unit.

        Rasmussen & Williams (2006), equations 5.12: no refit is needed; mean and spread of the values are those of
        all.
        """
        mean, spread = self.standard
        inverse = np.diag(cho_solve((self.factor, True), np.eye(len(self.values))))
        without = (self.values - mean) / spread - self.weights / inverse
        return mean + spread * without, spread * np.sqrt(1 / inverse)

    def log_likelihood(self) -> float:
        """Log marginal likelihood of the standardised values."""
        n = len(self.values)
        fit, volume = float(np.square(self.whitened).sum()), float(np.log(np.diag(self.factor)).sum())
        return -0.5 * fit - volume - n / 2 * math.log(2 * math.pi)


def _factor(matrix: Floats, noise: float) -> Floats:
    """Lower Cholesky factor of ``matrix`` with the noise on its diagonal; with more of it where rounding needs it."""
    for jitter in (JITTER, 1e-8, 1e-6, 1e-4):
        noisy = matrix.copy()
        noisy.flat[:: len(matrix) + 1] += noise + jitter
        factor, failed = lapack.dpotrf(noisy.T, lower=1, clean=1, overwrite_a=1)  # symmetric: columns are rows
        if not failed:
            return np.ascontiguousarray(factor)
    raise BadValue(f"a covariance of {len(matrix)} points is none, even with 1e-4 on its diagonal")


def standard(values: Floats) -> tuple[float, float]:
    """Mean and standard deviation; (mean, 1) where all values are equal."""
    largest = float(np.abs(values).max()) or 1.0  # squares of huge values would overflow
    mean, spread = largest * float((values / largest).mean()), largest * float((values / largest).std())
    return mean, spread if spread > 1e-12 * largest else 1.0
