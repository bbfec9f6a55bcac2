"""What is drawn: lines with bands on two axes, whoever draws them (matplotlib for papers, plotly for the page)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .statistics import Floats

# Okabe & Ito (2008), told apart by colour-blind readers, without their black and yellow; darkest first.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
REFERENCE_COLOUR = "#333333"
DASHES: tuple[tuple[float, ...], ...] = ((), (1.0, 1.6), (5.0, 1.6, 1.0, 1.6))  # in line widths
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
    """How a line looks: an empty ``dash`` is a solid line."""

    colour: str
    dash: tuple[float, ...]

    @classmethod
    def of(cls, slot: int | None) -> Style:
        """The look of the searcher number ``slot``; None is the reference line. Colours first, then dashes, repeat."""
        if slot is None:
            return cls(REFERENCE_COLOUR, REFERENCE_DASH)
        return cls(COLOURS[slot % len(COLOURS)], DASHES[slot // len(COLOURS) % len(DASHES)])


@dataclass(frozen=True, eq=False)
class Line:
    """One line: ``y`` over ``x``, both (n,), with a band ``low`` to ``high`` that ``band`` says in words.

    Drawn as steps: a number holds from its x to the next one. NaN is a gap. A line with a ``slot`` is a searcher's mean
    over runs; the reference line has none.
    """

    label: str
    x: Floats
    y: Floats
    low: Floats
    high: Floats
    slot: int | None
    band: str

    @property
    def style(self) -> Style:
        """The look of this line."""
        return Style.of(self.slot)

    @property
    def sparse(self) -> bool:
        """Whether there are too few points for a line to be seen without dots."""
        return int((~np.isnan(self.y)).sum()) <= 3


@dataclass(frozen=True, eq=False)
class View:
    """One set of axes with its lines. ``log`` asks for a logarithmic y axis, used where the numbers allow it."""

    title: str
    x_title: str
    y_title: str
    x_end: float
    lines: tuple[Line, ...]
    log: bool = False

    EARLY: ClassVar[float] = 0.04  # the share of the x axis that a linear y axis need not show whole

    @property
    def logarithmic(self) -> bool:
        """Whether y is drawn on a logarithmic axis: asked for, and some mean is positive and none negative."""
        y = np.concatenate([line.y for line in self.lines] or [np.empty(0)])
        return bool(self.log and (y > 0).any() and not (y < 0).any())

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
        """Lowest and highest y to show: all means, and on a linear axis not the first steep drop (or climb)."""
        kept = []
        for line in self.lines:
            late = np.ones(len(line.x), bool) if logarithmic else line.x >= self.EARLY * self.x_end
            edges = [line.y, line.high] if logarithmic else [line.y, line.low, line.high]
            kept += [edge[late] for edge in (edges if line.slot is not None else edges[:1])]
        values = np.concatenate(kept or [np.empty(0)])
        values = values[values > 0] if logarithmic else values[~np.isnan(values)]
        if not values.size:
            return (0.1, 1.0) if logarithmic else (0.0, 1.0)
        smallest, largest = float(values.min()), float(values.max())
        if logarithmic:
            pad = max(1.08, (largest / smallest) ** 0.07)
            return smallest / pad, largest * pad
        pad = 0.06 * (largest - smallest) or 0.5
        return smallest - pad, largest + pad
