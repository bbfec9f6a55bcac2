"""The figures of a sweep over trainers: every measure over their number, and regret over time for each number."""

from __future__ import annotations

from itertools import product

import numpy as np

from ..blocks import Plot
from ..comparison.batches import at_random
from ..page import slug
from ..panels import Ladder, Panel, Rung
from ..statistics import SEED, bootstrap_mean
from ..view import Line, Rule, View
from ..words import number, p_value, signed
from .fleet import Setting
from .numbers import BATCHES, COMPARED, MEASURES, Numbers

Figures = dict[str, tuple[Panel, ...]]
AXES = {"seconds": "simulated seconds", "queries": "queries"}
GRID = 150  # points of a curve
BAND = "95 % bootstrap interval of the mean"
MODES = {"async": "nobody waits", "sync": "batches with a barrier"}


def datasets_of(numbers: Numbers) -> dict[str, str]:
    """A data set as part of a name in the page."""
    return {slug(dataset): dataset for dataset in numbers.fleet.datasets}


def _modes(numbers: Numbers) -> tuple[tuple[str, str], ...]:
    return tuple((mode, MODES.get(mode, mode)) for mode in numbers.fleet.modes)


def trainers_plot(numbers: Numbers) -> tuple[Plot, Figures]:
    """Every measure but those of batches over the number of trainers, a line for each searcher."""
    measures = tuple(name for name in numbers.measures if name not in BATCHES)
    caption = (
        "More trainers at a time learn later: the same queries are worth less, the same time is worth more. Speed-up "
        "counts trainings, “sooner as good” counts what came out of them. Mean over repetitions with its 95 % "
        "bootstrap interval."
    )
    return _over_trainers(numbers, "trainers", measures, measures[:4], caption)


def batches_plot(numbers: Numbers) -> tuple[Plot, Figures] | None:
    """How far apart the architectures lie that are in training together; None where the space is not known here."""
    measures = tuple(name for name in numbers.measures if name in BATCHES)
    if not measures:
        return None
    caption = (
        "Architectures that were asked for without knowing one another's result, mean over pairs (volume: over "
        "batches) and repetitions; the line is where two random architectures lie."
    )
    return _over_trainers(numbers, "batches", measures, measures[:3], caption)


def _over_trainers(
    numbers: Numbers, name: str, measures: tuple[str, ...], paper: tuple[str, ...], caption: str
) -> tuple[Plot, Figures]:
    names = datasets_of(numbers)
    views: dict[tuple[str, ...], Panel] = {
        (key, measure, mode): over_trainers(numbers, dataset, measure, mode)
        for (key, dataset), measure, mode in product(names.items(), measures, numbers.fleet.modes)
    }
    still = {
        f"{name}-{key}-{mode}": tuple(views[key, measure, mode] for measure in paper)
        for key, mode in product(names, numbers.fleet.modes)
    }
    choices = {
        "On": tuple(names.items()), "Show": tuple((each, MEASURES[each].words) for each in measures),
        "Trainers": _modes(numbers),
    }  # fmt: skip
    return Plot(name, choices, views, tuple(still), caption), dict(still)


def over_trainers(numbers: Numbers, dataset: str, measure: str, mode: str) -> View:
    """One measure on one data set, a line for each searcher."""
    settings = numbers.fleet.settings(mode)
    x = np.array([setting.workers for setting in settings], dtype=np.float64)
    lines = []
    for slot, label in enumerate(numbers.fleet.labels):
        y, low, high = np.array([numbers.summary(setting, dataset, label, measure) for setting in settings]).T
        lines.append(Line(label, x, y, low, high, slot, BAND, steps=False))
    rules: tuple[Rule, ...] = ()
    if measure in ("tree_wasserstein", "choices"):
        at = at_random(numbers.space)[measure]
        rules = (Rule("across", at, f"two random architectures: {number(at, 2)}"),)
    rules += (Rule("diagonal", label="as many times"),) if measure == "speed_up" else ()
    first, last = float(x[0]), float(x[-1])
    return View(
        f"{dataset}, {MODES.get(mode, mode)}", "trainers at a time", numbers.title(measure, dataset), last * 1.06,
        tuple(lines), rules=rules, x_start=first * 0.94, log_x=last >= 4 * first and measure != "speed_up",
        x_ticks=tuple(x.tolist()),
    )  # fmt: skip


def curves_plot(numbers: Numbers) -> tuple[Plot, Figures]:
    """Regret of each searcher over time or queries, a line for each number of trainers."""
    names, labels = datasets_of(numbers), {slug(label): label for label in numbers.fleet.labels}
    views: dict[tuple[str, ...], Panel] = {
        (key, slugged, mode, axis): curve_view(numbers, names[key], label, mode, axis)
        for key, (slugged, label), mode, axis in product(names, labels.items(), numbers.fleet.modes, AXES)
    }
    still = {
        f"curves-{key}-{mode}": tuple(views[key, slugged, mode, "seconds"] for slugged in list(labels)[:3])
        for key, mode in product(names, numbers.fleet.modes)
    }
    choices = {
        "On": tuple(names.items()), "Searcher": tuple(labels.items()), "Trainers": _modes(numbers),
        "Over": tuple((axis, words) for axis, words in AXES.items()),
    }  # fmt: skip
    caption = "Test regret of the incumbent, chosen by what was told; mean over repetitions with its interval."
    return Plot("curves", choices, views, tuple(still), caption), dict(still)


def curve_view(numbers: Numbers, dataset: str, label: str, mode: str, axis: str) -> View:
    """Regret over one axis, a line for each number of trainers."""
    fleet = numbers.fleet
    settings = [each for each in fleet.settings(mode) if fleet.repetitions(each, dataset, label) is not None]
    lengths = [int(fleet.repetitions(each, dataset, label).lengths.min()) for each in settings]  # type: ignore[union-attr]
    end = fleet.seconds[dataset] if axis == "seconds" else float(max(lengths, default=1))
    x = np.linspace(0, end, GRID + 1)[1:] if axis == "seconds" else np.unique(np.geomspace(1, end, GRID).astype(int))
    lines = []
    for slot, setting in enumerate(settings):
        values = numbers.curve(setting, dataset, label, np.asarray(x, dtype=np.float64), axis)
        low, high = bootstrap_mean(values, np.random.default_rng(SEED))
        lines.append(Line(str(setting), np.asarray(x, dtype=np.float64), values.mean(axis=0), low, high, slot, BAND))
    what = "error" if fleet.best(dataset) is None else "regret"
    return View(
        f"{dataset}, {label}", AXES[axis], f"test {what} [points]", end, tuple(lines), log=True,
        log_x=axis == "queries", x_start=1.0 if axis == "queries" else 0.0,
    )  # fmt: skip


def pairs_plot(numbers: Numbers) -> tuple[Plot, Figures] | None:
    """The first searcher against each other one, for each number of trainers; None where there is only one."""
    table = numbers.pairs
    if not len(table):
        return None
    names, settings = datasets_of(numbers), sorted(numbers.fleet.runs)
    settings = sorted(settings, key=lambda each: -each.workers)
    measures = tuple(name for name in COMPARED if name in numbers.measures)
    views: dict[tuple[str, ...], Panel] = {
        (key, measure, slug(str(setting))): _ladder(numbers, names[key], measure, setting)
        for key, measure, setting in product(names, measures, settings)
    }
    still = {
        f"against-{key}": tuple(views[key, measure, slug(str(settings[0]))] for measure in measures) for key in names
    }
    choices = {
        "On": tuple(names.items()), "Show": tuple((each, MEASURES[each].words) for each in measures),
        "With": tuple((slug(str(setting)), str(setting)) for setting in settings),
    }  # fmt: skip
    caption = (
        f"{numbers.fleet.labels[0]} minus each other searcher, repetitions with the same seed; left of the line it has "
        "the smaller regret, or the less diverse batches."
    )
    return Plot("against", choices, views, tuple(still), caption), dict(still)


def _ladder(numbers: Numbers, dataset: str, measure: str, setting: Setting) -> Ladder:
    table, mine = numbers.pairs, numbers.fleet.labels[0]
    rows = table[(table["dataset"] == dataset) & (table["measure"] == measure) & (table["searcher"] == mine)
                 & (table["workers"] == setting.workers) & (table["mode"] == setting.mode)]  # fmt: skip
    rungs = tuple(
        Rung(
            str(row["reference"]),
            row["mean"],
            row["low"],
            row["high"],
            numbers.fleet.labels.index(row["reference"]),
            f"{signed(row['mean'])}, adjusted p {p_value(row['p_holm'])}",
        )
        for _, row in rows.iterrows()
    )
    return Ladder(f"{dataset}, {setting}", f"{mine} minus: {numbers.title(measure, dataset)}", rungs, at=0.0)
