"""What a Gaussian process is told instead of the accuracies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

TARGETS = ("accuracy", "ranks")


def normal_scores(values: npt.ArrayLike) -> Floats:
    """The quantiles of a normal distribution at the ranks of the values, (n,); equal values share their mean rank.

    Accuracies of a space have a long lower tail (cells that do not learn), which takes most of their variance and says
    nothing about the best. Scores have none, and any increasing transformation of the values leaves them as they are.
    """
    from scipy.special import ndtri

    _, place, count = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    above = np.cumsum(count)
    middle = (above - (count - 1) / 2)[place]  # mean rank from 1
    return np.asarray(ndtri((middle - 0.5) / len(place)))
