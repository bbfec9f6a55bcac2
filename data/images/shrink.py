"""Smaller pictures by area averaging: every new pixel is the mean of the area it covers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadValue
from ...bench.live.images import Pictures

TOGETHER = 1 << 23  # numbers of pixels worked on at a time


def shrink(pictures: Pictures, height: int, width: int) -> Pictures:
    """Pictures (n, h, w, channels) as (n, height, width, channels), exact integer means, halves rounded up.

    >>> shrink(np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1), 2, 2).ravel().tolist()
    [3, 5, 11, 13]

    Raises:
        BadValue: a size that is no size, or larger than the pictures'.
    """
    high, wide = pictures.shape[1:3]
    if not 1 <= height <= high or not 1 <= width <= wide:
        raise BadValue(f"size {height} x {width}; pictures of {high} x {wide} can only be made smaller")
    if (height, width) == (high, wide):
        return pictures
    down, along = _overlaps(high, height), _overlaps(wide, width)
    area = high * wide
    made = np.empty((len(pictures), height, width, pictures.shape[3]), dtype=np.uint8)
    step = max(1, TOGETHER // (high * wide * pictures.shape[3]))
    for first in range(0, len(pictures), step):
        part = pictures[first : first + step].astype(np.float64)
        sums = np.einsum("ih,nhwc,jw->nijc", down, part, along, optimize=True)
        made[first : first + step] = np.floor((2 * sums + area) / (2 * area))
    return made


def _overlaps(old: int, new: int) -> npt.NDArray[np.float64]:
    """How much of each old pixel lies in each new one, (new, old), as whole numbers: rows add up to ``old``."""
    edges = np.arange(new + 1)[:, None] * old
    inside = np.clip(edges, np.arange(old) * new, np.arange(1, old + 1) * new)
    return np.diff(inside, axis=0).astype(np.float64)
