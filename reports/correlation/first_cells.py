"""The architectures that scores put first, drawn, beside the one that trains best."""

from __future__ import annotations

import numpy as np

from ..blocks import Pictures
from ..pictures import drawable, picture
from ..statistics import Floats
from ..words import joined, number
from .analysis import Analysis

MOST = 6  # architectures, beside the best


def first_cells(analysis: Analysis) -> tuple[Pictures, ...]:
    """The first of the sample by each score, the scores that agree with accuracy best in front.

    Of equal scores the smallest id is shown; scores that are all equal put nothing first. Nothing where the space is
    not known here.
    """
    found = analysis.found
    space, truth = drawable(found.config["benchmark"]), found.main.values
    if space is None or not np.isfinite(truth).any():
        return ()
    chosen: dict[int, list[str]] = {int(np.nanargmax(truth)): ["best accuracy of the sample"]}
    scores = [each for each in found.scored if not each.reference and _distinguishes(each.values)]
    agreement = {each.name: analysis.measured.value(each.name, found.main, "kendall") for each in scores}
    for each in sorted(scores, key=lambda each: -np.nan_to_num(agreement[each.name], nan=-2.0)):
        first = int(np.nanargmax(each.values))
        if first in chosen or len(chosen) <= MOST:
            chosen.setdefault(first, []).append(f"first by {each.name}")
    items = tuple(
        picture(space, int(found.ids[at]), _accuracy(float(truth[at])), joined(said)) for at, said in chosen.items()
    )
    note = f"Accuracy: {found.main.trained}. Pale parts of a cell compute nothing."
    return (Pictures("What scores put first in this sample", items, note),)


def _distinguishes(values: Floats) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 0 and bool(known.max() > known.min())


def _accuracy(value: float) -> str:
    return "accuracy not measured" if np.isnan(value) else f"{number(value)} %"
