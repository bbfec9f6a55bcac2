"""The volume of batches: log det of a kernel of what is in training together, which a k-DPP makes likely to be large.

Pairs tell how far apart two of a batch lie; the determinant falls as soon as any of it can be told from the others.
"""

from __future__ import annotations

import numpy as np

from ...bench.spaces import Ids
from ...searchers.bayes.embedding import Points
from ..comparison.trajectory import Ints, Repetitions
from ..statistics import Floats

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


def volume(points: Points) -> float:
    """log det(exp(-distance) + NOISE I) / n: near 0 where all n are far apart, log(NOISE) nearly where all are equal.

    Per architecture, so that batches of different sizes can be compared.
    """
    kernel = np.exp(-points.distances().sum(axis=0))
    return float(np.linalg.slogdet(kernel + NOISE * np.eye(len(kernel)))[1]) / len(kernel)


def volumes(runs: Repetitions, ids: Ids, points: Points) -> Floats:
    """Mean volume of the batches of each run, (n_run,); NaN for a run in which nothing was in training together.

    Args:
        ids: distinct architectures, ascending, whose ``points`` are given.
    """
    found = np.full(len(runs.seeds), np.nan)
    for run, length in enumerate(runs.lengths):
        batches = together(runs.numbers["started"][run, :length], runs.numbers["seconds"][run, :length])
        places = np.searchsorted(ids, runs.id[run, :length])
        if batches:
            found[run] = np.mean([volume(points.take(places[batch])) for batch in batches])
    return found
