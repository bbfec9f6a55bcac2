"""From records (one row per evaluation) to incumbents: which architecture each run would hand over, and when.

The incumbent is chosen by what the searcher was told and by nothing else: the evaluation of the largest training
length so far, among those the one with the largest ``value``, among those the first. ``valid`` and ``test`` are looked
up for the incumbent and never compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadFile
from ..statistics import Floats

if TYPE_CHECKING:
    import pandas as pd

Ints: TypeAlias = npt.NDArray[np.int64]

NUMBERS = (
    "value", "budget", "cost", "started", "seconds", "worker", "searcher_seconds", "proxy_seconds", "valid", "test",
)  # fmt: skip
COLUMNS = ("dataset", "searcher", "seed", "query", "id", *NUMBERS)
LATER = ("known",)  # columns that runs of an earlier version lack: NaN there
CONSTANT = ("memory_before", "memory_peak")  # likewise; one number for each repetition
CLOCKS = {"seconds": ("seconds",), "total": ("seconds", "searcher_seconds", "proxy_seconds")}  # axis -> what it sums


@dataclass(frozen=True, eq=False)
class Repetitions:
    """All runs of one searcher on one data set: row k is the run with seed ``seeds[k]``.

    The arrays below are (n_run, longest run) and hold NaN (``id``: -1) after a run's last evaluation.
    ``numbers`` has one for each of `NUMBERS` and `LATER`: accuracies in percent, seconds as `Run` documents them.
    ``constants`` has one number a run, (n_run,), for each of `CONSTANT`.
    """

    seeds: Ints  # (n_run,)
    lengths: Ints  # (n_run,) evaluations of each run, at least one
    id: Ints
    numbers: Mapping[str, Floats]
    constants: Mapping[str, Floats]

    @cached_property
    def incumbents(self) -> Ints:
        """Column of the incumbent after each evaluation, (n_run, longest); -1 while no evaluation has a value."""
        merit = self._merit
        before = np.maximum.accumulate(merit, axis=1)[:, :-1]
        better = merit > np.concatenate([np.full((len(merit), 1), -np.inf), before], axis=1)
        return np.maximum.accumulate(np.where(better, np.arange(merit.shape[1]), -1), axis=1)

    @property
    def _merit(self) -> Floats:
        """One number for each evaluation that orders them by (budget, value); -inf where there is no value."""
        value = np.where(np.isnan(self.numbers["value"]), -np.inf, self.numbers["value"])
        budget = self.numbers["budget"]
        if np.nanmin(budget) == np.nanmax(budget):
            return value
        flat_value, flat_budget = value.ravel(), budget.ravel()
        order = np.lexsort((flat_value, flat_budget))
        ordered = np.stack([flat_value[order], flat_budget[order]])
        merit = np.empty(value.size)
        merit[order] = np.r_[0, np.cumsum((ordered[:, 1:] != ordered[:, :-1]).any(axis=0))]
        return np.where(np.isinf(value), -np.inf, merit.reshape(value.shape))

    def final(self, name: str) -> Floats:
        """Number ``name`` of each run's last incumbent, (n_run,); NaN where it is missing."""
        return self.at(name, self.lengths[:, None])[:, 0]

    def last(self, name: str) -> Floats:
        """Number ``name`` of each run's last evaluation, (n_run,)."""
        column: Floats = self.numbers[name][np.arange(len(self.seeds)), self.lengths - 1]
        return column

    def clock(self, axis: str) -> Floats:
        """When each evaluation ended, (n_run, longest) [seconds]: simulated, or with all measured seconds on top."""
        first, *rest = CLOCKS[axis]
        return np.asarray(sum((self.numbers[name] for name in rest), self.numbers[first]))

    def ends(self, axis: str) -> Floats:
        """When each run ended, (n_run,): in queries, or seconds of that axis."""
        if axis == "queries":
            return self.lengths.astype(np.float64)
        column: Floats = self.clock(axis)[np.arange(len(self.seeds)), self.lengths - 1]
        return column

    @property
    def final_id(self) -> Ints:
        """Architecture of each run's last incumbent, (n_run,); -1 where no evaluation had a value."""
        runs = np.arange(len(self.seeds))
        column = self.incumbents[runs, self.lengths - 1]
        return np.where(column >= 0, self.id[runs, column], -1)

    @property
    def distinct(self) -> Ints:
        """Number of different architectures each run asked for, (n_run,)."""
        ordered = np.sort(self.id, axis=1)
        fresh: Ints = (np.diff(ordered, axis=1, prepend=-1) > 0).sum(axis=1)
        return fresh

    @property
    def without_value(self) -> Ints:
        """Evaluations of each run that came back without a value, (n_run,): never measured, or not feasible."""
        asked = np.arange(self.id.shape[1]) < self.lengths[:, None]
        count: Ints = (asked & np.isnan(self.numbers["value"])).sum(axis=1)
        return count

    def finished(self, axis: str, grid: Floats) -> Ints:
        """Evaluations each run has finished at the points ``grid`` of an axis, (n_run, n_grid)."""
        return self.finished_after_queries(grid) if axis == "queries" else self.finished_by(grid, axis)

    def finished_after_queries(self, grid: npt.ArrayLike) -> Ints:
        """Evaluations each run has finished after ``grid`` queries, (n_run, n_grid): flat after its last one."""
        return np.minimum(np.asarray(grid, dtype=np.int64)[None, :], self.lengths[:, None])

    def finished_by(self, grid: Floats, axis: str = "seconds") -> Ints:
        """Evaluations each run has finished at the times ``grid`` [seconds of that axis], (n_run, n_grid)."""
        n, points = len(self.seeds), len(grid)
        place = np.searchsorted(grid, self.clock(axis), side="left")  # NaN sorts last: past the grid
        flat = (place + (points + 1) * np.arange(n)[:, None]).ravel()
        ended = np.bincount(flat, minlength=n * (points + 1)).reshape(n, points + 1)
        return np.cumsum(ended[:, :points], axis=1)

    def at(self, name: str, finished: Ints) -> Floats:
        """Number ``name`` of the incumbent after ``finished`` (n_run, n_grid) evaluations; NaN where there is none."""
        runs = np.arange(len(self.seeds))[:, None]
        column = np.where(finished > 0, self.incumbents[runs, np.maximum(finished - 1, 0)], -1)
        return np.where(column >= 0, self.numbers[name][runs, column], np.nan)

    def trace(self, name: str) -> Floats:
        """Number ``name`` of the incumbent after every evaluation, (n_run, longest); NaN after a run's end."""
        runs = np.arange(len(self.seeds))[:, None]
        asked = np.arange(self.id.shape[1]) < self.lengths[:, None]
        return np.where(asked & (self.incumbents >= 0), self.numbers[name][runs, self.incumbents], np.nan)

    def started(self, finished: Ints) -> npt.NDArray[np.bool_]:
        """Whether each run has an incumbent after ``finished`` (n_run, n_grid) evaluations."""
        runs = np.arange(len(self.seeds))[:, None]
        return (finished > 0) & (self.incumbents[runs, np.maximum(finished - 1, 0)] >= 0)


def split(records: pd.DataFrame) -> dict[tuple[str, str], Repetitions]:
    """The records of a run (ordered as `Run.records` orders them), by (data set, searcher).

    Raises:
        BadFile: a column is absent, a repetition is not the queries 1, 2, ... once each (a part is there twice or
            is damaged), knows what had not ended, or its clock runs backwards.
    """
    import pandas as pd

    absent = [column for column in COLUMNS if column not in records]
    if absent:
        raise BadFile(f"the parts of this run have no column {', '.join(absent)}; delete them and run again")
    datasets, dataset_names = pd.factorize(records["dataset"])
    searchers, searcher_names = pd.factorize(records["searcher"])
    group = datasets * max(1, len(searcher_names)) + searchers
    seed = records["seed"].to_numpy(np.int64)
    new_group = np.diff(group, prepend=-1) != 0
    new_run = new_group | (np.diff(seed, prepend=seed[:1]) != 0)
    starts = np.flatnonzero(new_run)
    lengths = np.diff(np.append(starts, len(records)))
    column = np.arange(len(records)) - np.repeat(starts, lengths)
    seconds = records["seconds"].to_numpy(np.float64)
    backwards = (np.diff(seconds, prepend=0.0) < 0) & ~new_run
    known = records["known"].to_numpy(np.float64) if "known" in records else np.zeros(len(records))
    for bad, what in (
        (records["query"].to_numpy(np.int64) != column + 1, "is not the queries 1, 2, ... once each"),
        ((known < 0) | (known > column), "knows results that were not there yet"),
        (backwards, "has a clock that runs backwards"),
    ):
        if bad.any():
            row = records.iloc[int(np.argmax(bad))]
            raise BadFile(
                f"repetition {row['seed']} of {row['searcher']!r} on {row['dataset']} {what} (query {row['query']}): "
                "a part is damaged or there twice; delete that searcher's parts and start the same command again"
            )
    unknown = np.full(len(records), np.nan)
    numbers = {name: records[name].to_numpy(np.float64) if name in records else unknown for name in (*NUMBERS, *LATER)}
    constants = {
        name: records[name].to_numpy(np.float64)[starts] if name in records else unknown[starts] for name in CONSTANT
    }
    ids = records["id"].to_numpy(np.int64)
    first_runs = np.append(np.flatnonzero(new_group[starts]), len(starts))
    found = {}
    for first, last in pairwise(first_runs):
        rows = slice(starts[first], starts[last] if last < len(starts) else len(records))
        cells = (np.repeat(np.arange(last - first), lengths[first:last]), column[rows])
        shape = (int(last - first), int(lengths[first:last].max()))
        key = (str(dataset_names[datasets[rows.start]]), str(searcher_names[searchers[rows.start]]))
        if key in found:
            raise BadFile(f"the records of {key[1]!r} on {key[0]} are not in order; read them with Run.records()")
        found[key] = Repetitions(
            seeds=seed[starts[first:last]],
            lengths=lengths[first:last],
            id=_padded(ids[rows], cells, shape, -1),
            numbers={name: _padded(values[rows], cells, shape, np.nan) for name, values in numbers.items()},
            constants={name: values[first:last] for name, values in constants.items()},
        )
    return found


def _padded(values: npt.NDArray[Any], cells: tuple[Ints, Ints], shape: tuple[int, int], fill: Any) -> npt.NDArray[Any]:
    """The values of ragged rows as one read-only matrix, ``fill`` behind the end of each row."""
    matrix = np.full(shape, fill, dtype=values.dtype)
    matrix[cells] = values
    matrix.flags.writeable = False
    return matrix
