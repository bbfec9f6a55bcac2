"""What one number per run tells beyond its last incumbent: area under the regret curve, gap of selection, waste."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from ..statistics import SEED, Floats, bootstrap_mean, summarise
from .asked import SPLITS, Asked, Task
from .trajectory import Ints, Repetitions


def area(runs: Repetitions, split: str, best: float, axis: str, start: float, end: float) -> Floats:
    """Area under each run's regret curve from ``start`` to ``end`` of an axis, over its length: mean regret [points].

    The exact integral of the step curve; NaN where an incumbent's number is unknown somewhere in between, or where
    there is no incumbent at ``start``.
    """
    if not end > start:
        return np.full(len(runs.seeds), np.nan)
    steps = runs.id.shape[1]
    if axis == "queries":
        times = np.broadcast_to(np.arange(1.0, steps + 1), runs.id.shape)
    else:
        times = runs.clock(axis)
    asked = np.arange(steps) < runs.lengths[:, None]
    begin = np.where(asked, np.clip(times, start, end), end)
    widths = np.diff(begin, axis=1, append=np.full((len(begin), 1), end))
    regret = best - runs.trace(split)
    total: Floats = np.where(widths > 0, widths * regret, 0.0).sum(axis=1) / (end - start)
    return np.where(times[:, 0] > start, np.nan, total)


def common_start(runs: list[Repetitions], axis: str) -> float:
    """The point of an axis from which on every run of every searcher has an incumbent; NaN where one never has."""
    first = []
    for each in runs:
        there = each.incumbents >= 0
        if not there.any(axis=1).all():
            return float("nan")
        column = there.argmax(axis=1)
        first.append(
            float(column.max() + 1)
            if axis == "queries"
            else float(each.clock(axis)[np.arange(len(column)), column].max())
        )
    return max(first)


def areas(
    asked: Asked, found: Mapping[tuple[str, str], Repetitions], ends: Mapping[tuple[str, str], float]
) -> pd.DataFrame:
    """Mean regret over the budget, one row per data set, searcher, split and axis, with its bootstrap interval."""
    rows: list[dict[str, Any]] = []
    for task in asked.tasks:
        there = {label: found[task.dataset, label] for label in asked.labels if (task.dataset, label) in found}
        for axis in ("queries", "seconds", "total"):
            if (task.dataset, axis) not in ends:
                continue
            start, end = common_start(list(there.values()), axis), ends[task.dataset, axis]
            for split in SPLITS:
                best = task.optimum[split]
                for label, runs in there.items() if best is not None else ():
                    each = area(runs, split, best.value, axis, start, end)  # type: ignore[union-attr]
                    known = each[~np.isnan(each)]
                    low, high = bootstrap_mean(each, np.random.default_rng(SEED))
                    keys = {"dataset": task.dataset, "searcher": label, "split": split, "axis": axis}
                    ranges = {"start": start, "end": end, "runs": known.size}
                    mean = float(known.mean()) if known.size else np.nan
                    rows.append({**keys, **ranges, "area": mean, "low": float(low), "high": float(high)})
    return pd.DataFrame(rows)


def gaps_of_selection(task: Task, label: str, runs: Repetitions) -> list[dict[str, Any]]:
    """What choosing by validation costs, one row per kind, in points, with the mean's bootstrap interval.

    "validation - test": the reported validation accuracy of the last incumbent minus its test accuracy. "missed": the
    best test accuracy among all that the run evaluated minus that of the architecture it chose; an oracle's gain.
    """
    asked = (np.arange(runs.id.shape[1]) < runs.lengths[:, None]) & ~np.isnan(runs.numbers["value"])
    seen = np.where(asked & ~np.isnan(runs.numbers["test"]), runs.numbers["test"], -np.inf).max(axis=1)
    test = runs.final("test")
    kinds = {
        "validation - test": runs.final("valid") - test,
        "missed": np.where(np.isinf(seen), np.nan, seen) - test,
    }
    rows = []
    for kind, values in kinds.items():
        row = asdict(summarise(values, np.random.default_rng(SEED)))
        kept = ("runs", "mean", "low", "high", "std", "median", "q1", "q3", "smallest", "largest")
        rows.append({"dataset": task.dataset, "searcher": label, "gap": kind, **{name: row[name] for name in kept}})
    return rows


def waste(runs: Repetitions, classes: Ints | None) -> dict[str, float]:
    """Means over runs: evaluations, how many were of an architecture (or class) seen before, how many had no value.

    ``classes`` gives the isomorphism class of every id; None where it is not known.
    """
    found = {
        "queries_mean": float(runs.lengths.mean()),
        "queries_least": int(runs.lengths.min()),
        "queries_most": int(runs.lengths.max()),
        "distinct_mean": float(runs.distinct.mean()),
        "repeated_share": float(1 - runs.distinct.sum() / runs.lengths.sum()),
        "isomorphic_share": float("nan"),
        "without_value_mean": float(runs.without_value.mean()),
    }
    if classes is not None:
        ordered = np.sort(np.where(runs.id >= 0, classes[np.maximum(runs.id, 0)], -1), axis=1)
        distinct = (np.diff(ordered, axis=1, prepend=-1) > 0).sum()
        found["isomorphic_share"] = float(1 - distinct / runs.lengths.sum())
    return found


def relative_improvement(task: Task, split: str, mean: float) -> float:
    """100 (a - r) / r: of the mean final accuracy a over the average architecture's r (Yang et al., ICLR 2020)."""
    average = task.mean_of_space[split]
    return 100 * (mean - average) / average if average else float("nan")
