"""The part on two objectives: hypervolume over time, what accuracy a limit on cost leaves, and the hard limit."""

from __future__ import annotations

from itertools import product

import numpy as np

from ..blocks import Block, Cell, Grid, Label, Plot, Text
from ..panels import Panel
from ..view import Line, Rule, Style, View
from ..words import between, joined, number
from .asked import SPLITS, Task
from .curves import grid
from .fronts import attainment, cost_grid, front_row, volume_curve, volumes
from .outcome import Outcome
from .plots import file_names
from .sentences import AXIS_WORDS, SPLIT_WORDS

SHOWN = {"value": "told to the searcher", **{split: f"{SPLIT_WORDS[split]}, reported" for split in SPLITS}}


class Fronts:
    """Everything of this part, computed once."""

    def __init__(self, found: Outcome) -> None:
        self.found = found
        self.volumes = {
            (task.dataset, label): volumes(runs, task.reference)
            for task in found.tasks if task.reference is not None
            for label, runs in found.runs(task.dataset).items()
        }  # fmt: skip
        self.tasks = tuple(task for task in found.tasks if task.reference is not None)
        self.rows = [
            front_row(task, label, runs, self.volumes[task.dataset, label])
            for task in self.tasks
            for label, runs in found.runs(task.dataset).items()
        ]

    def figures(self) -> dict[str, tuple[Panel, ...]]:
        """For paper: hypervolume on the first axis beside the fronts on test, one figure for each data set."""
        names = file_names(self.found)
        return {
            f"{names[task.dataset]}-fronts": (
                self.volume_view(task, self.found.axes(task.dataset)[0]), self.front_view(task, "test"))
            for task in self.tasks
        }  # fmt: skip

    def volume_view(self, task: Task, axis: str) -> View:
        """Mean hypervolume of each searcher over an axis."""
        end = self.found.ends[task.dataset, axis]
        x, lines = grid(axis, end), []
        for label, runs in self.found.runs(task.dataset).items():
            band = volume_curve(runs, self.volumes[task.dataset, label], axis, x)
            slot = self.found.asked.labels.index(label)
            lines.append(Line(label, x, *band, slot, "95 % bootstrap interval of the mean"))
        unit = f"hypervolume [points × {self.found.asked.objective2}]"
        return View(f"{task.dataset}, hypervolume", AXIS_WORDS[axis], unit, end, tuple(lines))

    def front_view(self, task: Task, name: str) -> View:
        """What half of the runs attain at each cost: the median front with its quartiles."""
        runs = self.found.runs(task.dataset)
        costs, lines = cost_grid(list(runs.values())), []
        for label, each in runs.items():
            slot = self.found.asked.labels.index(label)
            lines.append(Line(label, costs, *attainment(each, name, costs), slot, "middle half of the runs"))
        start, end = (float(costs[0]), float(costs[-1])) if costs.size > 1 else (0.0, 1.0)
        return View(
            f"{task.dataset}, {SHOWN[name]}", f"at most so much {self.found.asked.objective2}",
            f"{SPLIT_WORDS.get(name, 'validation')} accuracy [%]", end, tuple(lines),
            rules=self._limit(), x_start=start, log_x=start > 0 and end > 4 * start,
        )  # fmt: skip

    def _limit(self) -> tuple[Rule, ...]:
        """The hard limit, where it is one on the second objective."""
        asked = self.found.asked
        if asked.constraint is None or asked.constraint[0] != asked.objective2:
            return ()
        return (Rule("upright", asked.constraint[1], "hard limit"),)

    def blocks(self) -> tuple[Block, ...]:
        """Text, figures and table."""
        asked, names = self.found.asked, file_names(self.found)
        limit = f"Hard limit: {asked.limit}; what exceeds it is never trained and costs nothing." if (
            asked.constraint) else "No hard limit was set."  # fmt: skip
        boxes = joined(
            f"{number(task.reference[0])} % and {task.reference[1]:,.6g} on {task.dataset}"
            for task in self.tasks if task.reference is not None
        )  # fmt: skip
        said = f"Second objective: {asked.objective2}, smaller is better. {limit}"
        axes = [axis for axis in AXIS_WORDS if all(axis in self.found.axes(task.dataset) for task in self.tasks)]
        where = tuple((names[task.dataset], task.dataset) for task in self.tasks)
        stills = tuple(f"{names[task.dataset]}-fronts" for task in self.tasks)
        volume = Plot(
            "hypervolume", {"Data set": where, "Against": tuple((axis, AXIS_WORDS[axis]) for axis in axes)},
            {(names[task.dataset], axis): self.volume_view(task, axis) for task, axis in product(self.tasks, axes)},
            stills,
            "Hypervolume of all that a run had evaluated, by the accuracy that searchers are told; mean over runs with "
            f"its 95 % bootstrap interval, measured from {boxes}.",
        )  # fmt: skip
        fronts = Plot(
            "fronts", {"Data set": where, "Accuracy": tuple(SHOWN.items())},
            {(names[task.dataset], name): self.front_view(task, name) for task, name in product(self.tasks, SHOWN)},
            (),
            "The front that half of the runs attain (median over runs, band: their middle half): accuracy of the best "
            "architecture within a limit on cost, chosen by what was told. Reported numbers are looked up afterwards, "
            "so that these lines may fall.",
        )  # fmt: skip
        return Text((said,)), volume, fronts, self._grid()

    def _grid(self) -> Grid:
        rows: list[tuple[Cell, ...]] = []
        for row in self.rows:
            colour = Style.of(self.found.asked.labels.index(row["searcher"])).colour
            rows.append((
                Label(row["searcher"], colour), row["dataset"], number(row["hypervolume_mean"], 2),
                between(row["hypervolume_low"], row["hypervolume_high"], 2), number(row["front_mean"], 1),
                number(row["without_value_mean"], 1), f"{row['runs']:,}",
            ))  # fmt: skip
        head = ("", "data set", "hypervolume", "95 % interval", "points on the front", "without value", "runs")
        finite = [row for row in self.rows if np.isfinite(row["hypervolume_mean"])]
        note = "" if finite else "No architecture lies inside the box."
        return Grid("Two objectives at the end", head, tuple(rows), note)
