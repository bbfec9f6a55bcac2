"""The figures of a surrogate: learning curve, predictions over measurements, coverage of intervals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..blocks import Plot
from ..panels import Panel
from ..statistics import LEVEL, Floats
from ..view import Dots, Line, Rule, View, padded
from ..words import number
from .outcome import Outcome

Figures = dict[str, tuple[Panel, ...]]
CURVES = {
    "tau": ("rank correlation", "Kendall's τ-b", (("tau", "all held-out classes"), ("tau_top", "their better half"))),
    "r2": ("explained variance", "R²", (("r2", "all held-out classes"),)),
    "error": ("mean error", "mean absolute error [points]", (("error", "all held-out classes"),)),
}
MOST_DOTS = 1_500  # of a plot: more are drawn by a graphics card, which not every browser has
METRIC_WORDS = {"test_accuracy": "test accuracy", "valid_accuracy": "validation accuracy"}


def metric_words(metric: str) -> str:
    """A metric as a reader calls it."""
    return METRIC_WORDS.get(metric, metric.replace("_", " "))


def unit(metric: str) -> str:
    """The unit of a metric's errors."""
    return "points" if metric.endswith("_accuracy") else "in its own unit"


def learning_curve(found: Outcome) -> tuple[Plot, Figures]:
    """Agreement over the number of architectures learned from."""
    views = {name: _curve_view(found, name) for name in CURVES}
    caption = (
        f"Mean over {found.config['repeats']} draws with its {LEVEL:.0%} interval; held-out architectures are "
        "isomorphic to none that was learned. Dashed: how well two seeds of the table agree."
    )
    plot = Plot(
        "learning-curve", {"Show": tuple((name, CURVES[name][0]) for name in CURVES)},
        {(name,): view for name, view in views.items()}, ("learning-curve",), caption,
    )  # fmt: skip
    return plot, {"learning-curve": tuple(views.values())}


def _curve_view(found: Outcome, name: str) -> View:
    title, y_title, quantities = CURVES[name]
    if name == "error":
        y_title = y_title.replace("points", unit(found.question["metric"]))
    curve, lines = found.curve, []
    for slot, (quantity, words) in enumerate(quantities):
        rows = curve[curve["quantity"] == quantity]
        x, y, low, high = (rows[key].to_numpy(np.float64) for key in ("size", "mean", "low", "high"))
        lines.append(Line(words, x, y, low, high, slot, f"{LEVEL:.0%} interval of the mean", steps=False))
    rules = []
    if name == "tau":
        for value, words in ((found.ceiling, "two seeds, all"), (found.ceiling_top, "two seeds, better half")):
            if not np.isnan(value):
                rules.append(Rule("across", value, f"{words}: {number(value, 3)}"))
    start, end = float(found.sizes[0]), float(found.sizes[-1])
    return View(
        f"{title[0].upper()}{title[1:]}", "architectures learned from", y_title, end * 1.1, tuple(lines),
        rules=tuple(rules), x_start=start / 1.1, log_x=True,
    )  # fmt: skip


def prediction_plot(found: Outcome) -> tuple[Plot, Figures]:
    """Predicted over measured values of the first close fit."""
    rows = found.predictions
    truth, predicted = (rows[key].to_numpy(np.float64) for key in ("measured", "predicted"))
    ids = rows["id"].to_numpy()
    order = np.argsort(truth, kind="stable")
    views = {
        name: (words, _scatter(found, truth[some], predicted[some], ids[some], words))
        for name, words, some in (
            ("top", "better half", _some(order[len(order) // 2 :])), ("all", "all held-out classes", _some(order)),
        )
    }  # fmt: skip
    plot = Plot(
        "predictions", {"Show": tuple((name, words) for name, (words, _) in views.items())},
        {(name,): view for name, (_, view) in views.items()}, ("predictions",),
        f"One dot an architecture that was not learned from, of the first draw of {found.fit_on:,}; of more than "
        f"{MOST_DOTS:,} so many are drawn, evenly from worst to best.",
    )  # fmt: skip
    return plot, {"predictions": tuple(view for _, view in views.values())}


def _some(ranked: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """At most `MOST_DOTS` of the places, evenly over their order."""
    return ranked[np.unique(np.linspace(0, len(ranked) - 1, min(MOST_DOTS, len(ranked))).round().astype(np.int64))]


def _scatter(found: Outcome, truth: Floats, predicted: Floats, ids: npt.NDArray[np.int64], words: str) -> View:
    metric = found.question["metric"]
    percent = " [%]" if metric.endswith("_accuracy") else ""
    hover = tuple(
        f"architecture {arch}: measured {number(value)}, predicted {number(guess)}"
        for arch, value, guess in zip(ids, truth, predicted, strict=True)
    )
    dots = (Dots("architectures", truth, predicted, 0, hover, size=3.5),)
    view = View.around(
        f"{words[0].upper()}{words[1:]}", f"measured {metric_words(metric)}{percent}",
        f"predicted {metric_words(metric)}{percent}", dots=dots,
        rules=(Rule("diagonal", label="equal"),), square=True,
    )  # fmt: skip
    low, high = padded(truth)
    guess_low, guess_high = padded(predicted)
    ends = min(low, guess_low), max(high, guess_high)
    return View(view.title, view.x_title, view.y_title, ends[1], dots=view.dots, rules=view.rules, x_start=ends[0],
                y_range=ends)  # fmt: skip


def calibration_plot(found: Outcome) -> tuple[Plot, Figures]:
    """The share of truths within intervals over the level of the intervals."""
    rows = found.coverage
    x, y, low, high = (rows[key].to_numpy(np.float64) for key in ("level", "covered", "low", "high"))
    line = Line("held-out classes", x, y, low, high, 0, f"{LEVEL:.0%} interval of the mean", steps=False)
    view = View(
        "Calibration", "level of the interval [%]", "truths within it [%]", 100.0, (line,),
        rules=(Rule("diagonal", label="as promised"),), x_start=0.0, y_range=(0.0, 100.0),
    )  # fmt: skip
    caption = (
        f"Intervals of surrogates from {found.fit_on:,} architectures, for the mean over runs of architectures of "
        "held-out classes. On the diagonal, an interval holds what it promises."
    )
    return Plot("calibration", {"Show": (("all", "all"),)}, {("all",): view}, ("calibration",), caption), {
        "calibration": (view,)
    }
