"""Inert stand-ins for the names that numpy's and pandas' own pickles call: data in, data out, none of their code runs.

A pickle can do three things to a stand-in: call it (REDUCE, NEWOBJ), give it a state (BUILD), or keep it. Each checks
what it is given and raises `Refused`. None can be changed by a pickle: every one answers BUILD itself, and the classes
among them refuse new attributes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from .opcodes import Refused

PLAIN_TYPES = (str, int, float, bool, bytes, type(None))
DTYPE = re.compile(r"([<>|=]?)(b1|\?|[iu][1248]|f[248]|O8?|[SU][1-9][0-9]{0,5})")


@dataclass
class Budget:
    """Bytes that calls may still copy; keeps a small file from copying one long list again and again."""

    left: int

    def spend(self, amount: int) -> None:
        """Take ``amount`` bytes off; Refused where none are left."""
        self.left -= amount
        if self.left < 0:
            raise Refused("it copies its own parts until they outgrow the memory limit")


class Call:
    """A name that a pickle may call, and nothing else."""

    __slots__ = ("_function", "words")

    def __init__(self, words: str, function: Callable[..., Any] | None = None) -> None:
        self.words = words
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        if self._function is None:
            raise Refused(f"it calls {self.words}, which only names a type here")
        return self._function(*arguments)

    def __setstate__(self, state: object) -> None:
        raise Refused(f"it tries to change {self.words}")


class Sealed(type):
    """Metaclass of stand-ins that a pickle makes with NEWOBJ: the classes themselves cannot be changed."""

    def __setattr__(cls, name: str, value: object) -> None:
        raise Refused(f"it tries to change the class {cls.__name__}")


class Kept(metaclass=Sealed):
    """Something a pickle describes that becomes plain data when the pickle is complete (`data.safe.frames`)."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __setstate__(self, state: object) -> None:
        raise Refused(f"it gives a state to {type(self).__name__}")


class Dtype(Kept):
    """What `numpy.dtype` would be: booleans, integers, floats, texts, bytes, or objects (lists of plain values)."""

    __slots__ = ("code", "order")

    def __init__(self, code: object, *_: object) -> None:
        match = DTYPE.fullmatch(code) if isinstance(code, str) else None
        if match is None:
            raise Refused(f"array type {_short(code)} (booleans, integers, floats, texts and objects are read)")
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
        raise Refused(f"array shape {_short(shape)}")
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


class Slice(Kept):
    """What `builtins.slice` would be; a real one would let a pickle assign to slices of a list."""

    __slots__ = ("value",)

    def __init__(self, *parts: object) -> None:
        if not 1 <= len(parts) <= 3 or not all(part is None or type(part) is int for part in parts):
            raise Refused("a slice of something else than integers")
        self.value: slice[int | None, int | None, int | None] = slice(*parts)  # type: ignore[arg-type]


class Block(Kept):
    """Some columns of a pandas frame: values (column, row) and which columns they are."""

    __slots__ = ("placement", "values")

    def __init__(self, values: object, placement: object, *_: object) -> None:
        self.values, self.placement = values, placement


class Partial(Kept):
    """What `functools.partial` would be; only that of pandas' ``new_block`` exists."""

    __slots__ = ()

    def __init__(self, function: object, *arguments: object) -> None:
        if not (isinstance(function, Call) and function.words == NEW_BLOCK) or arguments:
            raise Refused("functools.partial of something else than pandas' new_block")

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 4 or state[1] != ():
            raise Refused("a state of functools.partial of unknown layout")

    def __call__(self, values: object, placement: object) -> Block:
        return Block(values, placement)


class Index(Kept):
    """The labels of one axis of a pandas frame."""

    __slots__ = ("labels",)

    labels: Sequence[Any]

    def __init__(self, kind: object, state: object) -> None:
        if not isinstance(kind, Call) or not isinstance(state, dict):
            raise Refused("a pandas index of unknown layout")
        if kind.words == RANGE_INDEX:
            parts = [state.get(key) for key in ("start", "stop", "step")]
            if not all(type(part) is int for part in parts) or parts[2] == 0:
                raise Refused("a pandas RangeIndex without integers")
            self.labels = range(*parts)  # type: ignore[arg-type]
        elif kind.words == INDEX and isinstance(state.get("data"), Array):
            self.labels = state["data"].value
        else:
            raise Refused(f"a pandas index of {kind.words}")


class BlockManager(Kept):
    """The blocks and axes of a pandas frame, as any pandas from 0.25 to 3 writes them."""

    __slots__ = ("axes", "blocks")

    blocks: Sequence[Any]
    axes: Sequence[Any]

    def __init__(self, *arguments: Any) -> None:
        if arguments:
            if len(arguments) < 2 or not all(isinstance(part, (tuple, list)) for part in arguments[:2]):
                raise Refused("a pandas BlockManager of unknown layout")
            self.blocks, self.axes = arguments[:2]

    def __setstate__(self, state: object) -> None:
        inner = (
            state[3].get("0.14.1") if isinstance(state, tuple) and len(state) == 4 and type(state[3]) is dict else None
        )
        if (
            type(inner) is not dict
            or not isinstance(inner.get("blocks"), list)
            or not isinstance(inner.get("axes"), list)
        ):
            raise Refused("a state of pandas' BlockManager of unknown layout")
        if not all(type(block) is dict and {"values", "mgr_locs"} <= block.keys() for block in inner["blocks"]):
            raise Refused("a block of a pandas frame of unknown layout")
        self.blocks = [Block(block["values"], block["mgr_locs"]) for block in inner["blocks"]]
        self.axes = inner["axes"]


class DataFrame(Kept):
    """What a pandas frame would be."""

    __slots__ = ("manager",)

    manager: BlockManager

    def __setstate__(self, state: object) -> None:
        manager = state.get("_mgr", state.get("_data")) if isinstance(state, dict) else None
        if not isinstance(manager, BlockManager):
            raise Refused("a state of pandas' DataFrame of unknown layout")
        self.manager = manager


NEW_BLOCK = "pandas.core.internals.blocks.new_block"
INDEX = "pandas.core.indexes.base.Index"
RANGE_INDEX = "pandas.core.indexes.range.RangeIndex"


def allowed(budget: Budget) -> dict[tuple[str, str], Any]:
    """Every (module, name) that a pickle may ask for, and what it gets."""

    def fresh_dict(*arguments: Any) -> dict[Any, Any]:
        if len(arguments) > 1 or (arguments and type(arguments[0]) not in (list, tuple, dict)):
            raise Refused("collections.OrderedDict of something else than pairs")
        budget.spend(128 * len(arguments[0]) if arguments else 0)
        return dict(*arguments)

    def fresh_set(*arguments: Any) -> set[Any]:
        if len(arguments) > 1 or (arguments and type(arguments[0]) not in (list, tuple, set, frozenset)):
            raise Refused("a set of something else than a list")
        budget.spend(64 * len(arguments[0]) if arguments else 0)
        return set(*arguments)

    def encode(text: object, encoding: object = "utf-8", *_: object) -> bytes:
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
            raise Refused("_codecs.encode of something else than latin1 text")
        budget.spend(len(text))
        return text.encode("latin1")

    def empty_bytes() -> bytes:
        return b""  # how protocol 2 writes them

    def reconstruct(kind: object, shape: object, code: object) -> Array:
        if not (isinstance(kind, Call) and kind.words == "numpy.ndarray"):
            raise Refused("numpy's _reconstruct of something else than an array")
        return Array(budget)

    def from_buffer(data: object, dtype: object, shape: object, order: object = "C", *_: object) -> Array:
        array = Array(budget)
        array.value = real_array(data, dtype, shape, order, budget)
        return array

    names: dict[str, Any] = {
        "collections.OrderedDict": Call("collections.OrderedDict", fresh_dict),
        "builtins.set": Call("set", fresh_set),
        "__builtin__.set": Call("set", fresh_set),
        "__builtin__.bytes": Call("bytes", empty_bytes),
        "builtins.slice": Call("slice", Slice),
        "_codecs.encode": Call("_codecs.encode", encode),
        "numpy.ndarray": Call("numpy.ndarray"),
        "numpy.dtype": Call("numpy.dtype", Dtype),
        "functools.partial": Call("functools.partial", Partial),
        "pandas.core.frame.DataFrame": DataFrame,
        "pandas.DataFrame": DataFrame,
        "pandas.Index": Call(INDEX),
        "pandas.RangeIndex": Call(RANGE_INDEX),
        "pandas.core.internals.managers.BlockManager": BlockManager,
        NEW_BLOCK: Call(NEW_BLOCK, Block),
        "pandas._libs.internals._unpickle_block": Call("pandas._unpickle_block", Block),
        "pandas.core.indexes.base._new_Index": Call("pandas._new_Index", Index),
        INDEX: Call(INDEX),
        RANGE_INDEX: Call(RANGE_INDEX),
    }
    for core in ("numpy.core", "numpy._core"):
        names[f"{core}.multiarray._reconstruct"] = Call("numpy._reconstruct", reconstruct)
        names[f"{core}.multiarray.scalar"] = Call("numpy.scalar", real_scalar)
        names[f"{core}.numeric._frombuffer"] = Call("numpy._frombuffer", from_buffer)
    return {_parts(path): stand_in for path, stand_in in names.items()}


@cache
def _parts(path: str) -> tuple[str, str]:
    module, _, name = path.rpartition(".")
    return module, name


def _short(value: object) -> str:
    """A value in an error message: plain and short, whatever a hostile file put there."""
    if isinstance(value, (str, int, float)) or (isinstance(value, tuple) and all(type(part) is int for part in value)):
        text = repr(value) if not isinstance(value, int) or value.bit_length() < 200 else "a huge integer"
        return text if len(text) < 80 else text[:77] + "..."
    return f"of type {type(value).__name__}"
