"""One fit of a predictor, judged on architectures of other isomorphism classes: ranking, error, honesty, cost."""

from __future__ import annotations

import time
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from ...bench.benchmark import Benchmark
from ...bench.spaces import Ids
from ...bench.surrogate.model import Scale
from ...bench.surrogate.quality import agreement, precision, tau
from ...bench.surrogate.surrogate import Question
from ..predictors import Fitted, Forecast, Predictor

Floats = npt.NDArray[np.float64]

LEVELS = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95)  # percent
FIRST = 10  # architectures that a search would train next
SHOWN = 0.9  # level of the intervals whose width is measured
SCALES = ("log-error", "plain")
"""What is learned: -log(101 - accuracy), which spreads the top apart, or the number as it is."""
FEWEST_ALONE = 10  # single runs that can be learned from


def scale_of(name: str, question: Question) -> Scale:
    """The learned scale; numbers that are no accuracies are learned as they are."""
    return Scale(name == "log-error" and question.metric.endswith("_accuracy"))


def judged(scale: Scale, truth: Floats, forecast: Forecast) -> dict[str, float]:
    """How good forecasts on the learned scale are for truths (n,) in their own unit.

    ======================  =========================================================================================
    tau, rho, r2, ...       of medians, see `bench.surrogate.quality.Agreement`
    precision               P@10: share of the ten best by forecast that are among the ten truly best
    coverage_10 ...         share of truths within central intervals of 10 %, ... [percent]
    calibration             expected calibration error: mean of |coverage - level| over the levels [points]
    width                   sharpness: mean width of 90 % intervals, in the truths' unit
    nll                     mean -log density [nats], of the truths in their own unit, the learned scale taken as normal
    ======================  =========================================================================================
    """
    guess = scale.back(forecast.mean)
    row: dict[str, float] = asdict(agreement(truth, guess))
    row["precision"] = precision(truth, guess, FIRST)
    z = scale.learned(truth)
    off = np.abs(2 * forecast.place(z) - 1)
    shares = [100 * float((off <= level / 100).mean()) for level in LEVELS]
    row |= {f"coverage_{level}": share for level, share in zip(LEVELS, shares, strict=True)}
    row["calibration"] = float(np.mean([abs(share - level) for level, share in zip(LEVELS, shares, strict=True)]))
    low, high = (scale.back(end) for end in forecast.interval(SHOWN))
    row["width"] = float(np.mean(high - low))
    row["nll"] = float(np.mean(forecast.surprise(z) - scale.log_slope(truth)))
    return row


def fit_and_predict(
    bench: Benchmark, model: Predictor, scale: Scale, ids: Ids, values: Floats, others: Ids, rng: np.random.Generator
) -> tuple[Fitted, Forecast, dict[str, float]]:
    """A fit, its forecast for ``others``, and the processor seconds of both."""
    started = time.process_time()
    fitted = model.fit(bench.space, ids, scale.learned(values), rng)
    learned = time.process_time()
    forecast = fitted.predict(others)
    spent = {"fit_seconds": learned - started, "predict_seconds": time.process_time() - learned}
    return fitted, forecast, spent


def one_seed(
    bench: Benchmark, model: Predictor, scale: Scale, runs: Floats, learned: Ids, others: Ids, draw: int,
    rng: np.random.Generator,
) -> dict[str, float]:  # fmt: skip
    """A table and a predictor of the same trainings, one run an architecture, against the mean of its other runs.

    ====================  ===========================================================================================
    one_seed_trainings    runs learned from
    one_seed_table        tau of the learned architectures' one run with the truth: a table of one seed
    one_seed_learned      tau of a predictor fitted on those single runs with the truth, of the same architectures
    one_seed_held         the same, of held-out classes
    ====================  ===========================================================================================

    Args:
        runs: single runs of every architecture, (n_arch, run), NaN where one does not exist.
    """
    which = draw % runs.shape[1]
    rest = np.delete(runs, which, axis=1)
    counts = (~np.isnan(rest)).sum(axis=1)
    truth = np.where(counts > 0, np.nansum(rest, axis=1) / np.maximum(counts, 1), np.nan)
    learned = learned[~np.isnan(runs[learned, which])]
    if len(np.unique(bench.space.canonical(learned))) < FEWEST_ALONE:
        return {}
    single = runs[learned, which]
    fitted = model.fit(bench.space, learned, scale.learned(single), rng)
    ours, theirs = (scale.back(fitted.predict(ids).mean) for ids in (learned, others))
    return {
        "one_seed_trainings": float(len(learned)),
        "one_seed_table": tau(truth[learned], single),
        "one_seed_learned": tau(truth[learned], ours),
        "one_seed_held": tau(truth[others], theirs),
    }
