"""The same pictures as plotly figures, for the page and for notebooks."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .interactive_panels import escaped as _escaped
from .interactive_panels import interactive_panel
from .panels import Panel
from .view import CROWD, Dots, Line, Rule, View

if TYPE_CHECKING:
    import plotly.graph_objects as go

HOVER = "%{customdata[0]:.3f} [%{customdata[1]:.3f}, %{customdata[2]:.3f}]"
HOVER_REFERENCE = "%{customdata[0]:.3f}, single runs %{customdata[1]:.3f} to %{customdata[2]:.3f}"


def figure(panel: Panel) -> go.Figure:
    """One panel. In a view ``layout.meta`` holds the ranges of y for both scales, each trace's ``meta`` its role.

    ``layout.meta.height`` is the height that the picture wants [pixels]; absent, the page's usual one will do.
    """
    import plotly.graph_objects as go

    return go.Figure(**described(panel))


def described(panel: Panel) -> dict[str, Any]:
    """Data and layout of the figure as plain values and arrays, unchecked: what the page is written from."""
    return _view(panel) if isinstance(panel, View) else interactive_panel(panel)


def _view(view: View) -> dict[str, Any]:
    ticks: dict[str, Any] = {}
    ranges: dict[str, tuple[float, ...]] = {"linear": view.limits(False)}
    if view.logarithmic:
        ranges["log"] = tuple(math.log10(limit) for limit in view.limits(True))
        at = view.ticks(*view.limits(True))
        ticks = {"tickvals": at, "ticktext": [f"{tick:g}" for tick in at]}
    elif view.y_ticks:
        ticks = {"tickvals": list(view.y_ticks), "ticktext": [f"{tick:g}" for tick in view.y_ticks]}
    scale = "log" if view.logarithmic else "linear"
    floor = view.limits(True)[0] / 10 if view.logarithmic else None
    faint = 0.18 if len(view.lines) <= CROWD else 0.1
    marks: dict[str, Any] = {}
    if view.log_x or view.x_ticks:
        at = list(view.x_ticks) or view.ticks(view.x_start, view.x_end)
        marks = {"tickvals": at, "ticktext": [f"{tick:,g}" for tick in at]}
    axis = {"showline": True, "linewidth": 1, "zeroline": False, "automargin": True, "fixedrange": False}
    span = (view.x_start, view.x_end)
    lines = sorted(view.lines, key=lambda line: not line.faint)
    traces = [trace for line in lines for trace in _traces(line, floor, faint)]
    traces += [_dots(dots) for dots in view.dots]
    traces += [_rule(rule, span, view.limits(view.logarithmic)) for rule in view.rules]
    curves = bool(view.lines) and not view.dots
    square = view.y_range == span
    wide = view.x_end - view.x_start
    return {
        "data": traces,
        "layout": {
            "template": "none",
            "meta": {"ranges": ranges, **({"height": 520} if square else {})},
            "xaxis": {**axis, "title": {"text": view.x_title}, "type": "log" if view.log_x else "linear",
                      "range": [math.log10(edge) for edge in span] if view.log_x else list(span),
                      "tickformat": "~g" if view.log_x else ",~g", **marks,
                      "hoverformat": ",.4~g" if wide < 10 else ",.0f", "uirevision": view.x_title,
                      **({"constrain": "domain"} if square else {})},
            "yaxis": {**axis, "title": {"text": view.y_title}, "type": scale, "range": ranges[scale],
                      "uirevision": view.y_title, "tickformat": "~g", **ticks,
                      **({"scaleanchor": "x", "constrain": "domain"} if square else {})},
            "hovermode": "x unified" if curves else "closest",
            "legend": {"orientation": "h", "x": 0, "y": 0, "xanchor": "left", "yanchor": "bottom", "yref": "container"},
            "margin": {"l": 58, "r": 28, "t": 26, "b": 48},
            "uirevision": "kept",
        },
    }  # fmt: skip


def _traces(line: Line, floor: float | None, faint: float) -> list[dict[str, Any]]:
    """The two edges of a band and its line; nothing falls below ``floor``, the words on hover are the true numbers."""
    look, reference = line.style, line.slot is None
    if line.faint:
        return [_faint_runs(line, floor)]
    x, y, low, high = (np.asarray(each, dtype=np.float32) for each in (line.x, line.y, line.low, line.high))
    drawn_y, drawn_low, drawn_high = (each if floor is None else np.maximum(each, floor) for each in (y, low, high))
    stroke = {"shape": "hv" if line.steps else "linear", "color": look.colour}
    common = {"type": "scatter", "mode": "lines", "x": x, "legendgroup": f"line {line.slot}"}
    edge = {**common, "line": {**stroke, "width": 0}, "hoverinfo": "skip", "showlegend": False}
    edge["meta"] = {"role": "band"}
    if reference:  # quantiles of one run, not an interval of a mean: shown on request only
        edge.update(legendgroup="reference band", visible="legendonly", meta={"role": "reference band"})
    filled = {**edge, "y": drawn_high, "fill": "tonexty", "fillcolor": _faint(look.colour, faint)}
    if reference:
        filled.update(showlegend=True, legendrank=1000, name=_escaped(line.band))
    dash = ",".join(f"{2 * length:g}px" for length in look.dash) or "solid"
    width = (1.5 if reference else 2) if line.weight is None else 1.3 * line.weight
    main = {
        **common,
        "mode": "lines+markers" if line.sparse else "lines",
        "y": drawn_y,
        "name": _escaped(line.label),
        "line": {**stroke, "width": width, "dash": dash},
        "legendrank": 900 if line.slot is None else line.slot + 1,
        "customdata": np.stack([y, low, high], axis=1),
        "hovertemplate": HOVER_REFERENCE if reference else HOVER,
        "meta": {"role": "reference" if reference else "line"},
    }
    if not line.banded:
        return [main]
    return [{**edge, "y": drawn_low}, filled, main]


def _faint_runs(line: Line, floor: float | None) -> dict[str, Any]:
    """Single runs as one trace with gaps, part of its searcher's entry in the legend."""
    x, y = (np.asarray(each, dtype=np.float32) for each in (line.x, line.y))
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": y if floor is None else np.maximum(y, floor),
        "name": _escaped(line.label), "legendgroup": f"line {line.slot}", "showlegend": False, "hoverinfo": "skip",
        "opacity": 0.4, "line": {"shape": "hv", "color": line.style.colour, "width": 0.7}, "meta": {"role": "run"},
    }  # fmt: skip


def _dots(dots: Dots) -> dict[str, Any]:
    """Points with whiskers and words."""
    many = len(dots.x) >= dots.MANY
    trace: dict[str, Any] = {
        "type": "scattergl" if many else "scatter", "mode": "markers", "name": _escaped(dots.label),
        "x": np.asarray(dots.x, dtype=np.float32), "y": np.asarray(dots.y, dtype=np.float32),
        "marker": {"color": dots.style.colour, "symbol": dots.style.symbol, "size": 3 if many else 1.4 * dots.size,
                   "opacity": 0.35 if many else 0.85},
        "legendgroup": f"line {dots.slot}", "meta": {"role": "dots"},
        "hovertemplate": ("%{text}<br>" if dots.words else "") + "%{x:.4~g}, %{y:.4~g}<extra></extra>",
    }  # fmt: skip
    if dots.words:
        trace["text"] = _all_escaped(dots.words)
    if dots.shades is not None:
        trace["marker"] |= {
            "color": np.asarray(dots.shades, dtype=np.float32), "colorscale": "Viridis", "opacity": 0.9,
            "colorbar": {"title": {"text": _escaped(dots.shade_title), "side": "right"}, "outlinewidth": 0,
                         "thickness": 14},
        }  # fmt: skip
        trace["showlegend"] = False
    if dots.low is not None and dots.high is not None:
        trace["error_y"] = {
            "type": "data", "symmetric": False, "array": np.asarray(dots.high - dots.y, dtype=np.float32),
            "arrayminus": np.asarray(dots.y - dots.low, dtype=np.float32), "thickness": 1, "width": 0,
        }  # fmt: skip
    return trace


@lru_cache(maxsize=4)
def _all_escaped(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words of many dots, which many views share."""
    return tuple(_escaped(word) for word in words)


def _rule(rule: Rule, span: tuple[float, float], limits: tuple[float, float]) -> dict[str, Any]:
    """A reference line as a trace, so that it takes the page's colour."""
    x, y = {
        "across": (span, (rule.at, rule.at)),
        "upright": ((rule.at, rule.at), limits),
        "diagonal": (span, span),
    }[rule.kind]
    return {
        "type": "scatter", "mode": "lines", "x": list(x), "y": list(y), "name": _escaped(rule.label),
        "showlegend": bool(rule.label), "hoverinfo": "skip", "meta": {"role": "reference"},
        "line": {"color": "#888888", "width": 1, "dash": "6px,4px"},
    }  # fmt: skip


def _faint(colour: str, share: float) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"
