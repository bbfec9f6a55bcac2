"""Two objectives, accuracy (larger is better) and a cost (smaller is better): hypervolume over time and fronts.

Only evaluations of the longest training that searchers could ask for take part: accuracies of different training
lengths do not compare. What was told chooses, test is looked up afterwards.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

import numpy as np
import numpy.typing as npt

from ..statistics import SEED, Floats, bootstrap_mean
from .asked import Task
from .curves import RESAMPLES, Band, quantiles
from .trajectory import Repetitions

Points = npt.NDArray[np.bool_]


def hypervolume(values: Floats, costs: Floats, reference: tuple[float, float]) -> Floats:
    """Area dominated by the first 1, 2, ... n points inside the box that ``reference`` (value, cost) spans, (n,).

    A point dominates what is both less accurate and costlier (Zitzler & Thiele 1998); NaN and points outside the box
    add nothing. Every new point adds the area between the staircase of the front and itself.

    >>> hypervolume(np.array([2.0, 3.0, 1.0]), np.array([1.0, 2.0, 9.0]), (0.0, 4.0)).tolist()
    [6.0, 8.0, 8.0]
    """
    floor, wall = reference
    stairs_cost: list[float] = []  # ascending, as are the values on it
    stairs_value: list[float] = []
    total, totals = 0.0, np.empty(len(values))
    for step, (value, cost) in enumerate(zip(values.tolist(), costs.tolist(), strict=True)):
        if value > floor and cost < wall:
            place = bisect_right(stairs_cost, cost)
            below = stairs_value[place - 1] if place else floor
            if value > below:
                place = bisect_left(stairs_cost, cost)
                last = bisect_right(stairs_value, value)
                height, left = stairs_value[place - 1] if place else floor, cost
                for other_cost, other_value in zip(stairs_cost[place:last], stairs_value[place:last], strict=True):
                    total += (value - height) * (other_cost - left)
                    height, left = other_value, other_cost
                right = stairs_cost[last] if last < len(stairs_cost) else wall
                total += (value - height) * (right - left)
                stairs_cost[place:last], stairs_value[place:last] = [cost], [value]
        totals[step] = total
    return totals


def told(runs: Repetitions) -> Points:
    """Which evaluations take part, (n_run, longest): of the longest training, with a value and a cost."""
    budget = runs.numbers["budget"]
    known = ~np.isnan(runs.numbers["value"]) & ~np.isnan(runs.numbers["cost"])
    return known & (budget == np.nanmax(budget))


def volumes(runs: Repetitions, reference: tuple[float, float]) -> Floats:
    """Hypervolume after every evaluation, (n_run, longest) [points times cost], flat after a run's end."""
    value = np.where(told(runs), runs.numbers["value"], np.nan)
    return np.array([
        hypervolume(mine, cost, reference) for mine, cost in zip(value, runs.numbers["cost"], strict=True)
    ])  # fmt: skip


def volume_curve(runs: Repetitions, volume: Floats, axis: str, x: Floats) -> Band:
    """Mean hypervolume over runs at the points of an axis, with its bootstrap interval."""
    finished = runs.finished(axis, x)
    rows = np.arange(len(volume))[:, None]
    values = np.where(finished > 0, volume[rows, np.maximum(finished - 1, 0)], 0.0)
    low, high = bootstrap_mean(values, np.random.default_rng(SEED), resamples=RESAMPLES)
    return Band(values.mean(axis=0), low, high)


def attained(runs: Repetitions, name: str, limits: Floats) -> Floats:
    """Number ``name`` of the evaluation with the best told value among those that cost at most ``limits``.

    (n_run, n_limit); NaN where a run found nothing so cheap.
    """
    there = told(runs)
    cost = np.where(there, runs.numbers["cost"], np.inf)
    order = np.argsort(cost, axis=1, kind="stable")
    rows = np.arange(len(cost))[:, None]
    value = np.where(there, runs.numbers["value"], -np.inf)[rows, order]
    before = np.maximum.accumulate(value, axis=1)
    fresh = value > np.concatenate([np.full((len(value), 1), -np.inf), before[:, :-1]], axis=1)
    best = np.maximum.accumulate(np.where(fresh, np.arange(value.shape[1]), -1), axis=1)
    count = np.array([np.searchsorted(mine, limits, "right") for mine in cost[rows, order]])
    column = np.where(count > 0, best[rows, np.maximum(count - 1, 0)], -1)
    number = runs.numbers[name][rows, order]
    return np.where(column >= 0, number[rows, np.maximum(column, 0)], np.nan)


def attainment(runs: Repetitions, name: str, limits: Floats) -> Band:
    """Median over runs of `attained` with the quartiles: what half of the runs attain at each cost.

    NaN where fewer than half of the runs found anything so cheap.
    """
    values = attained(runs, name, limits)
    few = (~np.isnan(values)).mean(axis=0) < 0.5
    return Band(*(np.where(few, np.nan, line) for line in quantiles(values)))


def cost_grid(runs: list[Repetitions], points: int = 120) -> Floats:
    """Costs from the cheapest to the dearest architecture that anyone evaluated."""
    costs = np.concatenate([each.numbers["cost"][told(each)] for each in runs] or [np.empty(0)])
    if not costs.size:
        return np.empty(0)
    low, high = float(costs.min()), float(costs.max())
    return np.geomspace(low, high, points) if low > 0 else np.linspace(low, high, points)


def front_row(task: Task, label: str, runs: Repetitions, volume: Floats) -> dict[str, Any]:
    """One row of the table: the last hypervolume with its interval, what was ruled out, the size of the front."""
    last = volume[:, -1]
    low, high = bootstrap_mean(last, np.random.default_rng(SEED))
    there = told(runs)
    sizes = [
        _front_size(value[here], cost[here])
        for value, cost, here in zip(runs.numbers["value"], runs.numbers["cost"], there, strict=True)
    ]
    return {
        "dataset": task.dataset, "searcher": label, "runs": len(last), "hypervolume_mean": float(last.mean()),
        "hypervolume_low": float(low), "hypervolume_high": float(high), "front_mean": float(np.mean(sizes)),
        "without_value_mean": float(runs.without_value.mean()),
    }  # fmt: skip


def _front_size(values: Floats, costs: Floats) -> int:
    """Number of points that no other one dominates, equal ones counted once."""
    order = np.lexsort((-values, costs))
    before = np.maximum.accumulate(np.r_[-np.inf, values[order]])[:-1]
    return int((values[order] > before).sum())
