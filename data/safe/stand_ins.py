"""Inert stand-ins for names that a pickle calls: data in, data out, no code of the named library ever runs.

A pickle can do three things to a stand-in: call it (REDUCE, NEWOBJ), give it a state (BUILD), or keep it. Each checks
what it is given and raises `Refused`. None can be changed by a pickle: every one answers BUILD itself, and the classes
among them refuse new attributes. Which names there are: `data.safe.allowed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .opcodes import Refused


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


def short(value: object) -> str:
    """A value in an error message: plain and short, whatever a hostile file put there."""
    if isinstance(value, (str, int, float)) or (isinstance(value, tuple) and all(type(part) is int for part in value)):
        text = repr(value) if not isinstance(value, int) or value.bit_length() < 200 else "a huge integer"
        return text if len(text) < 80 else text[:77] + "..."
    return f"of type {type(value).__name__}"
