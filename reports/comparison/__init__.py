"""The report on a comparison of searchers."""

from __future__ import annotations

from .compose import comparison

__all__ = ["comparison"]
