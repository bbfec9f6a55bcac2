"""Numbers in words: the only place that turns a float into text."""

from __future__ import annotations

import math
from collections.abc import Iterable


def number(value: float, digits: int = 2) -> str:
    """A number with a true minus sign and thousands; a dash where nothing was measured."""
    if math.isnan(value):
        return "–"
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.replace("-", "")


def seconds(value: float) -> str:
    """A duration in seconds: three digits at least, but no more than four behind the point.

    >>> seconds(0.01234), seconds(4.567), seconds(81.23), seconds(12_345.6)
    ('0.0123', '4.57', '81.2', '12,346')
    """
    if math.isnan(value) or value <= 0:
        return number(value, 0)
    return number(value, min(4, max(0, 2 - math.floor(math.log10(value)))))


def signed(value: float, digits: int = 3) -> str:
    """A difference, with its sign."""
    text = number(value, digits)
    return text if text[0] in "–−" or not value > 0 else f"+{text}"


def between(low: float, high: float, digits: int = 2) -> str:
    """The two ends of a range; a dash where there is none."""
    return "–" if math.isnan(low) else f"{number(low, digits)} to {number(high, digits)}"


def counted(n: int, thing: str, many: str = "") -> str:
    """ "1 repetition", "100 repetitions"."""
    return f"{n:,} {thing if n == 1 else many or thing + 's'}"


def joined(words: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    listed = list(words)
    return " and ".join([", ".join(listed[:-1]), listed[-1]]) if len(listed) > 1 else "".join(listed)


def p_value(p: float) -> str:
    """A p-value: "0.031", "< 0.001", a dash where there was no test."""
    if math.isnan(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
