"""What came out of a comparison, as numbers: curves, final values, differences, milestones, effort and gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...bench.errors import BadFile, MissingFile
from ...bench.spaces import SPACES, Space, space
from ...searchers.runner.run import Run
from ..statistics import SEED, Floats, summarise
from .asked import SPLITS, Asked, Task
from .batches import batch_rows
from .curves import Curve, curve, grid
from .milestones import EQUAL, milestones
from .pairs import pairs
from .quality import areas, gaps_of_selection, relative_improvement, waste
from .trainers import trainers
from .trajectory import Ints, Repetitions, split

AXES = ("seconds", "queries", "total")
BOUNDS = {f"{name}{end}" for name in SPLITS for end in ("", "_low", "_high")}


@dataclass(frozen=True)
class Gap:
    """Repetitions that were asked for and are not in the run folder; ``failed`` of them ended in an error."""

    dataset: str
    searcher: str
    found: int
    expected: int
    failed: int


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything a comparison's report says in numbers. Keys are data sets and searchers' labels.

    ``curves`` is keyed by (data set, axis, split, searcher) and ``ends`` by (data set, axis): the budget where one was
    set on that axis, else the longest run. ``expected`` holds the closed-form random-search line of each data set
    that has one. ``tables`` are what the CSV files hold; each starts with its key columns. ``failures`` has a row for
    each repetition that ended in an error.
    """

    asked: Asked
    repetitions: Mapping[tuple[str, str], Repetitions]
    curves: Mapping[tuple[str, str, str, str], Curve]
    ends: Mapping[tuple[str, str], float]
    expected: Mapping[str, pd.DataFrame]
    gaps: tuple[Gap, ...]
    failures: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]

    def axes(self, dataset: str) -> tuple[str, ...]:
        """The axes that ``dataset`` can be drawn against: time needs a clock."""
        return tuple(axis for axis in AXES if (dataset, axis) in self.ends)

    def runs(self, dataset: str) -> dict[str, Repetitions]:
        """The repetitions of every searcher on a data set that are there, by label, in the order asked."""
        labels = self.asked.labels
        return {label: self.repetitions[dataset, label] for label in labels if (dataset, label) in self.repetitions}

    def rows(self, name: str, dataset: str, **where: str) -> pd.DataFrame:
        """The rows of one table on one data set where columns have these values; an empty table stays empty."""
        table = self.tables[name]
        for column, value in {"dataset": dataset, **where}.items() if len(table) else ():
            table = table[table[column] == value]
        return table

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The data sets that have at least one repetition."""
        there = {dataset for dataset, _ in self.repetitions}
        return tuple(task for task in self.asked.tasks if task.dataset in there)


def outcome(run: Run) -> Outcome:
    """Compute everything from the run folder; the same folder gives the same numbers.

    Raises:
        BadFile: run.json or a part is damaged, or a part holds what run.json never asked for.
        MissingFile: there is no finished part at all.
    """
    asked = Asked.of(run.config)
    failures = run.failures()
    found = split(run.records())
    gaps = _gaps(asked, found, failures)
    by_dataset = {
        task.dataset: [runs for (dataset, _), runs in found.items() if dataset == task.dataset] for task in asked.tasks
    }
    ends = {
        (dataset, axis): end
        for dataset, runs in by_dataset.items()
        for axis in AXES
        if (end := _end(asked, runs, axis))
    }
    axes = {dataset: tuple(axis for axis in AXES if (dataset, axis) in ends) for dataset in by_dataset}
    searched = _space(asked, found)
    classes = None if searched is None else _classes(searched, found)
    tables: dict[str, list[dict[str, Any]]] = {
        "final": [], "effort": [], "selection": [], "trainers": [], "batches": [],
    }  # fmt: skip
    curves: dict[tuple[str, str, str, str], Curve] = {}
    for task in asked.tasks:
        for label in asked.labels:
            runs = found.get((task.dataset, label))
            tables["final"] += [_final(task, label, name, runs) for name in SPLITS]
            if runs is None:
                continue
            tables["effort"].append({"dataset": task.dataset, "searcher": label, **_effort(runs, classes)})
            tables["selection"] += gaps_of_selection(task, label, runs)
            if asked.workers > 1:
                tables["trainers"].append(trainers(asked, task.dataset, label, runs))
            for axis in axes[task.dataset]:
                x = grid(axis, ends[task.dataset, axis])
                finished = runs.finished(axis, x)
                for name in SPLITS:
                    curves[task.dataset, axis, name, label] = curve(runs, name, x, finished, _rng())
        if asked.workers > 1 and searched is not None:
            there = {label: found[task.dataset, label] for label in asked.labels if (task.dataset, label) in found}
            tables["batches"] += batch_rows(searched, task.dataset, there)
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    frames["pairs"] = pairs(asked, found)
    frames["milestones"] = milestones(asked.tasks, asked.labels, found, axes)
    frames["area"] = areas(asked, found, ends)
    frames["incumbents"] = _incumbents(asked, found)
    return Outcome(asked, found, curves, ends, _expected(run, asked), gaps, failures, frames)


def curve_table(outcome: Outcome) -> pd.DataFrame:
    """All curves in one long frame: statistics over runs of the incumbent's accuracy [percent]."""
    frames = []
    for (dataset, axis, name, label), line in outcome.curves.items():
        columns = {
            "mean": line.mean.y, "mean_low": line.mean.low, "mean_high": line.mean.high, "iqm": line.iqm.y,
            "iqm_low": line.iqm.low, "iqm_high": line.iqm.high, "median": line.median.y, "q1": line.median.low,
            "q3": line.median.high, "runs": line.runs,
        }  # fmt: skip
        keys = {"dataset": dataset, "axis": axis, "split": name, "searcher": label}
        frames.append(pd.DataFrame({**keys, "x": line.x, **columns}))
    return pd.concat(frames, ignore_index=True)


def expected_table(outcome: Outcome) -> pd.DataFrame:
    """The closed-form random-search lines in one frame."""
    frames = [frame.assign(dataset=dataset) for dataset, frame in outcome.expected.items()]
    whole = pd.concat(frames, ignore_index=True)
    return whole[["dataset", *(column for column in whole.columns if column != "dataset")]]


def _rng() -> np.random.Generator:
    return np.random.default_rng(SEED)  # a fresh one for each interval: none depends on what else is in the report


def _end(asked: Asked, runs: list[Repetitions], axis: str) -> float:
    """Where the axis ends, 0 where there is nothing to draw: the budget, or the longest run where that is shorter.

    A single budget is always shown whole; where both are set, only one of them can have ended the runs. With measured
    seconds on top the axis is that of simulated seconds, longer by what the searchers took.
    """
    if not runs or (axis != "queries" and any(np.isnan(each.ends("total")).any() for each in runs)):
        return 0.0
    longest = float(max(each.ends(axis).max() for each in runs))
    if axis == "total":
        simulated = _end(asked, runs, "seconds")
        if not simulated:
            return 0.0
        return simulated + float(max((each.ends("total") - each.ends("seconds")).max() for each in runs))
    budget, other = (asked.seconds, asked.queries) if axis == "seconds" else (asked.queries, asked.seconds)
    if budget is None:
        return longest
    return float(budget) if other is None else min(float(budget), longest)


def _final(task: Task, label: str, name: str, runs: Repetitions | None) -> dict[str, Any]:
    """One row of the final table: the last incumbents' accuracy on one split, and its regret."""
    values = np.empty(0) if runs is None else runs.final(name)
    row = {"dataset": task.dataset, "searcher": label, "split": name, **asdict(summarise(values, _rng()))}
    best = task.optimum[name]
    regret = np.full_like(values, np.nan) if best is None else best.value - values
    known = regret[~np.isnan(regret)]
    value = np.nan if best is None else best.value
    row["regret"], row["regret_low"], row["regret_high"] = (value - row[end] for end in ("mean", "high", "low"))
    row["at_optimum"] = float((known <= EQUAL).mean()) if known.size else np.nan
    row["relative_improvement"] = relative_improvement(task, name, row["mean"])
    return row


def _effort(runs: Repetitions, classes: Ints | None) -> dict[str, Any]:
    """What the repetitions of one searcher spent."""
    spent = {name: float(runs.last(f"{name}_seconds").mean()) for name in ("searcher", "proxy")}
    overhead = runs.last("searcher_seconds") / runs.lengths * 1e6
    return {
        "runs": len(runs.seeds),
        **waste(runs, classes),
        "simulated_seconds_mean": float(runs.last("seconds").mean()),
        "searcher_seconds_mean": spent["searcher"],
        "proxy_seconds_mean": spent["proxy"],
        "searcher_microseconds_per_query": float(overhead.mean()),
        "memory_peak_most": _most(runs.constants["memory_peak"]),
        "memory_growth_most": _most(runs.constants["memory_peak"] - runs.constants["memory_before"]),
    }


def _most(values: Floats) -> float:
    """The largest of the numbers that are known."""
    known = values[~np.isnan(values)]
    return float(known.max()) if known.size else float("nan")


def _space(asked: Asked, found: Mapping[tuple[str, str], Repetitions]) -> Space | None:
    """The space that was searched; None where it is unknown here, or another one of that name."""
    if asked.benchmark.space not in SPACES or not found:
        return None
    searched = space(asked.benchmark.space)
    largest = max(int(runs.id.max()) for runs in found.values())
    return searched if largest < searched.size else None


def _classes(searched: Space, found: Mapping[tuple[str, str], Repetitions]) -> Ints:
    """The isomorphism class of every architecture that was asked for, by id."""
    ids = np.unique(np.concatenate([np.unique(runs.id) for runs in found.values()]))
    ids = ids[ids >= 0]
    classes = np.zeros(int(ids[-1]) + 1, dtype=np.int64)
    classes[ids] = searched.canonical(ids)
    return classes


def _gaps(asked: Asked, found: Mapping[tuple[str, str], Repetitions], failures: pd.DataFrame) -> tuple[Gap, ...]:
    wanted = [(task.dataset, label) for task in asked.tasks for label in asked.labels]
    for key, runs in found.items():
        if key not in wanted:
            raise BadFile(f"a part holds {key[1]!r} on {key[0]!r}, which run.json never asked for; delete that part")
        strange = runs.seeds[(runs.seeds < 0) | (runs.seeds >= asked.seeds)]
        if strange.size:
            raise BadFile(
                f"a part holds seed {strange[0]} of {key[1]!r} on {key[0]}, run.json asked for seeds 0 to "
                f"{asked.seeds - 1}; delete that part"
            )
    failed = failures.groupby(["dataset", "searcher"], observed=True)["seed"].nunique().to_dict()
    counts = {key: len(found[key].seeds) if key in found else 0 for key in wanted}
    return tuple(
        Gap(*key, count, asked.seeds, int(failed.get(key, 0))) for key, count in counts.items() if count < asked.seeds
    )


def _expected(run: Run, asked: Asked) -> dict[str, pd.DataFrame]:
    """The closed-form line of each data set that has one, checked for its columns."""
    frames = {}
    for task in asked.tasks:
        try:
            frame = run.expectation(task.dataset)
        except MissingFile:
            continue  # said on the page
        absent = {"query", "seconds", *BOUNDS} - set(frame.columns)
        if absent or not len(frame):
            lacks = f"no column {', '.join(sorted(absent))}" if absent else "no rows"
            raise BadFile(f"expectation-{task.dataset}.parquet has {lacks}; delete it and start the same command again")
        frames[task.dataset] = frame
    return frames


def _incumbents(asked: Asked, found: Mapping[tuple[str, str], Repetitions]) -> pd.DataFrame:
    """One row per repetition: its last incumbent."""
    frames = []
    for task in asked.tasks:
        for label in asked.labels:
            if (runs := found.get((task.dataset, label))) is not None:
                numbers = {name: runs.final(name) for name in ("value", "budget", "valid", "test")}
                spent: dict[str, Any] = {"queries": runs.lengths}
                spent |= {name: runs.last(name) for name in ("seconds", "searcher_seconds", "proxy_seconds")}
                keys = {"dataset": task.dataset, "searcher": label, "seed": runs.seeds, "id": runs.final_id}
                frames.append(pd.DataFrame({**keys, **numbers, **spent}))
    return pd.concat(frames, ignore_index=True)
