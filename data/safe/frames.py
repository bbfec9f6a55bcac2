"""From the stand-ins of a decoded pickle to plain data: real numpy arrays, and pandas frames as a small `Frame`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .numpy_stand_ins import Array
from .opcodes import Refused
from .pandas_stand_ins import DataFrame, Index, Slice
from .stand_ins import Call, Kept

Values = npt.NDArray[Any] | list[Any]


@dataclass(frozen=True)
class Frame:
    """A pandas frame without pandas: named columns of equal length, numpy arrays or lists of plain values.

    >>> Frame(("a",), (np.array([1.0, 2.0]),), range(2))["a"]
    array([1., 2.])
    """

    columns: tuple[str, ...]
    values: tuple[Values, ...]
    index: Sequence[Any] | npt.NDArray[Any]

    def __post_init__(self) -> None:
        lengths = {len(values) for values in self.values} | {len(self.index)}
        if len(self.columns) != len(self.values) or len(set(self.columns)) != len(self.columns) or len(lengths) != 1:
            raise Refused(f"a frame whose columns and index do not fit: lengths {sorted(lengths)}")

    def __getitem__(self, column: str) -> Values:
        if column not in self.columns:
            raise KeyError(column)
        return self.values[self.columns.index(column)]

    def __len__(self) -> int:
        return len(self.index)


def resolve(value: Any) -> Any:
    """``value`` with every stand-in replaced by what it stands for, at any depth; shared parts stay shared.

    Raises:
        Refused: a stand-in that is no data (a name, a type), or a tuple that contains itself.
    """
    return _resolve(value, {})


def _resolve(value: Any, done: dict[int, Any]) -> Any:
    kind = type(value)
    if kind in (int, float, str, bytes, bool, type(None)):
        return value
    if id(value) in done:
        return done[id(value)]
    if kind is list:
        done[id(value)] = value
        value[:] = [_resolve(item, done) for item in value]
    elif kind is dict:
        done[id(value)] = value
        for key, item in value.items():
            value[key] = _resolve(item, done)
    elif kind is tuple:
        done[id(value)] = _Unfinished()
        done[id(value)] = tuple(_resolve(item, done) for item in value)
        if any(isinstance(item, _Unfinished) for item in done[id(value)]):
            raise Refused("a tuple that contains itself")
    elif isinstance(value, Array):
        done[id(value)] = value.value
    elif isinstance(value, DataFrame):
        done[id(value)] = _frame(value)
    elif isinstance(value, Index):
        done[id(value)] = value.labels
    elif isinstance(value, (Call, Kept)) or (isinstance(value, type) and issubclass(value, Kept)):
        raise Refused(f"it holds {getattr(value, 'words', type(value).__name__)}, which is no data")
    else:
        return value
    return done[id(value)]


class _Unfinished:
    """Marks a tuple on the way to its own parts."""


def _frame(frame: DataFrame) -> Frame:
    blocks, axes = frame.manager.blocks, frame.manager.axes
    if len(axes) != 2 or not all(isinstance(axis, Index) for axis in axes):
        raise Refused("a pandas frame of other than two axes")
    columns = list(axes[0].labels)
    if not all(isinstance(label, str) for label in columns):
        raise Refused("a pandas frame with column labels that are no text")
    found: list[Values | None] = [None] * len(columns)
    for block in blocks:
        for position, values in _columns_of(block, len(columns)):
            if found[position] is not None:
                raise Refused(f"a pandas frame that has column {position} twice")
            found[position] = values
    if any(values is None for values in found):
        raise Refused("a pandas frame without values for every column")
    return Frame(tuple(columns), tuple(values for values in found if values is not None), axes[1].labels)


def _columns_of(block: Any, count: int) -> Iterator[tuple[int, Values]]:
    values = block.values.value if isinstance(block.values, Array) else None
    if values is None or (isinstance(values, np.ndarray) and values.ndim != 2):
        raise Refused("a block of a pandas frame that is no array of columns")
    if isinstance(block.placement, Slice):
        positions = list(range(count)[block.placement.value])
    elif isinstance(block.placement, Array) and isinstance(block.placement.value, np.ndarray):
        positions = [int(position) for position in block.placement.value.ravel()]
    else:
        raise Refused("a block of a pandas frame without positions")
    if len(positions) != len(values) or not all(0 <= position < count for position in positions):
        raise Refused(f"a block of a pandas frame of {len(values)} columns for {len(positions)} positions")
    yield from zip(positions, values, strict=True)
