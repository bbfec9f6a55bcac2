"""The learned surrogate of `bench.surrogate` as a predictor: two ensembles of trees on counts of paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...bench.spaces import Ids, Space
from ...bench.surrogate.encoding import encode
from ...bench.surrogate.model import Calibration, Ensemble, cross_fit
from .predictor import Floats, Forecast


@dataclass(frozen=True)
class LearnedSurrogate:
    """Extremely randomised trees and gradient boosting; deviations by cross-fitting over isomorphism classes.

    Args:
        dead: also count the operations that no path uses (they take no part in the result, but in the time).
    """

    name: str = "surrogate"
    dead: bool = False

    def fit(self, space: Space, ids: Ids, values: Floats, rng: np.random.Generator) -> FittedSurrogate:
        """As `Predictor.fit`."""
        seed = int(rng.integers(2**31))
        rows = encode(space, ids, dead=self.dead)
        held = cross_fit(rows, values, space.canonical(ids), seed)
        return FittedSurrogate(space, self.dead, Ensemble.fit(rows, values, seed), held)


@dataclass(frozen=True, eq=False)
class FittedSurrogate:
    """Ensembles and how far they were off where they had not learned."""

    space: Space
    dead: bool
    ensemble: Ensemble
    calibration: Calibration

    def predict(self, ids: Ids) -> Forecast:
        """As `Fitted.predict`."""
        if not len(ids):
            return Forecast(np.empty(0), np.empty(0))
        mean, variance = self.ensemble.predict(encode(self.space, ids, dead=self.dead))
        errors = self.calibration.e
        typical = float(np.sqrt(np.mean(errors**2))) or 1.0
        return Forecast(mean, typical * self.calibration.deviation(variance), errors / typical)
