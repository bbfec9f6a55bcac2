"""Stand-ins for what numpy's own pickles call: types, arrays and scalars, made of checked bytes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from .opcodes import Refused
from .stand_ins import Budget, Kept, short

PLAIN_TYPES = (str, int, float, bool, bytes, type(None))
DTYPE = re.compile(r"([<>|=]?)(b1|\?|[iu][1248]|f[248]|O8?|[SU][1-9][0-9]{0,5})")


class Dtype(Kept):
    """What `numpy.dtype` would be: booleans, integers, floats, texts, bytes, or objects (lists of plain values)."""

    __slots__ = ("code", "order")

    def __init__(self, code: object, *_: object) -> None:
        match = DTYPE.fullmatch(code) if isinstance(code, str) else None
        if match is None:
            raise Refused(f"array type {short(code)} (booleans, integers, floats, texts and objects are read)")
        self.order, self.code = match.groups()

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) < 8 or state[1] not in ("<", ">", "|", "="):
            raise Refused("a state of numpy.dtype of unknown layout")
        if any(part is not None for part in state[2:5]):
            raise Refused("a structured array type")
        self.order = state[1]

    @property
    def is_object(self) -> bool:
        """Whether an array of this type is a list of Python values."""
        return self.code.startswith("O")

    def real(self) -> np.dtype[Any]:
        """The numpy dtype, built from the checked code."""
        return np.dtype(self.order.replace("=", "<") + self.code.replace("?", "b1"))


class Array(Kept):
    """What a numpy array would be; ``value`` is the real array, or nested lists where it holds objects."""

    __slots__ = ("budget", "value")

    value: npt.NDArray[Any] | list[Any]

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise Refused("a state of numpy.ndarray of unknown layout")
        _, shape, dtype, fortran, data = state
        if isinstance(data, str):  # bytes that Python 2 wrote (`decode` of ``python2``)
            self.budget.spend(len(data))
            data = data.encode("latin1")
        self.value = real_array(data, dtype, shape, "F" if fortran else "C", self.budget)


def real_array(
    data: object, dtype: object, shape: object, order: object, budget: Budget
) -> npt.NDArray[Any] | list[Any]:
    """The array that bytes (or a list of plain values) describe, after type, shape and size are checked.

    An array of numbers is a view of the file's bytes; one of objects is a list, or a list of rows.
    """
    if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape) or len(shape) > 8:
        raise Refused(f"array shape {short(shape)}")
    if not isinstance(dtype, Dtype) or order not in ("C", "F"):
        raise Refused("an array without type or order")
    size = 1
    for side in shape:
        size *= side
    if dtype.is_object:
        if type(data) is not list or len(data) != size or not all(type(item) in PLAIN_TYPES for item in data):
            raise Refused("an array of objects that is not a list of plain values of the right length")
        budget.spend(8 * len(data))
        if len(shape) == 2 and data and order == "C":
            return [data[row * shape[1] : (row + 1) * shape[1]] for row in range(shape[0])]
        if len(shape) == 2 and data:
            return [data[row :: shape[0]] for row in range(shape[0])]
        if len(shape) > 2:
            raise Refused(f"an array of objects of shape {shape}")
        return list(data)
    real = dtype.real()
    if type(data) not in (bytes, bytearray) or len(data) != size * real.itemsize:  # type: ignore[arg-type]
        held = len(data) if isinstance(data, (bytes, bytearray)) else type(data).__name__
        raise Refused(
            f"array of shape {shape} and type {real} with data of {held} bytes instead of {size * real.itemsize}"
        )
    values: npt.NDArray[Any] = np.frombuffer(data, dtype=real).reshape(shape, order=order)  # type: ignore[call-overload]
    values.flags.writeable = False
    return values


def real_scalar(dtype: object, data: object = None) -> Any:
    """The Python number (or text) that `numpy.core.multiarray.scalar` would make; exact for every type read here."""
    if not isinstance(dtype, Dtype) or dtype.is_object or not isinstance(data, bytes):
        raise Refused("a numpy scalar of unknown type")
    if len(data) != dtype.real().itemsize or len(data) > 256:
        raise Refused(f"a numpy scalar of {len(data)} bytes")
    return np.frombuffer(data, dtype=dtype.real())[0].item()
