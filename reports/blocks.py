"""What a page is made of: values without any HTML. A report composes them, the page's template draws each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from ..bench.spaces.drawing import Drawing
from .panels import Panel
from .view import View


@dataclass(frozen=True)
class Spread:
    """A table cell that draws a sample: range, middle half, median and mean, on the scale ``start`` to ``end``."""

    smallest: float
    q1: float
    median: float
    q3: float
    largest: float
    mean: float
    start: float
    end: float
    colour: str
    kind: ClassVar[str] = "spread"

    def place(self, value: float) -> float:
        """Where ``value`` lies on the scale, 0 to 100."""
        width = self.end - self.start
        return round(min(100.0, max(0.0, 100 * (value - self.start) / width)), 2) if width > 0 else 50.0


@dataclass(frozen=True)
class Between:
    """A table cell that draws an estimate with its interval on the scale ``start`` to ``end``, which holds zero."""

    value: float
    low: float
    high: float
    start: float
    end: float
    colour: str
    kind: ClassVar[str] = "between"

    place = Spread.place


@dataclass(frozen=True)
class Label:
    """A table cell with a name in the colour of its line; without a colour it is a reference, not a searcher."""

    text: str
    colour: str | None
    kind: ClassVar[str] = "label"


Cell: TypeAlias = str | Spread | Between | Label


@dataclass(frozen=True)
class Text:
    """Paragraphs."""

    paragraphs: tuple[str, ...]
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    items: tuple[str, ...]
    kind: ClassVar[str] = "points"


@dataclass(frozen=True)
class Findings:
    """What came out, each as a headline and the evidence for it (which may be empty)."""

    items: tuple[tuple[str, str], ...]
    kind: ClassVar[str] = "findings"


@dataclass(frozen=True)
class Alarm:
    """Something that a reader must not miss."""

    title: str
    lines: tuple[str, ...]
    kind: ClassVar[str] = "alarm"


@dataclass(frozen=True)
class Facts:
    """Terms with what is to be said about each; ``compact`` sets short facts side by side."""

    rows: tuple[tuple[str, tuple[str, ...]], ...]
    compact: bool = False
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Grid:
    """A table: the first column names the row, the others are set flush right."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    kind: ClassVar[str] = "grid"

    @property
    def drawn(self) -> frozenset[int]:
        """The columns that hold drawings, not numbers."""
        return frozenset(
            place for row in self.rows for place, cell in enumerate(row) if isinstance(cell, Spread | Between)
        )


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure with switches. ``choices`` holds the legal values of each switch with their words, the first is shown.

    ``views`` has one view for each combination of values; ``still`` names the report's figures that stand for this
    plot on paper.
    """

    name: str
    choices: Mapping[str, tuple[tuple[str, str], ...]]
    views: Mapping[tuple[str, ...], Panel]
    still: tuple[str, ...]
    caption: str
    kind: ClassVar[str] = "plot"

    @property
    def scales(self) -> bool:
        """Whether a logarithmic axis can be chosen in some view."""
        return any(isinstance(view, View) and view.logarithmic for view in self.views.values())

    @property
    def bands(self) -> bool:
        """Whether there are bands to show or hide."""
        return any(isinstance(view, View) and view.banded for view in self.views.values())


@dataclass(frozen=True)
class Listing:
    """Text as it is: a command, a file. ``folded`` ones open on a click."""

    title: str
    text: str
    folded: bool = False
    kind: ClassVar[str] = "listing"


@dataclass(frozen=True)
class Picture:
    """One architecture, drawn (`Space.draw`), with its name and what is to be said about it."""

    drawing: Drawing
    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pictures:
    """Architectures side by side."""

    caption: str
    items: tuple[Picture, ...]
    note: str = ""
    kind: ClassVar[str] = "pictures"


Block: TypeAlias = Text | Points | Findings | Alarm | Facts | Grid | Plot | Listing | Pictures


@dataclass(frozen=True)
class Section:
    """A headed part of a page; the first one may do without a heading."""

    title: str
    blocks: tuple[Block, ...]
