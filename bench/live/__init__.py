"""The live wing: the benchmarks' networks, faithful training, verification and tables of one's own (needs PyTorch)."""

from __future__ import annotations

import importlib.util

from ..errors import MissingPackage


def need_torch(purpose: str) -> None:
    """MissingPackage, saying how to install it, unless PyTorch is there; ``purpose`` names what needs it."""
    if importlib.util.find_spec("torch") is None:
        raise MissingPackage(f"{purpose} needs PyTorch, which is not installed; pip install nasgauge[torch]")
