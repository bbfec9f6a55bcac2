"""Architectures as points between which distances are Manhattan distances: one row each, once, for all distances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ...bench.spaces import Architecture, Ids, Space

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Component:
    """One summand of a distance: coordinate c of a row is ``weights[c]`` times the mass below ``names[c]``."""

    name: str
    names: tuple[str, ...]
    weights: tuple[float, ...]
    masses: Floats  # (n, coordinates)

    @property
    def points(self) -> Floats:
        """Coordinates, (n, coordinates)."""
        return self.masses * np.array(self.weights)


class Part(NamedTuple):
    """What one subtree (or interval, or coordinate) adds to the distance of two architectures."""

    component: str
    subtree: str
    amount: float
    mass_a: float
    mass_b: float


@dataclass(frozen=True)
class Explanation:
    """A distance and where it comes from: ``parts``, the largest first, sum to ``total``."""

    total: float
    components: Mapping[str, float]
    parts: tuple[Part, ...]


class Distance(Protocol):
    """A distance of architectures that is a sum of Manhattan distances, one per component; hashable."""

    def __hash__(self) -> int: ...

    def components(self, space: Space, ids: Ids) -> tuple[Component, ...]:
        """The components of some architectures, in a fixed order."""


class Points(NamedTuple):
    """Architectures ready for distances: the coordinates of all components side by side."""

    values: Floats  # (n, coordinates)
    sizes: tuple[int, ...]  # coordinates of each component

    def distances(self, other: Points | None = None) -> Floats:
        """Distance of every pair in every component, (components, n, m)."""
        from scipy.spatial.distance import cdist

        ends = np.cumsum(self.sizes)[:-1]
        columns = np.split(self.values, ends, axis=1)
        others = columns if other is None else np.split(other.values, ends, axis=1)
        found = np.empty((len(columns), len(columns[0]), len(others[0])))
        for a, b, matrix in zip(columns, others, found, strict=True):
            cdist(a, b, "cityblock", out=matrix)
        return found

    def take(self, rows: npt.ArrayLike) -> Points:
        """Some of the architectures."""
        return Points(self.values[np.asarray(rows, dtype=np.int64)], self.sizes)


def embed(distance: Distance, space: Space, ids: npt.ArrayLike) -> Points:
    """The points of some architectures."""
    return points_of(distance.components(space, space.check(ids).ravel()))


@lru_cache(maxsize=4)
def whole_space(distance: Distance, space: Space, chunk: int = 1 << 15) -> Points:
    """The points of all architectures, by id; remembered."""
    chunks = [
        points_of(distance.components(space, np.arange(first, min(first + chunk, space.size))))
        for first in range(0, space.size, chunk)
    ]
    values = np.empty((space.size, chunks[0].values.shape[1]))
    np.concatenate([each.values for each in chunks], out=values)
    values.setflags(write=False)
    return Points(values, chunks[0].sizes)


def explain(distance: Distance, space: Space, a: Architecture, b: Architecture,
            scales: Mapping[str, float] | None = None) -> Explanation:  # fmt: skip
    """How far apart two architectures are, and which subtree contributes what.

    Args:
        scales: factor of each component (the a_i of the paper); 1 where none is given.
    """
    components = distance.components(space, np.array([space.id(a), space.id(b)]))
    parts, totals = [], {}
    for each in components:
        factor = (scales or {}).get(each.name, 1.0)
        amounts = factor * np.abs(np.diff(each.points, axis=0))[0]
        totals[each.name] = float(amounts.sum())
        rows = zip(each.names, amounts.tolist(), *each.masses.tolist(), strict=True)
        parts += [Part(each.name, *row) for row in rows if row[1]]
    parts.sort(key=lambda part: -part.amount)
    return Explanation(sum(totals.values()), totals, tuple(parts))


def points_of(components: tuple[Component, ...]) -> Points:
    """The coordinates of components side by side."""
    values = np.concatenate([each.points for each in components], axis=1)
    return Points(np.ascontiguousarray(values), tuple(len(each.names) for each in components))
