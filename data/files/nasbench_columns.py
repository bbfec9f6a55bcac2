"""The columns of a full NAS-Bench-101 table, the same from an official file as from an open ``nasbench`` object.

Accuracies are percent, as everywhere. The official numbers are fractions; those of the released files have the
precision of float32, so that ``percent / 100`` is exactly the official number. A source with finer fractions gets
columns ``train_fraction``, ``valid_fraction`` and ``test_fraction`` besides, which hold them as they are.

What only the drop-in needs lies in static columns, -1 (or 0) where the source lacks the cell: ``_official_cell`` (the
numbering of the vertices that the source stores, packed as in `cells101_code`), ``_official_hash_high`` and ``..._low``
(the module hash), and by budget ``_official_record`` (where the source first has it) and ``_repeats`` (how many).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ...bench.column import Column
from ...bench.errors import BadFile
from ...bench.spaces import Ids
from ...bench.spaces.cells101 import load_codes
from ...bench.spaces.cells101_code import Codes, canonical
from ...bench.spaces.cells101_hash import code_hashes
from ..public.nasbench101 import DATASET, NO_EVALUATIONS, ON_TEST, ON_VALID, REPEATS, TRAINED_ON

METRICS = ("train_seconds", "train_accuracy", "valid_accuracy", "test_accuracy")
OFFICIAL_METRICS = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
"""The same four as the official package calls them."""
WORDS = (NO_EVALUATIONS, "on a part of its training images", ON_VALID, ON_TEST)
HASHED = 2048
"""Cells whose module hash is computed and compared; the order of the others is compared only."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """The m cells of a source, ascending by id."""

    ids: Ids
    codes: Codes  # as stored
    hashes: npt.NDArray[np.uint64]  # (m, 2): leading half, trailing half
    parameters: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Runs:
    """The n training runs of one budget, in the source's order."""

    budget: int
    ids: Ids
    records: npt.NDArray[np.int64]  # place of each run in the source
    values: Floats  # (n, checkpoint, metric): METRICS, accuracies as fractions
    checkpoints: tuple[int, ...]
    epochs: Floats | None = None  # (n, checkpoint): the stored epochs, where they are not the checkpoints
    total_seconds: Floats | None = None  # (n,): training and evaluations
    differing: Mapping[str, npt.NDArray[np.generic]] = field(default_factory=dict)
    """Metric -> (n,): what should be the same in all runs of a cell and is not."""


def fraction(metric: str) -> str:
    """The metric that holds the exact official fractions of an accuracy, where percent are not exact."""
    return metric.replace("_accuracy", "_fraction")


def place(codes: Codes) -> Ids:
    """Ids of pruned cells in any numbering of their vertices, (n,)."""
    known = load_codes()
    order = np.argsort(known)
    unique, inverse = np.unique(codes, return_inverse=True)
    ids: Ids = order[np.searchsorted(known, canonical(unique), sorter=order)][inverse]
    return ids


def misplaced(cells: Cells) -> int | None:
    """The place of a cell whose module hash is wrong, None where all are right.

    Ids follow the ascending module hash, so hashes that do not ascend are wrong; besides, up to `HASHED` of them are
    computed. (All of them would take half a minute.)
    """
    high, low = cells.hashes.T
    wrong = ~((high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] > low[:-1])))
    if wrong.any():
        suspects = np.flatnonzero(wrong)[0] + np.arange(2)
    else:
        suspects = np.unique(np.linspace(0, len(high) - 1, HASHED).astype(np.int64))
    for suspect, expected in zip(suspects, code_hashes(cells.codes[suspects]), strict=True):
        if f"{high[suspect]:016x}{low[suspect]:016x}" != expected:
            return int(suspect)
    return int(suspects[0]) if wrong.any() else None


def cell_columns(size: int, cells: Cells) -> Iterator[Column]:
    """The static columns of a space of ``size`` cells."""
    parameters = np.full(size, np.nan)
    parameters[cells.ids] = cells.parameters
    yield Column("trainable_parameters", parameters, DATASET, provenance="computed")
    codes = np.zeros(size, dtype=np.uint32)
    codes[cells.ids] = cells.codes
    yield Column("_official_cell", codes)
    for name, half in (("_official_hash_high", 0), ("_official_hash_low", 1)):
        halves = np.zeros(size, dtype=np.uint64)
        halves[cells.ids] = cells.hashes[:, half]
        yield Column(name, halves)


def run_columns(size: int, runs: Runs, source: str) -> Iterator[Column]:
    """The columns of one budget.

    Raises:
        BadFile: more than three runs of a cell; ``source`` names the file.
    """
    repeats, budget = _repeats(runs.ids), runs.budget
    if len(repeats) and repeats.max() >= REPEATS:
        record = runs.records[np.argmax(repeats)]
        raise BadFile(
            f"{source}: record {record:,} is run {REPEATS + 1} of a cell at {budget} epochs; at most {REPEATS}"
        )
    first = np.full(size, -1, dtype=np.int64)
    first[runs.ids[repeats == 0]] = runs.records[repeats == 0]
    yield Column("_official_record", first.astype(np.int32), DATASET, budget)
    yield Column("_repeats", np.bincount(runs.ids, minlength=size).astype(np.uint8), DATASET, budget)

    def both(metric: str, values: Floats, words: str) -> Iterator[Column]:
        """Ends of the runs and their checkpoints, from (n, checkpoint)."""
        grid = np.full((size, REPEATS, len(runs.checkpoints)), np.nan)
        grid[runs.ids, repeats] = values
        about = (DATASET, budget, tuple(range(REPEATS)), TRAINED_ON, words)
        yield Column(metric, grid[:, :, -1].copy(), *about)
        yield Column(metric, grid, *about, epochs=runs.checkpoints)

    for place, (metric, words) in enumerate(zip(METRICS, WORDS, strict=True)):
        values = runs.values[:, :, place]
        if metric == "train_seconds":
            yield from both(metric, values, words)
            ends = np.full((size, REPEATS), np.nan)
            ends[runs.ids, repeats] = values[:, -1]
            yield Column(
                "search_seconds", ends, DATASET, budget, tuple(range(REPEATS)), TRAINED_ON, words,
                alias_of=f"{DATASET}/{budget}/train_seconds/runs",
            )  # fmt: skip
            continue
        percent = 100 * values
        yield from both(metric, percent, words)
        if not np.array_equal(percent / 100, values, equal_nan=True):
            yield from both(fraction(metric), values, words)
    if runs.epochs is not None:
        yield from both("current_epoch", runs.epochs, "epochs of training at each checkpoint")
    if runs.total_seconds is not None and not np.isnan(runs.total_seconds).all():
        totals = np.full((size, REPEATS), np.nan)
        totals[runs.ids, repeats] = runs.total_seconds
        words = "seconds of training and evaluations"
        yield Column("total_seconds", totals, DATASET, budget, tuple(range(REPEATS)), TRAINED_ON, words)
    for metric, numbers in runs.differing.items():
        several = np.full((size, REPEATS), np.nan)
        several[runs.ids, repeats] = numbers
        yield Column(metric, several, DATASET, budget, tuple(range(REPEATS)), TRAINED_ON, provenance="computed")


def _repeats(ids: Ids) -> npt.NDArray[np.int64]:
    """How many earlier runs of the same cell each run has, (n,)."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    repeats = np.empty(len(ids), dtype=np.int64)
    repeats[order] = np.arange(len(ids)) - np.repeat(starts, np.diff(starts, append=len(ids)))
    return repeats
