"""What we learned: statistics, figures, one module per report, the page."""

from __future__ import annotations

from .report import Report, report

__all__ = ["Report", "report"]
