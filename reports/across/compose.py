"""The page on several comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...searchers.runner.run import Run
from ..blocks import Block, Cell, Facts, Grid, Label, Plot, Points, Section, Text
from ..comparison import sentences
from ..comparison.contest import ranking
from ..page import slug
from ..panels import Matrix, Panel
from ..report import Report
from ..significance import friedman
from ..view import Style
from ..words import counted, joined, number, p_value
from .pool import Pool
from .sweep import MEASURES, Sweep

SWITCH = {
    "queries": "at equal queries",
    "seconds": "at equal time",
    "makespan": "makespan",
    "idle": "without work",
    "apart": "diversity",
}


def across(runs: Sequence[Run]) -> Report:
    """The report on several runs of kind "compare"; the same folders in the same order give the same bytes.

    Raises:
        BadValue: fewer than two runs, one of another kind, or no searcher in common.
        BadFile, MissingFile: a run is damaged or has no finished part.
    """
    pool = Pool.of(runs)
    accuracies = pool.accuracies()
    tested = friedman(accuracies.to_numpy(np.float64))
    figures: dict[str, tuple[Panel, ...]] = {}
    blocks: list[Block] = []
    if len(accuracies):
        figures["accuracy"] = (_matrix(accuracies),)
        said = "Mean test accuracy at the end of the budget [%]; the darker, the better its rank on that data set."
        blocks.append(Plot("accuracy", {"Show": (("all", "all"),)}, {("all",): figures["accuracy"][0]},
                           ("accuracy",), said))  # fmt: skip
    if tested.refused:
        blocks.append(Text((f"No test over data sets (Friedman, Nemenyi): {tested.refused}.",)))
    else:
        diagram = ranking(pool.labels, tested)
        figures["critical-differences"] = (diagram,)
        said = (
            "Mean rank by mean final test accuracy, 1 the best; bars join searchers whose ranks differ by less than "
            f"Nemenyi's critical difference at 5 %. Friedman's test over {tested.tasks} data sets (Iman & Davenport's "
            f"F): p {p_value(tested.p)}. Data sets that share images or architectures are not independent."
        )
        blocks.append(Plot("critical", {"Show": (("all", "all"),)}, {("all",): diagram},
                           ("critical-differences",), said))  # fmt: skip
    verdicts = pool.verdicts()
    if len(verdicts):
        blocks.append(_verdicts(pool, verdicts))
    sections = [Section("", (_facts(pool),)), Section("Who is ahead", tuple(blocks))]
    sweeps = [Sweep(pool, place, indices) for place, indices in pool.sweeps().items()]
    tables = {"accuracy": accuracies.rename_axis("place").reset_index(), "pairs": verdicts}
    if sweeps:
        for sweep in sweeps:
            figures[f"trainers-{slug(str(sweep.place))}"] = tuple(sweep.view(measure) for measure in sweep.measures)
        sections.append(Section("More trainers", _sweep_blocks(sweeps)))
        tables["trainers"] = pd.concat([sweep.rows() for sweep in sweeps], ignore_index=True)
    sections.append(Section("How to read this", (Points(READING),)))
    return Report(
        title=f"{counted(len(runs), 'comparison')} of {joined(pool.labels)}",
        lead=joined(dict.fromkeys(str(place) for place in pool.places())),
        sections=tuple(sections),
        figures=figures,
        tables=tables,
    )


READING = (
    "Only searchers that every run has are here, told apart by their labels; each run's own page has everything else: "
    "curves, intervals, files, settings.",
    "A data set that several runs searched counts once, as the first run given has it.",
    "Seeds are no tasks: the test over data sets uses one number for each searcher and data set, its mean final test "
    "accuracy.",
    "Numbers of trainers are compared at the queries, and at the simulated seconds, that every one of their runs "
    "reached; bands are 95 % bootstrap intervals of the mean over repetitions.",
)


def _facts(pool: Pool) -> Facts:
    return Facts(tuple(
        (name, (
            f"{joined(task.dataset for task in found.tasks)}; {counted(found.asked.seeds, 'repetition')}",
            sentences.budget(found.asked),
            *(f"{gap.dataset}, {gap.searcher}: {gap.found:,} of {gap.expected:,} repetitions" for gap in found.gaps),
        ))
        for name, found in zip(pool.names, pool.outcomes, strict=True)
    ))  # fmt: skip


def _matrix(accuracies: pd.DataFrame) -> Matrix:
    values = accuracies.to_numpy(np.float64).T
    ranks = accuracies.rank(axis=1, ascending=False).to_numpy(np.float64).T
    count = len(accuracies.columns)
    return Matrix(
        title="Mean final test accuracy [%]", rows=tuple(map(str, accuracies.columns)),
        columns=tuple(map(str, accuracies.index)), values=count + 1 - ranks,
        texts=tuple(tuple(number(value) for value in row) for row in values), ends=(1.0, float(max(2, count))),
        diverging=False,
    )  # fmt: skip


def _verdicts(pool: Pool, table: pd.DataFrame) -> Grid:
    """Wins, ties and losses over data sets."""
    rows: list[tuple[Cell, ...]] = []
    for slot, label in enumerate(pool.labels):
        mine = table[table["searcher"] == label]
        cells: list[Cell] = [Label(label, Style.of(slot).colour)]
        for other in pool.labels:
            verdicts = mine[mine["reference"] == other]["verdict"]
            counts = " / ".join(str(int((verdicts == side).sum())) for side in (1, 0, -1))
            cells.append("" if other == label else counts)
        rows.append(tuple(cells))
    return Grid(
        caption=f"Won / not told apart / lost, over {counted(table['place'].nunique(), 'data set')}",
        head=("", *(f"against {label}" for label in pool.labels)),
        rows=tuple(rows),
        note="Counted are data sets on which the signed-rank test tells the two apart at 5 % after Holm's adjustment "
        "over all searchers of that run.",
    )


def _sweep_blocks(sweeps: Sequence[Sweep]) -> tuple[Block, ...]:
    names = {slug(str(sweep.place)): sweep for sweep in sweeps}
    shown = [name for name in MEASURES if all(name in sweep.measures for sweep in sweeps)]
    plot = Plot(
        "trainers", {"On": tuple((name, str(sweep.place)) for name, sweep in names.items()),
                     "Show": tuple((name, SWITCH[name]) for name in shown)},
        {(name, measure): sweep.view(measure) for name, sweep in names.items() for measure in shown},
        tuple(f"trainers-{name}" for name in names),
        "More trainers at a time learn later: the same queries are worth less, the same time is worth more. Diversity: "
        "mean tree-Wasserstein distance of two architectures asked for without knowing each other's result. Mean over "
        "repetitions with its 95 % bootstrap interval.",
    )  # fmt: skip
    return (plot,)
