"""What a comparison draws: regret and accuracy against each axis, for paper and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from ..blocks import Plot
from ..page import slug
from ..statistics import Floats
from ..view import Line, View
from .asked import SPLITS, Task
from .outcome import Outcome
from .sentences import AXIS_WORDS, SPLIT_WORDS

CLOSED_FORM = "random search, closed form"
QUANTITIES = ("test_regret", "valid_regret", "test", "valid")
QUANTITY_WORDS = {
    "test_regret": "test regret",
    "valid_regret": "validation regret",
    "test": "test accuracy",
    "valid": "validation accuracy",
}


def paper_figures(found: Outcome) -> dict[str, tuple[View, ...]]:
    """The figures for paper: regret (accuracy where no optimum is known), test and validation, on each axis."""
    figures: dict[str, tuple[View, ...]] = {}
    names = _file_names([task.dataset for task in found.asked.tasks])
    drawn = [task for task in found.asked.tasks if any(dataset == task.dataset for dataset, *_ in found.curves)]
    for task in drawn:
        for axis in found.axes(task.dataset):
            pair = [_quantity(task, name) for name in SPLITS]
            figures[f"{names[task.dataset]}-{axis}"] = tuple(
                _view(found, task, axis, quantity, f"{task.dataset}, {SPLIT_WORDS[name]}")
                for quantity, name in zip(pair, SPLITS, strict=True)
            )
    for axis in AXIS_WORDS:
        shared = [task for task in drawn if axis in found.axes(task.dataset)]
        if len(shared) > 1:
            figures[f"all-{axis}"] = tuple(
                _view(found, task, axis, _quantity(task, "test"), task.dataset) for task in shared
            )
    return figures


def _quantity(task: Task, name: str) -> str:
    return name if task.optimum[name] is None else f"{name}_regret"


def interactive_plot(found: Outcome, task: Task, figures: Mapping[str, tuple[View, ...]]) -> Plot:
    """The interactive figure of one data set."""
    axes = found.axes(task.dataset)
    quantities = [each for each in QUANTITIES if each in SPLITS or task.optimum[each.split("_")[0]] is not None]
    name = _file_names([each.dataset for each in found.asked.tasks])[task.dataset]
    over = "all repetitions" if not found.gaps else "the repetitions that are there"
    dashed = " Dashed: what uniform random search expects, in closed form." if task.dataset in found.expected else ""
    late = " The evaluation that crosses the budget counts in the tables and lies beyond the axis." if (
        found.asked.seconds is not None and found.asked.count_last and "seconds" in axes
    ) else ""  # fmt: skip
    return Plot(
        name=f"plot-{name}",
        choices={
            "Against": tuple((axis, AXIS_WORDS[axis]) for axis in axes),
            "Show": tuple((each, QUANTITY_WORDS[each]) for each in quantities),
        },
        views={
            (axis, quantity): _view(found, task, axis, quantity, task.dataset)
            for axis, quantity in product(axes, quantities)
        },
        still=tuple(each for each in (f"{name}-{axis}" for axis in axes) if each in figures),
        caption=f"The incumbent, which validation alone chooses: mean over {over}; bands are the 95 % bootstrap "
        "interval of that mean. A mean begins when every repetition has an incumbent and goes on flat after a "
        f"repetition has ended.{dashed}{late}",
    )


def _view(found: Outcome, task: Task, axis: str, quantity: str, title: str) -> View:
    """One quantity of one data set against one axis."""
    name, _, regret = quantity.partition("_")
    optimum = task.optimum[name]
    best = optimum.value if regret and optimum is not None else None
    lines = []
    if task.dataset in found.expected:
        frame = found.expected[task.dataset]
        x = frame["query" if axis == "queries" else "seconds"].to_numpy(np.float64)
        y, low, high = (frame[f"{name}{end}"].to_numpy(np.float64) for end in ("", "_low", "_high"))
        if not np.isnan(x).any():
            lines.append(_line(CLOSED_FORM, x, y, low, high, None, best))
    for slot, label in enumerate(found.asked.labels):
        curve = found.curves.get((task.dataset, axis, name, label))
        if curve is not None:
            lines.append(_line(label, curve.x, curve.mean, curve.low, curve.high, slot, best))
    return View(
        title=title,
        x_title=AXIS_WORDS[axis],
        y_title=f"{QUANTITY_WORDS[quantity]} [{'points' if regret else '%'}]",
        x_end=found.ends[task.dataset, axis],
        lines=tuple(lines),
        log=bool(regret),
    )


def _line(label: str, x: Floats, y: Floats, low: Floats, high: Floats, slot: int | None, best: float | None) -> Line:
    """A line of accuracies, or of regret to ``best``, where low and high change places."""
    band = "95 % of single random searches" if slot is None else "95 % bootstrap interval of the mean"
    if best is not None:
        y, low, high = best - y, best - high, best - low
    return Line(label, x, y, low, high, slot, band)


def _file_names(datasets: list[str]) -> dict[str, str]:
    """A distinct name fit for files for each data set."""
    names: dict[str, str] = {}
    for dataset in datasets:
        name, count = slug(dataset), 2
        while name in names.values():
            name, count = f"{slug(dataset)}-{count}", count + 1
        names[dataset] = name
    return names
