"""The part on several trainers at a time: who waited how long, and what the first repetition looked like."""

from __future__ import annotations

import numpy as np

from ..blocks import Block, Cell, Grid, Label, Plot, Text
from ..panels import Ladder, Panel, Rung
from ..view import Line, Style, View
from ..words import between, number
from .outcome import Outcome
from .plots import file_names
from .trainers import timetable

MODES = {
    "async": "Each trainer takes up the next architecture as soon as it is free",
    "sync": "All trainers wait for the last of a batch before the next one starts",
}


def idle_ladders(found: Outcome) -> tuple[Panel, ...]:
    """Idle share of each searcher, one panel for each data set."""
    panels = []
    for task in found.tasks:
        rows = found.rows("trainers", task.dataset)
        rungs = tuple(
            Rung(row.searcher, 100 * row.idle_mean, 100 * row.idle_low, 100 * row.idle_high,
                 found.asked.labels.index(row.searcher), f"makespan {row.makespan_mean:,.0f} s")
            for row in rows.itertuples()
        )  # fmt: skip
        panels.append(Ladder(task.dataset, "trainers without work [%]", rungs, bars=True))
    return tuple(panels)


def timetable_view(found: Outcome, dataset: str, label: str) -> View:
    """Which trainer was busy when in the first repetition of a searcher."""
    frame = timetable(found.repetitions[dataset, label])
    gap = float(frame["seconds"].max()) * 0.003  # neighbouring trainings stay apart
    start, end = frame["started"].to_numpy(np.float64), frame["seconds"].to_numpy(np.float64)
    trainer = frame["worker"].to_numpy(np.float64) + 1
    x = np.stack([start, np.maximum(end - gap, start), end], axis=1).ravel()
    y = np.stack([trainer, trainer, np.full_like(trainer, np.nan)], axis=1).ravel()
    nothing = np.full_like(y, np.nan)
    line = Line(label, x, y, nothing, nothing, found.asked.labels.index(label), "", steps=False, weight=7.0)
    return View(
        f"{dataset}, {label}", "simulated seconds", "trainer", float(frame["seconds"].max()), (line,),
        y_range=(0.4, found.asked.workers + 0.6),
    )  # fmt: skip


def parallel_figures(found: Outcome) -> dict[str, tuple[Panel, ...]]:
    """The figures of this part; none with a single trainer."""
    return {"idle": idle_ladders(found)} if found.asked.workers > 1 else {}


def parallel_blocks(found: Outcome) -> tuple[Block, ...]:
    """Text, table and figures."""
    asked, names = found.asked, file_names(found)
    rows: list[tuple[Cell, ...]] = []
    for task in found.tasks:
        for row in found.rows("trainers", task.dataset).itertuples():
            colour = Style.of(asked.labels.index(row.searcher)).colour
            waited = f"{number(100 * row.idle_mean, 1)} % ({between(100 * row.idle_low, 100 * row.idle_high, 1)})"
            rows.append((
                Label(row.searcher, colour), task.dataset, waited, number(row.makespan_mean, 0),
                number(row.queries_mean, 1), number(row.speed_up_mean, 2),
            ))  # fmt: skip
    table = Grid(
        caption=f"{asked.workers} trainers at a time",
        head=("", "data set", "without work", "makespan [s]", "queries", "speed-up"),
        rows=tuple(rows),
        note="Makespan: until the last training ends. Without work: share of trainer-seconds up to then. Speed-up: the "
        "same trainings one after the other would have taken so many times as long.",
    )
    panels = dict(zip((task.dataset for task in found.tasks), idle_ladders(found), strict=True))
    idle = Plot(
        name="idle", choices={"Data set": tuple((names[dataset], dataset) for dataset in panels)},
        views={(names[dataset],): panel for dataset, panel in panels.items()}, still=("idle",),
        caption="Share of trainer-seconds without work, mean over repetitions with its 95 % bootstrap interval.",
    )  # fmt: skip
    keys = {f"{names[dataset]}-{slot}": (dataset, label) for dataset in panels
            for slot, label in enumerate(asked.labels) if (dataset, label) in found.repetitions}  # fmt: skip
    first = Plot(
        name="timetable", choices={"Searcher": tuple((key, " · ".join(where)) for key, where in keys.items())},
        views={(key,): timetable_view(found, *where) for key, where in keys.items()}, still=(),
        caption="The first repetition: when each trainer was busy.",
    )  # fmt: skip
    return Text((f"{MODES.get(asked.mode, asked.mode)}.",)), idle, table, first
