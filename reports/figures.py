"""Figures for papers: matplotlib without its global state, fonts embedded, the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from .view import CROWD, Line, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.labelcolor": "#333333",
    "axes.edgecolor": "#888888",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.color": "#888888",
    "ytick.color": "#888888",
    "xtick.labelcolor": "#333333",
    "ytick.labelcolor": "#333333",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.5,
    "figure.facecolor": "white",
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "nasgauge",
}
WIDTH = 6.75  # inches: two columns of most templates
DOTS = 220  # per inch, for PNG


def draw(views: Sequence[View]) -> Figure:
    """The views side by side (three in a row at most) under one legend."""
    from matplotlib.figure import Figure

    columns = min(3, len(views))
    rows = -(-len(views) // columns)
    with _style():
        width = WIDTH if columns > 1 else 0.6 * WIDTH
        figure = Figure(figsize=(width, 0.35 + 2.3 * rows), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        handles: dict[str, Any] = {}
        for place, axes in enumerate(grid.ravel()):
            if place < len(views):
                _panel(axes, views[place], handles)
            else:
                axes.set_visible(False)
        for axes in grid[:, 1:].ravel():
            if axes.get_visible() and axes.get_ylabel() == grid[0, 0].get_ylabel():
                axes.set_ylabel("")
        figure.legend(
            list(handles.values()), list(handles), loc="outside upper center", ncols=min(4, max(1, len(handles))),
            handlelength=2.4, columnspacing=1.6,
        )  # fmt: skip
        figure.draw_without_rendering()  # lay out once, so that every format gets the same places in any order
        figure.set_layout_engine("none")
        return figure


def render(figure: Figure, form: str) -> bytes:
    """The figure as "pdf", "png" or "svg", free of dates: the same figure gives the same bytes."""
    dateless = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
    target = io.BytesIO()
    with _style():
        figure.savefig(target, format=form, dpi=DOTS, metadata=dateless[form])
    return target.getvalue()


def _style() -> AbstractContextManager[None]:
    """Our settings over matplotlib's own defaults, whatever a matplotlibrc says; afterwards everything is as before."""
    from matplotlib import rc_context, rcParamsDefault

    defaults: Any = {name: value for name, value in rcParamsDefault.items() if not name.startswith("backend")}
    return rc_context({**defaults, **STYLE})


def _panel(axes: Axes, view: View, handles: dict[str, Any]) -> None:
    """Draw one view; ``handles`` collects the legend's entries by label."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    logarithmic = view.logarithmic
    low, high = view.limits(logarithmic)
    faint = 0.2 if len(view.lines) <= CROWD else 0.1
    for line in sorted(view.lines, key=lambda each: each.slot is None):  # the thin reference lies on top
        handle = _line(axes, line, low / 10 if logarithmic else None, faint)
        handles.setdefault(_plain(line.label), handle)
    if logarithmic:
        axes.set_yscale("log", nonpositive="clip")
        axes.yaxis.set_major_locator(FixedLocator(view.ticks(low, high)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(low, high)
    axes.set_xlim(0, view.x_end)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 3, 4, 5, 10]))
    axes.set_title(_plain(view.title))
    axes.set_xlabel(view.x_title)
    axes.set_ylabel(view.y_title)


def _line(axes: Axes, line: Line, floor: float | None, faint: float) -> Any:
    """One line and, for a searcher, its ``faint`` band; on a logarithmic axis nothing is drawn below ``floor``."""
    y, low, high = line.y, line.low, line.high
    if floor is not None:
        y, low, high = (np.maximum(each, floor) for each in (y, low, high))
    look = line.style
    pattern: Any = (0, look.dash) if look.dash else "solid"
    width = 1.0 if line.slot is None else STYLE["lines.linewidth"]
    if line.slot is not None:
        axes.fill_between(line.x, low, high, step="post", color=look.colour, alpha=faint, linewidth=0)
    return axes.plot(
        line.x, y, color=look.colour, linestyle=pattern, linewidth=width, drawstyle="steps-post",
        marker="o" if line.sparse else None, markersize=3.5,
    )[0]  # fmt: skip


def _plain(text: str) -> str:
    """Text that matplotlib takes literally: no mathematics between dollars, no label hidden by its underscore."""
    text = text.replace("$", r"\$")
    return "\u200b" + text if text.startswith("_") else text
