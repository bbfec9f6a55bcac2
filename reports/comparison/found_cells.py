"""The architectures that searches ended with, drawn: what was found, by whom, how often."""

from __future__ import annotations

import pandas as pd

from ...bench.spaces import Space
from ..blocks import Picture, Pictures
from ..pictures import drawable, picture
from ..words import counted, joined, number
from .asked import Task
from .outcome import Outcome
from .sentences import SPLIT_WORDS

MOST = 5  # architectures of a data set, beside the best of the table


def found_cells(found: Outcome, task: Task) -> Pictures | None:
    """The best last incumbents of a data set, by what searchers were told, and the best of the table beside them.

    None where no run ended with an architecture, or the space is not known here.
    """
    benchmark = found.asked.benchmark
    space = drawable({"space": benchmark.space, "architectures": benchmark.architectures})
    rows = found.rows("incumbents", task.dataset)
    rows = rows[(rows["id"] >= 0) & rows["value"].notna()]
    if space is None or not len(rows):
        return None
    best = rows.groupby("id")["value"].mean().sort_values(ascending=False, kind="stable").index[:MOST].tolist()
    items = [_ended_with(space, int(arch), rows[rows["id"] == arch]) for arch in best]
    optimum = task.optimum["test"]
    if optimum is not None and optimum.id not in best:
        line = f"{number(optimum.value)} % {SPLIT_WORDS['test']}"
        items.append(picture(space, optimum.id, line, "the best of the table; no search ended with it"))
    return Pictures(
        "What searches ended with, the highest value that they were told first",
        tuple(items),
        f"{counted(rows['id'].nunique(), 'architecture')} ended {counted(len(rows), 'repetition')}. "
        "Pale parts of a cell lie on no way from its input to its output and compute nothing.",
    )


def _ended_with(space: Space, arch: int, rows: pd.DataFrame) -> Picture:
    reached = [
        f"{number(rows[name].mean())} % {SPLIT_WORDS[name]}" for name in ("valid", "test") if rows[name].notna().any()
    ]
    who = rows.groupby("searcher", sort=False, observed=True).size()
    return picture(space, arch, ", ".join(reached), joined(f"{name} {count} ×" for name, count in who.items()))
