"""The report on a verification: trainings outside the table, beside what the table says."""

from __future__ import annotations

from .compose import verification

__all__ = ["verification"]
