"""The figures of predictors: learning curves, differences, coverage of intervals, predictions over measurements."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...searchers.runner.judging import LEVELS
from ..blocks import Plot
from ..page import slug
from ..panels import Ladder, Panel, Rung
from ..statistics import LEVEL, Floats
from ..view import Dots, Line, Rule, View, padded
from ..words import number, p_value, signed
from .measures import BY_COLUMN, COMPARED, MEASURES, Measure, metric_words, unit
from .outcome import Outcome

Figures = dict[str, tuple[Panel, ...]]
ON_PAPER = ("tau", "r2", "nll", "calibration")
ALL_DOTS, FEWEST_DOTS, MOST_DOTS = 24_000, 200, 1_500  # of a page, of a plot: each weighs some hundred bytes
LEAST_R2 = -0.5  # below, a prediction is much worse than the mean: how much is of no interest


def names_of(found: Outcome) -> dict[str, str]:
    """A data set as part of a name in the page."""
    return {slug(dataset): dataset for dataset in found.datasets}


def _datasets(found: Outcome) -> tuple[tuple[str, str], ...]:
    return tuple(names_of(found).items())


def learning_curves(found: Outcome) -> tuple[Plot, Figures]:
    """Every measure over the number of architectures learned from."""
    names = names_of(found)
    views: dict[tuple[str, ...], Panel] = {
        (name, measure.column): curve_view(found, dataset, measure)
        for name, dataset in names.items() for measure in MEASURES
    }  # fmt: skip
    caption = (
        f"Mean over {found.config['draws']} draws with its {LEVEL:.0%} interval; every model learns from the same "
        "architectures and is judged on the same ones, isomorphic to none that was learned. Dashed: how well two seeds "
        "of the table agree."
    )
    measures = tuple((measure.column, measure.name) for measure in MEASURES)
    still = {f"learning-{name}": tuple(views[name, column] for column in ON_PAPER) for name in names}
    plot = Plot("learning", {"On": _datasets(found), "Show": measures}, views, tuple(still), caption)
    return plot, dict(still)


def curve_view(found: Outcome, dataset: str, measure: Measure) -> View:
    """One measure on one data set, a line for each model."""
    lines = []
    for slot, model in enumerate(found.models):
        summaries = [found.summary(dataset, model, size, measure.column) for size in found.sizes]
        y, low, high = (np.array([getattr(each, name) for each in summaries]) for name in ("mean", "low", "high"))
        x = np.array(found.sizes, dtype=np.float64)
        lines.append(Line(model, x, y, low, high, slot, f"{LEVEL:.0%} interval of the mean", steps=False))
    rules = []
    if measure.column in ("tau", "tau_top") and not np.isnan(at := found.ceiling(dataset, measure.column)):
        rules.append(Rule("across", at, f"two seeds of the table: {number(at, 3)}"))
    y_range = None
    lowest = min((float(np.nanmin(line.y)) for line in lines if not np.isnan(line.y).all()), default=0.0)
    if measure.column == "r2" and lowest < LEAST_R2:
        y_range = (LEAST_R2, 1.0)
    start, end = float(found.sizes[0]), float(found.sizes[-1])
    return View(
        f"{dataset}, {measure.name}", "architectures learned from", measure.title.format(unit=unit(found.metric)),
        end * 1.1, tuple(lines), log=measure.log, rules=tuple(rules), x_start=start / 1.1, log_x=True, y_range=y_range,
    )  # fmt: skip


def difference_plot(found: Outcome) -> tuple[Plot, Figures]:
    """Every model against the reference, draw by draw."""
    names = names_of(found)
    sizes = sorted(found.sizes, key=lambda size: size != found.close)
    views: dict[tuple[str, ...], Panel] = {
        (name, column, str(size)): _ladder(found, dataset, BY_COLUMN[column], size)
        for name, dataset in names.items() for column in COMPARED for size in sizes
    }  # fmt: skip
    caption = (
        f"Mean difference from {found.reference} over draws, with its {LEVEL:.0%} interval; pairs share what was "
        "learned and what was predicted. Points that are right of the line have the larger number, which for NLL and "
        "the calibration error is the worse one."
    )
    still = {f"differences-{name}": tuple(views[name, column, str(found.close)] for column in ("tau", "nll"))
             for name in names}  # fmt: skip
    choices = {
        "On": _datasets(found), "Show": tuple((column, BY_COLUMN[column].name) for column in COMPARED),
        "Learned from": tuple((str(size), f"{size:,}") for size in sizes),
    }  # fmt: skip
    return Plot("differences", choices, views, tuple(still), caption), dict(still)


def _ladder(found: Outcome, dataset: str, measure: Measure, size: int) -> Ladder:
    rungs = []
    for slot, model in enumerate(found.models):
        row = found.difference(dataset, model, size, measure.column)
        if row is not None:
            words = f"{signed(row['mean'])}, adjusted p {p_value(row['p_holm'])}, {int(row['pairs'])} draws"
            rungs.append(Rung(model, row["mean"], row["low"], row["high"], slot, words))
    title = f"{dataset}, {measure.name} from {size:,}"
    return Ladder(title, f"{measure.name}, minus that of {found.reference}", tuple(rungs), at=0.0)


def calibration_plot(found: Outcome) -> tuple[Plot, Figures]:
    """The share of truths within intervals over the level of the intervals."""
    names = names_of(found)
    sizes = sorted(found.sizes, key=lambda size: size != found.close)
    views: dict[tuple[str, ...], Panel] = {
        (name, str(size)): _calibration(found, dataset, size) for name, dataset in names.items() for size in sizes
    }
    caption = (
        "Central intervals for the mean over runs of architectures of held-out classes. On the diagonal, an interval "
        "holds what it promises; below it, forecasts are too sure, above it, not sure enough."
    )
    still = {f"calibration-{name}": (views[name, str(found.close)],) for name in names}
    choices = {"On": _datasets(found), "Learned from": tuple((str(size), f"{size:,}") for size in sizes)}
    return Plot("calibration", choices, views, tuple(still), caption), dict(still)


def _calibration(found: Outcome, dataset: str, size: int) -> View:
    lines = []
    x = np.array(LEVELS, dtype=np.float64)
    for slot, model in enumerate(found.models):
        summaries = [found.summary(dataset, model, size, f"coverage_{level}") for level in LEVELS]
        y, low, high = (np.array([getattr(each, name) for each in summaries]) for name in ("mean", "low", "high"))
        lines.append(Line(model, x, y, low, high, slot, f"{LEVEL:.0%} interval of the mean", steps=False))
    return View(
        f"{dataset}, calibration from {size:,}", "level of the interval [%]", "truths within it [%]", 100.0,
        tuple(lines), rules=(Rule("diagonal", label="as promised"),), x_start=0.0, y_range=(0.0, 100.0),
    )  # fmt: skip


def prediction_plot(found: Outcome) -> tuple[Plot, Figures]:
    """Predicted over measured values of the close fits of the first draw."""
    names, groups = names_of(found), dict(list(found.predictions.groupby(["dataset", "model"], sort=False)))
    there = [(name, model) for name, dataset in names.items() for model in found.models if (dataset, model) in groups]
    most = int(np.clip(ALL_DOTS // (2 * len(there)), FEWEST_DOTS, MOST_DOTS))
    views: dict[tuple[str, ...], Panel] = {}
    for name, model in there:
        rows = groups[names[name], model].sort_values("measured", kind="stable")
        for part, words, some in (("top", "better half", rows.iloc[len(rows) // 2 :]), ("all", "all", rows)):
            places = np.unique(np.linspace(0, len(some) - 1, min(most, len(some))).round().astype(np.int64))
            kept = some.iloc[places]
            truth, guess = (kept[key].to_numpy(np.float64) for key in ("measured", "predicted"))
            title = f"{names[name]}, {model}, {words}"
            views[name, model, part] = _scatter(found, title, truth, guess, kept["id"].to_numpy())
    caption = (
        f"One dot an architecture that was not learned from, of the first draw of {found.fit_on:,}; of more than "
        f"{most:,} so many are drawn, evenly from worst to best."
    )
    datasets = tuple((name, dataset) for name, dataset in names.items() if any(name == first for first, _ in there))
    models = tuple((model, model) for model in found.models if any(model == second for _, second in there))
    parts = (("top", "better half"), ("all", "all held-out classes"))
    still = {}
    for name, _ in datasets:
        shown = [model for model in found.models if (name, model) in there][:3]
        still[f"predictions-{name}"] = tuple(views[name, model, "all"] for model in shown)
    for name, _ in datasets:  # a switch needs every combination
        for model, _ in models:
            for part, _ in parts:
                views.setdefault((name, model, part), View(f"{names[name]}, {model}: not there yet", "", "", 1.0))
    choices = {"On": datasets, "Model": models, "Show": parts}
    return Plot("predictions", choices, views, tuple(still), caption), dict(still)


def _scatter(found: Outcome, title: str, truth: Floats, predicted: Floats, ids: npt.NDArray[np.int64]) -> View:
    percent = " [%]" if found.metric.endswith("_accuracy") else ""
    hover = tuple(
        f"architecture {arch}: measured {number(value)}, predicted {number(guess)}"
        for arch, value, guess in zip(ids, truth, predicted, strict=True)
    )
    low, high = padded(truth)
    guess_low, guess_high = padded(predicted)
    ends = min(low, guess_low), max(high, guess_high)
    words = metric_words(found.metric)
    return View(
        title, f"measured {words}{percent}", f"predicted {words}{percent}", ends[1],
        dots=(Dots("architectures", truth, predicted, 0, hover, size=3.5),), rules=(Rule("diagonal", label="equal"),),
        x_start=ends[0], y_range=ends,
    )  # fmt: skip
