"""What came out of a comparison, as numbers: curves, final values, paired differences, effort and gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from ...bench.errors import BadFile, MissingFile
from ...searchers.run import Run
from ..statistics import SEED, Floats, paired, summarise
from .asked import SPLITS, Asked, Task
from .trajectory import Curve, Ints, Repetitions, mean_curve, query_grid, seconds_grid, split

AXES = ("seconds", "queries")
EQUAL = 1e-5  # points: a run is at the optimum when its regret is no larger (columns may be single precision)
BOUNDS = {f"{name}{end}" for name in SPLITS for end in ("", "_low", "_high")}


@dataclass(frozen=True)
class Gap:
    """Repetitions that were asked for and are not in the run folder."""

    dataset: str
    searcher: str
    found: int
    expected: int


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything a comparison's report says in numbers. Keys are data sets and searchers' labels.

    ``curves`` is keyed by (data set, axis, split, searcher) and ``ends`` by (data set, axis): the budget where one was
    set on that axis, else the longest run. ``expected`` holds the closed-form random-search line of each data set
    that has one. The frames are what the CSV files hold; each starts with its key columns.
    """

    asked: Asked
    repetitions: Mapping[tuple[str, str], Repetitions]
    curves: Mapping[tuple[str, str, str, str], Curve]
    ends: Mapping[tuple[str, str], float]
    expected: Mapping[str, pd.DataFrame]
    gaps: tuple[Gap, ...]
    final: pd.DataFrame
    paired: pd.DataFrame
    effort: pd.DataFrame
    incumbents: pd.DataFrame

    def axes(self, dataset: str) -> tuple[str, ...]:
        """The axes that ``dataset`` can be drawn against: time needs a clock."""
        return tuple(axis for axis in AXES if (dataset, axis) in self.ends)


def outcome(run: Run) -> Outcome:
    """Compute everything from the run folder; the same folder gives the same numbers.

    Raises:
        BadFile: run.json or a part is damaged, or a part holds what run.json never asked for.
        MissingFile: there is no finished part at all.
    """
    asked = Asked.of(run.config)
    found = split(run.records())
    gaps = _gaps(asked, found)
    ends = {
        (task.dataset, axis): end
        for task in asked.tasks
        for axis in AXES
        if (end := _end(asked, [runs for (dataset, _), runs in found.items() if dataset == task.dataset], axis))
    }
    tables: dict[str, list[dict[str, object]]] = {"final": [], "paired": [], "effort": []}
    curves: dict[tuple[str, str, str, str], Curve] = {}
    for task in asked.tasks:
        reference = found.get((task.dataset, asked.labels[0]))
        for label in asked.labels:
            runs = found.get((task.dataset, label))
            for name in SPLITS:
                tables["final"].append(_final(task, label, name, runs))
            if runs is None:
                continue
            tables["effort"].append({"dataset": task.dataset, "searcher": label, **_effort(runs)})
            for axis in AXES:
                if (task.dataset, axis) in ends:
                    x, finished = _grid(runs, axis, ends[task.dataset, axis])
                    for name in SPLITS:
                        curves[task.dataset, axis, name, label] = mean_curve(runs, name, x, finished, _rng())
            if reference is not None and label != asked.labels[0]:
                for name in SPLITS:
                    difference = paired(runs.final(name), runs.seeds, reference.final(name), reference.seeds, _rng())
                    keys = {"dataset": task.dataset, "searcher": label, "reference": asked.labels[0], "split": name}
                    tables["paired"].append({**keys, **asdict(difference), "verdict": difference.verdict})
    return Outcome(
        asked=asked,
        repetitions=found,
        curves=curves,
        ends=ends,
        expected=_expected(run, asked),
        gaps=gaps,
        final=pd.DataFrame(tables["final"]),
        paired=pd.DataFrame(tables["paired"]),
        effort=pd.DataFrame(tables["effort"]),
        incumbents=_incumbents(asked, found),
    )


def curve_table(outcome: Outcome) -> pd.DataFrame:
    """All curves in one long frame: mean accuracy of the incumbent and its interval [percent]."""
    frames = []
    for (dataset, axis, name, label), curve in outcome.curves.items():
        columns = {"mean": curve.mean, "low": curve.low, "high": curve.high, "runs": curve.runs}
        keys = {"dataset": dataset, "axis": axis, "split": name, "searcher": label}
        frames.append(pd.DataFrame({**keys, "x": curve.x, **columns}))
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

    A single budget is always shown whole; where both are set, only one of them can have ended the runs.
    """
    if not runs or (axis == "seconds" and any(np.isnan(each.last("seconds")).any() for each in runs)):
        return 0.0
    longest = float(max((each.last("seconds") if axis == "seconds" else each.lengths).max() for each in runs))
    budget, other = (asked.seconds, asked.queries) if axis == "seconds" else (asked.queries, asked.seconds)
    if budget is None:
        return longest
    return float(budget) if other is None else min(float(budget), longest)


def _grid(runs: Repetitions, axis: str, end: float) -> tuple[Floats, Ints]:
    """The grid of an axis and the evaluations that each run has finished at its points."""
    if axis == "seconds":
        times = seconds_grid(end)
        return times, runs.finished_by(times)
    counts = query_grid(int(end))
    return counts.astype(np.float64), runs.finished_after_queries(counts)


def _final(task: Task, label: str, name: str, runs: Repetitions | None) -> dict[str, object]:
    """One row of the final table: the last incumbents' accuracy on one split, and its regret."""
    values = np.empty(0) if runs is None else runs.final(name)
    row = {"dataset": task.dataset, "searcher": label, "split": name, **asdict(summarise(values, _rng()))}
    best = task.optimum[name]
    regret = np.full_like(values, np.nan) if best is None else best.value - values
    known = regret[~np.isnan(regret)]
    value = np.nan if best is None else best.value
    row["regret"], row["regret_low"], row["regret_high"] = (value - row[end] for end in ("mean", "high", "low"))
    row["at_optimum"] = float((known <= EQUAL).mean()) if known.size else np.nan
    return row


def _effort(runs: Repetitions) -> dict[str, object]:
    """What the repetitions of one searcher spent."""
    overhead = runs.last("searcher_seconds") / runs.lengths * 1e6
    return {
        "runs": len(runs.seeds),
        "queries_mean": float(runs.lengths.mean()),
        "queries_least": int(runs.lengths.min()),
        "queries_most": int(runs.lengths.max()),
        "distinct_mean": float(runs.distinct.mean()),
        "simulated_seconds_mean": float(runs.last("seconds").mean()),
        "searcher_microseconds_per_query": float(overhead.mean()),
    }


def _gaps(asked: Asked, found: Mapping[tuple[str, str], Repetitions]) -> tuple[Gap, ...]:
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
    counts = {key: len(found[key].seeds) if key in found else 0 for key in wanted}
    return tuple(Gap(*key, count, asked.seeds) for key, count in counts.items() if count < asked.seeds)


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
                numbers = {name: runs.final(name) for name in ("value", "valid", "test")}
                spent = {"queries": runs.lengths, "seconds": runs.last("seconds")}
                keys = {"dataset": task.dataset, "searcher": label, "seed": runs.seeds, "id": runs.final_id}
                frames.append(pd.DataFrame({**keys, **numbers, **spent}))
    return pd.concat(frames, ignore_index=True)
