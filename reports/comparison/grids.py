"""The tables on the page of a comparison: where the repetitions ended, paired differences, effort."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..blocks import Between, Cell, Grid, Label, Spread
from ..view import Style
from ..words import between, counted, number, signed
from .asked import Asked, Task
from .outcome import Outcome
from .plots import CLOSED_FORM
from .sentences import SPLIT_WORDS

HEAD = ("", "mean", "95 % interval", "spread", "regret", "std", "median", "quartiles", "IQM", "at optimum", "runs")


def final_grid(found: Outcome, task: Task, name: str) -> Grid:
    """Where the repetitions ended, on one split."""
    rows = rows_of(found.final, task.dataset, name)
    there = rows[rows["runs"] > 0]
    optimum, mean = task.optimum[name], task.mean_of_space[name]
    start, end = _scale(there, None if optimum is None else optimum.value)
    cells: list[tuple[Cell, ...]] = []
    for slot, row in enumerate(rows.itertuples()):
        colour = Style.of(slot).colour
        label = Label(row.searcher, colour)
        if not row.runs:
            cells.append((label, *["–"] * 9, "0"))
            continue
        spread = Spread(row.smallest, row.q1, row.median, row.q3, row.largest, row.mean, start, end, colour)
        cells.append(
            (label, number(row.mean), between(row.low, row.high), spread, number(row.regret, 3), number(row.std),
             number(row.median), between(row.q1, row.q3), number(row.iqm),
             number(100 * row.at_optimum, 1) + (" %" if row.at_optimum == row.at_optimum else ""), f"{row.runs:,}")
        )  # fmt: skip
    note = ""
    if task.dataset in found.expected:
        last = found.expected[task.dataset].iloc[-1]
        cells.append(_plain_row(CLOSED_FORM, float(last[name]), optimum.value if optimum else None))
        note = (
            f"Closed form: after {counted(int(last['query']), 'query', 'queries')}, 95 % of single random searches "
            f"end between {number(float(last[f'{name}_low']))} and {number(float(last[f'{name}_high']))} %."
        )
    if mean is not None:
        cells.append(_plain_row("mean architecture", mean, optimum.value if optimum else None))
    if optimum is not None:
        cells.append(_plain_row("best architecture", optimum.value, optimum.value))
    return Grid(
        caption=f"{SPLIT_WORDS[name].capitalize()} accuracy at the end [%]",
        head=HEAD,
        rows=tuple(cells),
        note=note,
    )


def _plain_row(label: str, value: float, best: float | None) -> tuple[Cell, ...]:
    """A row that is no sample of runs."""
    regret = number(best - value, 3) if best is not None else "–"
    return (Label(label, None), number(value), "", "", regret, *[""] * 6)


def _scale(there: pd.DataFrame, best: float | None) -> tuple[float, float]:
    """The scale on which spreads are drawn: up to the optimum, down to the worst run unless it is far out."""
    if there.empty:
        return 0.0, 1.0
    height = float((there["q3"] - there["q1"]).max())
    lowest = float(there["smallest"].min())
    start = max(lowest, float(there["q1"].min()) - 3 * height) if height > 0 else lowest
    end = max(float(there["largest"].max()), best if best is not None else -np.inf)
    return start, end


def paired_grid(found: Outcome, task: Task) -> Grid:
    """Differences to the first searcher, seed by seed."""
    test = rows_of(found.paired, task.dataset, "test")
    valid = rows_of(found.paired, task.dataset, "valid").set_index("searcher")
    edges = np.concatenate([[0.0], test[["mean", "low", "high"]].to_numpy(np.float64).ravel()])
    start, end = float(np.nanmin(edges)), float(np.nanmax(edges))
    pad = 0.08 * (end - start) or 0.5
    rows: list[tuple[Cell, ...]] = []
    for row in test.itertuples():
        colour = Style.of(found.asked.labels.index(row.searcher)).colour
        other = valid.loc[row.searcher]
        drawn = "" if not row.pairs else Between(row.mean, row.low, row.high, start - pad, end + pad, colour)
        rows.append(
            (Label(row.searcher, colour), signed(row.mean), between(row.low, row.high, 3), drawn,
             f"{row.wins:,} / {row.ties:,} / {row.losses:,}",
             signed(other["mean"]), between(other["low"], other["high"], 3), f"{row.pairs:,}")
        )  # fmt: skip
    return Grid(
        caption=f"Difference to {found.asked.labels[0]}, paired by seed [points]",
        head=("", "test", "95 % interval", "", "won / tied / lost", "validation", "95 % interval", "pairs"),
        rows=tuple(rows),
        note="Positive: better than the reference. Each interval stands for itself; none is corrected for the number "
        "of comparisons." if len(rows) > 1 else "Positive: better than the reference.",
    )  # fmt: skip


def effort_grid(asked: Asked, effort: pd.DataFrame) -> Grid:
    """What a repetition spent."""
    rows: list[tuple[Cell, ...]] = []
    for row in effort.itertuples():
        label = Label(row.searcher, Style.of(asked.labels.index(row.searcher)).colour)
        span = "" if row.queries_least == row.queries_most else f" ({row.queries_least:,} to {row.queries_most:,})"
        rows.append(
            (label, f"{number(row.queries_mean, 1)}{span}", number(row.distinct_mean, 1),
             number(row.simulated_seconds_mean, 0), number(row.searcher_microseconds_per_query, 1))
        )  # fmt: skip
    return Grid(
        caption="Effort of one repetition, mean",
        head=("", "queries", "distinct architectures", "simulated seconds", "searcher's own time per query [µs]"),
        rows=tuple(rows),
        note="The searcher's own time is measured on the host below and is not part of the simulated seconds.",
    )


def rows_of(table: pd.DataFrame, dataset: str, name: str) -> pd.DataFrame:
    """The rows of one data set and split; an empty table stays empty."""
    return table[(table["dataset"] == dataset) & (table["split"] == name)] if len(table) else table
