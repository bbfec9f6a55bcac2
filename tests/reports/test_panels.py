"""What scatter plots, ladders, heat maps and rankings promise, on paper and on the page."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from nasgauge.reports import figures, interactive
from nasgauge.reports.blocks import Plot, Section
from nasgauge.reports.panels import Ladder, Matrix, Panel, Ranking, Rung
from nasgauge.reports.report import Report
from nasgauge.reports.view import Dots, Line, Rule, View

NAN = float("nan")
X = np.array([90.0, 91.0, 93.0])
DOTS = Dots("cells", X, X + 0.5, 0, ("<a>", "b", "c"), X, X + 1)
SCATTER = View.around("agreement", "table [%]", "ours [%]", dots=(DOTS,), rules=(Rule("diagonal"),), square=True)
LADDER = Ladder("effect", "points", (Rung("a$", 0.2, 0.1, 0.3, 1), Rung("_b", 0.1, NAN, NAN)), at=0.0)
BARS = Ladder("seconds", "seconds", (Rung("a", 0.2, 0.1, 0.3, 1), Rung("<b>", 0.1, NAN, NAN, 2)), bars=True)
HEAT = Matrix("A12", ("a", "b"), ("a", "b"), np.array([[NAN, 0.9], [0.1, NAN]]), (("", "<i>"), ("$", "")), (0.0, 1.0))
RANKING = Ranking("ranks", ("a", "b", "c"), (1.2, 1.9, 2.9), (0, 1, 2), 0.9, ((0, 1),))
MANY = View.around(
    "many", "x", "y", dots=(Dots("cells", np.arange(3e3), np.zeros(3000), 1),), rules=(Rule("upright", 5),)
)


@pytest.mark.parametrize("panel", [SCATTER, LADDER, BARS, HEAT, RANKING, MANY], ids=lambda panel: panel.title)
def test_every_panel_is_drawn_on_paper_and_on_the_page(panel: Panel) -> None:
    for form, start in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
        assert figures.render(figures.draw([panel, SCATTER]), form).startswith(start)
    chart = json.loads(interactive.figure(panel).to_json())
    assert chart["data"] and all("role" in trace["meta"] for trace in chart["data"])
    assert "<a>" not in json.dumps(chart) and "<i>" not in json.dumps(chart["data"])


@pytest.mark.parametrize("panels", [1, 2, 3])
def test_long_names_stay_on_the_paper_and_apart(panels: int) -> None:
    names = tuple(f"predicted-evolution:{place}-of-{panels}" for place in range(7))
    x = np.arange(3.0)
    lines = tuple(Line(name, x, x, x, x, slot, "") for slot, name in enumerate(names))
    view = View("ImageNet16-120, optimum: at least 47.31 %", "seconds", "runs that arrived [%]", 2.0, lines)
    cells = tuple(("",) * 7 for _ in names)
    matrix = Matrix("A12", names, names, np.zeros((7, 7)), cells, (0.0, 1.0), scale_title="A12", x_title="against")
    for figure in (figures.draw([view] * panels), figures.draw([matrix])):
        (left, low, right, top), (width, height) = figure.get_tightbbox().extents, figure.get_size_inches()
        assert min(left, low, width - right, height - top) > 0
        titles = [axes._left_title.get_window_extent() for axes in figure.axes[:panels]]  # type: ignore[attr-defined]
        assert all(one.x1 < other.x0 for one, other in pairwise(titles))


def test_a_map_of_a_thousand_dots_is_lines_on_paper_and_larger_ones_a_picture() -> None:
    def size(count: int) -> int:
        x, y = np.random.default_rng(0).normal(size=(2, count))
        dots = Dots("cells", x, y, 0, shades=y, shade_title="accuracy [%]")
        return len(figures.render(figures.draw([View.around("map", "x", "y", dots=(dots,))]), "pdf"))

    assert size(1_000) < 60_000
    assert size(5_000) < 150_000


def test_a_square_view_shows_one_range_on_both_axes() -> None:
    assert SCATTER.limits(False) == (SCATTER.x_start, SCATTER.x_end)
    assert SCATTER.x_start < 90 and SCATTER.x_end > 94


def test_limits_hold_dots_whiskers_and_rules() -> None:
    view = View.around("", "x", "y", dots=(DOTS,), rules=(Rule("across", 99), Rule("upright", 80)))
    low, high = view.limits(False)
    assert low < 90 and high > 99 and view.x_start < 80


def test_many_dots_stay_small_in_a_file() -> None:
    assert len(figures.render(figures.draw([MANY]), "pdf")) < 60_000


def test_the_drawing_of_ranks_puts_every_name_at_its_rank_and_joins_the_groups() -> None:
    strokes, words = RANKING.drawing
    for rank, slot in zip(RANKING.ranks, RANKING.slots, strict=True):
        assert next(stroke.x0 for stroke in strokes if stroke.slot == slot) == rank
    bar = max(strokes, key=lambda stroke: stroke.weight)
    assert bar.x0 <= 1.2 and 1.9 <= bar.x1 < 2.9
    assert [text.words for text in words if text.slot is not None] == ["a  1.20", "b  1.90", "2.90  c"]


def test_switches_are_there_only_where_they_do_something() -> None:
    band = Line("line", X, X, X - 1, X + 1, 0, "a band", steps=False)
    banded = View("curves", "x", "y", 95.0, (band,), log=True)
    made = Report("t", "", (Section("", (_plot("one", SCATTER), _plot("two", banded))),))
    one, two = made.html().split('id="two"')
    assert 'name="one-scale"' not in one and 'name="one-bands"' not in one
    assert 'name="two-scale"' in two and 'name="two-bands"' in two


def _plot(name: str, panel: Panel) -> Plot:
    return Plot(name, {"what": (("it", "it"),)}, {("it",): panel}, (), "caption")
