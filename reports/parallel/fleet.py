"""A sweep over trainers as numbers: what was asked, and every run by number of trainers and mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...bench.errors import BadFile, MissingFile
from ...searchers.runner.run import Run
from ...searchers.runner.sweep import comparisons
from ..comparison.asked import Asked
from ..comparison.trajectory import Repetitions, split
from ..statistics import Floats

Runs = Mapping[tuple[str, str], Repetitions]
"""Of one comparison, by data set and searcher."""


@dataclass(frozen=True, order=True)
class Setting:
    """How many trainers, and whether they wait for each other; one trainer is the same in both modes."""

    workers: int
    mode: str

    def __str__(self) -> str:
        return "1 trainer" if self.workers == 1 else f"{self.workers} trainers, {self.mode}"


@dataclass(frozen=True, eq=False)
class Fleet:
    """``runs`` holds the comparisons that have finished parts; ``asked`` is what they share (of the first)."""

    config: dict[str, Any]
    asked: Asked
    runs: Mapping[Setting, Runs]
    missing: int  # repetitions that were asked for and are not there
    failed: int  # of them, those that broke off with an error

    @property
    def datasets(self) -> tuple[str, ...]:
        """Data sets that every comparison has, in the order asked."""
        there = [{dataset for dataset, _ in runs} for runs in self.runs.values()]
        return tuple(task.dataset for task in self.asked.tasks if all(task.dataset in each for each in there))

    @property
    def labels(self) -> tuple[str, ...]:
        """Searchers that some comparison has, in the order asked."""
        there = {label for runs in self.runs.values() for _, label in runs}
        return tuple(label for label in self.asked.labels if label in there)

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes in which there are several trainers, in the order asked; one where there never are."""
        there = {setting.mode for setting in self.runs if setting.workers > 1}
        asked = [str(mode) for mode in self.config["modes"]]
        return tuple(mode for mode in asked if mode in there) or (asked[0],)

    def settings(self, mode: str) -> tuple[Setting, ...]:
        """Numbers of trainers in one mode, ascending; one trainer belongs to both."""
        return tuple(sorted(each for each in self.runs if each.mode == mode or each.workers == 1))

    @property
    def first(self) -> Setting:
        """What the others are compared with: the fewest trainers."""
        return min(self.runs)

    def repetitions(self, setting: Setting, dataset: str, label: str) -> Repetitions | None:
        """The runs of a searcher; None where there are none."""
        return self.runs[setting].get((dataset, label))

    def _all(self, dataset: str) -> list[Repetitions]:
        return [runs for each in self.runs.values() for (name, _), runs in each.items() if name == dataset]

    @cached_property
    def seconds(self) -> dict[str, float]:
        """Simulated seconds that every run on a data set reached."""
        return {name: min(float(runs.last("seconds").min()) for runs in self._all(name)) for name in self.datasets}

    @cached_property
    def queries(self) -> dict[str, int]:
        """Queries that every run on a data set finished."""
        return {name: min(int(runs.lengths.min()) for runs in self._all(name)) for name in self.datasets}

    def best(self, dataset: str) -> float | None:
        """The best test accuracy of the table [percent]."""
        optimum = {task.dataset: task for task in self.asked.tasks}[dataset].optimum["test"]
        return None if optimum is None else optimum.value

    def by_seed(self, runs: Repetitions, values: Floats) -> Floats:
        """Numbers of runs (n_run,) in the order of seeds, (seeds,); NaN where a run is missing."""
        found = np.full(self.asked.seeds, np.nan)
        found[runs.seeds] = values
        return found


def fleet(run: Run) -> Fleet:
    """Read the folder of a sweep.

    Raises:
        BadFile: run.json, or a part, is damaged, or a comparison is of something else.
        MissingFile: nothing is finished yet.
    """
    found: dict[Setting, Runs] = {}
    asked: Asked | None = None
    expected = failed = there = 0
    for each in comparisons(run):
        its = Asked.of(each.config)
        if asked is not None and (its.labels, its.benchmark.name) != (asked.labels, asked.benchmark.name):
            raise BadFile(f"{each.folder}: other searchers or another benchmark than the comparisons before it")
        asked = asked or its
        expected += len(its.tasks) * len(its.labels) * its.seeds
        failed += len(each.failures())
        if each.parts():
            runs = split(each.records())
            strange = [seed for reps in runs.values() for seed in reps.seeds if not 0 <= seed < asked.seeds]
            if strange:
                raise BadFile(f"{each.folder}: a part holds seed {strange[0]}, which run.json never asked for")
            found[Setting(its.workers, its.mode)] = runs
            there += sum(len(reps.seeds) for reps in runs.values())
    if asked is None or not found:
        raise MissingFile(f"{run.folder} has no finished part yet; start the same command again to go on with it")
    trainers, modes = run.config["trainers"], run.config["modes"]
    comparisons_asked = sum(1 if count == 1 else len(modes) for count in trainers)
    expected += (comparisons_asked - len(comparisons(run))) * len(asked.tasks) * len(asked.labels) * asked.seeds
    return Fleet(run.config, asked, found, expected - there, failed)
