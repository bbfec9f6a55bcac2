"""The volume of batches: log det of a kernel of what is in training together, which a k-DPP makes likely to be large.

Pairs tell how far apart two of a batch lie; the determinant falls as soon as any of it can be told from the others.
"""

from __future__ import annotations

import numpy as np

from ...bench.spaces import Ids
from ...searchers.bayes.embedding import Points
from ..comparison.trajectory import Ints, Repetitions
from ..statistics import Floats

AT_ONCE = 256  # batches whose distances are in memory together
NOISE = 1e-3  # variance of an observation, the least that is published for the Gaussian process


def together(started: Floats, ended: Floats) -> list[Ints]:
    """What is in training each time trainings start, as places in ``started``, ``ended`` (n,), the batches of one run.

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


def volume(points: Floats) -> Floats:
    """log det(exp(-distance) + NOISE I) / n of batches of one size: ``points`` (batches, n, coordinates) -> (batches,).

    Near 0 where all n are far apart, log(NOISE) nearly where all are equal; per architecture, so that batches of
    different sizes can be compared. Distances are sums of differences of coordinates.
    """
    apart = np.abs(points[:, :, None] - points[:, None]).sum(axis=-1)
    return np.asarray(np.linalg.slogdet(np.exp(-apart) + NOISE * np.eye(points.shape[1]))[1] / points.shape[1])


def volumes(runs: Repetitions, ids: Ids, points: Points) -> Floats:
    """Mean volume of the batches of each run, (n_run,); NaN for a run in which nothing was in training together.

    Args:
        ids: distinct architectures, ascending, whose ``points`` are given.
    """
    found = np.full(len(runs.seeds), np.nan)
    for run, length in enumerate(runs.lengths):
        batches = together(runs.numbers["started"][run, :length], runs.numbers["seconds"][run, :length])
        places = np.searchsorted(ids, runs.id[run, :length])
        values = []
        for size in sorted({len(batch) for batch in batches}):
            alike = np.array([places[batch] for batch in batches if len(batch) == size])
            values += [volume(points.values[alike[first : first + AT_ONCE]]) for first in range(0, len(alike), AT_ONCE)]
        if values:
            found[run] = np.concatenate(values).mean()
    return found
