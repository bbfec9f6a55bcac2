"""One set of axes with what is drawn on it, whoever draws it (matplotlib for papers, plotly for the page).

A `View` holds three kinds of marks, in any mixture: `Line` (a curve with its band, as steps or straight), `Dots`
(points with optional whiskers) and `Rule` (a thin reference: across, upright, or the diagonal y = x). Curves over time
name the end of their axis themselves; a scatter plot is made with `View.around`, which fits the axes to its points:

>>> import numpy as np
>>> x, y = np.array([90.0, 91.0, 93.5]), np.array([90.4, 90.8, 93.1])
>>> cells = Dots("cells", x, y, slot=0, words=("a", "b", "c"))
>>> scatter = View.around("ours against the table", "table [%]", "ours [%]", dots=(cells,),
...                       rules=(Rule("diagonal"),), square=True)
>>> (scatter.x_start, scatter.x_end) == scatter.limits(False)
True

A Bland-Altman plot is `View.around` with the means as x, the differences as y, and three rules "across"; a calibration
curve is a `Line` with ``steps=False`` and the diagonal. Pictures without two numeric axes are in `panels`: `Ladder`
(rows with intervals, or bars), `Matrix` (heat map), `Ranking` (critical differences). Give any of them to
``Report.figures`` and to a `blocks.Plot`; the colours of a ``slot`` are the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from .statistics import Floats

# Okabe & Ito (2008), told apart by colour-blind readers, without their black and yellow; darkest first. Then four of
# Tol's muted ones, whose lines are also dashed.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#882255", "#999933", "#AA4499")
PLAIN = 6  # slots with one dash and symbol, before the next one
REFERENCE_COLOUR = "#333333"
DASHES: tuple[tuple[float, ...], ...] = ((), (1.0, 1.6), (5.0, 1.6, 1.0, 1.6))  # in line widths
SYMBOLS = ("circle", "diamond", "triangle-up")
REFERENCE_DASH = (4.0, 2.0)
CROWD = 6  # lines of a view: beyond, bands are drawn fainter
STEPS: tuple[tuple[float, ...], ...] = (  # of the ticks in a decade, coarsest first
    (1,),
    (1, 2, 5),
    (1, 1.5, 2, 3, 4, 5, 7),
    (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5),
)


@dataclass(frozen=True)
class Style:
    """How a mark looks: an empty ``dash`` is a solid line, ``symbol`` is plotly's name of a dot's shape."""

    colour: str
    dash: tuple[float, ...]
    symbol: str = SYMBOLS[0]

    @classmethod
    def of(cls, slot: int | None) -> Style:
        """The look of number ``slot``; None is the reference. Twenty differ."""
        if slot is None:
            return cls(REFERENCE_COLOUR, REFERENCE_DASH)
        again = slot // PLAIN % len(DASHES)
        return cls(COLOURS[slot % len(COLOURS)], DASHES[again], SYMBOLS[again])


@dataclass(frozen=True, eq=False)
class Line:
    """One line: ``y`` over ``x``, both (n,), with a band ``low`` to ``high`` that ``band`` says in words.

    Drawn as ``steps``, a number holds from its x to the next one; else straight from point to point. NaN is a gap, a
    band of NaN is none. A line with a ``slot`` is one of those compared; the reference line has none. A ``faint`` line
    is many single runs in one, divided by NaN.
    """

    label: str
    x: Floats
    y: Floats
    low: Floats
    high: Floats
    slot: int | None
    band: str
    steps: bool = True
    faint: bool = False
    weight: float | None = None  # points; None: as usual

    @property
    def style(self) -> Style:
        """The look of this line."""
        return Style.of(self.slot)

    @property
    def sparse(self) -> bool:
        """Whether there are too few points for a line to be seen without dots."""
        return int((~np.isnan(self.y)).sum()) <= 3

    @property
    def banded(self) -> bool:
        """Whether there is a band to draw."""
        return bool((self.high > self.low).any())


@dataclass(frozen=True, eq=False)
class Dots:
    """Points at ``x``, ``y`` (n,), with whiskers from ``low`` to ``high`` where given; ``words`` are shown on hover.

    Where there are ``shades`` (n,), a scale of colours named ``shade_title`` shows them; NaN is grey.
    """

    label: str
    x: Floats
    y: Floats
    slot: int | None
    words: tuple[str, ...] = ()
    low: Floats | None = None
    high: Floats | None = None
    size: float = 5.0  # points of type
    shades: Floats | None = None
    shade_title: str = ""

    MANY: ClassVar[int] = 2_000  # from here on dots are small and see-through

    @property
    def style(self) -> Style:
        """The look of these dots."""
        return Style.of(self.slot)


@dataclass(frozen=True)
class Rule:
    """A thin reference line: "across" at y = ``at``, "upright" at x = ``at``, or the "diagonal" y = x."""

    kind: Literal["across", "upright", "diagonal"]
    at: float = 0.0
    label: str = ""


@dataclass(frozen=True, eq=False)
class View:
    """One set of axes. ``log`` asks for a logarithmic y axis, used where the numbers allow it; ``log_x`` sets one of x.

    ``y_range`` fixes the y axis; else it holds all marks.
    """

    title: str
    x_title: str
    y_title: str
    x_end: float
    lines: tuple[Line, ...] = ()
    log: bool = False
    dots: tuple[Dots, ...] = ()
    rules: tuple[Rule, ...] = ()
    x_start: float = 0.0
    log_x: bool = False
    x_ticks: tuple[float, ...] = ()  # where an axis counts a few things: these; default: round numbers
    y_ticks: tuple[float, ...] = ()
    y_range: tuple[float, float] | None = None

    EARLY: ClassVar[float] = 0.04  # the share of the x axis that a linear y axis need not show whole

    @classmethod
    def around(
        cls, title: str, x_title: str, y_title: str, *, dots: tuple[Dots, ...] = (), lines: tuple[Line, ...] = (),
        rules: tuple[Rule, ...] = (), square: bool = False, log: bool = False,
    ) -> View:  # fmt: skip
        """Axes fitted to the marks; ``square``: both axes show the same range (what agreement is judged on)."""
        marks: list[Dots | Line] = [*dots, *lines]
        x = [mark.x for mark in marks] + [np.array([rule.at]) for rule in rules if rule.kind == "upright"]
        y = [mark.y for mark in marks] if square else []
        y += [edge for mark in dots for edge in (mark.low, mark.high) if square and edge is not None]
        low, high = padded(np.concatenate([*x, *y] or [np.empty(0)]))
        return cls(
            title, x_title, y_title, high, lines, log, dots, rules, x_start=low, y_range=(low, high) if square else None
        )

    @property
    def logarithmic(self) -> bool:
        """Whether y is drawn on a logarithmic axis: asked for, and some number is positive and none negative."""
        marks: list[Line | Dots] = [*self.lines, *self.dots]
        y = np.concatenate([mark.y for mark in marks] or [np.empty(0)])
        return bool(self.log and (y > 0).any() and not (y < 0).any())

    @property
    def banded(self) -> bool:
        """Whether any line has a band."""
        return any(line.banded for line in self.lines)

    @staticmethod
    def ticks(low: float, high: float) -> list[float]:
        """Round numbers on a logarithmic axis from ``low`` to ``high``: the coarsest set with at least four."""
        decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        found: list[float] = []
        for steps in STEPS:
            found = [float(f"{tick:.6g}") for tick in np.outer(decades, steps).ravel() if low <= tick <= high]
            if len(found) >= 4:
                break
        return found

    def limits(self, logarithmic: bool) -> tuple[float, float]:
        """Lowest and highest y to show: all numbers, and on a linear axis not the first steep drop (or climb)."""
        if self.y_range is not None:
            return self.y_range
        kept = [np.array([rule.at]) for rule in self.rules if rule.kind == "across"]
        for line in self.lines:
            early = self.x_start + self.EARLY * (self.x_end - self.x_start)
            whole = logarithmic or self.log_x or not line.steps
            late = np.ones(len(line.x), bool) if whole else line.x >= early
            edges = [line.y, line.high] if logarithmic else [line.y, line.low, line.high]
            kept += [edge[late] for edge in (edges if line.slot is not None else edges[:1])]
        kept += [edge for dots in self.dots for edge in (dots.y, dots.low, dots.high) if edge is not None]
        values = np.concatenate(kept or [np.empty(0)])
        if not logarithmic:
            return padded(values)
        values = values[values > 0]
        if not values.size:
            return 0.1, 1.0
        smallest, largest = float(values.min()), float(values.max())
        pad = max(1.08, (largest / smallest) ** 0.07)
        return smallest / pad, largest * pad


def padded(values: Floats) -> tuple[float, float]:
    """Smallest and largest number with a little room around them; 0 to 1 where there is none."""
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    smallest, largest = float(values.min()), float(values.max())
    pad = 0.06 * (largest - smallest) or 0.5
    return smallest - pad, largest + pad
