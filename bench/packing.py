"""How a table stores less than it answers: counts instead of percent, one row for a class of architectures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.generic]


def percent(values: Numbers, out_of: int | None) -> Numbers:
    """Counts out of ``out_of`` as percent, NaN where a count is negative; other values (``out_of`` None) as they are.

    >>> percent(np.array([1, 4, -1]), 4)
    array([ 25., 100.,  nan])
    """
    if out_of is None:
        return values
    return np.where(values < 0, np.nan, 100.0 * values / out_of)  # type: ignore[operator]


def spread(values: Numbers, rows: npt.NDArray[np.int64]) -> Numbers:
    """The rows of ``values`` that ``rows`` names, NaN for -1.

    >>> spread(np.array([5.0, 7.0]), np.array([1, 0, -1, 1]))
    array([ 7.,  5., nan,  7.])
    """
    absent = rows < 0
    if not absent.any():
        return values[rows]
    kind = values.dtype if values.dtype.kind == "f" else np.float64
    answer = np.full((len(rows), *values.shape[1:]), np.nan, dtype=kind)
    answer[~absent] = values[rows[~absent]]
    return answer
