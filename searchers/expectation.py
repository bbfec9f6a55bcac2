"""Random search in closed form: what N uniform draws find on average, without drawing any."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class RandomSearchLaw:
    """The law of the incumbent of random search with replacement.

    Each draw is one of m equally likely outcomes with fitness f (the value search goes by). Of N draws the incumbent
    is the best by f, the first drawn among equals. Sort the outcomes by f; a group of equal outcomes that reaches from
    rank a (exclusive) to rank b holds the incumbent with probability (b/m)^N - (a/m)^N, each member equally likely.
    From this law follow mean and quantiles of any other number of the incumbent, such as its test accuracy.

    Args:
        fitness: value the search goes by, (m,); outcomes with NaN never become incumbent while another is known.
        weights: probability of each outcome, (m,); default uniform.
    """

    def __init__(self, fitness: Floats, weights: Floats | None = None) -> None:
        fitness = np.where(np.isnan(fitness), -np.inf, fitness)
        chance = np.full(len(fitness), 1.0) if weights is None else np.asarray(weights, dtype=np.float64)
        chance = chance / chance.sum()
        self._order = np.argsort(fitness, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(fitness[self._order]) != 0])
        self._group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(fitness)]))
        in_group = np.add.reduceat(chance[self._order], starts)
        self._share = chance[self._order] / in_group[self._group]
        self._upper = np.minimum(np.cumsum(in_group), 1.0)
        self._upper[-1] = 1.0
        self._lower = np.r_[0.0, self._upper[:-1]]

    def probabilities(self, queries: int) -> Floats:
        """Chance of each outcome (in the order of ``fitness``) to be the incumbent after ``queries`` draws, (m,)."""
        held = self._upper**queries - self._lower**queries
        chances = np.empty(len(self._order))
        chances[self._order] = held[self._group] * self._share
        return chances

    def mean_and_quantiles(
        self, reported: Floats, queries: npt.NDArray[np.int64], levels: tuple[float, ...] = (0.025, 0.975)
    ) -> Floats:
        """Mean and quantiles of ``reported`` (m,) of the incumbent, (len(queries), 1 + len(levels)).

        Outcomes where ``reported`` is NaN are left out, the rest reweighted.
        """
        known = ~np.isnan(reported)
        ascending = np.argsort(reported[known], kind="stable")
        values = reported[known][ascending]
        answer = np.full((len(queries), 1 + len(levels)), np.nan)
        for row, count in enumerate(queries):
            chances = self.probabilities(int(count))[known][ascending]
            total = chances.sum()
            if total > 0:
                below = np.cumsum(chances) / total
                at = np.minimum(np.searchsorted(below, levels), len(values) - 1)
                answer[row] = [chances @ values / total, *values[at]]
        return answer


def thinned(last: int, points: int = 200) -> npt.NDArray[np.int64]:
    """1 .. last, thinned geometrically to about ``points`` distinct counts."""
    return np.unique(np.round(np.geomspace(1, max(last, 1), points)).astype(np.int64))
