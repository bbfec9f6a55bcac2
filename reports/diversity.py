"""How different the architectures are that trainers work on at the same time: the diversity inside batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..bench.spaces import Space
from ..searchers.bayes.embedding import Points, embed
from ..searchers.bayes.tree_wasserstein import TreeWasserstein
from .statistics import Floats

Ints = npt.NDArray[np.int64]
NOISE = 1e-3  # variance of an observation, the least that is published for the Gaussian process


@dataclass(frozen=True)
class Diversity:
    """Means over the batches of one run; NaN where no two trainings ever ran together.

    edits: choices (operations, edges) in which two of a batch differ, mean over its pairs.
    distance: tree-Wasserstein distance of two of a batch (operations, degrees; lengths scales 1), mean over its pairs.
    volume: log det(K + NOISE I) / size with K = exp(-distance): 0 where all are far apart, very negative where equal.
    twins: share of a batch that is isomorphic to another one of it.
    """

    batches: int
    size: float
    edits: float
    distance: float
    volume: float
    twins: float


def together(started: Floats, ended: Floats) -> list[Ints]:
    """The batches of one run: what is in training each time trainings start, as places in ``started``, ``ended`` (n,).

    With a barrier these are the batches that were asked for; without one, each new training together with those that
    others are still working on. A single training is no batch.
    """
    order = np.argsort(started, kind="stable")
    moments = np.unique(started)
    through = np.searchsorted(started[order], moments, side="right")
    found = []
    running = order[:0]
    first = 0
    for moment, last in zip(moments, through, strict=True):
        running = np.concatenate([running[ended[running] > moment], order[first:last]])
        first = last
        if len(running) > 1:
            found.append(running)
    return found


def diversity(space: Space, ids: npt.ArrayLike, started: Floats, ended: Floats) -> Diversity:
    """The diversity inside the batches of one run: ids, start and end [simulated seconds] of its trainings, (n,)."""
    ids = space.check(np.asarray(ids))
    batches = together(started, ended)
    if not batches:
        return Diversity(0, *[float("nan")] * 5)
    distinct, places = np.unique(ids, return_inverse=True)
    rows, classes = space.operations(distinct), space.canonical(distinct)
    points = embed(TreeWasserstein(), space, distinct)
    numbers = np.array([_one(rows[each], classes[each], points.take(each)) for each in (places[b] for b in batches)])
    sizes = [len(each) for each in batches]
    return Diversity(len(batches), float(np.mean(sizes)), *numbers.mean(axis=0).tolist())


def _one(rows: npt.NDArray[np.int8], classes: Ints, points: Points) -> tuple[float, float, float, float]:
    pairs = np.triu_indices(len(rows), 1)
    edits = (rows[pairs[0]] != rows[pairs[1]]).sum(axis=1).mean()
    distances = points.distances().sum(axis=0)
    volume = np.linalg.slogdet(np.exp(-distances) + NOISE * np.eye(len(rows)))[1] / len(rows)
    _, which, counts = np.unique(classes, return_inverse=True, return_counts=True)
    return float(edits), float(distances[pairs].mean()), float(volume), float((counts[which] > 1).mean())
