"""What every conversion answers, and what the readers of small files hand to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py

from ...bench.column import Column
from ...bench.errors import BadValue
from ...bench.spaces.listing import TEXTS


def check_target(target: Path) -> None:
    """BadValue where a table would replace something else than a table, such as the official file itself."""
    if target.is_dir() or (target.exists() and not h5py.is_hdf5(target)):
        raise BadValue(f"{target} is there and is no table; give the table another place (--out, out=), or remove it")


@dataclass(frozen=True)
class Converted:
    """What a conversion found and wrote."""

    path: Path
    name: str
    space: str
    found: int  # architectures
    missing: int
    words: tuple[str, ...]  # what was recognised, checked and counted
    more: tuple[Path, ...] = ()  # further tables, of other spaces in the same file


@dataclass(frozen=True)
class Content:
    """What a file that fits into memory holds of one space."""

    space: str
    title: str
    columns: Sequence[Column]
    notes: tuple[str, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)
    texts: tuple[str, ...] = ()  # the architectures of a space that has no module here

    @property
    def all_extra(self) -> dict[str, Any]:
        """The extra of the table."""
        return {**self.extra, TEXTS: list(self.texts)} if self.texts else dict(self.extra)
