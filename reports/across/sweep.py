"""What more trainers bring: makespan, idle share, diversity, and regret at equal queries and at equal time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..comparison.curves import Band
from ..comparison.trainers import idle_share
from ..comparison.trajectory import Repetitions
from ..panels import Panel
from ..statistics import SEED, Floats, bootstrap_mean
from ..view import Line, View
from .pool import Place, Pool

MEASURES = {
    "queries": "test {what} after {queries:,.0f} queries [{unit}]",
    "seconds": "test {what} after {seconds:,.0f} s [{unit}]",
    "makespan": "simulated seconds until {queries:,.0f} queries",
    "idle": "trainers without work [%]",
    "apart": "tree-Wasserstein distance in a batch",
}


@dataclass(frozen=True, eq=False)
class Sweep:
    """One place with the outcomes that differ in trainers; compared at the ``queries`` and ``seconds`` all reached."""

    pool: Pool
    place: Place
    indices: tuple[int, ...]

    @property
    def workers(self) -> tuple[int, ...]:
        """Numbers of trainers, ascending."""
        return tuple(self.pool.outcomes[index].asked.workers for index in self.indices)

    @property
    def measures(self) -> tuple[str, ...]:
        """Those of `MEASURES` that are known: runs of an earlier version do not tell what was asked for together."""
        batches = any(len(self.pool.outcomes[index].rows("batches", self.place.dataset)) for index in self.indices)
        return tuple(name for name in MEASURES if batches or name != "apart")

    def runs(self, label: str) -> list[Repetitions | None]:
        """The repetitions of a searcher at each number of trainers."""
        return [self.pool.outcomes[index].repetitions.get((self.place.dataset, label)) for index in self.indices]

    @property
    def _all(self) -> list[Repetitions]:
        return [runs for label in self.pool.labels for runs in self.runs(label) if runs is not None]

    @property
    def seconds(self) -> float:
        """Simulated seconds that every run reached."""
        return min(float(runs.last("seconds").min()) for runs in self._all)

    @property
    def queries(self) -> int:
        """Queries that every run finished."""
        return min(int(runs.lengths.min()) for runs in self._all)

    @property
    def best(self) -> float | None:
        """The best test accuracy of the table."""
        tasks = {task.dataset: task for task in self.pool.outcomes[self.indices[0]].asked.tasks}
        optimum = tasks[self.place.dataset].optimum["test"]
        return None if optimum is None else optimum.value

    def values(self, measure: str, runs: Repetitions, workers: int) -> Floats:
        """One number for each run."""
        if measure == "idle":
            return 100 * idle_share(runs, workers)
        if measure == "makespan":
            return np.asarray(runs.numbers["seconds"][:, self.queries - 1], dtype=np.float64)
        point = np.array([float(self.queries if measure == "queries" else self.seconds)])
        accuracy = runs.at("test", runs.finished(measure, point))[:, 0]
        return accuracy if self.best is None else self.best - accuracy

    def line(self, measure: str, label: str, slot: int) -> Line:
        """Mean over runs with its bootstrap interval, over the number of trainers."""
        numbers = []
        for place, runs, workers in zip(self.indices, self.runs(label), self.workers, strict=True):
            if measure == "apart":
                numbers.append(self._apart(place, label))
                continue
            if runs is None:
                numbers.append((np.nan, np.nan, np.nan))
                continue
            values = self.values(measure, runs, workers)
            known = values[~np.isnan(values)]
            low, high = bootstrap_mean(values, np.random.default_rng(SEED))
            numbers.append((float(known.mean()) if known.size else np.nan, float(low), float(high)))
        band = Band(*np.array(numbers).T)
        words = "95 % bootstrap interval of the mean"
        return Line(label, np.array(self.workers, dtype=np.float64), *band, slot, words, steps=False)

    def _apart(self, index: int, label: str) -> tuple[float, float, float]:
        """How far apart the architectures lie that were asked for together; NaN where only one is at a time."""
        rows = self.pool.outcomes[index].rows("batches", self.place.dataset, searcher=label)
        if not len(rows):
            return np.nan, np.nan, np.nan
        mean, low, high = (float(rows[f"tree_wasserstein_{end}"].iloc[0]) for end in ("mean", "low", "high"))
        return mean, low, high

    def view(self, measure: str) -> Panel:
        """All searchers over the number of trainers."""
        what, unit = ("accuracy", "%") if self.best is None else ("regret", "points")
        title = MEASURES[measure].format(what=what, unit=unit, queries=self.queries, seconds=self.seconds)
        lines = tuple(self.line(measure, label, slot) for slot, label in enumerate(self.pool.labels))
        first, last = float(self.workers[0]), float(self.workers[-1])
        return View(
            str(self.place), "trainers at a time", title, last * 1.04, lines, x_start=first * 0.96,
            log_x=last >= 4 * first, x_ticks=tuple(map(float, self.workers)),
        )  # fmt: skip

    def rows(self) -> pd.DataFrame:
        """One row for each searcher, number of trainers and measure."""
        rows = []
        for measure in self.measures:
            for slot, label in enumerate(self.pool.labels):
                line = self.line(measure, label, slot)
                for workers, y, low, high in zip(line.x, line.y, line.low, line.high, strict=True):
                    keys = {"benchmark": self.place.benchmark, "dataset": self.place.dataset, "searcher": label}
                    at = {"queries": self.queries, "seconds": self.seconds}
                    numbers = {"mean": y, "low": low, "high": high}
                    rows.append({**keys, "workers": int(workers), "measure": measure, **at, **numbers})
        return pd.DataFrame(rows)
