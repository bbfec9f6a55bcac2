"""What the figures promise, for paper and for the page."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from nasgauge.reports import figures, interactive
from nasgauge.reports.comparison.plots import regret
from nasgauge.reports.view import COLOURS, Line, Style, View


def line(label: str = "random", slot: int | None = 0, y: tuple[float, ...] = (3.0, 1.0, 0.5)) -> Line:
    values = np.array(y)
    return Line(label, np.arange(1.0, len(y) + 1), values, values * 0.9, values * 1.1, slot, "a band")


def view(*lines: Line, log: bool = True) -> View:
    return View("cifar10", "queries", "test regret [points]", 3.0, lines, log)


def drawn(*lines: Line, form: str = "pdf") -> bytes:
    return figures.render(figures.draw([view(*lines)]), form)


def test_fonts_are_embedded_as_truetype_and_nothing_is_dated() -> None:
    pdf = drawn(line(), line("closed form", None))
    assert b"/CIDFontType2" in pdf and b"/FontFile2" in pdf and b"/Type3" not in pdf
    assert b"CreationDate" not in pdf and b"ModDate" not in pdf
    assert b"<dc:date>" not in drawn(line(), form="svg")


def test_formats_do_not_depend_on_the_order_they_are_written_in() -> None:
    one, two = (figures.draw([view(line()), view(line())]) for _ in range(2))
    forward = {form: figures.render(one, form) for form in ("pdf", "png", "svg")}
    backward = {form: figures.render(two, form) for form in ("svg", "png", "pdf", "svg")}
    assert forward == backward


def test_global_matplotlib_state_is_left_alone() -> None:
    program = """
import matplotlib, sys, numpy as np
from nasgauge.reports import figures
from nasgauge.reports.view import Line, View
settings = lambda: {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}
matplotlib.rcParams["lines.linewidth"] = 9
before = settings()
x = np.arange(3.0)
figures.render(figures.draw([View("", "x", "y", 2.0, (Line("a", x, x, x, x, 0, ""),))]), "pdf")
assert settings() == before
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


@pytest.mark.parametrize("label", ["cost in $ and $", "_hidden", "x^2 {", '<b>&"', "%d"])
def test_any_label_is_drawn_as_it_is_written(label: str) -> None:
    figure = figures.draw([view(line(label))])
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [text.replace("\\$", "$").lstrip("\u200b") for text in shown] == [label]
    assert figures.render(figure, "png").startswith(b"\x89PNG")
    traces = json.loads(interactive.figure(view(line(label))).to_json())["data"]
    names = [trace["name"] for trace in traces if "name" in trace]
    assert names == [label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")]


def test_the_legend_does_not_cover_the_curves() -> None:
    figure = figures.draw([view(*(line(f"searcher {slot}", slot) for slot in range(10)))])
    legend, axes = figure.legends[0].get_window_extent(), figure.axes[0].get_window_extent()
    assert legend.y0 >= axes.y1


def test_twenty_searchers_look_different_and_none_like_the_reference() -> None:
    looks = [Style.of(slot) for slot in range(2 * len(COLOURS))]
    assert len({(look.colour, look.dash) for look in [*looks, Style.of(None)]}) == len(looks) + 1


def test_a_logarithmic_axis_is_used_only_where_the_numbers_allow_it() -> None:
    assert view(line()).logarithmic
    assert view(line(y=(3.0, 1.0, 0.0))).logarithmic  # a mean regret of zero falls off the bottom
    assert not view(line(y=(3.0, 1.0, -0.1))).logarithmic
    assert not view(line(y=(0.0, 0.0))).logarithmic
    assert not view(line(y=(np.nan, np.nan))).logarithmic
    assert not view(line(), log=False).logarithmic


@pytest.mark.parametrize("y", [(3.0, 1.0, 0.0), (np.nan, np.nan), (0.0, 0.0), (5.0,), (np.nan, 2.0), (1.0, 1.0, 1.0)])
def test_odd_curves_are_drawn(y: tuple[float, ...]) -> None:
    assert drawn(line(y=y), line("closed form", None, y), form="png").startswith(b"\x89PNG")
    low, high = view(line(y=y)).limits(view(line(y=y)).logarithmic)
    assert low < high
    interactive.figure(view(line(y=y))).to_json()


def test_limits_hold_all_means_and_ticks_are_round() -> None:
    axes = view(line(y=(12.0, 3.0, 0.04)))
    low, high = axes.limits(True)
    assert low < 0.04 and high > 12
    assert axes.ticks(low, high) == [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10] or axes.ticks(low, high) == [0.1, 1, 10]
    assert len(view().ticks(0.6, 0.9)) >= 4


def test_hover_tells_the_true_number_where_the_drawing_is_cut_off() -> None:
    chart = interactive.figure(view(line(y=(3.0, 1.0, 0.0))))
    main = chart.data[-1]
    assert np.asarray(main.customdata)[-1].tolist() == [0.0, 0.0, 0.0]
    assert main.y[-1] > 0


def test_the_reference_band_is_of_single_runs_and_shown_on_request_only() -> None:
    chart = interactive.figure(view(line("closed form", None)))
    assert [trace.visible for trace in chart.data] == ["legendonly", "legendonly", None]
    assert "single runs" in chart.data[-1].hovertemplate


def test_the_rounding_of_a_mean_is_no_regret() -> None:
    best = 94.3733
    means = best - np.array([1e-14, -1e-14, 0.0, 2e-5, np.nan])
    np.testing.assert_array_equal(regret(best, means)[[0, 1, 2, 4]], [0.0, 0.0, 0.0, np.nan])
    assert regret(best, means)[3] == pytest.approx(2e-5)
