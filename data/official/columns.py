"""Columns of a table read number by number: flat views of mapped memory, microseconds each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ...bench.table import Entry, Table

NOBODY = -1


@lru_cache(maxsize=4096)
def total(seconds: float, epochs: int) -> float:
    """Seconds of so many equal epochs, added one by one as the official packages do."""
    return sum([seconds] * epochs)


def flat(values: npt.NDArray[Any]) -> memoryview[float]:
    """All numbers in a row, of Python's type when indexed. Through bytes: a column may lie unaligned in the file."""
    line = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("=")).reshape(-1)
    return cast("memoryview[float]", memoryview(cast(Any, line.view(np.uint8))).cast(cast(Any, line.dtype.char)))


class Curve:
    """One metric of every epoch: a flat view of the mapped column, or of the rows of the latest architecture."""

    def __init__(self, table: Table, path: str, shape: Sequence[int]) -> None:
        self._table, self._path = table, path
        self._row = shape[1] * shape[2]
        self._latest = NOBODY, flat(np.empty(0))  # of one piece: threads may ask at once
        self._view = flat(table.read(path)) if table.is_mapped(path) else None

    def row(self, arch: int) -> tuple[memoryview[float], int]:
        """A view and the place in it where the (seed, epoch) values of an architecture begin."""
        if self._view is not None:
            return self._view, arch * self._row
        latest, rows = self._latest
        if latest != arch:
            rows = flat(self._table.read_curves(self._path, np.array([arch], dtype=np.int64)))
            self._latest = arch, rows
        return rows, 0


class Quantity:
    """One column of a data set: ends of runs, and the curve where there is one; each looked up when asked for."""

    def __init__(self, table: Table, stem: str, metric: str, entries: Mapping[str, Entry]) -> None:
        self._table, self._runs = table, f"{stem}/{metric}/runs"
        self.there = self._runs in entries
        self._curves = entries.get(f"{stem}/{metric}/curves")

    @cached_property
    def last(self) -> memoryview[float]:
        """Ends of runs, (arch, seed) in a row; empty where there is no such column."""
        return flat(self._table.read(self._runs) if self.there else np.empty(0))

    @cached_property
    def curve(self) -> Curve | None:
        """Every epoch, where more than the end is known."""
        return None if self._curves is None else Curve(self._table, self._curves.path, self._curves.shape)


class EvaluatedSet:
    """Accuracy, loss and seconds of one set."""

    def __init__(self, accuracy: Quantity, loss: Quantity, seconds: Quantity) -> None:
        self.accuracy, self.loss, self.seconds = accuracy, loss, seconds

    def times(
        self, arch: int, places: Sequence[int], width: int, stride: int, epoch: int
    ) -> tuple[list[float | None], list[float | None]]:
        """Seconds of an epoch and of all up to it, for each trial; None where not measured."""
        if not self.seconds.there:
            return [None] * len(places), [None] * len(places)
        current: list[float | None] = []
        total: list[float | None] = []
        if self.seconds.curve is not None:
            view, base = self.seconds.curve.row(arch)
            for place in places:
                start = base + place * stride
                seconds = view[start + epoch]
                known = seconds == seconds
                current.append(seconds if known else None)
                total.append(sum(view[start : start + epoch + 1].tolist()) if known else None)
            return current, total
        before = whole = None
        for place in places:
            seconds = self.seconds.last[arch * width + place]
            if seconds != before:
                before, whole = (seconds, sum([seconds] * (epoch + 1))) if seconds == seconds else (None, None)
            current.append(before)
            total.append(whole)
        return current, total

    def every_epoch(self, arch: int, place: int, width: int, stride: int, length: int) -> list[float] | None:
        """Seconds of all epochs of a trial, None if one of them is unknown."""
        if not self.seconds.there:
            return None
        if self.seconds.curve is not None:
            view, base = self.seconds.curve.row(arch)
            values: list[float] = [*view[base + place * stride : base + place * stride + length]]
        else:
            values = [float(self.seconds.last[arch * width + place])] * length
        return None if any(value != value for value in values) else values
