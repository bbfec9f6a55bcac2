"""Milestones on the page: the share of runs that arrived over time, and when half of them had."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from ..blocks import Cell, Grid, Label, Plot
from ..view import Line, Style, View
from ..words import number, seconds
from .asked import Task
from .curves import grid
from .milestones import reached, targets
from .outcome import Outcome
from .plots import file_names
from .sentences import AXIS_WORDS


def arrival_views(found: Outcome, task: Task) -> dict[tuple[str, str], View]:
    """Share of runs whose incumbent reached a target on test, keyed by (target, axis)."""
    return {
        (target, axis): _view(found, task, target, accuracy, axis)
        for (target, accuracy), axis in product(targets(task, "test").items(), found.axes(task.dataset))
    }


def arrival_plot(found: Outcome, task: Task, views: Mapping[tuple[str, str], View]) -> Plot:
    """The interactive figure of one data set, from its views."""
    name = file_names(found)[task.dataset]
    return Plot(
        name=f"arrivals-{name}",
        choices={
            "Target": tuple((target.replace(" ", ""), target) for target in targets(task, "test")),
            "Against": tuple((axis, AXIS_WORDS[axis]) for axis in found.axes(task.dataset)),
        },
        views={(target.replace(" ", ""), axis): view for (target, axis), view in views.items()},
        still=(f"{name}-arrivals",),
        caption="Share of runs whose incumbent had reached the target on test; of all runs, also of those that ended "
        "before. Bands are 95 % intervals, from the first arrival on.",
    )


def _view(found: Outcome, task: Task, target: str, accuracy: float, axis: str) -> View:
    end, lines = found.ends[task.dataset, axis], []
    x = np.r_[0.0, grid(axis, end)]
    for slot, label in enumerate(found.asked.labels):
        if (runs := found.repetitions.get((task.dataset, label))) is not None:
            steps, *bands = reached(runs, "test", accuracy, axis).curve
            at = np.searchsorted(steps, x, "right") - 1
            y, low, high = (100 * each[at] for each in bands)
            high = np.where(y > 0, high, 0.0)
            lines.append(Line(label, x, y, low, high, slot, "95 % interval"))
    return View(
        title=f"{task.dataset}, {target}: at least {number(accuracy)} %",
        x_title=AXIS_WORDS[axis],
        y_title="runs that arrived [%]",
        x_end=end,
        lines=tuple(lines),
        y_range=(0.0, _ceiling(lines)),
    )


def _ceiling(lines: list[Line]) -> float:
    """The top of the axis: all shares with some room, at least a tenth of the runs."""
    top = max((float(line.high.max()) for line in lines), default=0.0)
    return min(101.0, max(10.0, 1.1 * top))


def arrival_grid(found: Outcome, task: Task) -> Grid:
    """Share that arrived and median time, for each target on test."""
    rows: list[tuple[Cell, ...]] = []
    names = list(targets(task, "test"))
    axes = [axis for axis in ("queries", "seconds") if axis in found.axes(task.dataset)]
    table = found.rows("milestones", task.dataset, split="test")
    for slot, label in enumerate(found.asked.labels):
        cells: list[Cell] = [Label(label, Style.of(slot).colour)]
        mine = table[table["searcher"] == label].set_index(["target", "axis"])
        for target in names:
            if not len(mine):
                cells += ["–"] * (1 + len(axes))
                continue
            first = mine.loc[(target, axes[0])]
            cells.append(f"{number(100 * first['share'], 1)} %")
            cells += [_median(mine.loc[(target, axis)], interval=axis == "queries") for axis in axes]
        rows.append(tuple(cells))
    units = {"queries": "median queries", "seconds": "median seconds"}
    return Grid(
        caption="Time to the best of the table, test",
        head=("", *(words for target in names for words in (f"{target}: runs", *(units[axis] for axis in axes)))),
        rows=tuple(rows),
        note="Medians (of queries with their 95 % interval) over all runs, those that never arrived included; "
        "“not reached”: by fewer than half within the budget.",
    )


def _median(row: object, *, interval: bool) -> str:
    median, low, high = (float(row[name]) for name in ("median", "median_low", "median_high"))  # type: ignore[index]
    if np.isnan(median):
        return "not reached"
    if not interval:
        return seconds(median)
    later = number(high, 0) if not np.isnan(high) else "∞"
    return f"{number(median, 0)} ({number(low, 0)} to {later})"
