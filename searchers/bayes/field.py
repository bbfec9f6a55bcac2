"""What is believed about a fixed list of architectures, kept up to date while observations come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular

from .embedding import Points
from .fitting import Scales

if TYPE_CHECKING:
    from .gaussian_process import Posterior

Floats = npt.NDArray[np.float64]


class Field:
    """Marginals of a growing posterior at N fixed points, e.g. a whole space.

    With L the Cholesky factor of n observations and V = L^-1 k(observed, fixed), the mean is V' L^-1 y and the
    variance 1 - sum V^2. An observation adds one row to L and to V, so that it costs O(N n) instead of O(N n^2).
    """

    def __init__(self, points: Points) -> None:
        self._points = points
        self._solved = np.empty((0, len(points.values)))  # V; rows beyond `_known` are spare
        self._variance = np.ones(len(points.values))
        self._known = 0
        self._scales: Scales | None = None

    def marginals(self, posterior: Posterior) -> tuple[Floats, Floats]:
        """Mean and variance of the standardised values, noise left out, (N,) each.

        Every posterior holds the points of the one before it first, as those that `Posterior.followed_by` makes; after
        a fit of other scales all is computed anew.
        """
        if posterior.scales is not self._scales:
            self._scales, self._known = posterior.scales, 0
            self._variance = np.ones(len(self._points.values))
        total = len(posterior.values)
        if total > self._known:
            self._add(posterior, total)
        return posterior.whitened @ self._solved[:total], np.maximum(self._variance, 0)

    def _add(self, posterior: Posterior, total: int) -> None:
        from .gaussian_process import covariance

        old = self._known
        if total > len(self._solved):
            spare = np.empty((max(2 * len(self._solved), total + 32), self._solved.shape[1]))
            spare[:old] = self._solved[:old]
            self._solved = spare
        cross = covariance(posterior.points.take(np.arange(old, total)), self._points, posterior.scales)
        corner, rest = posterior.factor[old:total, :old], posterior.factor[old:total, old:total]
        if old:
            cross -= corner @ self._solved[:old]
        rows = cross / rest[0, 0] if total == old + 1 else solve_triangular(rest, cross, lower=True, check_finite=False)
        self._solved[old:total] = rows
        self._variance -= np.einsum("ij,ij->j", rows, rows)
        self._known = total
