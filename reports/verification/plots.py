"""The figures of a verification: agreement with the table, and learning curves over the tabulated ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..blocks import Plot
from ..panels import Ladder, Panel, Rung
from ..statistics import Floats
from ..view import Dots, Line, Rule, View
from ..words import number
from .outcome import Outcome, curve_of

METRIC_WORDS = {
    "valid_accuracy": "validation accuracy",
    "test_accuracy": "test accuracy",
    "valtest_accuracy": "accuracy on validation and test images",
}
LIMITS_WORDS = "limits of agreement"
ON_PAPER = 6  # architectures whose curves are drawn on paper: evenly spaced from best to worst


def agreement_plot(found: Outcome) -> tuple[Plot, dict[str, tuple[Panel, ...]]]:
    """Scatter, Bland-Altman and differences, and the figure for paper."""
    views: dict[str, tuple[str, Panel]] = {
        "scatter": ("against the table", scatter(found)),
        "bland-altman": ("difference over mean (Bland-Altman)", bland_altman(found)),
        "difference": ("difference, row by row", differences(found)),
    }
    panels = tuple(panel for _, panel in views.values())
    plot = Plot(
        "agreement",
        {"Show": tuple((name, words) for name, (words, _) in views.items())},
        {(name,): panel for name, (_, panel) in views.items()},
        ("agreement",),
        "One dot an architecture. Whiskers: one standard deviation between seeds. Bland-Altman: mean difference and "
        "the limits within which 95 % of differences are expected.",
    )
    return plot, {"agreement": panels}


def scatter(found: Outcome) -> View:
    """Measured over tabulated values."""
    rows = found.rows
    spread = rows["measured_std"].fillna(0).to_numpy(np.float64)
    x, y = rows["tabulated"].to_numpy(np.float64), rows["measured"].to_numpy(np.float64)
    dots = Dots("architectures", x, y, 0, _words(rows), y - spread, y + spread)
    words = METRIC_WORDS[found.plan["metric"]]
    return View.around(
        "Against the table", f"tabulated {words} [%]", f"measured {words} [%]", dots=(dots,),
        rules=(Rule("diagonal", label="equal"),), square=True,
    )  # fmt: skip


def bland_altman(found: Outcome) -> View:
    """Difference over mean, with bias and limits of agreement."""
    rows, agreement = found.rows, found.agreement
    spread = rows["measured_std"].fillna(0).to_numpy(np.float64)
    difference = rows["difference"].to_numpy(np.float64)
    mean = (rows["measured"] + rows["tabulated"]).to_numpy(np.float64) / 2
    dots = Dots("architectures", mean, difference, 0, _words(rows), difference - spread, difference + spread)
    at = ((agreement.bias, "mean difference"), (agreement.lower, LIMITS_WORDS), (agreement.upper, LIMITS_WORDS))
    rules = tuple(Rule("across", value, words) for value, words in at if not np.isnan(value))
    return View.around("Bland-Altman", "mean of measured and tabulated [%]", "measured − tabulated [points]",
                       dots=(dots,), rules=rules)  # fmt: skip


def differences(found: Outcome) -> Ladder:
    """Each architecture's difference to the table with one standard deviation between seeds to each side."""
    rungs = tuple(
        Rung(str(row.id), row.difference, row.difference - row.seed_std, row.difference + row.seed_std, 0, words)
        for row, words in zip(found.rows.itertuples(), found.rows["architecture"], strict=True)
    )
    return Ladder("Difference", "measured − tabulated [points]", rungs, at=0.0)


def curve_plot(found: Outcome) -> tuple[Plot, dict[str, tuple[Panel, ...]]]:
    """Learning curves, one view an architecture, and the figure for paper."""
    entries = {int(entry["id"]): entry for entry in found.config["tabulated"]}
    ids = [int(arch) for arch in found.rows["id"]]
    views = {arch: curves(found, entries[arch]) for arch in ids}
    spread = np.linspace(0, len(ids) - 1, min(ON_PAPER, len(ids))).round().astype(int)
    shown = [ids[place] for place in spread]
    tabulated = any(entries[arch]["curve"] for arch in ids)
    last = "Dashed: the table's own curve." if tabulated else "The table has no curves of this metric at this budget."
    plot = Plot(
        "curves",
        {"Architecture": tuple((str(arch), _label(entries[arch])) for arch in ids)},
        {(str(arch),): view for arch, view in views.items()},
        ("curves",),
        "Mean over seeds; the band runs from the lowest to the highest seed. Training accuracy is collected while the "
        f"weights still move. In brackets: the table's accuracy. {last}",
    )
    return plot, {"curves": tuple(views[arch] for arch in shown)}


def curves(found: Outcome, entry: dict[str, Any]) -> View:
    """Accuracy over epochs of one architecture, beside the table's."""
    metric = found.plan["metric"]
    frame = found.epochs[found.epochs["id"] == entry["id"]]
    lines = [
        _curve(frame, curve_of(metric), METRIC_WORDS[metric], 0),
        _curve(frame, "train_accuracy", "training accuracy", 1),
    ]
    if entry["curve"]:
        points = sorted((float(epoch), float(value)) for epoch, value in entry["curve"].items())
        x, y = (np.array(column) for column in zip(*points, strict=True))
        nothing = np.full_like(y, np.nan)
        lines.append(Line("table", x, y, nothing, nothing, None, "", steps=False))
    mean = entry["mean"]
    rules = () if mean is None else (Rule("across", float(mean), "table, at its end"),)
    end = float(max(line.x[-1] for line in lines))
    return View(_label(entry), "epoch", "accuracy [%]", end, tuple(lines), rules=rules, x_start=min(1.0, end - 1))


def _curve(frame: pd.DataFrame, name: str, label: str, slot: int) -> Line:
    """Mean and range over seeds of one curve."""
    table = frame.pivot(index="epoch", columns="seed", values=name)
    x: Floats = table.index.to_numpy(np.float64)
    low, mean, high = (getattr(table, how)(axis=1).to_numpy(np.float64) for how in ("min", "mean", "max"))
    return Line(label, x, mean, low, high, slot, "lowest to highest seed", steps=False)


def _words(rows: pd.DataFrame) -> tuple[str, ...]:
    return tuple(
        f"{row.id}: {row.architecture}, table {number(row.tabulated)} %, measured {number(row.measured)} %"
        for row in rows.itertuples()
    )


def _label(entry: dict[str, Any]) -> str:
    value = "unknown" if entry["mean"] is None else f"{number(float(entry['mean']))} %"
    return f"{entry['id']} ({value})"
