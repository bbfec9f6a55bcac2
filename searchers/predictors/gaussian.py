"""Gaussian processes over architectures as predictors, one for each distance of `searchers.bayes`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...bench.spaces import Ids, Space
from ..bayes.embedding import Distance, Points, embed
from ..bayes.fitting import Scales, Tuning
from .predictor import Floats, Forecast

TUNED_ON = 300
"""Scales are fitted to at most so many architectures (one fit costs their number cubed, some hundred times); then all
are taken for the posterior."""
WIDE = Tuning(restarts=2, starts=20, noise=(1e-4, 1.0), lengths=(1e-2, 3.0))
"""Wider than published, alike for all distances: length scales from .01 to 3, noise up to the variance of the values.
The published bounds (`bayes.fitting.PAPER`) are for searching: with length scales of at most .1 and .2, cells that
differ by more than one operation hardly know of each other."""


@dataclass(frozen=True)
class GaussianProcess:
    """k = exp(-sum of distances / length scales) + noise; scales by maximum marginal likelihood."""

    name: str
    distance: Distance
    tuning: Tuning = WIDE

    def fit(self, space: Space, ids: Ids, values: Floats, rng: np.random.Generator) -> FittedProcess:
        """As `Predictor.fit`."""
        from ..bayes.gaussian_process import fit_scales, standard

        points = embed(self.distance, space, ids)
        mean, spread = standard(values)
        some = rng.permutation(len(ids))[:TUNED_ON]
        scales = fit_scales(points.take(some), (values[some] - mean) / spread, self.tuning, rng)
        return FittedProcess(self.distance, space, points, values, scales)


@dataclass(frozen=True, eq=False)
class FittedProcess:
    """A posterior, asked by ids."""

    distance: Distance
    space: Space
    points: Points
    values: Floats
    scales: Scales

    def predict(self, ids: Ids) -> Forecast:
        """As `Fitted.predict`."""
        from ..bayes.gaussian_process import Posterior

        if not len(ids):
            return Forecast(np.empty(0), np.empty(0))
        known, asked = lean(self.points, embed(self.distance, self.space, ids))
        posterior = Posterior(known, self.values, self.scales)
        mean, deviation = posterior.mean_and_deviation(asked)
        noise = self.scales.noise * posterior.standard[1] ** 2
        return Forecast(mean, np.sqrt(deviation**2 + noise))


def lean(known: Points, asked: Points) -> tuple[Points, Points]:
    """Points with the same distances between ``known`` and ``asked`` ones, in fewer coordinates.

    Where all known points agree, the distance of an asked one in that coordinate is the same to all of them: such
    coordinates of a component are summed up in one. (Most neighbourhoods and paths of a space occur in no sample.)
    """
    ends = np.cumsum(known.sizes)[:-1]
    ours, theirs, sizes = [], [], []
    for a, b in zip(np.split(known.values, ends, axis=1), np.split(asked.values, ends, axis=1), strict=True):
        same = (a == a[0]).all(axis=0)
        rest = np.abs(b[:, same] - a[0, same]).sum(axis=1, keepdims=True)
        ours.append(np.concatenate([a[:, ~same], np.zeros((len(a), 1))], axis=1))
        theirs.append(np.concatenate([b[:, ~same], rest], axis=1))
        sizes.append(ours[-1].shape[1])
    return Points(np.concatenate(ours, axis=1), tuple(sizes)), Points(np.concatenate(theirs, axis=1), tuple(sizes))
