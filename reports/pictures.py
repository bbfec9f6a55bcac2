"""Architectures that a report names, drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..bench.errors import BadArchitecture
from ..bench.spaces import SPACES, Space
from ..bench.spaces import space as space_called
from .blocks import Picture


def drawable(benchmark: Mapping[str, Any]) -> Space | None:
    """The space of a run's benchmark (run.json); None where nothing is known here that could be drawn."""
    name, size = benchmark.get("space"), benchmark.get("architectures")
    if name not in SPACES:
        return None
    space = space_called(str(name))
    return space if size is None or int(size) == space.size else None


def picture(space: Space, arch: int, *lines: str) -> Picture:
    """One architecture under its id; the picture's own title, shown on hovering, is the official string.

    Raises:
        BadArchitecture: the space has no such id.
    """
    if not 0 <= arch < space.size:
        raise BadArchitecture(f"id {arch} is not in space {space.name!r}; legal ids: 0 to {space.size - 1}")
    return Picture(space.draw(arch, title=space.text(arch)), f"Architecture {arch}", lines)
