"""How long until a run hands over one of the best 1 %, the best 0.1 %, the best of all; censored runs count.

A run reaches a target when its incumbent, which validation chooses, is at least that accurate. A run that ends before
is censored at its end: the share that reached a target over time is 1 minus the Kaplan-Meier estimate (1958), so that
runs of different length are treated alike, and a median exists only where half of the runs got there.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betaincinv
from scipy.stats import CensoredData, ecdf

from ..statistics import LEVEL, Floats
from .asked import Task
from .trajectory import Repetitions

EQUAL = 1e-5  # points: a run is at the optimum when its regret is no larger (columns may be single precision)
SHARES = {"0.01": "top 1 %", "0.001": "top 0.1 %"}
OPTIMUM = "optimum"


@dataclass(frozen=True, eq=False)
class Reached:
    """When the runs of one searcher reached one target.

    ``times`` (n_run,) are in queries or seconds: of the arrival where ``there``, else of the run's end.
    """

    times: Floats
    there: npt.NDArray[np.bool_]

    @property
    def share(self) -> tuple[float, float, float]:
        """Share of the runs that arrived, with its exact binomial interval (Clopper & Pearson 1934)."""
        count, runs = int(self.there.sum()), len(self.there)
        tail = (1 - LEVEL) / 2
        low = float(betaincinv(count, runs - count + 1, tail)) if count else 0.0
        high = float(betaincinv(count + 1, runs - count, 1 - tail)) if count < runs else 1.0
        return count / runs, low, high

    @cached_property
    def curve(self) -> tuple[Floats, Floats, Floats, Floats]:
        """x, share that arrived by x, and its 95 % interval (Greenwood's, on the log-log scale); from x = 0 on."""
        data = CensoredData(uncensored=self.times[self.there], right=self.times[~self.there])
        survival = ecdf(data).sf
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # no interval before the first arrival and after the last
            ends = survival.confidence_interval(LEVEL, method="log-log")
        x, y = np.r_[0.0, survival.quantiles], np.r_[0.0, 1 - survival.probabilities]
        low, high = (np.r_[0.0, 1 - end.probabilities] for end in (ends.high, ends.low))
        return x, y, np.where(np.isnan(low), y, low), np.where(np.isnan(high), y, high)

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
    return Reached(np.where(arrived, times, runs.ends(axis)), arrived)


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
                            "accuracy": accuracy, "axis": axis, "runs": len(arrival.there),
                            "reached": int(arrival.there.sum()), "share": share[0], "share_low": share[1],
                            "share_high": share[2], "median": _finite(median[0]), "median_low": _finite(median[1]),
                            "median_high": _finite(median[2]),
                        })  # fmt: skip
    return pd.DataFrame(rows)


def _finite(value: float) -> float:
    return value if np.isfinite(value) else np.nan
