"""What a verification found, as numbers: one row an architecture, and the agreement over all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from ...bench.errors import BadFile, MissingFile
from ...searchers.runner.run import Run
from ...searchers.runner.verification import trainings
from ..statistics import LEVEL, RESAMPLES, SEED, Floats, bootstrap_mean

FEWEST_FOR_TAU = 6  # architectures: with fewer, resampling them says nothing
LIMITS = 1.96  # standard deviations of the limits of agreement


@dataclass(frozen=True, eq=False)
class Agreement:
    """How well measured and tabulated values agree over the architectures that have both.

    ``bias`` is the mean difference (measured minus tabulated, points) with its bootstrap interval ``low`` to
    ``high``; ``lower`` to ``upper`` are Bland & Altman's (1986) limits of agreement, bias +- 1.96 standard deviations
    of the differences; ``tau`` is Kendall's tau-b with a percentile bootstrap interval over architectures (NaN where
    there are too few). ``within`` of ``judged`` architectures lie within three seed standard deviations.
    """

    architectures: int
    bias: float
    low: float
    high: float
    lower: float
    upper: float
    tau: float
    tau_low: float
    tau_high: float
    within: int
    judged: int


@dataclass(frozen=True, eq=False)
class Outcome:
    """``rows`` has one row an architecture, in the order of tabulated values; ``epochs`` are the trainings' curves."""

    config: dict[str, Any]
    rows: pd.DataFrame
    epochs: pd.DataFrame
    agreement: Agreement
    missing: int  # trainings that are not there yet

    @property
    def plan(self) -> dict[str, Any]:
        """What was trained and compared."""
        plan: dict[str, Any] = self.config["plan"]
        return plan

    @property
    def faithful(self) -> bool:
        """Whether recipe and images are the benchmark's own, so that values can be compared at all."""
        return self.config["published"] == self.plan["recipe"] and not self.config["departures"]


def outcome(run: Run) -> Outcome:
    """The numbers of a run of kind "verify".

    Raises:
        BadFile: run.json lacks what a verification states, or a part is damaged.
        MissingFile: no training is finished yet.
    """
    try:
        plan, tabulated = run.config["plan"], run.config["tabulated"]
        metric, total = str(plan["metric"]), len(plan["ids"]) * len(plan["seeds"])
        list(run.config["departures"])
        known = {int(entry["id"]): entry for entry in tabulated}
    except (KeyError, TypeError, ValueError) as error:
        raise BadFile(f"{run.folder / 'run.json'}: not the statement of a verification ({error!r})") from error
    epochs = trainings(run)
    if epochs.empty:
        raise MissingFile(f"{run.folder} has no finished training yet; start the same command again to go on with it")
    rows = pd.DataFrame([_row(known[int(arch)], frame, metric) for arch, frame in epochs.groupby("id")])
    rows = rows.sort_values(["tabulated", "id"], ascending=[False, True], ignore_index=True)
    done = len(epochs[["id", "seed"]].drop_duplicates())
    return Outcome(run.config, rows, epochs, agreement(rows), total - done)


def _row(entry: dict[str, Any], frame: pd.DataFrame, metric: str) -> dict[str, Any]:
    """One architecture: what the table says, what was measured, and what it cost."""
    runs = frame.groupby("seed")
    last = runs.tail(1)
    broken = ~np.isfinite(last["train_loss"].to_numpy(np.float64))  # its last accuracy is that of a network of NaN
    ours = last[curve_of(metric)].to_numpy(np.float64)
    mine = ours[~np.isnan(ours) & ~broken]
    theirs = np.array(list(entry["runs"].values()), dtype=np.float64)
    tabulated = math.nan if entry["mean"] is None else float(entry["mean"])
    spread = seed_spread(mine, theirs)
    measured = float(mine.mean()) if len(mine) else math.nan
    difference = measured - tabulated
    return {
        "id": entry["id"], "architecture": entry["text"], "tabulated": tabulated, "tabulated_runs": len(theirs),
        "measured": measured, "measured_std": float(mine.std(ddof=1)) if len(mine) > 1 else math.nan,
        "trainings": len(ours), "diverged": int(broken.sum()), "difference": difference,
        "seed_std": spread, "z": difference / spread if spread > 0 else math.nan,
        "train_seconds": float(runs["train_seconds"].sum().mean()),
        "held_seconds": float(runs["held_seconds"].sum().mean()),
        "images_per_second": float(last["images_per_second"].mean()),
        "peak_memory_mb": float(last["peak_memory"].mean()) / 1e6,
    }  # fmt: skip


def curve_of(metric: str) -> str:
    """The measured curve that stands for a metric: the union of validation and test is tested on as a whole."""
    return "test_accuracy" if metric == "valtest_accuracy" else metric


def seed_spread(*samples: Floats) -> float:
    """Standard deviation between seeds, pooled over samples that have their own mean; NaN without two in one.

    >>> seed_spread(np.array([1.0, 3.0]), np.array([5.0]))
    1.4142135623730951
    """
    several = [sample for sample in samples if len(sample) > 1]
    freedom = sum(len(sample) - 1 for sample in several)
    return math.sqrt(sum(((s - s.mean()) ** 2).sum() for s in several) / freedom) if freedom else math.nan


def agreement(rows: pd.DataFrame) -> Agreement:
    """Agreement over the rows that have both values."""
    both = rows.dropna(subset=["measured", "tabulated"])
    difference = both["difference"].to_numpy(np.float64)
    count = len(both)
    bias, low, high, lower, upper = (math.nan,) * 5
    if count:
        bias = float(difference.mean())
        low, high = (float(end) for end in bootstrap_mean(difference, np.random.default_rng(SEED)))
    if count > 1:
        width = LIMITS * float(difference.std(ddof=1))
        lower, upper = bias - width, bias + width
    measured, tabulated = both["measured"].to_numpy(np.float64), both["tabulated"].to_numpy(np.float64)
    judged = rows["z"].dropna()
    return Agreement(
        count, bias, low, high, lower, upper, *_tau(tabulated, measured), int((judged.abs() <= 3).sum()), len(judged)
    )


def _tau(tabulated: Floats, measured: Floats) -> tuple[float, float, float]:
    """Kendall's tau-b and its percentile bootstrap interval over architectures."""
    count = len(tabulated)
    if count < 2:
        return (math.nan,) * 3
    tau = float(kendalltau(tabulated, measured).statistic)
    if count < FEWEST_FOR_TAU or math.isnan(tau):
        return tau, math.nan, math.nan
    rows = np.random.default_rng(SEED).integers(count, size=(RESAMPLES, count))
    draws = [kendalltau(tabulated[row], measured[row]).statistic for row in rows]
    low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return tau, float(low), float(high)
