"""The same views as plotly figures, for the page and for notebooks."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .view import Line, View

if TYPE_CHECKING:
    import plotly.graph_objects as go


def figure(view: View) -> go.Figure:
    """One view. ``layout.meta`` holds the ranges of y for both scales, each trace's ``meta`` its role."""
    import plotly.graph_objects as go

    ranges: dict[str, tuple[float, ...]] = {"linear": view.limits(False)}
    if view.logarithmic:
        ranges["log"] = tuple(math.log10(limit) for limit in view.limits(True))
    scale = "log" if view.logarithmic else "linear"
    floor = view.limits(True)[0] / 10 if view.logarithmic else None
    axis = {"showline": True, "linewidth": 1, "zeroline": False, "automargin": True, "fixedrange": False}
    return go.Figure(
        data=[trace for line in view.lines for trace in _traces(line, floor)],
        layout={
            "template": "none",
            "meta": {"ranges": ranges},
            "xaxis": {**axis, "title": {"text": view.x_title}, "range": [0, view.x_end], "tickformat": ",~g",
                      "hoverformat": ",.4~g" if view.x_end < 10 else ",.0f", "uirevision": view.x_title},
            "yaxis": {**axis, "title": {"text": view.y_title}, "type": scale, "range": ranges[scale],
                      "uirevision": view.y_title, "tickformat": "~g", "dtick": "D2" if scale == "log" else None},
            "hovermode": "x unified",
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
            "margin": {"l": 58, "r": 28, "t": 8, "b": 48},
            "uirevision": "kept",
        },
    )  # fmt: skip


def _traces(line: Line, floor: float | None) -> list[dict[str, Any]]:
    """The two edges of a band and its line; nothing falls below ``floor``, the words on hover are the true numbers."""
    look = line.style
    group = f"line {line.slot}"
    shape = "linear" if line.slot is None else "hv"
    x, y, low, high = (np.asarray(each, dtype=np.float32) for each in (line.x, line.y, line.low, line.high))
    drawn_y, drawn_low, drawn_high = (each if floor is None else np.maximum(each, floor) for each in (y, low, high))
    name = html.escape(line.label, quote=False)
    dash = ",".join(f"{2 * length:g}px" for length in look.dash) or "solid"
    hover = "%{customdata[0]:.3f} [%{customdata[1]:.3f}, %{customdata[2]:.3f}]"
    edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0, "shape": shape, "color": look.colour},
            "hoverinfo": "skip", "showlegend": False, "legendgroup": group, "meta": {"role": "band"}}  # fmt: skip
    filled = {**edge, "y": drawn_high, "fill": "tonexty", "fillcolor": _faint(look.colour)}
    below = {**edge, "y": drawn_low}
    if line.slot is None:  # one run's quantiles, not an interval of a mean: shown on request only
        once = {"legendgroup": "reference band", "visible": "legendonly", "meta": {"role": "reference band"}}
        below.update(once)
        filled.update(once, showlegend=True, name=html.escape(line.band, quote=False))
    main = {
        "type": "scatter", "mode": "lines", "x": x, "y": drawn_y, "name": name, "legendgroup": group,
        "line": {"width": 1.5 if line.slot is None else 2, "shape": shape, "color": look.colour, "dash": dash},
        "customdata": np.stack([y, low, high], axis=1), "hovertemplate": hover,
        "meta": {"role": "reference" if line.slot is None else "line"},
    }  # fmt: skip
    return [below, filled, main]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
