"""From records (one row per evaluation) to incumbents and their step curves on a common grid.

The incumbent is the evaluation with the largest ``value`` so far, the number the searcher was told; the first one
wins ties. Nothing else chooses it: ``valid`` and ``test`` are looked up for the incumbent and never compared.
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
from ..statistics import Floats, bootstrap_mean

if TYPE_CHECKING:
    import pandas as pd

Ints: TypeAlias = npt.NDArray[np.int64]

NUMBERS = ("value", "seconds", "searcher_seconds", "valid", "test")
COLUMNS = ("dataset", "searcher", "seed", "query", "id", *NUMBERS)
POINTS = 300  # of a grid


@dataclass(frozen=True, eq=False)
class Repetitions:
    """All runs of one searcher on one data set: row k is the run with seed ``seeds[k]``.

    The arrays below are (n_run, longest run) and hold NaN (``id``: -1) after a run's last evaluation.
    ``numbers`` has one for each of `NUMBERS`: accuracies in percent, cumulative seconds.
    """

    seeds: Ints  # (n_run,)
    lengths: Ints  # (n_run,) evaluations of each run, at least one
    id: Ints
    numbers: Mapping[str, Floats]

    @cached_property
    def incumbents(self) -> Ints:
        """Column of the incumbent after each evaluation, (n_run, longest); -1 while no evaluation has a value."""
        value = np.where(np.isnan(self.numbers["value"]), -np.inf, self.numbers["value"])
        before = np.maximum.accumulate(value, axis=1)[:, :-1]
        better = value > np.concatenate([np.full((len(value), 1), -np.inf), before], axis=1)
        return np.maximum.accumulate(np.where(better, np.arange(value.shape[1]), -1), axis=1)

    def final(self, name: str) -> Floats:
        """Number ``name`` of each run's last incumbent, (n_run,); NaN where it is missing."""
        return self.at(name, self.lengths[:, None])[:, 0]

    def last(self, name: str) -> Floats:
        """Number ``name`` of each run's last evaluation, (n_run,)."""
        column: Floats = self.numbers[name][np.arange(len(self.seeds)), self.lengths - 1]
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

    def finished_after_queries(self, grid: Ints) -> Ints:
        """Evaluations each run has finished after ``grid`` queries, (n_run, n_grid): flat after its last one."""
        return np.minimum(grid[None, :], self.lengths[:, None])

    def finished_by(self, grid: Floats) -> Ints:
        """Evaluations each run has finished at the times ``grid`` [simulated seconds], (n_run, n_grid)."""
        n, points = len(self.seeds), len(grid)
        place = np.searchsorted(grid, self.numbers["seconds"], side="left")  # NaN sorts last: past the grid
        flat = (place + (points + 1) * np.arange(n)[:, None]).ravel()
        ended = np.bincount(flat, minlength=n * (points + 1)).reshape(n, points + 1)
        return np.cumsum(ended[:, :points], axis=1)

    def at(self, name: str, finished: Ints) -> Floats:
        """Number ``name`` of the incumbent after ``finished`` (n_run, n_grid) evaluations; NaN where there is none."""
        runs = np.arange(len(self.seeds))[:, None]
        column = np.where(finished > 0, self.incumbents[runs, np.maximum(finished - 1, 0)], -1)
        return np.where(column >= 0, self.numbers[name][runs, column], np.nan)

    def started(self, finished: Ints) -> npt.NDArray[np.bool_]:
        """Whether each run has an incumbent after ``finished`` (n_run, n_grid) evaluations."""
        runs = np.arange(len(self.seeds))[:, None]
        return (finished > 0) & (self.incumbents[runs, np.maximum(finished - 1, 0)] >= 0)


@dataclass(frozen=True, eq=False)
class Curve:
    """Mean over runs of the incumbent's accuracy, with the bootstrap interval of that mean [percent].

    All arrays are (n_grid,). NaN until every run has an incumbent; ``runs`` is how many runs each mean is over.
    """

    x: Floats
    mean: Floats
    low: Floats
    high: Floats
    runs: Ints


def mean_curve(
    repetitions: Repetitions, name: str, x: npt.ArrayLike, finished: Ints, rng: np.random.Generator
) -> Curve:
    """The curve of number ``name`` over the grid ``x``, at whose points ``finished`` evaluations are done.

    An incumbent whose number was never measured is left out of the mean at that point (``runs`` tells).
    """
    started = repetitions.started(finished).all(axis=0)
    values = np.where(started, repetitions.at(name, finished), np.nan)
    known = ~np.isnan(values)
    runs = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean = np.divide(total, runs, out=np.full(len(runs), np.nan), where=runs > 0)
    low, high = bootstrap_mean(values, rng)
    return Curve(np.asarray(x, dtype=np.float64), mean, low, high, runs)


def query_grid(end: int, points: int = POINTS) -> Ints:
    """Up to about ``points`` query counts from 1 to ``end``: all of the first fifty, then evenly spread."""
    early = np.arange(1, min(end, 50) + 1)
    late = np.round(np.linspace(1, end, points)).astype(np.int64)
    return np.unique(np.concatenate([early, late]))


def seconds_grid(end: float, points: int = POINTS) -> Floats:
    """Evenly spread times up to and including ``end`` [simulated seconds]."""
    return end * np.arange(1, points + 1) / points


def split(records: pd.DataFrame) -> dict[tuple[str, str], Repetitions]:
    """The records of a run (ordered as `Run.records` orders them), by (data set, searcher).

    Raises:
        BadFile: a column is absent, a repetition is not the queries 1, 2, ... once each (a part is there twice or
            is damaged), or its clock runs backwards.
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
    for bad, what in (
        (records["query"].to_numpy(np.int64) != column + 1, "is not the queries 1, 2, ... once each"),
        (backwards, "has a clock that runs backwards"),
    ):
        if bad.any():
            row = records.iloc[int(np.argmax(bad))]
            raise BadFile(
                f"repetition {row['seed']} of {row['searcher']!r} on {row['dataset']} {what} (query {row['query']}): "
                "a part is damaged or there twice; delete that searcher's parts and start the same command again"
            )
    numbers = {name: records[name].to_numpy(np.float64) for name in NUMBERS}
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
        )
    return found


def _padded(values: npt.NDArray[Any], cells: tuple[Ints, Ints], shape: tuple[int, int], fill: Any) -> npt.NDArray[Any]:
    """The values of ragged rows as one read-only matrix, ``fill`` behind the end of each row."""
    matrix = np.full(shape, fill, dtype=values.dtype)
    matrix[cells] = values
    matrix.flags.writeable = False
    return matrix
