"""What every conversion answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Converted:
    """What a conversion found and wrote."""

    path: Path
    name: str
    space: str
    found: int  # architectures
    missing: int
    words: tuple[str, ...]  # what was recognised, checked and counted
