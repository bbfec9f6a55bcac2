"""Search spaces: one file each, all answering the questions of `space.Space`."""

from __future__ import annotations

from functools import cache

from ..errors import UnknownName
from .cells101 import Cells101
from .graph import Graph
from .product import ProductSpace
from .size import Size
from .space import Architecture, Architectures, Ids, Space
from .topology import Topology

SPACES: dict[str, type[Space]] = {"topology": Topology, "size": Size, "cells101": Cells101}


@cache
def space(name: str) -> Space:
    """The space called ``name`` (one object per process); UnknownName lists the legal names."""
    if name not in SPACES:
        raise UnknownName.of("space", name, SPACES, "Register a space of your own with `nasgauge.bench.spaces.SPACES`.")
    return SPACES[name]()


__all__ = [
    "SPACES",
    "Architecture",
    "Architectures",
    "Cells101",
    "Graph",
    "Ids",
    "ProductSpace",
    "Size",
    "Space",
    "Topology",
    "space",
]
