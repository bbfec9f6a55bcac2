"""Ladders, heat maps and rankings on matplotlib's axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .panels import Ladder, Matrix, Panel, Ranking
from .view import COLOURS, REFERENCE_COLOUR, Style, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap


def inches(panel: Panel) -> float:
    """The height of a panel on paper."""
    if isinstance(panel, View):
        return 2.3
    if isinstance(panel, Ladder):
        return 0.75 + 0.2 * len(panel.rungs)
    if isinstance(panel, Matrix):
        return 1.0 + 0.27 * len(panel.rows)
    return 0.6 - 0.24 * panel.depth


def draw_panel(axes: Axes, panel: Ladder | Matrix | Ranking) -> None:
    """Draw a panel that is no `View`."""
    if isinstance(panel, Ladder):
        _ladder(axes, panel)
    elif isinstance(panel, Matrix):
        _matrix(axes, panel)
    else:
        _ranking(axes, panel)
    axes.set_title(plain(panel.title))


def _ladder(axes: Axes, ladder: Ladder) -> None:
    if ladder.at is not None:
        axes.axvline(ladder.at, color="#888888", linewidth=0.9, linestyle=(0, (4.0, 2.0)), zorder=1.5)
    for place, rung in enumerate(ladder.rungs):
        colour = Style.of(rung.slot).colour
        if ladder.bars:
            axes.barh(place, rung.value, height=0.62, color=colour, alpha=0.85, linewidth=0)
        axes.plot([rung.low, rung.high], [place, place], color="#333333" if ladder.bars else colour, linewidth=1.4)
        if not ladder.bars:
            axes.plot([rung.value], [place], marker="o", markersize=4, color=colour)
    if ladder.log and not ladder.bars and all(rung.value > 0 for rung in ladder.rungs if rung.value == rung.value):
        axes.set_xscale("log")
    axes.set_yticks(range(len(ladder.rungs)), [plain(rung.name) for rung in ladder.rungs])
    axes.set_ylim(len(ladder.rungs) - 0.4, -0.6)
    axes.grid(False, axis="y")
    axes.set_xlabel(plain(ladder.x_title))


def colours(matrix: Matrix) -> list[tuple[float, str]]:
    """The stops of a heat map, from 0 to 1."""
    return [(0.0, COLOURS[1]), (0.5, "#ffffff"), (1.0, COLOURS[0])] if matrix.diverging else [
        (0.0, "#ffffff"), (1.0, COLOURS[0])]  # fmt: skip


def _matrix(axes: Axes, matrix: Matrix) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    paint: Colormap = LinearSegmentedColormap.from_list("", colours(matrix))
    low, high = matrix.ends
    values = np.ma.masked_invalid(matrix.values)
    picture = axes.imshow(values, cmap=paint, vmin=low, vmax=high, aspect="auto")
    for row, texts in enumerate(matrix.texts):
        for column, text in enumerate(texts):
            share = (matrix.values[row, column] - low) / ((high - low) or 1.0)
            dark = abs(share - 0.5) > 0.4 if matrix.diverging else share > 0.6
            axes.text(
                column, row, plain(text), ha="center", va="center", fontsize=7, color="white" if dark else "#222222"
            )
    long = max(map(len, matrix.columns)) > 4
    turned: Any = {"rotation": 35, "ha": "right"} if long else {}
    axes.set_xticks(range(len(matrix.columns)), [plain(name) for name in matrix.columns], **turned)
    axes.set_yticks(range(len(matrix.rows)), [plain(name) for name in matrix.rows])
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(plain(matrix.x_title))
    axes.set_ylabel(plain(matrix.y_title))
    if axes.figure is not None and matrix.scale_title:
        bar = axes.figure.colorbar(picture, ax=axes, shrink=0.9, pad=0.02, label=plain(matrix.scale_title))
        bar.outline.set_visible(False)  # type: ignore[operator]


def _ranking(axes: Axes, ranking: Ranking) -> None:
    strokes, words = ranking.drawing
    for stroke in strokes:
        colour = REFERENCE_COLOUR if stroke.slot is None else Style.of(stroke.slot).colour
        axes.plot(
            [stroke.x0, stroke.x1], [stroke.y0, stroke.y1], color=colour, linewidth=stroke.weight,
            solid_capstyle="butt", clip_on=False,
        )  # fmt: skip
    for text in words:
        sides: Any = text.side
        axes.text(text.x, text.y, plain(text.words), ha=sides, va="center", fontsize=7.5, color="#222222")
    first, last = ranking.span
    wide = 0.35 * (last - first)
    axes.set_xlim(first - wide, last + wide)
    axes.set_ylim(ranking.depth - 0.5, 2.1)
    axes.set_axis_off()


def plain(text: str) -> str:
    """Text that matplotlib takes literally: no mathematics between dollars, no label hidden by its underscore."""
    text = text.replace("$", r"\$")
    return "\u200b" + text if text.startswith("_") else text
