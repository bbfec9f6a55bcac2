"""The same views as plotly figures, for the page and for notebooks."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .view import CROWD, Line, View

if TYPE_CHECKING:
    import plotly.graph_objects as go

HOVER = "%{customdata[0]:.3f} [%{customdata[1]:.3f}, %{customdata[2]:.3f}]"
HOVER_REFERENCE = "%{customdata[0]:.3f}, single runs %{customdata[1]:.3f} to %{customdata[2]:.3f}"


def figure(view: View) -> go.Figure:
    """One view. ``layout.meta`` holds the ranges of y for both scales, each trace's ``meta`` its role."""
    import plotly.graph_objects as go

    step = None
    ranges: dict[str, tuple[float, ...]] = {"linear": view.limits(False)}
    if view.logarithmic:
        ranges["log"] = tuple(math.log10(limit) for limit in view.limits(True))
        round_numbers = sum(f"{tick:e}"[0] in "125" for tick in view.ticks(*view.limits(True)))
        step = "D2" if round_numbers >= 3 else None
    scale = "log" if view.logarithmic else "linear"
    floor = view.limits(True)[0] / 10 if view.logarithmic else None
    faint = 0.18 if len(view.lines) <= CROWD else 0.1
    axis = {"showline": True, "linewidth": 1, "zeroline": False, "automargin": True, "fixedrange": False}
    return go.Figure(
        data=[trace for line in view.lines for trace in _traces(line, floor, faint)],
        layout={
            "template": "none",
            "meta": {"ranges": ranges},
            "xaxis": {**axis, "title": {"text": view.x_title}, "range": [0, view.x_end], "tickformat": ",~g",
                      "hoverformat": ",.4~g" if view.x_end < 10 else ",.0f", "uirevision": view.x_title},
            "yaxis": {**axis, "title": {"text": view.y_title}, "type": scale, "range": ranges[scale],
                      "uirevision": view.y_title, "tickformat": "~g", "dtick": step},
            "hovermode": "x unified",
            "legend": {"orientation": "h", "x": 0, "y": 0, "xanchor": "left", "yanchor": "bottom", "yref": "container"},
            "margin": {"l": 58, "r": 28, "t": 26, "b": 48},
            "uirevision": "kept",
        },
    )  # fmt: skip


def _traces(line: Line, floor: float | None, faint: float) -> list[dict[str, Any]]:
    """The two edges of a band and its line; nothing falls below ``floor``, the words on hover are the true numbers."""
    look, reference = line.style, line.slot is None
    x, y, low, high = (np.asarray(each, dtype=np.float32) for each in (line.x, line.y, line.low, line.high))
    drawn_y, drawn_low, drawn_high = (each if floor is None else np.maximum(each, floor) for each in (y, low, high))
    stroke = {"shape": "hv", "color": look.colour}
    common = {"type": "scatter", "mode": "lines", "x": x, "legendgroup": f"line {line.slot}"}
    edge = {**common, "line": {**stroke, "width": 0}, "hoverinfo": "skip", "showlegend": False}
    edge["meta"] = {"role": "band"}
    if reference:  # quantiles of one run, not an interval of a mean: shown on request only
        edge.update(legendgroup="reference band", visible="legendonly", meta={"role": "reference band"})
    filled = {**edge, "y": drawn_high, "fill": "tonexty", "fillcolor": _faint(look.colour, faint)}
    if reference:
        filled.update(showlegend=True, legendrank=1000, name=_escaped(line.band))
    dash = ",".join(f"{2 * length:g}px" for length in look.dash) or "solid"
    main = {
        **common,
        "mode": "lines+markers" if line.sparse else "lines",
        "y": drawn_y,
        "name": _escaped(line.label),
        "line": {**stroke, "width": 1.5 if reference else 2, "dash": dash},
        "legendrank": 900 if line.slot is None else line.slot + 1,
        "customdata": np.stack([y, low, high], axis=1),
        "hovertemplate": HOVER_REFERENCE if reference else HOVER,
        "meta": {"role": "reference" if reference else "line"},
    }
    return [{**edge, "y": drawn_low}, filled, main]


def _escaped(text: str) -> str:
    """Text that plotly shows literally: it reads some tags itself."""
    return html.escape(text, quote=False)


def _faint(colour: str, share: float) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"
