"""What a fit is judged by: the column of a run, its name, unit and better direction."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One measure of `searchers.runner.judging`; ``better`` is 1 where larger is better, -1 where smaller is."""

    column: str
    name: str
    title: str
    better: int
    digits: int = 3
    log: bool = False


MEASURES = (
    Measure("tau", "Kendall's τ", "Kendall's τ-b", 1),
    Measure("r2", "R²", "R² (explained variance)", 1),
    Measure("rho", "Spearman's ρ", "Spearman's ρ", 1),
    Measure("tau_top", "τ, better half", "Kendall's τ-b within the better half", 1),
    Measure("precision", "P@10", "P@10: share of the first ten that are among the best ten", 1),
    Measure("error", "mean error", "mean absolute error [{unit}]", -1),
    Measure("nll", "NLL", "negative log likelihood [nats]", -1),
    Measure("calibration", "calibration error", "expected calibration error [points]", -1, 1),
    Measure("width", "sharpness", "mean width of 90 % intervals [{unit}]", -1, 2),
    Measure("fit_seconds", "time to fit", "processor seconds of a fit", -1, 2, log=True),
    Measure("predict_seconds", "time to predict", "processor seconds of predicting all held-out", -1, 2, log=True),
)
BY_COLUMN = {measure.column: measure for measure in MEASURES}
COMPARED = ("tau", "r2", "rho", "precision", "nll", "calibration")
"""Columns whose differences from the reference are tested."""
METRIC_WORDS = {"test_accuracy": "test accuracy", "valid_accuracy": "validation accuracy"}


def metric_words(metric: str) -> str:
    """A metric as a reader calls it."""
    return METRIC_WORDS.get(metric, metric.replace("_", " "))


def unit(metric: str) -> str:
    """The unit of a metric's errors."""
    return "points" if metric.endswith("_accuracy") else "in its own unit"
