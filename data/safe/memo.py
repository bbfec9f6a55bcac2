"""What a pickle may refer back to by number: objects it remembered, and the texts of runs that were taken whole."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import Any

from .opcodes import Refused
from .parts import KEYS
from .series import Series, Template

MOST = 20_000_000  # texts and names remembered


class Memo:
    """Objects by their memo index. The texts of a run are not kept one by one: its template has them all."""

    def __init__(self) -> None:
        self._objects: dict[int, Any] = {}
        self._next = 0  # index that MEMOIZE gives
        self._fresh: list[int] = []  # indices since the last architecture
        self._bases = array("q")  # first index of every run of texts, ascending
        self._templates: list[Template] = []

    def __getitem__(self, index: int) -> Any:
        """The object with an index.

        Raises:
            Refused: there is none, or it went with the architecture that it belonged to.
        """
        if index in self._objects:
            return self._objects[index]
        place = bisect_right(self._bases, index) - 1
        if place >= 0 and index - self._bases[place] < len(self._templates[place].layout.keys):
            return self._templates[place].layout.keys[index - self._bases[place]]
        raise Refused(f"it refers to part {index} of the file, which does not exist or belongs to another entry")

    def __setitem__(self, index: int, value: Any) -> None:
        self._objects[index] = value
        self._fresh.append(index)
        if len(self._objects) > MOST:
            raise Refused("more objects than any official file holds")

    def append(self, value: Any) -> None:
        """Remember an object under the next index."""
        self[self._next] = value
        self._next += 1

    def append_run(self, template: Template) -> None:
        """Remember the texts of a run under the next indices."""
        self.put_run(self._next, template)
        self._next += len(template.layout.keys)

    def put_run(self, first: int, template: Template) -> None:
        """Remember the texts of a run under the indices from ``first``."""
        if self._bases and first <= self._bases[-1]:
            raise Refused("memo indices that go back")
        self._bases.append(first)
        self._templates.append(template)

    def forget_architecture(self) -> None:
        """Let go of the containers since the last call; texts, names and types may be referred to again."""
        for index in self._fresh:
            found = self._objects.get(index)
            nested = type(found) is tuple and any(type(part) not in KEYS for part in found)
            if nested or type(found) in (dict, list, set, Series, bytes):
                self._objects.pop(index, None)
        self._fresh.clear()
