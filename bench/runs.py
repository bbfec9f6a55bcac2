"""From several training runs of an architecture to one number: their mean, one seed, or one drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .errors import BadValue, NotMeasured

Floats = npt.NDArray[np.float64]


def check_seed(seed: object) -> None:
    """Refuse what names no runs.

    Raises:
        BadValue: neither "mean", "all", an integer nor a Generator.
    """
    if isinstance(seed, bool) or not (
        isinstance(seed, (int, np.integer, np.random.Generator)) or (isinstance(seed, str) and seed in ("mean", "all"))
    ):
        raise BadValue(f"seed={seed!r}; legal: 'mean', 'all', one seed as an integer, or a numpy Generator")


def mean_over_runs(runs: Floats) -> Floats:
    """Mean over the runs that exist, (n, run) -> (n,); NaN where none does."""
    there = ~np.isnan(runs)
    count = there.sum(axis=1)
    total = np.where(there, runs, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(runs), np.nan), where=count > 0)


def pick_seed(runs: Floats, seeds: Sequence[int] | None, seed: int) -> Floats:
    """The run of one seed, (n, run) -> (n,); NaN where an architecture has no such run.

    Raises:
        NotMeasured: no architecture was trained with this seed.
    """
    if seeds is None or seed not in seeds:
        raise NotMeasured(f"no run with seed {seed}; seeds: {', '.join(map(str, seeds or ()))}")
    return runs[:, list(seeds).index(seed)]


def draw(runs: Floats, rng: np.random.Generator) -> Floats:
    """One existing run of each architecture, each equally likely, (n, run) -> (n,); NaN where there is none."""
    there = ~np.isnan(runs)
    turn = np.floor(rng.random(len(runs)) * there.sum(axis=1)) + 1
    chosen = np.argmax(np.cumsum(there, axis=1) >= turn[:, None], axis=1)
    return np.take_along_axis(runs, chosen[:, None], axis=1)[:, 0]
