"""How long until a run hands over one of the best 1 %, the best 0.1 %, the best of all; runs that never do count.

A run reaches a target when its incumbent, which validation chooses, is at least that accurate. Runs that spend their
budget before are censored by it: shares are of all runs, and a median exists only where half of them got there. The
estimate of Kaplan and Meier (1958) would take the end of a run for chance; but budgets end all runs at about the same
time, and the one whose last training happens to end latest would stand for all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betaincinv

from ..statistics import LEVEL, Floats
from .asked import Task
from .trajectory import Repetitions

EQUAL = 1e-5  # points: a run is at the optimum when its regret is no larger (columns may be single precision)
SHARES = {"0.01": "top 1 %", "0.001": "top 0.1 %"}
OPTIMUM = "optimum"


@dataclass(frozen=True, eq=False)
class Reached:
    """When the runs of one searcher reached one target: ``times`` (n_run,), in queries or seconds, inf where never."""

    times: Floats

    @property
    def share(self) -> tuple[float, float, float]:
        """Share of the runs that arrived, with its interval."""
        share, low, high = (float(line[-1]) for line in self.curve[1:])
        return share, low, high

    @cached_property
    def curve(self) -> tuple[Floats, Floats, Floats, Floats]:
        """x, share that arrived by x, and its exact binomial interval (Clopper & Pearson 1934); from x = 0 on."""
        arrivals, counts = np.unique(self.times[np.isfinite(self.times)], return_counts=True)
        x, count, runs = np.r_[0.0, arrivals], np.r_[0, np.cumsum(counts)], len(self.times)
        tail = (1 - LEVEL) / 2
        low = np.where(count > 0, betaincinv(np.maximum(count, 1), runs - count + 1, tail), 0.0)
        high = np.where(count < runs, betaincinv(count + 1, np.maximum(runs - count, 1), 1 - tail), 1.0)
        return x, count / runs, low, high

    def median(self) -> tuple[float, float, float]:
        """Median time with its interval (Brookmeyer & Crowley 1982); infinite where not enough runs arrived."""
        x, y, low, high = self.curve
        first = [np.flatnonzero(line >= 0.5) for line in (y, high, low)]
        middle, early, late = (float(x[place[0]]) if place.size else np.inf for place in first)
        return middle, early, late


def targets(task: Task, split: str) -> dict[str, float]:
    """The accuracies to reach on one split, by name."""
    found = {words: task.top[split][share] for share, words in SHARES.items() if share in task.top[split]}
    optimum = task.optimum[split]
    return found if optimum is None else {**found, OPTIMUM: optimum.value}


def reached(runs: Repetitions, split: str, accuracy: float, axis: str) -> Reached:
    """When each run's incumbent first had at least ``accuracy`` [percent] on a split."""
    there: npt.NDArray[np.bool_] = np.greater_equal(runs.trace(split), accuracy - EQUAL)
    arrived = np.asarray(there.any(axis=1))
    first = there.argmax(axis=1)
    if axis == "queries":
        times = (first + 1).astype(np.float64)
    else:
        times = runs.clock(axis)[np.arange(len(first)), first]
    return Reached(np.where(arrived, times, np.inf))


def milestones(
    tasks: tuple[Task, ...], labels: tuple[str, ...], found: Mapping[tuple[str, str], Repetitions],
    axes: Mapping[str, tuple[str, ...]],
) -> pd.DataFrame:  # fmt: skip
    """One row for each data set, searcher, split, target and axis: share that arrived, median time (empty: never)."""
    rows = []
    for task in tasks:
        for label in labels:
            runs = found.get((task.dataset, label))
            for split in ("test", "valid") if runs is not None else ():
                for target, accuracy in targets(task, split).items():
                    for axis in axes[task.dataset]:
                        arrival = reached(runs, split, accuracy, axis)  # type: ignore[arg-type]
                        share, median = arrival.share, arrival.median()
                        rows.append({
                            "dataset": task.dataset, "searcher": label, "split": split, "target": target,
                            "accuracy": accuracy, "axis": axis, "runs": len(arrival.times),
                            "reached": int(np.isfinite(arrival.times).sum()), "share": share[0], "share_low": share[1],
                            "share_high": share[2], "median": _finite(median[0]), "median_low": _finite(median[1]),
                            "median_high": _finite(median[2]),
                        })  # fmt: skip
    return pd.DataFrame(rows)


def _finite(value: float) -> float:
    return value if np.isfinite(value) else np.nan
