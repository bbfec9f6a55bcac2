"""What every conversion answers, and what the readers of small files hand to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...bench.column import Column
from ...bench.spaces.listing import TEXTS


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
