"""A thousand resamples of the correlations of twenty scores on the whole topology space, beside scipy one at a time.

The claim is sixty seconds on two cores. Seconds here are of the processor, in one process: 120 of them are that.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, spearmanr, weightedtau

import nasgauge as ng
from nasgauge.reports.correlation import correlation, measures
from nasgauge.reports.correlation.precomputed import precomputed
from nasgauge.reports.correlation_statistics import RESAMPLES, agreement, draws
from nasgauge.reports.top_statistics import top

from .conftest import Row, best_of

ARCHS, SCORES = 15_625, 20


@pytest.fixture(scope="module")
def numbers() -> tuple[np.ndarray, np.ndarray]:
    """Truth (n,) and scores (20, n), a quarter of them with ties."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=ARCHS)
    scores = truth * rng.uniform(-1, 2, (SCORES, 1)) + rng.normal(size=(SCORES, ARCHS))
    scores[::4] = np.round(scores[::4], 1)
    return truth, scores


def plain(x: np.ndarray, y: np.ndarray) -> float:
    """Seconds that scipy takes for the three correlations of one resample."""
    rows = np.random.default_rng(0).integers(len(x), size=len(x))
    return best_of(3, lambda: [call(x[rows], y[rows]) for call in (kendalltau, weightedtau, spearmanr)])


def test_correlations_of_twenty_scores(numbers: Any, row: Row) -> None:
    truth, scores = numbers
    list(draws(ARCHS, RESAMPLES))
    started = time.process_time()
    for score in scores:
        agreement(score, truth)
    seconds = time.process_time() - started
    row("tau-b, weighted tau, rho: 20 scores, 1,000 resamples", seconds, "s", 60, "scipy, resample by resample",
        SCORES * RESAMPLES * plain(scores[1], truth))  # fmt: skip
    assert seconds < 120  # of two cores for 60 seconds


def test_top_statistics_of_twenty_scores(numbers: Any, row: Row) -> None:
    truth, scores = numbers
    started = time.process_time()
    for score in scores:
        top(score, truth, [10, 100])
    seconds = time.process_time() - started
    sort = best_of(3, lambda: [np.argsort(score) for score in scores]) * RESAMPLES
    row("first 10 and 100: 20 scores, 1,000 resamples", seconds, "s", 60, "a sort of each resample", sort)
    assert seconds < 120


def test_the_report_from_file_to_page(numbers: Any, row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything on the page of a table with one truth: what is resampled, and what is not."""
    truth, scores = numbers
    bench = ng.open("tss-digits")
    frame = pd.DataFrame({"id": np.arange(ARCHS)} | {f"score_{place}": each for place, each in enumerate(scores)})
    frame.to_csv(tmp_path / "scores.csv", index=False)
    monkeypatch.setattr(measures, "MANY", math.inf)  # one process
    started = time.process_time()
    report = correlation(precomputed(tmp_path / "scores.csv", bench, tmp_path / "run"))
    computed = time.process_time() - started
    [page, *_] = report.save_all(tmp_path / "page")
    whole = time.process_time() - started
    row("numbers of a report: 20 scores, 1,000 resamples", computed, "CPU s", 120, "scipy, resample by resample",
        SCORES * RESAMPLES * plain(scores[1], truth))  # fmt: skip
    row("the same with page, figures and tables", whole, "CPU s", 120, "the numbers alone", computed)
    assert whole < 120 and page.stat().st_size < 30e6
