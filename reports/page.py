"""One self-contained HTML page from the blocks of a report: everything inside, nothing fetched, all text escaped."""

from __future__ import annotations

import base64
import gzip
import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from .blocks import Picture, Plot

if TYPE_CHECKING:
    from .report import Report

LARGE = 200_000  # bytes above which the page carries a CSV compressed, and a figure as dots
SHARED = 100  # words of dots, above which views of a plot that show the same ones share them
HEAVY = 4_000  # points drawn in a figure above which it is surely that large as lines


def render(report: Report, *, still: bool = False) -> str:
    """The page of a report; ``still`` leaves plotly out and shows the figures for paper instead."""
    stills = {
        name: _still(report, name)
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Plot)
        for name in block.still
    }
    return _environment().get_template("page.html").render(
        report=report,
        still=still,
        stills=stills,
        downloads=[] if still else _downloads(report),
        plotly=None if still else _plotly(),
        views=_views,
        picture=_picture,
    )  # fmt: skip


def _picture(item: Picture) -> Markup:
    """The SVG of an architecture, whose words `Drawing` has escaped."""
    return Markup(item.drawing.svg)


def _still(report: Report, name: str) -> str:
    """A figure that stands still: as lines, or as dots where lines would make the page heavy."""
    lines = report.figure(name, "svg") if report.weight(name) < HEAVY else b""
    if lines and len(lines) < LARGE:
        return _data_uri("image/svg+xml", lines)
    return _data_uri("image/png", report.figure(name, "png"))


def _views(plot: Plot) -> Markup:
    """All views of a plot as JSON that is safe inside a script element.

    Arrays are kept once each, as base64 of single precision, and named by their place in ``arrays``: the
    lines of many views share their x, a band's edges and its words on hover their numbers. The words of many dots are
    kept once each too, in ``texts``.
    """
    from .interactive import described

    arrays: dict[bytes, int] = {}
    texts: dict[tuple[str, ...], int] = {}
    views = {" ".join(choice): _plain(described(view), arrays, texts) for choice, view in plot.views.items()}
    kept = [base64.b64encode(content).decode() for content in arrays]
    whole = {"arrays": kept, "texts": list(texts), "views": views}
    text = json.dumps(whole, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return _script(text)


def _plain(value: Any, arrays: dict[bytes, int], texts: dict[tuple[str, ...], int]) -> Any:
    """The value with its arrays and long lists of words taken out; NaN outside of an array is null."""
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "f":
        return {"array": arrays.setdefault(value.astype("<f4").tobytes(), len(arrays))}
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype == np.float32:
        return {"columns": [_plain(column, arrays, texts) for column in np.ascontiguousarray(value.T)]}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist(), arrays, texts)
    if isinstance(value, dict):
        return {key: _plain(each, arrays, texts) for key, each in value.items()}
    if isinstance(value, tuple) and len(value) > SHARED and isinstance(value[0], str):
        return {"words": texts.setdefault(value, len(texts))}
    if isinstance(value, list | tuple):
        return [_plain(each, arrays, texts) for each in value]
    if isinstance(value, float) and value != value:
        return None
    return value.item() if isinstance(value, np.generic) else value


def _downloads(report: Report) -> list[tuple[str, str]]:
    """(file name, data address) of each table and each figure."""
    files = []
    for name in report.tables:
        content = report.csv(name)
        if len(content) > LARGE:
            files.append((f"{name}.csv.gz", _data_uri("application/gzip", gzip.compress(content, mtime=0))))
        else:
            files.append((f"{name}.csv", _data_uri("text/csv;charset=utf-8", content)))
    files.extend((f"{name}.pdf", _data_uri("application/pdf", report.figure(name, "pdf"))) for name in report.figures)
    return files


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


@cache
def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs().replace("</script", "<\\/script"))


def _script(text: str) -> Markup:
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


@cache
def _environment() -> Environment:
    folder = resources.files(__package__)
    environment = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["slug"] = slug
    return environment


def slug(text: str) -> str:
    """A name fit for a file, an anchor or an element's id."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text)
    return kept.strip("-") or "x"
