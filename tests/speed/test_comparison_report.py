"""The report on ten searchers, three data sets and 500 seeds: page, figures and tables, from the folder to the disk."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import Row, best_of
from .synthesise_comparison import large_run

CLAIM = 60.0  # seconds of one process, two cores there
PAGE = 25e6  # bytes that a browser has to read

CODE = """
import sys, time
from nasgauge.reports import report
from nasgauge.searchers.runner.run import Run
started = time.process_time()
written = report(Run(sys.argv[1])).save_all(sys.argv[2])
print(time.process_time() - started, len(written))
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large") / "run"
    large_run(folder)
    return folder


def test_report_of_a_large_study(large: Path, tmp_path: Path, row: Row) -> None:
    """Processor seconds of a fresh interpreter, beside those of only reading and sorting the parts."""
    import pandas as pd

    started = time.perf_counter()
    shown = subprocess.run(
        [sys.executable, "-c", CODE, str(large), str(tmp_path)], check=True, capture_output=True, text=True
    )
    wall = time.perf_counter() - started
    seconds, files = (float(each) for each in shown.stdout.split())
    parts = sorted(large.glob("part-*.parquet"))
    floor = best_of(2, lambda: pd.concat([pd.read_parquet(path) for path in parts]).describe())
    row("report, 10 x 3 x 500 runs, processor time", seconds, "s", CLAIM, "pandas describe()", floor)
    row("report, 10 x 3 x 500 runs, on the clock", wall, "s", CLAIM, "pandas describe()", floor)
    page = (tmp_path / "index.html").stat().st_size
    row("page of that report", page / 1e6, "MB", PAGE / 1e6, "plotly.js", 4.7)
    assert files > 30 and seconds < CLAIM and page < PAGE


def test_curves_of_a_searcher(benchmark: Any, large: Path, row: Row) -> None:
    """Incumbents and mean, interquartile mean, median with their intervals of 500 runs at 200 points."""
    import numpy as np

    from nasgauge.reports.comparison.curves import curve, grid
    from nasgauge.reports.comparison.trajectory import split
    from nasgauge.searchers.runner.run import Run

    runs = split(Run(large).records())["cifar10", "evolution"]
    x = grid("seconds", 12_000.0)

    def all_of_it() -> None:
        curve(runs, "test", x, runs.finished("seconds", x), np.random.default_rng(0))

    benchmark(all_of_it)
    values = runs.at("test", runs.finished("seconds", x))
    draws = np.random.default_rng(0).integers(500, size=(100, 500))
    plain = 10 * best_of(2, lambda: [values[each].mean(axis=0) for each in draws])
    row("one curve with intervals", float(benchmark.stats.stats.median), "s", 0.5, "plain bootstrap", plain)
