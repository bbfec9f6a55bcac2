"""The Gaussian process over architectures: scikit-learn's, with exponentials of tree-Wasserstein distances as kernel.

=========  ==========================================================================================
symbol     meaning
=========  ==========================================================================================
d_c        distance in component c (operations, in-degrees, out-degrees), (n, m)
l_g        length scale of a group g of components; by default every component is a group of its own
sigma      variance of the noise of a standardised value
k          exp(-sum_c d_c / l_g(c)) + sigma [same observation]
=========  ==========================================================================================

Nguyen et al., ICML 2021: unit signal variance, values standardised. scikit-learn takes some seconds to import: this
module is imported where a search first needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, solve_triangular
from scipy.optimize import minimize
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Hyperparameter, Kernel

from ...bench.errors import BadValue
from .embedding import Points
from .fitting import Scales, Tuning

Floats = npt.NDArray[np.float64]


class TreeExponential(Kernel):  # type: ignore[misc]
    """k(x, x') = exp(-sum_c d_c(x, x') / l_g(c)), plus the noise on the diagonal of k(X, X).

    Hyperparameters are the logarithms of the length scales, then of the noise; gradients are analytic.

    Args:
        length_scales: l_g, one per group.
        noise: sigma.
        sizes: coordinates of each component; rows of X are these side by side (`Points.values`).
        groups: the group of each component; default: one each.
        length_bounds: (low, high) of each length scale.
        noise_bounds: (low, high), or "fixed".
    """

    def __init__(
        self, length_scales: Sequence[float], noise: float = 1e-3, *, sizes: tuple[int, ...] = (1,),
        groups: tuple[int, ...] | None = None, length_bounds: Any = (1e-3, 1.0), noise_bounds: Any = (1e-3, 1e-2),
    ) -> None:  # fmt: skip
        self.length_scales = length_scales
        self.noise = noise
        self.sizes = sizes
        self.groups = groups
        self.length_bounds = length_bounds
        self.noise_bounds = noise_bounds

    @property
    def hyperparameter_length_scales(self) -> Hyperparameter:
        return Hyperparameter("length_scales", "numeric", self.length_bounds, len(np.atleast_1d(self.length_scales)))

    @property
    def hyperparameter_noise(self) -> Hyperparameter:
        return Hyperparameter("noise", "numeric", self.noise_bounds)

    def __call__(self, X: Floats, Y: Floats | None = None, eval_gradient: bool = False) -> Any:
        distances = self._distances(X, Y)
        scales = np.atleast_1d(self.length_scales)
        groups = np.arange(len(self.sizes)) if self.groups is None else np.array(self.groups)
        values = np.exp(-np.tensordot(1 / scales[groups], distances, 1))
        if not eval_gradient:
            return values if Y is not None else values + self.noise * np.eye(len(X))
        slopes = [values * distances[groups == group].sum(axis=0) / scale for group, scale in enumerate(scales)]
        if not self.hyperparameter_noise.fixed:
            slopes.append(self.noise * np.eye(len(X)))
        return values + self.noise * np.eye(len(X)), np.stack(slopes, axis=-1)

    def _distances(self, X: Floats, Y: Floats | None) -> Floats:
        """Component distances; those of one X with itself are remembered, for a fit asks for them again and again."""
        if Y is not None:
            return Points(X, self.sizes).distances(Points(Y, self.sizes))
        if getattr(self, "_of", None) is not X:
            self._of, self._remembered = X, Points(X, self.sizes).distances()
        return self._remembered

    def diag(self, X: Floats) -> Floats:
        return np.full(len(X), 1 + self.noise)

    def is_stationary(self) -> bool:
        return False

    def _check_bounds_params(self) -> None:
        """The bounds are published and often active; scikit-learn would warn of that at every fit."""


def _kernel(sizes: tuple[int, ...], tuning: Tuning, scales: Scales | None = None) -> TreeExponential:
    limits = tuning.limits(len(sizes))
    groups = tuple(range(len(sizes))) if len(sizes) == 1 else tuning.groups
    fixed = tuning.noise[0] == tuning.noise[1]
    if scales is not None:
        return TreeExponential(scales.lengths, scales.noise, sizes=sizes, noise_bounds="fixed")
    count = 1 + max(groups or range(len(sizes)))
    return TreeExponential(
        [high for _, high in limits[:count]], tuning.noise[1], sizes=sizes, groups=groups,
        length_bounds=limits[:count], noise_bounds="fixed" if fixed else tuning.noise,
    )  # fmt: skip


def fit_scales(points: Points, values: Floats, tuning: Tuning, rng: np.random.Generator) -> Scales:
    """Length scales and noise of the highest marginal likelihood that ``tuning.restarts`` climbs find.

    Each climb starts from the best of ``tuning.starts`` uniform draws inside the bounds and follows L-BFGS-B in the
    logarithms of the parameters (the authors: in the parameters, with numerical gradients).

    Args:
        values: standardised values, (n,).
    """
    kernel = _kernel(points.sizes, tuning)
    regressor = GaussianProcessRegressor(kernel, optimizer=_climbs(tuning, rng), copy_X_train=False)
    regressor.fit(points.values, values)
    fitted = regressor.kernel_
    lengths = np.atleast_1d(fitted.length_scales)
    if tuning.shared_when_fitted and len(points.sizes) == 3:
        low, high = tuning.limits(3)[2]
        return Scales((*lengths[:2].tolist(), float(rng.uniform(low, high))), float(fitted.noise))
    groups = range(len(points.sizes)) if fitted.groups is None else fitted.groups
    return Scales(tuple(float(lengths[group]) for group in groups), float(fitted.noise))


def _climbs(tuning: Tuning, rng: np.random.Generator) -> Callable[..., tuple[Floats, float]]:
    def optimizer(objective: Callable[..., Any], initial: Floats, bounds: Floats) -> tuple[Floats, float]:
        best, lowest = np.array(initial), np.inf
        low, high = np.exp(bounds).T
        for _ in range(tuning.restarts):
            starts = np.log(rng.uniform(low, high, (tuning.starts, len(low))))
            start = min(starts, key=lambda theta: float(objective(theta, eval_gradient=False)))
            found = minimize(objective, start, jac=True, bounds=bounds, method="L-BFGS-B")
            if found.fun < lowest:
                best, lowest = found.x, float(found.fun)
        return best, lowest

    return optimizer


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
    def regressor(self) -> GaussianProcessRegressor:
        """scikit-learn's, fitted to the standardised values with the given scales."""
        mean, spread = self.standard
        kernel = _kernel(self.points.sizes, Tuning(), self.scales)
        known = GaussianProcessRegressor(kernel, optimizer=None, copy_X_train=False)
        return known.fit(self.points.values, (self.values - mean) / spread)

    def predict(self, points: Points) -> Prediction:
        """Mean and full covariance of the standardised values of other architectures, noise left out."""
        kernel, factor = self.regressor.kernel_, self.regressor.L_
        cross = kernel(points.values, self.points.values)
        solved = solve_triangular(factor, cross.T, lower=True, check_finite=False)
        covariance = kernel(points.values, points.values) - solved.T @ solved
        return Prediction(cross @ self.regressor.alpha_, covariance)

    def mean_and_deviation(self, points: Points, chunk: int = 4096) -> tuple[Floats, Floats]:
        """Mean and standard deviation in the unit of the values, noise left out, (n,) each; for whole spaces."""
        mean, spread = self.standard
        means, variances = [], []
        for first in range(0, len(points.values), chunk):
            cross = self.regressor.kernel_(points.values[first : first + chunk], self.points.values)
            solved = solve_triangular(self.regressor.L_, cross.T, lower=True, check_finite=False)
            means.append(cross @ self.regressor.alpha_)
            variances.append(1 - np.square(solved).sum(axis=0))
        deviation = np.sqrt(np.maximum(np.concatenate(variances), 0))
        return mean + spread * np.concatenate(means), spread * deviation

    def leave_one_out(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of each value as the others predict it, noise included, in its unit.

        Rasmussen & Williams (2006), equations 5.12: no refit is needed; mean and spread of the values are those of
        all.
        """
        mean, spread = self.standard
        inverse = np.diag(cho_solve((self.regressor.L_, True), np.eye(len(self.values))))
        without = (self.values - mean) / spread - self.regressor.alpha_ / inverse
        return mean + spread * without, spread * np.sqrt(1 / inverse)

    def log_likelihood(self) -> float:
        """Log marginal likelihood of the standardised values."""
        return float(self.regressor.log_marginal_likelihood_value_)


def standard(values: Floats) -> tuple[float, float]:
    """Mean and standard deviation; (mean, 1) where all values are equal."""
    largest = float(np.abs(values).max()) or 1.0  # squares of huge values would overflow
    mean, spread = largest * float((values / largest).mean()), largest * float((values / largest).std())
    return mean, spread if spread > 1e-12 * largest else 1.0
