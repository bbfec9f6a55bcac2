"""Learning in one part of NAS-Bench-101 and predicting in another, beside learning in that other part itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...bench.spaces import Cells101, Ids, Space
from ...bench.surrogate.model import Scale
from ...bench.surrogate.quality import precision, tau
from ..predictors import Predictor
from .judging import FIRST

Floats = npt.NDArray[np.float64]
MANY_VERTICES, MANY_EDGES = 7, 9  # the largest cells; most of the space
INNER = MANY_VERTICES - 2  # the last choices of a cell are its inner vertices' operations, those before its edges


@dataclass(frozen=True, eq=False)
class Crossing:
    """Which architectures are learned from and which are predicted, in words and as masks, (n,) each."""

    name: str
    learned: str
    predicted: str
    source: npt.NDArray[np.bool_]
    target: npt.NDArray[np.bool_]


def crossings(space: Space, ids: Ids) -> list[Crossing]:
    """The two ways out of a sub-space: to more vertices, and to more edges; none in spaces that are no cells of 101."""
    if not isinstance(space, Cells101):
        return []
    choices = space.operations(ids)
    vertices = 2 + (choices[:, -INNER:] >= 0).sum(axis=1)
    edges = (choices[:, :-INNER] == 1).sum(axis=1)
    found = []
    for name, sizes, many in (("vertices", vertices, MANY_VERTICES), ("edges", edges, MANY_EDGES)):
        few, words = sizes < many, f"at most {many - 1} {name}"
        found.append(Crossing(name, words, f"{many} {name}", few, ~few))
    return found


def transferred(
    space: Space, model: Predictor, scale: Scale, crossing: Crossing, ids: Ids, values: Floats,
    sizes: Sequence[int], held: int, rng: np.random.Generator,
) -> list[dict[str, object]]:  # fmt: skip
    """One draw: the same architectures of the target, predicted from the source and from others of the target.

    Sizes that a side does not have are left out. ``learned`` names where the architectures learned from lie.

    Args:
        ids: architectures that masks and ``values`` (n,) are about.
        held: at most so many are predicted; half of the target at most.
    """
    target = rng.permutation(np.flatnonzero(crossing.target))
    held = min(held, len(target) // 2)
    asked, rest = np.sort(target[:held]), target[held:]
    source = rng.permutation(np.flatnonzero(crossing.source))
    rows: list[dict[str, object]] = []
    for learned, places in (("source", source), ("target", rest)):
        for size in sizes:
            if size > len(places):
                continue
            some = places[:size]
            fitted = model.fit(space, ids[some], scale.learned(values[some]), rng)
            guess = scale.back(fitted.predict(ids[asked]).mean)
            rows.append({
                "crossing": crossing.name, "learned": learned, "size": int(size), "pairs": held,
                "tau": tau(values[asked], guess), "precision": precision(values[asked], guess, FIRST),
            })  # fmt: skip
    return rows
