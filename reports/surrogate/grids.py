"""The tables of predictors: every measure at the close size, ranking by size, single trainings."""

from __future__ import annotations

import math

from ..blocks import Between, Cell, Grid, Label
from ..statistics import LEVEL
from ..view import Style
from ..words import between, number, p_value, signed
from .measures import BY_COLUMN, unit
from .outcome import Outcome

SHOWN = ("rho", "r2", "precision", "error", "nll", "calibration", "width", "fit_seconds", "predict_seconds")


def measures_grid(found: Outcome, dataset: str) -> Grid:
    """Every model from the close size: all measures, the difference in ranking drawn."""
    several = len(found.models) > 1
    rows = []
    ends = [0.0]
    for model in found.models:
        row = found.difference(dataset, model, found.close, "tau")
        ends += [] if row is None else [float(row["low"]), float(row["high"])]
    known = [end for end in ends if not math.isnan(end)]
    for slot, model in enumerate(found.models):
        tau = found.summary(dataset, model, found.close, "tau")
        cells: list[Cell] = [_label(found, slot, model), number(tau.mean, 3), between(tau.low, tau.high, 3)]
        if several:
            cells += _difference(found, dataset, model, min(known), max(known), slot)
        for column in SHOWN:
            cells.append(number(found.summary(dataset, model, found.close, column).mean, BY_COLUMN[column].digits))
        rows.append(tuple(cells))
    against = (f"τ minus {found.reference}'s", "", "p") if several else ()
    names = (BY_COLUMN[column].name for column in SHOWN)
    return Grid(
        f"{dataset}: from {found.close:,} architectures",
        ("", "τ", f"{LEVEL:.0%} interval", *against, *names), tuple(rows),
        f"Mean error and sharpness in {'points' if unit(found.metric) == 'points' else 'the metric’s own unit'}, "
        "calibration error in points, times in processor seconds of one thread. "
        + ("p: signed-rank test over draws, Holm-adjusted over the models." if several else ""),
    )  # fmt: skip


def _difference(found: Outcome, dataset: str, model: str, start: float, end: float, slot: int) -> list[Cell]:
    row = found.difference(dataset, model, found.close, "tau")
    if row is None:
        return ["", "", ""]
    drawn = Between(row["mean"], row["low"], row["high"], start, end, Style.of(slot).colour)
    return [drawn, signed(row["mean"]), p_value(row["p_holm"])]


def sizes_grid(found: Outcome, dataset: str, column: str = "tau") -> Grid:
    """One measure of every model by the number of architectures learned from."""
    rows: list[tuple[Cell, ...]] = []
    for slot, model in enumerate(found.models):
        means = (found.summary(dataset, model, size, column).mean for size in found.sizes)
        rows.append((_label(found, slot, model), *(number(mean, 3) for mean in means)))
    measure = BY_COLUMN[column]
    return Grid(
        f"{dataset}: {measure.name}, by architectures learned from", ("", *(f"{size:,}" for size in found.sizes)),
        tuple(rows), "Means over draws; curves.csv has all measures with intervals.",
    )  # fmt: skip


def noise_grid(found: Outcome, dataset: str) -> Grid | None:
    """The table of one seed of the same cost, and the noise ceiling; None without single runs."""
    ceiling = found.ceiling(dataset)
    rows: list[tuple[Cell, ...]] = []
    for slot, model in enumerate(found.models):
        quantities = ("one_seed_table", "one_seed_learned", "one_seed_held")
        table, learned, held = (found.summary(dataset, model, found.fit_on, each) for each in quantities)
        if not table.runs:
            continue
        gain = found.gain(dataset, model)
        rows.append((
            _label(found, slot, model), number(table.mean, 3), number(learned.mean, 3), signed(gain.mean),
            between(gain.low, gain.high, 3), number(held.mean, 3),
        ))  # fmt: skip
    if not rows:
        return None
    trainings = found.summary(dataset, found.models[0], found.fit_on, "one_seed_trainings").mean
    note = (
        f"From {number(trainings, 0)} single trainings; the truth is the mean over an architecture's other runs (on "
        "the rest of this page: the mean over all). A table ranks only what it has, a predictor everything."
    )
    if not math.isnan(ceiling):
        note += f" Another seed of the whole table ranks all architectures with τ {number(ceiling, 3)}."
    return Grid(
        f"{dataset}: τ of a table of one seed, and of predictors fitted on it",
        ("", "the table", "fitted, the same architectures", "difference", f"{LEVEL:.0%} interval", "fitted, others"),
        tuple(rows), note,
    )  # fmt: skip


def _label(found: Outcome, slot: int, model: str) -> Label:
    return Label(model, Style.of(slot).colour)
