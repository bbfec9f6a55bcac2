"""Mean rank of each searcher at every point of the budget: which one is ahead when the budget ends there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..significance import average_ranks
from ..statistics import SEED, Floats, bootstrap_mean
from .curves import RESAMPLES, Band
from .trajectory import Repetitions


def ranks_over(runs: Mapping[str, Repetitions], split: str, axis: str, x: Floats) -> Floats:
    """Ranks (n_searcher, n_seed, n_grid), 1 the best, of the incumbents' accuracy at each point of ``x``.

    Runs of one seed are ranked among each other; equal accuracies share the mean of their ranks, a run without an
    incumbent ranks last. Seeds that some searcher lacks are left out.
    """
    seeds = [set(each.seeds.tolist()) for each in runs.values()]
    shared = np.array(sorted(set.intersection(*seeds)), dtype=np.int64)
    values = np.empty((len(runs), len(shared), len(x)), dtype=np.float64)
    for place, each in enumerate(runs.values()):
        values[place] = each.at(split, each.finished(axis, x))[np.searchsorted(each.seeds, shared)]
    return average_ranks(values)


def mean_ranks(ranks: Floats) -> list[Band]:
    """Mean over seeds with its bootstrap interval, one band for each searcher."""
    bands = []
    for mine in ranks:
        if not len(mine):
            bands.append(Band(*np.full((3, mine.shape[1]), np.nan)))
            continue
        interval = bootstrap_mean(mine, np.random.default_rng(SEED), resamples=RESAMPLES)
        bands.append(Band(mine.mean(axis=0), *interval))
    return bands
