"""Kernel density of categorical data: the product of Aitchison-Aitken kernels that BOHB models good and bad with."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]
Variant = Literal["paper", "released"]


class CategoricalKDE:
    """p(x) = 1/n sum_i prod_s k_s(x_s, X_is), k_s = 1 - h_s where they agree and h_s / (c_s - 1) elsewhere.

    h_s is the rule of thumb 1.06 std n^(-1 / (4 + d)) over the category numbers, at least ``minimum``.

    ============  ==========================================================================================
    n, d          rows of the data and slots
    X, x          data (n, d) and points (m, d), category numbers from 0
    c             number of categories of a slot, (d,)
    h             bandwidths, (d,)
    ============  ==========================================================================================

    ``variant="paper"`` (Aitchison & Aitken, 1976): c counts all categories and h is at most (c - 1) / c, where the
    kernel is uniform. "released" does what statsmodels' ``KDEMultivariate`` does and hpbandster thus did: c counts
    the categories seen in the data, and h has no upper limit; densities may be infinite or negative.
    """

    def __init__(self, data: Ints, levels: Ints, minimum: float, variant: Variant = "paper") -> None:
        n, d = data.shape
        self.data = data
        self.bandwidths: Floats = np.maximum(1.06 * data.std(axis=0) * n ** (-1 / (4 + d)), minimum)
        if variant == "paper":
            self._levels = np.asarray(levels, dtype=np.float64)
            self.bandwidths = np.minimum(self.bandwidths, (self._levels - 1) / self._levels)
        else:
            self._levels = np.array([len(np.unique(column)) for column in data.T], dtype=np.float64)

    def pdf(self, points: Ints) -> Floats:
        """Density at ``points`` (m, d), (m,)."""
        h, c = self.bandwidths, self._levels
        with np.errstate(divide="ignore", invalid="ignore"):
            elsewhere = np.where(h > 0, h / (c - 1), 0.0)
            density = np.ones((len(points), len(self.data)))
            for slot, column in enumerate(self.data.T):
                categories = np.arange(max(points[:, slot].max(), column.max()) + 1)
                of_category = np.where(categories[:, None] == column, 1 - h[slot], elsewhere[slot])
                density *= of_category[points[:, slot]]
            return density.mean(axis=1)

    def sample(self, n: int, levels: Ints, rng: np.random.Generator) -> npt.NDArray[np.int8]:
        """``n`` rows as hpbandster draws them: a row of the data, each slot redrawn uniformly with probability h."""
        centres = self.data[rng.integers(len(self.data), size=n)]
        keep = rng.random(centres.shape) < 1 - self.bandwidths
        return np.where(keep, centres, rng.integers(levels, size=centres.shape)).astype(np.int8)
