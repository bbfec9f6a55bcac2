"""Which pictures are held out where nobody published a split: a rule with the same answer for ever and everywhere."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadValue

Indices = npt.NDArray[np.int64]


def fixed_order(name: str, count: int) -> Indices:
    """A permutation of 0 .. count - 1 that depends on nothing but ``name`` and ``count``.

    Index i comes at the place of the sha256 of the text "name i". Unlike a seeded generator, whose stream numpy may
    change between versions, this can be recomputed in any language.

    >>> fixed_order("digits", 5).tolist()
    [4, 3, 1, 2, 0]
    """
    digests = [hashlib.sha256(f"{name} {index}".encode()).digest() for index in range(count)]
    return np.array(sorted(range(count), key=digests.__getitem__), dtype=np.int64)


def hold_out(labels: npt.NDArray[np.int64], fraction: float, name: str) -> tuple[Indices, Indices]:
    """Indices that stay and indices held out, each ascending: ``fraction`` of every class (at least one) is held out.

    Within a class the pictures held out are the first in `fixed_order`; a class of one picture keeps it.

    Raises:
        BadValue: a fraction outside (0, 1), or no picture left to hold out.
    """
    if isinstance(fraction, bool) or not 0 < fraction < 1:
        raise BadValue(f"validation={fraction!r}; give a fraction between 0 and 1 of the training pictures")
    held = np.zeros(len(labels), dtype=bool)
    order = fixed_order(name, len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        count = max(1, round(Fraction(fraction) * len(members))) if len(members) > 1 else 0
        held[members[: min(count, len(members) - 1)]] = True
    if not held.any():
        raise BadValue(f"{name}: no class has two training pictures, so none can be held out for validation")
    return np.flatnonzero(~held), np.flatnonzero(held)
