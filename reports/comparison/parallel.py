"""The part on several trainers at a time: who waited how long, how far apart batches lie, the first repetition."""

from __future__ import annotations

import numpy as np

from ...bench.spaces import space
from ..blocks import Block, Cell, Grid, Label, Plot, Text
from ..panels import Ladder, Panel, Rung
from ..view import Line, Style, View
from ..words import between, number, seconds
from .batches import DISTANCES_OF, MEASURES, at_random, measures
from .outcome import Outcome
from .plots import file_names
from .trainers import timetable

MODES = {
    "async": "Each trainer takes up the next architecture as soon as it is free",
    "sync": "All trainers wait for the last of a batch before the next one starts",
}

DIGITS = {"choices": 2, "tree_wasserstein": 3, "repeated": 1, "isomorphic": 1}


def idle_ladders(found: Outcome) -> tuple[Panel, ...]:
    """Idle share of each searcher, one panel for each data set."""
    panels = []
    for task in found.tasks:
        rows = found.rows("trainers", task.dataset)
        rungs = tuple(
            Rung(row.searcher, 100 * row.idle_mean, 100 * row.idle_low, 100 * row.idle_high,
                 found.asked.labels.index(row.searcher), f"makespan {seconds(row.makespan_mean)} s")
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
        y_ticks=tuple(range(1, found.asked.workers + 1, 1 + found.asked.workers // 10)),
    )  # fmt: skip


def parallel_figures(found: Outcome) -> dict[str, tuple[Panel, ...]]:
    """The figures of this part; none with a single trainer."""
    if found.asked.workers == 1:
        return {}
    if not len(found.tables["batches"]):
        return {"idle": idle_ladders(found)}
    batches = tuple(batch_ladder(found, task.dataset, name) for task in found.tasks for name in _drawn(found))
    return {"idle": idle_ladders(found), "batches": batches}


def _drawn(found: Outcome) -> dict[str, str]:
    """What is drawn of a batch; the table has the rest."""
    return {name: words for name, words in measures(space(found.asked.benchmark.space)).items() if name != "isomorphic"}


def batch_ladder(found: Outcome, dataset: str, measure: str) -> Panel:
    """How far apart the architectures lie that were asked for together; a line where two random ones would."""
    rungs = tuple(
        Rung(row["searcher"], row[f"{measure}_mean"], row[f"{measure}_low"], row[f"{measure}_high"],
             found.asked.labels.index(row["searcher"]))
        for _, row in found.rows("batches", dataset).iterrows()
    )  # fmt: skip
    random = at_random(space(found.asked.benchmark.space)).get(measure)
    return Ladder(dataset, MEASURES[measure], rungs, bars=measure not in DISTANCES_OF, at=random)


def batch_blocks(found: Outcome) -> tuple[Block, ...]:
    """Figure and table of what was asked for together; nothing where that is not known."""
    if not len(found.tables["batches"]):
        return ()
    asked, names = found.asked, file_names(found)
    where = space(asked.benchmark.space)
    told, random = measures(where), at_random(where)
    rows: list[tuple[Cell, ...]] = []
    for task in found.tasks:
        for _, row in found.rows("batches", task.dataset).iterrows():
            colour = Style.of(asked.labels.index(row["searcher"])).colour
            cells = [
                f"{number(row[f'{name}_mean'], DIGITS[name])} "
                f"({between(row[f'{name}_low'], row[f'{name}_high'], DIGITS[name])})"
                for name in told
            ]
            rows.append((Label(row["searcher"], colour), task.dataset, *cells))
    drawn = tuple(number(random[name], DIGITS[name]) if name in random else "" for name in told)
    rows.append((Label("two random architectures", None), "", *drawn))
    table = Grid(
        caption="Diversity of what is asked for together",
        head=("", "data set", *told.values()),
        rows=tuple(rows),
        note="Over all pairs of architectures that were asked for without knowing each other's result: "
        + ("those in training at the same time" if asked.mode == "async" else "those of one batch")
        + ". Distances: mean over pairs, then over repetitions, with its 95 % bootstrap interval. Asked twice: share "
        "of the evaluations whose architecture was in training already.",
    )
    picture = Plot(
        name="batches",
        choices={"Data set": tuple((names[task.dataset], task.dataset) for task in found.tasks),
                 "Show": tuple((name.replace("_", "-"), words) for name, words in _drawn(found).items())},
        views={(names[task.dataset], name.replace("_", "-")): batch_ladder(found, task.dataset, name)
               for task in found.tasks for name in _drawn(found)},
        still=("batches",),
        caption="Architectures asked for together, mean over repetitions with its 95 % bootstrap interval; the line is "
        "where two random architectures lie.",
    )  # fmt: skip
    return picture, table


def parallel_blocks(found: Outcome) -> tuple[Block, ...]:
    """Text, table and figures."""
    asked, names = found.asked, file_names(found)
    rows: list[tuple[Cell, ...]] = []
    for task in found.tasks:
        for row in found.rows("trainers", task.dataset).itertuples():
            colour = Style.of(asked.labels.index(row.searcher)).colour
            waited = f"{number(100 * row.idle_mean, 1)} % ({between(100 * row.idle_low, 100 * row.idle_high, 1)})"
            rows.append((
                Label(row.searcher, colour), task.dataset, waited, seconds(row.makespan_mean),
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
    return Text((f"{MODES.get(asked.mode, asked.mode)}.",)), idle, table, *batch_blocks(found), first
