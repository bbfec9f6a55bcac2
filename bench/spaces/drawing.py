"""A picture of one architecture: shapes with coordinates, written as SVG by hand and drawn by matplotlib on request."""

from __future__ import annotations

import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..errors import BadValue
from ..whole import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point: TypeAlias = tuple[float, float]

INK = "#1d2430"
LINE = "#7a8290"  # seen on white and on black
FONT = 11.0  # px
PALE = 0.3  # opacity of what computes nothing
ENDINGS = (".svg", ".pdf", ".png")


@dataclass(frozen=True)
class Box:
    """A rounded rectangle around its middle with words in it; without a fill it is only outlined."""

    middle: Point
    width: float
    height: float
    words: str = ""
    fill: str | None = None
    ink: str = INK
    outline: str | None = None
    dashed: bool = False
    round: float = 6.0
    pale: bool = False


@dataclass(frozen=True)
class Curve:
    """A line of cubic pieces, each (first control point, second control point, end); an arrow points along the last."""

    start: Point
    pieces: tuple[tuple[Point, Point, Point], ...]
    dashed: bool = False
    arrow: bool = True
    pale: bool = False

    @property
    def head(self) -> tuple[Point, Point, Point]:
        """The corners of the arrow's head."""
        (_, (from_x, from_y), (x, y)) = self.pieces[-1]
        long, wide = 6.5, 3.2
        length = ((x - from_x) ** 2 + (y - from_y) ** 2) ** 0.5 or 1.0
        along = (x - from_x) / length, (y - from_y) / length
        back = x - long * along[0], y - long * along[1]
        aside = -wide * along[1], wide * along[0]
        return (x, y), (back[0] + aside[0], back[1] + aside[1]), (back[0] - aside[0], back[1] - aside[1])


@dataclass(frozen=True)
class Words:
    """Text by itself, its middle at a point."""

    middle: Point
    words: str
    ink: str = LINE


Shape: TypeAlias = Box | Curve | Words


@dataclass(frozen=True)
class Drawing:
    """What `Space.draw` answers: shows itself in a notebook, and is saved as .svg, .pdf or .png.

    ``width`` and ``height`` are in pixels, y runs downwards; shapes are painted in their order.

    >>> from nasgauge.bench.spaces import space
    >>> space("topology").draw(5).svg[:4]
    '<svg'
    """

    width: float
    height: float
    shapes: tuple[Shape, ...]
    title: str = ""

    @property
    def svg(self) -> str:
        """The picture as SVG text; it holds no ids, so that many fit on one page."""
        size = f'width="{_n(self.width)}" height="{_n(self.height)}" viewBox="0 0 {_n(self.width)} {_n(self.height)}"'
        font = f'font-family="system-ui, Helvetica, Arial, sans-serif" font-size="{_n(FONT)}" text-anchor="middle"'
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} role="img">']
        if self.title:
            parts.append(f"<title>{escape(self.title, quote=False)}</title>")
        parts += [_svg(shape) for shape in self.shapes]
        return "".join([*parts, "</svg>"])

    def plot(self, ax: Axes | None = None) -> Axes:
        """The picture in matplotlib axes, new ones of its size if none are given."""
        from .drawing_axes import plot

        return plot(self, ax)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture, whole or not at all, in the form that the ending of ``path`` names.

        Raises:
            BadValue: another ending than .svg, .pdf, .png.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending not in ENDINGS:
            raise BadValue(f"{path} ends in {ending!r}; legal: {', '.join(ENDINGS)}")
        if ending == ".svg":
            return write_whole(path, self.svg.encode())
        from .drawing_axes import render

        return write_whole(path, render(self, ending[1:]))

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<drawing {self.title!r}: {self.width:.0f} x {self.height:.0f} px>"


def _n(value: float) -> str:
    return f"{round(value, 1):g}"


def _svg(shape: Shape) -> str:
    if isinstance(shape, Words):
        return _text(shape.middle, shape.words, shape.ink, "")
    pale = f' opacity="{PALE}"' if shape.pale else ""
    dashes = ' stroke-dasharray="3 3"' if shape.dashed else ""
    if isinstance(shape, Curve):
        pieces = "".join("C" + " ".join(f"{_n(x)},{_n(y)}" for x, y in piece) for piece in shape.pieces)
        line = f'<path d="M{_n(shape.start[0])},{_n(shape.start[1])}{pieces}" fill="none" stroke="{LINE}"'
        line += f' stroke-width="1.6"{dashes}{pale}/>'
        corners = " ".join(f"{_n(x)},{_n(y)}" for x, y in shape.head)
        return line + (f'<polygon points="{corners}" fill="{LINE}"{pale}/>' if shape.arrow else "")
    x, y = shape.middle
    place = f'x="{_n(x - shape.width / 2)}" y="{_n(y - shape.height / 2)}"'
    size = f'width="{_n(shape.width)}" height="{_n(shape.height)}" rx="{_n(shape.round)}"'
    outline = f' stroke="{shape.outline}"{dashes}' if shape.outline else ""
    box = f'<rect {place} {size} fill="{shape.fill or "none"}"{outline}{pale}/>'
    return box + (_text(shape.middle, shape.words, shape.ink, pale) if shape.words else "")


def _text(middle: Point, words: str, ink: str, pale: str) -> str:
    """Text whose capitals are centred: a line below the middle by about a third of the font's size."""
    place = f'x="{_n(middle[0])}" y="{_n(middle[1] + 0.35 * FONT)}"'
    return f'<text {place} fill="{ink}"{pale}>{escape(words, quote=False)}</text>'
