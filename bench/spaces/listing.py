"""Architectures known by their texts alone: what a table holds of a space that has no module here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from ..errors import BadArchitecture, BadValue, NotMeasured
from . import space
from .graph import Graph
from .space import Ids, Space

TEXTS = "texts"
"""Where the extra of a table lists the architectures of its space."""


class Listing(Space):
    """A list of distinct texts; ids are places in it.

    Everything that can be asked about numbers works, `query` by text included. Whatever would need to know what the
    architectures are (graphs, operations, neighbours, mutations) raises NotMeasured.

    >>> Listing("shapes", ["square", "circle"]).id("circle")
    1
    """

    name: str  # type: ignore[misc]  # of the object, not of the class
    mutation_law = "none: the architectures are known by their texts alone"

    def __init__(self, name: str, texts: Sequence[str]) -> None:
        self.name = name
        self.texts = tuple(texts)
        if len(self._ids) < len(self.texts) or not self.texts:
            raise BadValue(f"space {name!r} of {len(self.texts):,} texts, {len(self._ids):,} of them distinct")

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {text: arch for arch, text in enumerate(self.texts)}

    @property
    def size(self) -> int:
        return len(self.texts)

    def text(self, arch: int) -> str:
        return self.texts[self.id(arch)]

    def parse(self, text: str) -> int:
        try:
            return self._ids[text]
        except KeyError:
            raise BadArchitecture(
                f"{text!r} is none of the {self.size:,} texts of space {self.name!r}, such as {self.texts[0]!r}"
            ) from None

    def canonical(self, ids: npt.ArrayLike) -> Ids:
        """Every text counts as a class of its own."""
        return self.check(ids)

    def graph(self, arch: int) -> Graph:
        self._unknown("graphs")

    def from_graph(self, graph: Graph) -> int:
        self._unknown("graphs")

    def operations(self, ids: npt.ArrayLike) -> npt.NDArray[np.int8]:
        self._unknown("operations")

    def from_operations(self, operations: npt.ArrayLike) -> Ids:
        self._unknown("operations")

    def neighbour_pairs(self, ids: npt.ArrayLike) -> tuple[Ids, Ids]:
        self._unknown("neighbours")

    def mutate(self, ids: npt.ArrayLike, rng: np.random.Generator) -> Ids:
        self._unknown("mutations")

    def _unknown(self, what: str) -> NoReturn:
        raise NotMeasured(
            f"{what} of space {self.name!r} are not known: its table lists texts of architectures and no more; "
            "ask by id or text"
        )


def texts_of(info: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The architectures that a table lists itself, None for a table of a space that has a module."""
    texts = (info.get("extra") or {}).get(TEXTS)
    return None if texts is None else tuple(texts)


def space_of(info: Mapping[str, Any]) -> Space:
    """The space of a table: the one of that name, or what it lists itself. UnknownName where there is neither."""
    texts = texts_of(info)
    return space(str(info["space"])) if texts is None else Listing(str(info["space"]), texts)
