"""Figures for papers: matplotlib without its global state, fonts embedded, the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from .figure_panels import draw_panel, inches, plain
from .panels import Panel
from .view import CROWD, Dots, Line, Rule, View

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
LETTERS = 78  # of a title that fit into the width
DOTS = 220  # per inch, for PNG


def draw(panels: Sequence[Panel]) -> Figure:
    """The panels side by side (three in a row at most, four as a square) under one legend."""
    from matplotlib.figure import Figure

    columns = 2 if len(panels) == 4 else min(3, len(panels))
    rows = -(-len(panels) // columns)
    heights = [max(inches(panel) for panel in panels[row * columns : (row + 1) * columns]) for row in range(rows)]
    with _style():
        width = WIDTH if columns > 1 or not isinstance(panels[0], View) else 0.6 * WIDTH
        size = (width, 0.35 + sum(heights))
        figure = Figure(figsize=size, dpi=DOTS, layout="constrained")  # letters are wider at fewer dots
        grid = figure.subplots(rows, columns, squeeze=False, gridspec_kw={"height_ratios": heights})
        handles: dict[str, Any] = {}
        for place, axes in enumerate(grid.ravel()):
            if place >= len(panels):
                axes.set_visible(False)
            elif isinstance(panel := panels[place], View):
                _view(axes, panel, handles)
            else:
                draw_panel(axes, panel)
            axes.set_title(fill(axes.get_title(loc="left"), LETTERS // columns))
        for axes in grid[:, 1:].ravel():
            if axes.get_visible() and axes.get_ylabel() == grid[0, 0].get_ylabel():
                axes.set_ylabel("")
        if handles:
            _legend(figure, handles)
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


def _view(axes: Axes, view: View, handles: dict[str, Any]) -> None:
    """Draw one view; ``handles`` collects the legend's entries by label."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    logarithmic = view.logarithmic
    low, high = view.limits(logarithmic)
    faint = 0.2 if len(view.lines) <= CROWD else 0.1
    for line in sorted(view.lines, key=lambda each: (each.slot is None, not each.faint)):  # the reference lies on top
        handle = _line(axes, line, low / 10 if logarithmic else None, faint)
        if not line.faint:
            handles.setdefault(plain(line.label), handle)
    for dots in view.dots:
        if dots.shades is not None:
            _shaded(axes, dots)
        else:
            handles.setdefault(plain(dots.label), _dots(axes, dots))
    for rule in view.rules:
        handle = _rule(axes, rule, (view.x_start, view.x_end))
        if rule.label:
            handles.setdefault(plain(rule.label), handle)
    if logarithmic:
        axes.set_yscale("log", nonpositive="clip")
        axes.yaxis.set_major_locator(FixedLocator(view.ticks(low, high)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    elif view.y_ticks:
        axes.yaxis.set_major_locator(FixedLocator(view.y_ticks))
    axes.set_ylim(low, high)
    if view.log_x:
        axes.set_xscale("log", nonpositive="clip")
    axes.set_xlim(view.x_start, view.x_end)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    if view.log_x or view.x_ticks:
        axes.xaxis.set_major_locator(FixedLocator(view.x_ticks or view.ticks(view.x_start, view.x_end)))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 3, 4, 5, 10]))
    if view.y_range == (view.x_start, view.x_end):
        axes.set_box_aspect(1)
    axes.set_title(plain(view.title))
    axes.set_xlabel(plain(view.x_title))
    axes.set_ylabel(plain(view.y_title))


def _legend(figure: Figure, handles: Mapping[str, Any]) -> None:
    """The legend above the panels, in as many columns, four at most, as the figure is wide."""
    for columns in range(min(4, len(handles)), 0, -1):
        legend = figure.legend(
            list(handles.values()), list(handles), loc="outside upper center", ncols=columns, handlelength=2.4,
            columnspacing=1.6,
        )  # fmt: skip
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


def _line(axes: Axes, line: Line, floor: float | None, faint: float) -> Any:
    """One line and, for a searcher, its ``faint`` band; on a logarithmic axis nothing is drawn below ``floor``."""
    y, low, high = line.y, line.low, line.high
    if floor is not None:
        y, low, high = (np.maximum(each, floor) for each in (y, low, high))
    look = line.style
    pattern: Any = (0, look.dash) if look.dash else "solid"
    step: Any = "post" if line.steps else None
    usual = 0.4 if line.faint else 1.0 if line.slot is None else STYLE["lines.linewidth"]
    width = usual if line.weight is None else line.weight
    if line.slot is not None and line.banded:
        axes.fill_between(line.x, low, high, step=step, color=look.colour, alpha=faint, linewidth=0)
    return axes.plot(
        line.x, y, color=look.colour, linestyle="solid" if line.faint else pattern, linewidth=width,
        alpha=0.35 if line.faint else None, drawstyle="steps-post" if line.steps else "default",
        marker="o" if line.sparse else None, markersize=3.5,
    )[0]  # fmt: skip


def _dots(axes: Axes, dots: Dots) -> Any:
    """Points with their whiskers; many of them as one picture, so that the file stays small."""
    many = len(dots.x) >= dots.MANY
    marker = {"circle": "o", "diamond": "D", "triangle-up": "^"}[dots.style.symbol]
    if dots.low is not None and dots.high is not None:
        axes.vlines(dots.x, dots.low, dots.high, color=dots.style.colour, linewidth=0.7, alpha=0.6, rasterized=many)
    return axes.plot(
        dots.x, dots.y, linestyle="none", marker=marker, markersize=1.2 if many else 0.75 * dots.size,
        color=dots.style.colour, alpha=0.35 if many else 0.85, markeredgewidth=0, rasterized=many,
    )[0]  # fmt: skip


def _shaded(axes: Axes, dots: Dots) -> None:
    """Points in the colours of a scale, which stands beside them."""
    assert axes.figure is not None
    drawn = axes.scatter(
        dots.x, dots.y, c=dots.shades, s=(0.55 * dots.size) ** 2, cmap="viridis", linewidths=0, plotnonfinite=True,
        rasterized=len(dots.x) >= dots.MANY,
    )  # fmt: skip
    bar = axes.figure.colorbar(drawn, ax=axes, fraction=0.05, pad=0.02)
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.set_label(plain(dots.shade_title))


def _rule(axes: Axes, rule: Rule, span: tuple[float, float]) -> Any:
    look: Any = {"color": "#888888", "linewidth": 0.9, "linestyle": (0, (4.0, 2.0)), "zorder": 1.5}
    if rule.kind == "across":
        return axes.axhline(rule.at, **look)
    return axes.axvline(rule.at, **look) if rule.kind == "upright" else axes.plot(span, span, **look)[0]
