"""The kernel of architectures in the shape scikit-learn wants: exponentials of tree-Wasserstein distances.

scikit-learn takes some seconds to import, and a search does without it: this module is imported by name only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.gaussian_process.kernels import Hyperparameter, Kernel

from .embedding import Points

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
