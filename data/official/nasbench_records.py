"""What a converted NAS-Bench-101 table answers about one module hash, in the official package's dictionaries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadFile
from ...bench.spaces import space
from ...bench.spaces.cells101 import Cells101
from ...bench.spaces.cells101_code import DIGITS, FIRST_CODE, MAX_VERTICES, canonical_one, edge_bit
from ...bench.spaces.cells101_hash import INPUT, OPERATIONS, OUTPUT
from ...bench.table import Table
from ..files.nasbench_columns import METRICS, OFFICIAL_METRICS, fraction
from ..files.nasbench_records import VERTICES, Labelings, Structures
from ..public.nasbench101 import DATASET

Info = dict[str, Any]
NEEDED = "_official_cell"
_LABELS = [[OPERATIONS[label] for label in labels] for labels in DIGITS.tolist()]  # of each labelling
FEW = 2_000  # cells; so many are read from a sparse column row by row


class Records:
    """The cells of a table by their module hash; numbers are read when they are asked for.

    Raises:
        BadFile: a table of another space, or one that was not converted from an official file.
    """

    def __init__(self, table: Table) -> None:
        paths = {entry.path: entry for entry in table.entries}
        if table.info["space"] != Cells101.name or f"any/static/{NEEDED}/static" not in paths:
            raise BadFile(
                f"{table.path}: not converted from an official NAS-Bench-101 file; the official package's answers need "
                "every repeat: give the .tfrecord, or the table that `nasgauge convert` makes of it"
            )
        self.table = table
        self._entries = paths
        self._structures, self._labelings = Structures(), Labelings()
        self.budgets = tuple(
            sorted(
                (int(entry.budget) for entry in table.entries if entry.metric == "_repeats" and entry.budget),
                key=lambda budget: int(self._first_records(budget).min(initial=np.iinfo(np.int64).max)),
            )
        )

    def __reduce__(self) -> tuple[type[Records], tuple[Table]]:
        """A copy opens the table itself: views of mapped memory cannot travel."""
        return Records, (self.table,)

    @cached_property
    def _space(self) -> Cells101:
        return cast(Cells101, space(Cells101.name))

    @cached_property
    def ids(self) -> npt.NDArray[np.int64]:
        """Ids of the cells at hand, ascending: so are their module hashes."""
        return np.flatnonzero(self.table.read(f"any/static/{NEEDED}/static"))

    @cached_property
    def _codes(self) -> npt.NDArray[np.uint32]:
        return self._static(NEEDED).astype(np.uint32)

    @cached_property
    def _high(self) -> npt.NDArray[np.uint64]:
        return self._static("_official_hash_high").astype(np.uint64)

    @cached_property
    def _low(self) -> npt.NDArray[np.uint64]:
        return self._static("_official_hash_low").astype(np.uint64)

    @cached_property
    def _parameters(self) -> npt.NDArray[np.generic]:
        return self.table.read(f"{DATASET}/static/trainable_parameters/static")[self.ids]

    @cached_property
    def _records(self) -> dict[int, npt.NDArray[np.int64]]:
        """Budget -> place in the file of each cell's first record, -1 where there is none."""
        return {b: self.table.read(f"{DATASET}/{b}/_official_record/mean")[self.ids].astype(int) for b in self.budgets}

    @cached_property
    def _repeats(self) -> dict[int, npt.NDArray[np.generic]]:
        return {budget: self.table.read(f"{DATASET}/{budget}/_repeats/mean")[self.ids] for budget in self.budgets}

    @cached_property
    def order(self) -> npt.NDArray[np.int64]:
        """Places of the cells in the order of their first records in the file."""
        records = np.stack([self._records[budget] for budget in self.budgets])
        return np.argsort(np.where(records < 0, np.iinfo(np.int64).max, records).min(axis=0))

    def place(self, module_hash: object) -> int:
        """Place of a module hash among `ids`; KeyError where it is not there."""
        if isinstance(module_hash, str) and re.fullmatch("[0-9a-f]{32}", module_hash):
            place = int(np.searchsorted(self._high, np.uint64(int(module_hash[:16], 16))))
            if place < len(self.ids) and self.hash(place) == module_hash:
                return place
        raise KeyError(module_hash)

    def place_of_cell(self, matrix: npt.NDArray[Any], operations: Sequence[str]) -> int | None:
        """Place of a pruned, legal cell in any numbering, by its form and not by its hash; None where it is not there.

        A fifth of the time of the hash. None too for what the hash alone can tell: a matrix that is not pruned or
        holds anything but integers 0 and 1.
        """
        if matrix.dtype.kind not in "biu":
            return None
        try:
            structure = self._structures["".join(map(str, (matrix + 0).ravel().tolist()))]
            labeling = self._labelings[",".join(operations)]
        except ValueError:
            return None
        if (structure ^ labeling) & VERTICES:
            return None
        code = canonical_one((structure >> 3) * FIRST_CODE + (labeling >> 3), structure & VERTICES)
        arch = self._space.id_of_code(code)
        place = int(self.ids.searchsorted(arch))
        return place if place < len(self.ids) and self.ids[place] == arch else None

    def hash(self, place: int) -> str:
        """The module hash of the cell at ``place``."""
        return f"{self._high[place]:016x}{self._low[place]:016x}"

    def fixed(self, place: int) -> Info:
        """Adjacency and operations as stored, and trainable parameters."""
        code = int(self._codes[place])
        matrix = _adjacency(code // FIRST_CODE)
        labels = _LABELS[code % FIRST_CODE][MAX_VERTICES - len(matrix) :]
        return {
            "module_adjacency": matrix.copy(),
            "module_operations": [INPUT, *labels, OUTPUT],
            "trainable_parameters": int(self._parameters[place]),
        }

    def epochs(self, place: int) -> list[int]:
        """Budgets of the cell at ``place``, in the order of the file."""
        records = {budget: self._records[budget][place] for budget in self.budgets}
        return sorted((budget for budget in self.budgets if records[budget] >= 0), key=records.__getitem__)

    def repeats(self, place: int, epochs: object) -> int:
        """Number of runs; KeyError where the cell was not trained for so long."""
        if epochs not in self.budgets or not self._repeats[epochs][place]:  # type: ignore[index]
            raise KeyError(epochs)
        return int(self._repeats[epochs][place])  # type: ignore[index, arg-type]

    def run(self, place: int, epochs: int, repeat: int, when: str) -> list[float]:
        """OFFICIAL_METRICS of one run, "halfway" or "final"."""
        checkpoints, columns, wholes = self._numbers[epochs]
        at = checkpoints.index(epochs // 2 if when == "halfway" else epochs)
        return [rows(place).item(repeat, at) / whole for rows, whole in zip(columns, wholes, strict=True)]

    def _run(self, place: int, epochs: int, repeat: int) -> Info:
        return {
            f"{when}_{metric}": value
            for when in ("halfway", "final")
            for metric, value in zip(OFFICIAL_METRICS, self.run(place, epochs, repeat, when), strict=True)
        }

    def computed(self, place: int) -> dict[int, list[Info]]:
        """All runs of the cell at ``place``."""
        return {
            epochs: [self._run(place, epochs, repeat) for repeat in range(self.repeats(place, epochs))]
            for epochs in self.epochs(place)
        }

    @cached_property
    def _numbers(self) -> dict[int, tuple[tuple[int, ...], list[Callable[[int], Any]], list[float]]]:
        """Budget -> its checkpoints, and of each metric the (run, checkpoint) rows by place and what one whole is."""
        numbers = {}
        for budget in self.budgets:
            paths, wholes = [], []
            for metric in METRICS:
                exact = f"{DATASET}/{budget}/{fraction(metric)}/curves"
                paths.append(exact if exact in self._entries else f"{DATASET}/{budget}/{metric}/curves")
                wholes.append(100.0 if paths[-1] != exact else 1.0)
            checkpoints = self._entries[paths[0]].epochs or ()
            numbers[budget] = (checkpoints, [self._rows(path) for path in paths], wholes)
        return numbers

    def _rows(self, path: str) -> Callable[[int], Any]:
        """Rows of a curve column by place: from the mapped file, or, of a sparse column, from what little it holds."""
        if self.table.is_mapped(path):
            values, ids = self.table.read(path), self.ids
            return lambda place: values[ids[place]]
        few = len(self.ids) <= FEW
        return (self.table.read_curves(path, self.ids) if few else self.table.read(path)[self.ids]).__getitem__

    def _static(self, metric: str) -> npt.NDArray[np.generic]:
        return self.table.read(f"any/static/{metric}/static")[self.ids]

    def _first_records(self, budget: int) -> npt.NDArray[np.generic]:
        records = self.table.read(f"{DATASET}/{budget}/_official_record/mean").astype(np.int64)
        return records[records >= 0]


@cache
def _adjacency(bits: int) -> npt.NDArray[np.int8]:
    """The matrix of a cell's edge bits, (vertices, vertices)."""
    vertices = 2
    while bits >> edge_bit(0, vertices):
        vertices += 1
    matrix = np.zeros((vertices, vertices), dtype=np.int8)
    for target in range(1, vertices):
        for source in range(target):
            matrix[source, target] = bits >> edge_bit(source, target) & 1
    return matrix


class Statistics(Mapping[str, Any]):
    """A dictionary by module hash, in the order of the file, whose values are made when they are asked for."""

    def __init__(self, records: Records, value: Callable[[int], Any]) -> None:
        self._records = records
        self._value = value

    def __getitem__(self, module_hash: str) -> Any:
        return self._value(self._records.place(module_hash))

    def __contains__(self, module_hash: object) -> bool:
        try:
            self._records.place(module_hash)
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return map(self._records.hash, self._records.order.tolist())

    def __len__(self) -> int:
        return len(self._records.ids)

    def __repr__(self) -> str:
        return f"<statistics of {len(self):,} modules>"
