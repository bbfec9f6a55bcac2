"""What a surrogate learns: two ensembles of trees, how far to trust them, and how noisy single trainings are.

Notation
    z        the learned scale: -log(101 - accuracy) for accuracies, which spreads the top apart; else the number itself
    mu, v    mean of both ensembles, and the variance over the randomised trees, at an architecture
    s        sqrt(a v + b): how far a held-out architecture lies from mu, but for a factor that is alike everywhere
    e        (z - mu) / s of held-out architectures: their quantiles are those of the predictive distribution mu + s e
    n        variance of z between runs of one architecture that differ in their seed
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..runs import mean_over_runs
from .encoding import Rows

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor

Floats = npt.NDArray[np.float64]
TREES = 200
FOLDS = 5
ROUNDS, RATE, LEAVES, SMALLEST_LEAF, SHARE = 200, 0.05, 15, 5, 0.3
ROOM = 101.0  # an accuracy of 100 percent has an error of one point


@dataclass(frozen=True)
class Scale:
    """The scale on which numbers are learned."""

    of_accuracy: bool

    def learned(self, values: Floats) -> Floats:
        """z of values in their own unit."""
        return -np.log(ROOM - values) if self.of_accuracy else values

    def back(self, z: Floats) -> Floats:
        """Values in their own unit; accuracies stay within 0 and 100 percent."""
        return np.clip(ROOM - np.exp(-z), 0.0, 100.0) if self.of_accuracy else z

    def log_slope(self, values: Floats) -> Floats:
        """log dz/dvalue: what a log density of z gains as one of the value."""
        return -np.log(ROOM - values) if self.of_accuracy else np.zeros_like(values)


@dataclass(frozen=True)
class Ensemble:
    """Extremely randomised trees (Geurts et al., 2006) and gradient boosting, of equal weight."""

    trees: ExtraTreesRegressor
    boosted: HistGradientBoostingRegressor

    @classmethod
    def fit(cls, rows: Rows, z: Floats, seed: int) -> Ensemble:
        """Both ensembles on rows (n, features) and targets (n,); the same seed gives the same predictions."""
        from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor

        trees = ExtraTreesRegressor(TREES, max_features=0.5, random_state=seed)
        boosted = HistGradientBoostingRegressor(
            max_iter=ROUNDS, learning_rate=RATE, max_leaf_nodes=LEAVES, min_samples_leaf=SMALLEST_LEAF,
            max_features=SHARE, early_stopping=False, random_state=seed,
        )  # fmt: skip
        return cls(trees.fit(rows, z), boosted.fit(rows, z))

    def predict(self, rows: Rows) -> tuple[Floats, Floats]:
        """mu and v, each (n,)."""
        total, squares = np.zeros(len(rows)), np.zeros(len(rows))
        for tree in self.trees.estimators_:
            leaf = tree.tree_.predict(rows)[:, 0]  # without checking the same rows for every tree
            total += leaf
            squares += leaf**2
        mean = total / TREES
        return (mean + self.boosted.predict(rows)) / 2, np.maximum(squares / TREES - mean**2, 0.0)


@dataclass(frozen=True, eq=False)
class Calibration:
    """From `cross_fit`: the a and b of the scale s, and the held-out predictions they were learned from."""

    a: float
    b: float
    z: Floats  # of every architecture
    mu: Floats  # by the fold that did not see its class
    e: Floats  # ascending

    def deviation(self, v: Floats) -> Floats:
        """s of architectures that were not learned."""
        return np.sqrt(self.a * v + self.b)

    def quantile(self, p: float) -> float:
        """The number below which e lies with probability ``p``."""
        return float(np.quantile(self.e, p))


def cross_fit(rows: Rows, z: Floats, classes: npt.NDArray[np.int64], seed: int) -> Calibration:
    """Predict every architecture by ensembles that saw none of its isomorphism class; fit a and b to the residuals.

    a and b maximise the likelihood of residuals with Laplace's distribution, which a few failed trainings do not rule;
    no distribution is assumed of e (a split-conformal interval: Vovk et al., 2005, section 4; here by cross-fitting).
    """
    from scipy.optimize import minimize

    kinds, which = np.unique(classes, return_inverse=True)
    fold = np.random.default_rng(seed).permutation(len(kinds))[which] % FOLDS
    mu, v = np.empty(len(z)), np.empty(len(z))
    for number in range(FOLDS):
        inside = fold == number
        mu[inside], v[inside] = Ensemble.fit(rows[~inside], z[~inside], seed).predict(rows[inside])
    distance = np.abs(z - mu)
    typical = float(np.mean(distance)) ** 2 or 1e-12
    spread = float(v.mean()) or 1.0

    def badness(logs: Floats) -> float:
        s = np.sqrt(np.exp(logs[0]) * v + np.exp(logs[1]))
        return float((np.log(s) + distance / s).mean())

    start = np.log([0.5 * typical / spread, 0.5 * typical])
    found = minimize(badness, start, method="L-BFGS-B", bounds=[(each - 12, each + 12) for each in start])
    a, b = np.exp(found.x).tolist()
    return Calibration(a, b, z, mu, np.sort((z - mu) / np.sqrt(a * v + b)))


def seed_noise(runs: Floats) -> tuple[float, float]:
    """Variance n between runs of one architecture, pooled, and the harmonic mean number of runs; NaN where unknown.

    Args:
        runs: z of single runs, (n, run), NaN where a run does not exist.
    """
    counts = (~np.isnan(runs)).sum(axis=1)
    several = counts > 1
    if not several.any():
        return float("nan"), float("nan")
    deviations = runs[several] - mean_over_runs(runs[several])[:, None]
    noise = float(np.nansum(deviations**2) / (counts[several] - 1).sum())
    return noise, float(1 / np.mean(1 / counts[counts > 0]))
