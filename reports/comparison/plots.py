"""What a comparison draws over its budget: regret and accuracy against each axis, for paper and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from ..blocks import Plot
from ..page import slug
from ..panels import Panel
from ..statistics import Floats
from ..view import Line, View
from .asked import SPLITS, Task
from .curves import Band
from .milestones import EQUAL
from .outcome import Outcome
from .sentences import AXIS_WORDS, SPLIT_WORDS
from .trajectory import Repetitions

CLOSED_FORM = "random search, closed form"
QUANTITIES = ("test_regret", "valid_regret", "test", "valid")
QUANTITY_WORDS = {
    "test_regret": "test regret",
    "valid_regret": "validation regret",
    "test": "test accuracy",
    "valid": "validation accuracy",
}
STATISTICS = {"mean": "mean", "iqm": "IQM", "median": "median", "runs": "single runs"}
BANDS = {
    "mean": "95 % bootstrap interval of the mean",
    "iqm": "95 % interval of the interquartile mean",
    "median": "middle half of the runs",
    "runs": "",
}
SEEN = 0.01  # share of the simulated seconds: below, measured seconds on top change no figure
SHOWN = 12  # single runs of each searcher: those of the first seeds


def paper_figures(found: Outcome) -> dict[str, tuple[Panel, ...]]:
    """The figures for paper: regret (accuracy where no optimum is known), test and validation, on each axis."""
    figures: dict[str, tuple[Panel, ...]] = {}
    names = file_names(found)
    for task in found.tasks:
        for axis in _on_paper(found, task):
            pair = [quantity_of(task, name) for name in SPLITS]
            figures[f"{names[task.dataset]}-{axis}"] = tuple(
                view(found, task, axis, quantity, "mean", f"{task.dataset}, {SPLIT_WORDS[name]}")
                for quantity, name in zip(pair, SPLITS, strict=True)
            )
        if axes := found.axes(task.dataset):
            figures[f"{names[task.dataset]}-spread"] = tuple(
                view(found, task, axes[0], quantity_of(task, "test"), statistic, f"{task.dataset}, {words}")
                for statistic, words in STATISTICS.items()
                if statistic != "mean"
            )
    for axis in AXIS_WORDS:
        shared = [task for task in found.tasks if axis in _on_paper(found, task)]
        if len(shared) > 1:
            figures[f"all-{axis}"] = tuple(
                view(found, task, axis, quantity_of(task, "test"), "mean", task.dataset) for task in shared
            )
    return figures


def _on_paper(found: Outcome, task: Task) -> tuple[str, ...]:
    """The axes that get a figure: measured seconds on top only where they can be seen."""
    axes = found.axes(task.dataset)
    longer = {axis: found.ends[task.dataset, axis] for axis in axes}
    seen = longer.get("total", 0.0) > (1 + SEEN) * longer.get("seconds", 0.0)
    return tuple(axis for axis in axes if axis != "total" or seen)


def quantity_of(task: Task, name: str) -> str:
    """Regret where the best of the table is known, else accuracy."""
    return name if task.optimum[name] is None else f"{name}_regret"


def interactive_plot(found: Outcome, task: Task, figures: Mapping[str, tuple[Panel, ...]]) -> Plot:
    """The interactive figure of one data set."""
    axes = found.axes(task.dataset)
    quantities = [each for each in QUANTITIES if each in SPLITS or task.optimum[each.split("_")[0]] is not None]
    name = file_names(found)[task.dataset]
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
            "Over runs": tuple(STATISTICS.items()),
        },
        views={
            (axis, quantity, statistic): view(found, task, axis, quantity, statistic, task.dataset)
            for axis, quantity, statistic in product(axes, quantities, STATISTICS)
        },
        still=tuple(each for each in (f"{name}-{axis}" for axis in axes) if each in figures),
        caption=f"The incumbent, which validation alone chooses, over {over}. Bands: 95 % intervals of the mean "
        "(bootstrap) and of the interquartile mean, the middle half of the runs around their median; single runs: "
        f"those of the first {SHOWN} seeds, under the median of all. A line begins when every repetition has an "
        f"incumbent and goes on flat after a repetition has ended.{dashed}{late}",
    )


def view(found: Outcome, task: Task, axis: str, quantity: str, statistic: str, title: str) -> View:
    """One quantity of one data set against one axis, as one statistic over runs."""
    name, _, to_best = quantity.partition("_")
    optimum = task.optimum[name]
    best = optimum.value if to_best and optimum is not None else None
    end = found.ends[task.dataset, axis]
    lines = []
    if task.dataset in found.expected:
        frame = found.expected[task.dataset]
        x = frame["query" if axis == "queries" else "seconds"].to_numpy(np.float64)
        band = Band(*(frame[f"{name}{edge}"].to_numpy(np.float64) for edge in ("", "_low", "_high")))
        if not np.isnan(x).any():
            lines.append(_line(CLOSED_FORM, x, band, None, "95 % of single random searches", best))
    for slot, label in enumerate(found.asked.labels):
        curve = found.curves.get((task.dataset, axis, name, label))
        if curve is None:
            continue
        band = curve.band("median" if statistic == "runs" else statistic)
        if statistic == "runs":
            lines.append(_single_runs(label, found.repetitions[task.dataset, label], name, axis, end, slot, best))
            band = Band(band.y, band.y, band.y)
        lines.append(_line(label, curve.x, band, slot, BANDS[statistic], best))
    return View(
        title=title,
        x_title=AXIS_WORDS[axis],
        y_title=f"{QUANTITY_WORDS[quantity]} [{'points' if to_best else '%'}]",
        x_end=end,
        lines=tuple(lines),
        log=bool(to_best),
    )


def _line(label: str, x: Floats, band: Band, slot: int | None, words: str, best: float | None) -> Line:
    """A line of accuracies, or of regret to ``best``, where low and high change places."""
    y, low, high = band
    if best is not None:
        y, low, high = (regret(best, each) for each in (y, high, low))
    return Line(label, x, y, low, high, slot, words)


def regret(best: float, accuracy: Floats) -> Floats:
    """What is missing to the best [points]; 0 at the best, where a mean may miss it by its rounding."""
    missing = best - accuracy
    return np.where(np.abs(missing) <= EQUAL, 0.0, missing)


def _single_runs(
    label: str, runs: Repetitions, name: str, axis: str, end: float, slot: int, best: float | None
) -> Line:  # fmt: skip
    """The steps of the first few runs in one line, divided by NaN; only where something changes is there a point."""
    x: list[Floats] = []
    y: list[Floats] = []
    for run in range(min(SHOWN, len(runs.seeds))):
        incumbents = runs.incumbents[run, : runs.lengths[run]]
        new = np.flatnonzero((np.diff(incumbents, prepend=-1) != 0) & (incumbents >= 0))
        times = new + 1.0 if axis == "queries" else runs.clock(axis)[run, new]
        values = runs.numbers[name][run, incumbents[new]]
        inside = times <= end
        if inside.any():
            x.append(np.r_[times[inside], end, end])
            y.append(np.r_[values[inside], values[inside][-1], np.nan])
    xs, ys = (np.concatenate(each or [np.empty(0)]) for each in (x, y))
    ys = ys if best is None else regret(best, ys)
    nothing = np.full_like(ys, np.nan)
    return Line(label, xs, ys, nothing, nothing, slot, "", faint=True)


def file_names(found: Outcome) -> dict[str, str]:
    """A distinct name fit for files for each data set."""
    names: dict[str, str] = {}
    for dataset in (task.dataset for task in found.asked.tasks):
        name, count = slug(dataset), 2
        while name in names.values():
            name, count = f"{slug(dataset)}-{count}", count + 1
        names[dataset] = name
    return names
