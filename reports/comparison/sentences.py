"""What came out of a comparison, in sentences; the words of its axes and splits; the command that does it again."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from ..significance import SIGNIFICANT
from ..words import counted, joined, number, p_value, signed
from .asked import Asked, Task

SPLIT_WORDS = {"test": "test", "valid": "validation"}
AXIS_WORDS = {
    "seconds": "simulated seconds",
    "queries": "queries",
    "total": "simulated + searchers' + proxies' seconds",
}
MANY = 4  # sentences: up to here the summary tells of every searcher on every data set


def budget(asked: Asked) -> str:
    """What ends one repetition."""
    limits = [f"{asked.seconds:,.10g} simulated seconds"] if asked.seconds is not None else []
    limits += [counted(asked.queries, "query", "queries")] if asked.queries is not None else []
    return " or ".join(limits) + (", whichever ends first" if len(limits) > 1 else "")


def title(asked: Asked) -> str:
    """A name for the whole comparison."""
    who = joined(asked.labels) if len(asked.labels) <= MANY else f"{len(asked.labels)} searchers"
    return f"{who} on {asked.benchmark.name}"


def findings(task: Task, asked: Asked, final: pd.DataFrame, paired: pd.DataFrame) -> list[tuple[str, str]]:
    """What came out on one data set, as (headline, evidence): each searcher against the first one.

    ``final`` and ``paired`` hold the test rows of this data set. Where that were more than `MANY` sentences in all,
    only the best searcher is told.
    """
    there = final[final["runs"] > 0].set_index("searcher")
    if there.empty:
        return [(f"Nothing to report on {task.dataset} yet", "")]
    reference, best = asked.labels[0], there["mean"].idxmax()
    if (len(asked.labels) - 1) * len(asked.tasks) > MANY or paired.empty:
        row, several = there.loc[best], len(asked.labels) > 1
        verb = "has the highest mean" if several else "ends"
        headline = f"{best} {verb} on {task.dataset} test{':' if several else ' at'} {_ending(row)}"
        against = paired[paired["searcher"] == best] if len(paired) else paired
        told = [f"{said}: {evidence}" for said, evidence in
                (_difference(task, reference, row, there) for _, row in against.iterrows())]  # fmt: skip
        return [(headline, " ".join([_precision(row), *told]))]
    return [_difference(task, reference, row, there) for _, row in paired.iterrows()]


def _difference(task: Task, reference: str, row: pd.Series[Any], there: pd.DataFrame) -> tuple[str, str]:
    """One paired comparison in words."""
    name, place = row["searcher"], f"on {task.dataset} test"
    seeds = counted(row["pairs"], "seed")
    if not row["pairs"]:
        return f"{name} and {reference} have no repetition in common {place}", ""
    size = number(abs(row["mean"]), 2 if abs(row["mean"]) >= 0.1 else 3)
    ends = f"{name} ends at {_ending(there.loc[name])}; {reference} at {_ending(there.loc[reference])}"
    if math.isnan(row["low"]):
        order = "above" if row["mean"] > 0 else "below" if row["mean"] < 0 else "from"
        return f"{name} ends {size} points {order} {reference} {place}", f"{seeds}: there is no interval. {ends}."
    tested = f"signed-rank p {p_value(row['p_holm'])} after Holm, A12 {number(row['a12'])}"
    ends_of = f"{number(row['low'], 3)} to {number(row['high'], 3)}"
    evidence = f"95 % interval {ends_of} of the paired difference, {seeds}; {tested}"
    if row["verdict"]:
        verb = "beats" if row["verdict"] > 0 else "loses to"
        return f"{name} {verb} {reference} {place} by {size} points", f"{evidence}. {ends}."
    headline = f"{name} and {reference} are not told apart {place}"
    if row["p_holm"] < SIGNIFICANT:
        evidence += "; mean and ranks of the differences lie on different sides"
    return headline, f"Difference {signed(row['mean'])} points, {evidence}. {ends}."


def _precision(row: pd.Series[Any]) -> str:
    """How well a searcher's mean is known."""
    seeds = counted(row["runs"], "seed")
    if math.isnan(row["low"]):
        return f"{seeds}: there is no interval."
    return f"95 % interval {number(row['low'])} to {number(row['high'])} %, {seeds}."


def _ending(row: pd.Series[Any]) -> str:
    """Where one searcher ended."""
    regret = "" if math.isnan(row["regret"]) else f" ({number(row['regret'])} below the best of the table)"
    return f"{number(row['mean'])} %{regret}"


def command(asked: Asked) -> str:
    """The command lines that run the same comparison again, one for each pair of training lengths."""
    lines = []
    for (search, report), tasks in groupby(asked.tasks, key=lambda task: (task.search_budget, task.report_budget)):
        words: list[Sequence[str]] = [("nasgauge", "compare", asked.benchmark.name)]
        words += [("--searcher", label) for label in asked.labels]
        words += [("--dataset", task.dataset) for task in tasks]
        words += [("--seconds", f"{asked.seconds:.15g}")] if asked.seconds is not None else []
        words += [("--queries", str(asked.queries))] if asked.queries is not None else []
        words += [("--seeds", str(asked.seeds)), ("--base-seed", str(asked.base_seed))]
        words += [("--budget", str(search)), ("--report-budget", str(report)), ("--trial", asked.trial)]
        words += [] if asked.count_last else [("--no-count-last",)]
        lines.append(" \\\n    ".join(shlex.join(each) for each in words))
    return "\n".join(lines)
