"""Pictures that are no curves over two numeric axes: rows with intervals, heat maps, critical differences.

>>> import numpy as np
>>> Ladder("Effect", "points", (Rung("evolution", 0.2, 0.1, 0.3, slot=1), Rung("area", 0.1, -0.1, 0.3, slot=2)), at=0.0)
<ladder 'Effect': 2 rows>
>>> Matrix("A12", ("a", "b"), ("a", "b"), np.array([[0.5, 0.8], [0.2, 0.5]]), (("", ".80"), (".20", "")), (0.0, 1.0))
<matrix 'A12': 2 x 2>
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from .statistics import Floats
from .view import View


@dataclass(frozen=True)
class Rung:
    """One row of a ladder: a number, its interval (NaN: none), the colour's slot, words for hover."""

    name: str
    value: float
    low: float
    high: float
    slot: int | None = None
    words: str = ""


@dataclass(frozen=True, repr=False)
class Ladder:
    """Rows from top to bottom, each a dot with its interval or, as ``bars``, a bar from zero.

    ``at`` draws a reference line; ``log`` asks for a logarithmic axis (never with bars).
    """

    title: str
    x_title: str
    rungs: tuple[Rung, ...]
    bars: bool = False
    at: float | None = None
    log: bool = False

    def __repr__(self) -> str:
        return f"<ladder {self.title!r}: {len(self.rungs)} rows>"


@dataclass(frozen=True, eq=False, repr=False)
class Matrix:
    """A heat map: ``values`` (n_row, n_column), NaN is empty; ``texts`` are written into the cells.

    Colours run over ``ends``; a ``diverging`` map is white in the middle of them, another one white at the low end.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Floats
    texts: tuple[tuple[str, ...], ...]
    ends: tuple[float, float]
    diverging: bool = True
    scale_title: str = ""
    x_title: str = ""
    y_title: str = ""

    def __repr__(self) -> str:
        return f"<matrix {self.title!r}: {len(self.rows)} x {len(self.columns)}>"


class Text(NamedTuple):
    """Words at a place of a drawing; ``side`` is where the place lies, seen from the words' own box."""

    x: float
    y: float
    words: str
    side: str  # "left", "right", "center"
    slot: int | None = None


class Segment(NamedTuple):
    """A straight stroke; ``weight`` in points."""

    x0: float
    y0: float
    x1: float
    y1: float
    weight: float
    slot: int | None = None


@dataclass(frozen=True, repr=False)
class Ranking:
    """A critical-difference diagram (Demsar 2006): mean ranks on one axis, the best left; bars join the indistinct.

    ``groups`` are (first, last) places in the order of rank. ``critical`` is the critical difference (NaN: none).
    """

    title: str
    names: tuple[str, ...]
    ranks: tuple[float, ...]  # ascending
    slots: tuple[int, ...]
    critical: float
    groups: tuple[tuple[int, int], ...]

    @property
    def span(self) -> tuple[float, float]:
        """First and last rank on the axis."""
        return 1.0, float(max(len(self.names), 2))

    @property
    def drawing(self) -> tuple[list[Segment], list[Text]]:
        """Strokes and words, x in ranks, y from 0 (the axis) downwards in lines."""
        first, last = self.span
        strokes = [Segment(first, 0, last, 0, 1.0)]
        words = []
        for tick in range(int(first), int(last) + 1):
            strokes.append(Segment(tick, 0, tick, 0.18, 1.0))
            words.append(Text(tick, 0.62, str(tick), "center"))
        if self.critical == self.critical and self.critical <= last - first:
            strokes += [Segment(first, 1.25, first + self.critical, 1.25, 1.4)]
            strokes += [Segment(x, 1.13, x, 1.37, 1.4) for x in (first, first + self.critical)]
            words.append(Text(first + self.critical / 2, 1.7, f"critical difference {self.critical:.2f}", "center"))
        half = (len(self.names) + 1) // 2
        margin = 0.03 * (last - first)
        top = -0.45 - 0.22 * len(self.groups)
        for place, (name, rank, slot) in enumerate(zip(self.names, self.ranks, self.slots, strict=True)):
            left = place < half
            level = top - 0.75 * (place if left else len(self.names) - 1 - place)
            edge = first - margin if left else last + margin
            strokes += [Segment(rank, 0, rank, level, 1.0, slot), Segment(rank, level, edge, level, 1.0, slot)]
            text = f"{name}  {rank:.2f}" if left else f"{rank:.2f}  {name}"
            words.append(Text(edge + (-margin if left else margin) / 2, level, text, "right" if left else "left", slot))
        for place, (start, end) in enumerate(self.groups):
            level = -0.25 - 0.22 * place
            pad = 0.015 * (last - first)
            strokes.append(Segment(self.ranks[start] - pad, level, self.ranks[end] + pad, level, 4.0))
        return strokes, words

    @property
    def depth(self) -> float:
        """How far down the drawing reaches."""
        return min(stroke.y1 for stroke in self.drawing[0])

    def __repr__(self) -> str:
        return f"<ranking {self.title!r}: {len(self.names)} names>"


Panel: TypeAlias = View | Ladder | Matrix | Ranking
