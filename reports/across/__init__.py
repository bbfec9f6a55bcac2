"""The report on several comparisons at once: a test over all their data sets, and what more trainers bring."""

from __future__ import annotations

from .compose import across

__all__ = ["across"]
