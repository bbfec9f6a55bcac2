"""Who is ahead of whom: every pair on each data set, ranks over the budget, and the test over all data sets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..blocks import Between, Cell, Grid, Label, Plot
from ..panels import Matrix, Panel, Ranking
from ..significance import Friedman, friedman
from ..statistics import Floats
from ..view import Line, Style, View, padded
from ..words import between, number, p_value, signed
from .anytime import mean_ranks, ranks_over
from .asked import Task
from .curves import POINTS, Band, grid
from .outcome import Outcome
from .plots import file_names
from .sentences import AXIS_WORDS

OVER_ALL = "all data sets"


def paired_grid(found: Outcome, task: Task) -> Grid:
    """Differences to the first searcher, seed by seed."""
    reference = found.asked.labels[0]
    test = found.rows("pairs", task.dataset, split="test", reference=reference)
    valid = found.rows("pairs", task.dataset, split="valid", reference=reference).set_index("searcher")
    edges = np.concatenate([[0.0], test[["mean", "low", "high"]].to_numpy(np.float64).ravel()])
    start, end = float(np.nanmin(edges)), float(np.nanmax(edges))
    pad = 0.08 * (end - start) or 0.5
    rows: list[tuple[Cell, ...]] = []
    for row in test.itertuples():
        colour = Style.of(found.asked.labels.index(row.searcher)).colour
        other = valid.loc[row.searcher]
        drawn = "" if not row.pairs else Between(row.mean, row.low, row.high, start - pad, end + pad, colour)
        rows.append((
            Label(row.searcher, colour), signed(row.mean), between(row.low, row.high, 3), drawn, p_value(row.p_holm),
            f"{number(row.a12)} ({between(row.a12_low, row.a12_high)})", number(row.detectable, 3),
            f"{row.wins:,} / {row.ties:,} / {row.losses:,}", signed(other["mean"]), f"{row.pairs:,}",
        ))  # fmt: skip
    return Grid(
        caption=f"Difference to {reference}, paired by seed [points]",
        head=("", "test", "95 % interval", "", "p (Holm)", "A12", "detectable", "won / tied / lost", "validation",
              "pairs"),
        rows=tuple(rows),
        note="Positive: better than the reference. p: Wilcoxon signed-rank test, adjusted over all pairs of searchers "
        "on this data set (Holm). A12: chance that a run ends above one of the reference, with its 95 % interval. "
        "Detectable: the mean difference that so many pairs reveal four times in five. Intervals are not adjusted.",
    )  # fmt: skip


def pair_matrix(found: Outcome, task: Task) -> Matrix:
    """A12 of every pair on one data set; a star where the adjusted test tells the two apart."""
    labels = tuple(found.runs(task.dataset))
    rows = found.rows("pairs", task.dataset, split="test").set_index(["searcher", "reference"])
    values = np.full((len(labels), len(labels)), np.nan)
    texts = [["" for _ in labels] for _ in labels]
    for (ours, theirs), row in rows.iterrows():
        place = labels.index(ours), labels.index(theirs)
        values[place] = row["a12"]
        texts[place[0]][place[1]] = number(row["a12"]) + ("*" if row["verdict"] else "")
    return Matrix(
        title=task.dataset, rows=labels, columns=labels, values=values, texts=tuple(map(tuple, texts)), ends=(0.0, 1.0),
        scale_title="A12", x_title="against", y_title="",
    )  # fmt: skip


def pair_plot(found: Outcome, task: Task) -> Plot:
    """The same as a figure of the page."""
    name = file_names(found)[task.dataset]
    return Plot(
        name=f"pairs-{name}",
        choices={"Data set": ((name, task.dataset),)},
        views={(name,): pair_matrix(found, task)},
        still=(f"{name}-pairs",),
        caption="Chance that a run of the row's searcher ends with a better test accuracy than one of the column's "
        "(A12, ties count half). * told apart by the signed-rank test at 5 % after Holm's adjustment over all pairs.",
    )


def rank_views(found: Outcome) -> dict[tuple[str, str], View]:
    """Mean rank over the budget, keyed by (data set or all of them, axis), where all searchers have runs."""
    whole = [task for task in found.tasks if len(found.runs(task.dataset)) == len(found.asked.labels)]
    views: dict[tuple[str, str], View] = {}
    for axis in AXIS_WORDS:
        shared = [task for task in whole if axis in found.axes(task.dataset)]
        for task in shared:
            x = grid(axis, found.ends[task.dataset, axis])
            bands = mean_ranks(ranks_over(found.runs(task.dataset), "test", axis, x))
            views[task.dataset, axis] = _rank_view(found, task.dataset, axis, x, bands)
        if len(shared) > 1:
            share = np.linspace(0, 100, POINTS // 2 + 1)[1:]
            each = [_ranks_at_shares(found, task, axis, share) for task in shared]
            if len({ranks.shape for ranks in each}) > 1:
                continue  # some data set has other seeds than the rest
            bands = mean_ranks(np.mean(each, axis=0))
            words = f"{AXIS_WORDS[axis]} [% of each budget]"
            views[OVER_ALL, axis] = _rank_view(found, OVER_ALL, axis, share, bands, words)
    return views


def _ranks_at_shares(found: Outcome, task: Task, axis: str, share: Floats) -> Floats:
    """Ranks at shares [%] of the budget of one data set."""
    x = share / 100 * found.ends[task.dataset, axis]
    return ranks_over(found.runs(task.dataset), "test", axis, np.maximum(x, 1.0) if axis == "queries" else x)


def rank_plot(found: Outcome, views: Mapping[tuple[str, str], View]) -> Plot:
    """The interactive figure of ranks."""
    names = {**file_names(found), OVER_ALL: "all"}
    where = [dataset for dataset in (OVER_ALL, *names) if any(key[0] == dataset for key in views)]
    where = list(dict.fromkeys(where))
    axes = [axis for axis in AXIS_WORDS if all((dataset, axis) in views for dataset in where)]
    return Plot(
        name="ranks",
        choices={
            "On": tuple((names[dataset], dataset) for dataset in where),
            "Against": tuple((axis, AXIS_WORDS[axis]) for axis in axes),
        },
        views={(names[dataset], axis): views[dataset, axis] for dataset in where for axis in axes},
        still=tuple(f"ranks-{axis}" for axis in axes[:1]),
        caption="Mean over seeds of the rank among the searchers, 1 the best, by test accuracy of the incumbent; equal "
        "accuracies share the mean of their ranks. Bands are 95 % bootstrap intervals of the mean.",
    )


def _rank_view(found: Outcome, title: str, axis: str, x: Floats, bands: list[Band], words: str = "") -> View:
    lines = tuple(
        Line(label, x, *band, slot, "95 % bootstrap interval of the mean rank")
        for slot, (label, band) in enumerate(zip(found.asked.labels, bands, strict=True))
    )
    best, worst = padded(np.concatenate([band.y[len(x) // 25 :] for band in bands]))
    return View(title, words or AXIS_WORDS[axis], "mean rank", float(x[-1]), lines, y_range=(worst, best))


def over_tasks(found: Outcome) -> Friedman:
    """Friedman's test over data sets, on the searchers' mean final test accuracy."""
    return friedman(score_table(found).to_numpy(np.float64))


def score_table(found: Outcome) -> pd.DataFrame:
    """Mean final test accuracy [percent], a row for each data set, a column for each searcher."""
    test = found.tables["final"].query("split == 'test'")
    table = test.pivot_table(index="dataset", columns="searcher", values="mean", observed=True)
    return table.reindex(columns=list(found.asked.labels))


def critical_differences(found: Outcome, tested: Friedman) -> Panel | None:
    """The critical-difference diagram; None where the test was refused."""
    return None if tested.refused else ranking(found.asked.labels, tested)


def ranking(labels: tuple[str, ...], tested: Friedman) -> Ranking:
    """The diagram of a test that was not refused."""
    order = np.argsort(tested.ranks, kind="stable")
    return Ranking(
        title=f"Mean ranks over {tested.tasks} data sets",
        names=tuple(labels[place] for place in order),
        ranks=tuple(float(tested.ranks[place]) for place in order),
        slots=tuple(int(place) for place in order),
        critical=tested.critical,
        groups=tested.groups(),
    )


def regret_matrix(found: Outcome) -> Matrix:
    """Mean final test regret of every searcher on every data set (accuracy where no optimum is known), by rank."""
    labels, tasks = found.asked.labels, found.tasks
    accuracy = score_table(found).reindex([task.dataset for task in tasks]).to_numpy(np.float64).T
    texts = [
        tuple(
            number(task.optimum["test"].value - value, 3) if task.optimum["test"] is not None else f"{number(value)} %"
            for task, value in zip(tasks, row, strict=True)
        )
        for row in accuracy
    ]
    ranks = np.array([pd.Series(column).rank(ascending=False).to_numpy() for column in accuracy.T]).T
    return Matrix(
        title="Mean final test regret [points]", rows=labels, columns=tuple(task.dataset for task in tasks),
        values=len(labels) + 1 - ranks, texts=tuple(texts), ends=(1.0, float(max(2, len(labels)))), diverging=False,
    )  # fmt: skip


def verdict_grid(found: Outcome) -> Grid:
    """Wins, ties and losses over data sets: how often the adjusted test told a searcher from another one."""
    table = found.tables["pairs"].query("split == 'test'")
    rows: list[tuple[Cell, ...]] = []
    for slot, label in enumerate(found.asked.labels):
        mine = table[table["searcher"] == label]
        cells: list[Cell] = [Label(label, Style.of(slot).colour)]
        for other in found.asked.labels:
            verdicts = mine[mine["reference"] == other]["verdict"]
            counts = [int((verdicts == side).sum()) for side in (1, 0, -1)]
            cells.append("" if other == label else " / ".join(map(str, counts)))
        total = [int((mine["verdict"] == side).sum()) for side in (1, 0, -1)]
        rows.append((*cells, " / ".join(map(str, total))))
    return Grid(
        caption=f"Won / not told apart / lost, over {len(found.tasks)} data sets",
        head=("", *(f"against {label}" for label in found.asked.labels), "in all"),
        rows=tuple(rows),
        note="Counted are data sets on which the signed-rank test tells the two apart at 5 % after Holm's adjustment.",
    )
