"""What the machine for large pickles makes: dictionaries, runs joined to curves, names and calls, each checked."""

from __future__ import annotations

from typing import Any

from .allowed import allowed
from .opcodes import Refused
from .pickles import LEAVES
from .series import Runs, Series
from .stand_ins import Budget, Call

TORCH = frozenset(
    [f"torch._utils.{name}" for name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter")]
    + [f"torch.{name}Storage" for name in ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char",
                                          "Byte", "Bool")]
    + ["torch.storage._load_from_bytes", "torch.storage.TypedStorage", "torch.storage.UntypedStorage", "torch.Size"]
)  # fmt: skip
"""What describes a tensor in a pickle; each is the inert `WEIGHT` where weights are passed over, refused elsewhere."""


class Weight:
    """Stands for a tensor, its storage and the functions that would build them; holds nothing, does nothing."""

    __slots__ = ()


WEIGHT = Weight()
SCALARS = frozenset({str, int, float, bool, bytes, type(None)})
KEYS = frozenset({str, int})


class Parts:
    """Makes containers and stand-ins of what lies on the machine's stack.

    Args:
        weights: what describes tensors is `WEIGHT` instead of refused.
    """

    def __init__(self, runs: Runs, budget: Budget, weights: bool) -> None:
        self._runs = runs
        self._weights = weights
        names = allowed(budget)
        self._names = {name: names[tuple(name.rsplit(".", 1))] for name in LEAVES}  # type: ignore[index]

    def filled(self, target: Any, items: list[Any]) -> Any:
        """A dictionary with ``items`` (keys, values and whole runs) added; a `Series` where they are only runs."""
        if type(target) is Series or any(type(key) is Series for key in items[::2]):
            return self._with_runs(target, items)
        if type(target) is not dict or len(items) % 2:
            if target is WEIGHT:
                return target
            raise Refused("entries for something that is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) not in KEYS and not (type(key) is tuple and all(type(part) in KEYS for part in key)):
                raise Refused("a dictionary key that is neither number nor text nor a tuple of them")
            target[key] = value
        return target

    def _with_runs(self, target: Any, items: list[Any]) -> Series:
        parts = [target] if type(target) is Series else [self._runs.of(target)] if target else []
        place = 0
        while place < len(items):
            if type(items[place]) is Series:
                parts.append(items[place])
                place += 1
            else:
                if place + 1 >= len(items) or type(items[place]) not in KEYS:
                    raise Refused("a curve with something else than points")
                parts.append(self._runs.of({items[place]: items[place + 1]}))
                place += 2
        joined = self._runs.joined(parts)
        if len(set(joined.layout.keys)) != len(joined.layout.keys):
            raise Refused("a dictionary that holds a key twice")
        return joined

    def named(self, module: Any, name: Any) -> Any:
        """What a name stands for; Refused where it is not on the list."""
        if type(module) is not str or type(name) is not str:
            raise Refused("a name that is no text")
        full = f"{module}.{name}"
        if "." in name or (full not in self._names and not (self._weights and full in TORCH)):
            raise Refused(f"it asks for {full[:200]!r}, which no data needs and which could run code")
        return WEIGHT if full in TORCH else self._names[full]

    def called(self, function: Any, arguments: Any) -> Any:
        """What a call of an allowed name gives."""
        if type(arguments) is not tuple:
            raise Refused("a call without a tuple of arguments")
        if function is WEIGHT:
            return WEIGHT
        if type(function) is not Call:
            raise Refused("a call of something that is no function")
        for argument in arguments:
            if type(argument) in (list, set) and not all(
                type(item) in KEYS or (type(item) in (tuple, list) and len(item) == 2 and type(item[0]) in KEYS)
                for item in argument
            ):
                raise Refused("a call with something else than plain data")
        return function(*arguments)


def as_list(value: Any) -> list[Any]:
    """A list; Refused where it is none."""
    if type(value) is not list:
        raise Refused("items for something that is no list")
    return value


def as_data(value: Any) -> Any:
    """The end of a pickle is plain data, not a name."""
    if type(value) in SCALARS or type(value) in (dict, list, tuple, set, Series):
        return value
    raise Refused(f"it holds {getattr(value, 'words', type(value).__name__)}, which is no data")
