"""Stand-ins for what pandas' own pickles call: the parts of a frame, as any pandas from 0.25 to 3 writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .numpy_stand_ins import Array
from .opcodes import Refused
from .stand_ins import Call, Kept

NEW_BLOCK = "pandas.core.internals.blocks.new_block"
INDEX = "pandas.core.indexes.base.Index"
RANGE_INDEX = "pandas.core.indexes.range.RangeIndex"


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
