"""The tables on the page of a comparison: where the repetitions ended, paired differences, effort."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..blocks import Cell, Grid, Label, Spread
from ..view import Style
from ..words import between, counted, number, seconds, signed
from .asked import Task
from .outcome import Outcome
from .plots import CLOSED_FORM
from .sentences import AXIS_WORDS, SPLIT_WORDS

HEAD = ("", "mean", "95 % interval", "spread", "regret", "std", "median", "IQM", "95 % interval", "at optimum", "runs")


def final_grid(found: Outcome, task: Task, name: str) -> Grid:
    """Where the repetitions ended, on one split."""
    rows = found.rows("final", task.dataset, split=name)
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
             number(row.median), number(row.iqm), between(row.iqm_low, row.iqm_high),
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


def quality_grid(found: Outcome, task: Task) -> Grid:
    """One number per run beyond its last incumbent: area under the regret curve, relative improvement, gaps."""
    axis = found.axes(task.dataset)[0] if found.axes(task.dataset) else "queries"
    areas = {row.searcher: row for row in found.rows("area", task.dataset, split="test", axis=axis).itertuples()}
    gaps = {(row.searcher, row.gap): row for row in found.rows("selection", task.dataset).itertuples()}
    finals = {row.searcher: row for row in found.rows("final", task.dataset, split="test").itertuples()}
    missed = [row for (_, gap), row in gaps.items() if gap == "missed"]
    end = max([row.largest for row in missed if row.largest == row.largest] or [1.0])
    rows: list[tuple[Cell, ...]] = []
    for slot, label in enumerate(found.asked.labels):
        if (label, "missed") not in gaps:
            continue
        colour = Style.of(slot).colour
        area, gap, miss = areas.get(label), gaps[label, "validation - test"], gaps[label, "missed"]
        rows.append((
            Label(label, colour),
            number(area.area, 3) if area else "–", between(area.low, area.high, 3) if area else "–",
            f"{signed(finals[label].relative_improvement, 2)} %", signed(gap.mean), between(gap.low, gap.high, 3),
            number(miss.mean, 3), between(miss.low, miss.high, 3),
            Spread(miss.smallest, miss.q1, miss.median, miss.q3, miss.largest, miss.mean, 0.0, end, colour),
        ))  # fmt: skip
    return Grid(
        caption="Over the whole budget, and what choosing by validation costs",
        head=("", "mean test regret", "95 % interval", "relative improvement", "validation − test", "95 % interval",
              "missed by selection", "95 % interval", ""),
        rows=tuple(rows),
        note=f"Mean test regret: area under the regret curve over {AXIS_WORDS[axis]} divided by its length, from where "
        "every run has an incumbent. Relative improvement: over the mean architecture of the space (Yang et al. 2020). "
        "Missed by selection: best test accuracy among all that a run evaluated minus that of the one it chose.",
    )  # fmt: skip


def effort_grid(found: Outcome, task: Task) -> Grid:
    """What a repetition spent, and what it spent in vain."""
    rows: list[tuple[Cell, ...]] = []
    for row in found.rows("effort", task.dataset).itertuples():
        label = Label(row.searcher, Style.of(found.asked.labels.index(row.searcher)).colour)
        span = "" if row.queries_least == row.queries_most else f" ({row.queries_least:,} to {row.queries_most:,})"
        rows.append((
            label, f"{number(row.queries_mean, 1)}{span}", number(row.distinct_mean, 1), _share(row.repeated_share),
            _share(row.isomorphic_share), number(row.without_value_mean, 1), seconds(row.simulated_seconds_mean),
            seconds(row.searcher_seconds_mean), seconds(row.proxy_seconds_mean),
            number(row.searcher_microseconds_per_query, 1), _memory(row.memory_peak_most, row.memory_growth_most),
        ))  # fmt: skip
    return Grid(
        caption="Effort of one repetition, mean",
        head=("", "queries", "distinct", "repeated", "repeated up to isomorphism", "without value", "simulated seconds",
              "searcher's seconds", "proxies' seconds", "searcher per query [µs]", "peak memory [MB]"),
        rows=tuple(rows),
        note="Seconds of searchers and proxies are measured on the host below and are no part of the simulated ones. "
        "Without value: proposals that the table has no number for, or that the hard limit ruled out. Peak memory: the "
        "most that was resident in the process doing a repetition, Python, libraries and table included, over all "
        "repetitions; in brackets the most that it grew from the beginning of one.",
    )  # fmt: skip


def _memory(peak: float, growth: float) -> str:
    return "–" if peak != peak else f"{number(peak, 0)} (+{number(growth, 1)})"


def _share(share: float) -> str:
    return "–" if share != share else f"{number(100 * share, 1)} %"
