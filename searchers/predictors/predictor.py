"""What a predictor is: fitted on architectures and their numbers, it forecasts the numbers of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ...bench.spaces import Ids, Space

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is believed about the numbers of some architectures, in the unit that was learned.

    ``deviation`` is of the number itself, noise of its measurement included, and positive. ``errors`` are standardised
    errors that the predictor saw itself make, ascending (m,): then quantiles are ``mean`` + ``deviation`` times theirs;
    without them the forecast is normal.
    """

    mean: Floats  # (n,)
    deviation: Floats  # (n,)
    errors: Floats | None = None

    def quantile(self, p: float) -> Floats:
        """The number below which each truth lies with probability ``p``, (n,)."""
        from scipy.special import ndtri

        place = float(ndtri(p)) if self.errors is None else float(np.quantile(self.errors, p))
        return self.mean + place * self.deviation

    def interval(self, level: float) -> tuple[Floats, Floats]:
        """Ends of the central intervals that hold the truth with probability ``level``, (n,) each."""
        return self.quantile((1 - level) / 2), self.quantile((1 + level) / 2)

    def place(self, truth: Floats) -> Floats:
        """The probability that was given to less than what came out, (n,): uniform where forecasts are calibrated."""
        from scipy.special import ndtr

        error = (truth - self.mean) / self.deviation
        if self.errors is None:
            return np.asarray(ndtr(error), dtype=np.float64)
        return np.interp(error, self.errors, np.linspace(0.0, 1.0, len(self.errors)))

    def surprise(self, truth: Floats) -> Floats:
        """-log of the normal density with this mean and deviation at what came out, (n,) [nats]."""
        error = (truth - self.mean) / self.deviation
        return np.log(self.deviation) + (error**2 + np.log(2 * np.pi)) / 2


class Fitted(Protocol):
    """A predictor that has learned."""

    def predict(self, ids: Ids) -> Forecast:
        """The forecast for any architectures of the space, (n,)."""


class Predictor(Protocol):
    """How to learn; a plain value that travels to other processes.

    ``name`` tells it from others and stands in the reports.
    """

    @property
    def name(self) -> str: ...

    def fit(self, space: Space, ids: Ids, values: Floats, rng: np.random.Generator) -> Fitted:
        """Learn from architectures (n,) and their finite numbers (n,), higher or lower; all randomness is ``rng``'s."""
