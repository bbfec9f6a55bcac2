"""A predictor of two parts: an encoding of architectures (`proxies.encodings`) and a head that learns from its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...bench.spaces import Ids, Space
from .heads import HEADS, Rows
from .predictor import Floats, Forecast

TOGETHER = 16_384  # architectures encoded at a time


@dataclass(frozen=True)
class Encoded:
    """``ENCODING+HEAD``: any encoding that answers one row of numbers for each architecture, any of `HEADS`.

    ``stored`` answers the rows of ids where they were made before; else they are made when asked.
    """

    encoding: str
    head: str
    stored: Callable[[Ids], Rows] | None = None

    @property
    def name(self) -> str:
        """Of both parts."""
        return f"{self.encoding}+{self.head}"

    def fit(self, space: Space, ids: Ids, values: Floats, rng: np.random.Generator) -> FittedHead:
        """As `Predictor.fit`."""
        from ..bayes.gaussian_process import standard

        rows = self._rows(space, ids).astype(np.float64)
        centre, width = rows.mean(axis=0), rows.std(axis=0)
        width[width < 1e-9] = 1.0
        mean, spread = standard(values)
        learned = HEADS[self.head]((rows - centre) / width, (values - mean) / spread, rng)
        return FittedHead(partial(self._rows, space), (centre, width), (mean, spread), learned)

    def _rows(self, space: Space, ids: Ids) -> Rows:
        from ...proxies.encodings import vectors

        return vectors(space, self.encoding, ids) if self.stored is None else self.stored(ids)


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A head, asked by ids. ``rows`` and ``values`` hold mean and deviation of what was learned from."""

    encode: Callable[[Ids], Rows]
    rows: tuple[Floats, Floats]
    values: tuple[float, float]
    learned: Callable[[Floats], tuple[Floats, Floats]]

    def predict(self, ids: Ids) -> Forecast:
        """As `Fitted.predict`."""
        if not len(ids):
            return Forecast(np.empty(0), np.empty(0))
        centre, width = self.rows
        parts = []
        for first in range(0, len(ids), TOGETHER):
            rows = self.encode(ids[first : first + TOGETHER]).astype(np.float64)
            parts.append(self.learned((rows - centre) / width))
        mean, spread = self.values
        deviations = np.maximum(np.concatenate([part[1] for part in parts]), 1e-6)
        return Forecast(mean + spread * np.concatenate([part[0] for part in parts]), spread * deviations)
