"""The one exception family of nasgauge: every message says what was given, what is legal and what to try next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NasgaugeError(Exception):
    """Base of every error that nasgauge raises on purpose."""


class UnknownName(NasgaugeError, LookupError):
    """A name (table, metric, data set, searcher, ...) that does not exist here."""

    @classmethod
    def of(cls, what: str, given: object, legal: Iterable[object], hint: str = "") -> UnknownName:
        """The error for ``given`` where only ``legal`` exists, with the closest legal name as a suggestion."""
        names = [str(name) for name in legal]
        close = difflib.get_close_matches(str(given), names, n=1)
        message = f"unknown {what} {given!r}"
        if close:
            message += f"; did you mean {close[0]!r}?"
        shown = ", ".join(names[:40]) + (f", ... ({len(names)} in all)" if len(names) > 40 else "")
        message += f" Legal: {shown or 'none'}." if close else f"; legal: {shown or 'none'}."
        return cls(message + (f" {hint}" if hint else ""))


class BadArchitecture(NasgaugeError, ValueError):
    """An id, text, graph or operation list that is no architecture of the space."""


class NotMeasured(NasgaugeError, LookupError):
    """A legal question whose answer nobody measured: an absent split, budget, epoch or seed."""


class BadValue(NasgaugeError, ValueError):
    """An argument outside its legal range."""


class BadFile(NasgaugeError, ValueError):
    """A file that is truncated, corrupted, malicious or of another layout; names the file."""


class MissingPackage(NasgaugeError, ImportError):
    """An optional library that is not installed; says which extra brings it."""


class MissingFile(NasgaugeError, FileNotFoundError):
    """A file that is not there and could not be had; says how to get it by hand."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""
