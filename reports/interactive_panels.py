"""Ladders, heat maps and rankings as plotly figures."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from .figure_panels import colours
from .panels import Ladder, Matrix, Ranking, Rung
from .view import Style

QUIET: dict[str, Any] = {"zeroline": False, "automargin": True}


def interactive_panel(panel: Ladder | Matrix | Ranking) -> dict[str, Any]:
    """Data and layout of a panel that is no `View`."""
    if isinstance(panel, Ladder):
        made = _ladder(panel)
    elif isinstance(panel, Matrix):
        made = _matrix(panel)
    else:
        made = _ranking(panel)
    made["layout"] = {
        "template": "none", "showlegend": False, "hovermode": "closest", "margin": {"l": 58, "r": 28, "t": 26, "b": 48},
        **made["layout"],
    }  # fmt: skip
    return made


def _ladder(ladder: Ladder) -> dict[str, Any]:
    rungs = ladder.rungs
    value, low, high = (
        np.array([getattr(rung, name) for rung in rungs], dtype=float) for name in ("value", "low", "high")
    )
    paint = [Style.of(rung.slot).colour for rung in rungs]
    words = [_words(rung) for rung in rungs]
    up, down = high - value, value - low
    whiskers = {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "width": 0}
    places = np.arange(len(rungs))
    common: dict[str, Any] = {"hovertemplate": "%{text}<extra></extra>", "meta": {"role": "rungs"}}
    common |= {"x": value, "y": places, "text": words}
    data: list[dict[str, Any]] = []
    if ladder.at is not None:
        data.append({
            "type": "scatter", "mode": "lines", "x": [ladder.at] * 2, "y": [-0.6, len(rungs) - 0.4],
            "hoverinfo": "skip", "meta": {"role": "reference"}, "line": {"width": 1, "dash": "6px,4px"},
        })  # fmt: skip
    if ladder.bars:
        data.append({**common, "type": "bar", "orientation": "h", "marker": {"color": paint, "opacity": 0.85},
                     "textposition": "none", "error_x": {**whiskers, "thickness": 1.4}})  # fmt: skip
    else:  # one trace each: whiskers take a single colour
        for place, colour in enumerate(paint):
            only = slice(place, place + 1)
            one = {"x": value[only], "y": places[only], "text": words[only]}
            mine = {**whiskers, "array": up[only], "arrayminus": down[only]}
            data.append({**common, **one, "type": "scatter", "mode": "markers", "marker": {"color": colour, "size": 9},
                         "error_x": {**mine, "color": colour, "thickness": 2}})  # fmt: skip
    positive = all(rung.value > 0 for rung in rungs if rung.value == rung.value)
    return {
        "data": data,
        "layout": {
            "meta": {"height": 110 + 27 * len(rungs)},
            "xaxis": {**QUIET, "title": {"text": escaped(ladder.x_title)}, "showline": True,
                      "type": "log" if ladder.log and positive and not ladder.bars else "linear"},
            "yaxis": {**QUIET, "tickvals": places, "ticktext": [escaped(rung.name) for rung in rungs],
                      "range": [len(rungs) - 0.4, -0.6], "showgrid": False},
        },
    }  # fmt: skip


def _words(rung: Rung) -> str:
    """What hovering over a row tells."""
    interval = f" [{rung.low:.4g}, {rung.high:.4g}]" if rung.low == rung.low else ""
    return f"{escaped(rung.name)}: {rung.value:.4g}{interval}" + (f"<br>{escaped(rung.words)}" if rung.words else "")


def _matrix(matrix: Matrix) -> dict[str, Any]:
    heat: dict[str, Any] = {
        "type": "heatmap", "z": matrix.values, "zmin": matrix.ends[0], "zmax": matrix.ends[1], "xgap": 2, "ygap": 2,
        "colorscale": [list(stop) for stop in colours(matrix)],
        "text": [[escaped(text) for text in row] for row in matrix.texts], "texttemplate": "%{text}",
        "x": np.arange(len(matrix.columns)), "y": np.arange(len(matrix.rows)), "hoverongaps": False,
        "customdata": [[[escaped(row), escaped(column)] for column in matrix.columns] for row in matrix.rows],
        "hovertemplate": "%{customdata[0]}, %{customdata[1]}: %{z:.4g}<extra></extra>", "meta": {"role": "heat"},
        "showscale": bool(matrix.scale_title),
        "colorbar": {"title": {"text": escaped(matrix.scale_title), "side": "top"}, "outlinewidth": 0,
                     "thickness": 14},
    }  # fmt: skip
    names = {"x": matrix.columns, "y": matrix.rows}
    axes: dict[str, dict[str, Any]] = {
        f"{axis}axis": {**QUIET, "tickvals": np.arange(len(words)), "ticktext": [escaped(word) for word in words],
                        "showgrid": False, "ticks": "",
                        "title": {"text": escaped(title), "standoff": 10}}  # beyond the names, however they are turned
        for (axis, words), title in zip(names.items(), (matrix.x_title, matrix.y_title), strict=True)
    }  # fmt: skip
    axes["yaxis"]["autorange"] = "reversed"
    return {"data": [heat], "layout": {"meta": {"height": 150 + 32 * len(matrix.rows)}, **axes}}


def _ranking(ranking: Ranking) -> dict[str, Any]:
    strokes, words = ranking.drawing
    data = [
        {
            "type": "scatter", "mode": "lines", "x": [stroke.x0, stroke.x1], "y": [stroke.y0, stroke.y1],
            "hoverinfo": "skip", "meta": {"role": "reference" if stroke.slot is None else "line"},
            "line": {"width": 1.3 * stroke.weight, "color": Style.of(stroke.slot).colour},
        }
        for stroke in strokes
    ]  # fmt: skip
    position = {"left": "middle right", "right": "middle left", "center": "middle center"}
    for side, place in position.items():
        some = [each for each in words if each.side == side]
        text: dict[str, Any] = {
            "type": "scatter", "mode": "text", "x": [each.x for each in some], "y": [each.y for each in some],
            "text": [escaped(each.words) for each in some], "textposition": place, "hoverinfo": "skip",
            "cliponaxis": False, "meta": {"role": "words"},
        }  # fmt: skip
        data.append(text)
    first, last = ranking.span
    wide = 0.35 * (last - first)
    hidden: dict[str, Any] = {"visible": False, "fixedrange": True}
    return {
        "data": data,
        "layout": {
            "meta": {"height": round(70 - 26 * ranking.depth)},
            "xaxis": {**hidden, "range": [first - wide, last + wide]},
            "yaxis": {**hidden, "range": [ranking.depth - 0.5, 2.1]},
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        },
    }


def escaped(text: str) -> str:
    """Text that plotly shows literally: it reads some tags itself."""
    return html.escape(text, quote=False)
