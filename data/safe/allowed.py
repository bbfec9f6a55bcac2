"""The exact list of names that a pickle may ask for, and the stand-in that each one gets."""

from __future__ import annotations

from functools import cache
from typing import Any

from .numpy_stand_ins import Array, Dtype, real_array, real_scalar
from .opcodes import Refused
from .pandas_stand_ins import INDEX, NEW_BLOCK, RANGE_INDEX, Block, BlockManager, DataFrame, Index, Partial, Slice
from .stand_ins import Budget, Call


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
