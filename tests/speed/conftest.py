"""Benchmarks: every figure beside its peer or its floor, measured in the same run, printed as one table at the end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.column import Column
from nasgauge.bench.table import Table, write_table

ROWS: list[tuple[str, str, str, str]] = []
Row = Callable[[str, float, str, float, str, float], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "speed" in item.path.parts:
            item.add_marker(pytest.mark.speed)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """One thread of PyTorch, whose processor time says the truth on a busy machine."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def row() -> Row:
    """Call with (what, value, unit, claim, name of the yardstick, value of the yardstick in the same unit)."""

    def add(what: str, value: float, unit: str, claim: float, yardstick: str, other: float) -> None:
        ROWS.append((what, f"{value:,.3g} {unit}", f"{claim:g} {unit}", f"{other / value:,.3g} x {yardstick}"))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ROWS:
        terminalreporter.section("speed: measured, claimed, and the yardstick's figure over ours")
        widths = [max(len(each[column]) for each in ROWS) for column in range(4)]
        for each in ROWS:
            terminalreporter.line("  ".join(cell.ljust(width) for cell, width in zip(each, widths, strict=True)))


def median(benchmark: object) -> float:
    """Median seconds of a finished pytest-benchmark fixture."""
    return float(benchmark.stats.stats.median)  # type: ignore[attr-defined]


def best_of(repeats: int, call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Smallest seconds of one call; with ``time.process_time`` those of the processor."""
    seconds = []
    for _ in range(repeats):
        started = clock()
        call()
        seconds.append(clock() - started)
    return min(seconds)


def in_python(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture(scope="session")
def tss_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with the columns of nats-tss, full size, random numbers."""
    rng = np.random.default_rng(0)
    columns = []
    for dataset in ("cifar10", "cifar100", "ImageNet16-120"):
        for split in ("valid", "test", "valtest", "train"):
            runs = rng.uniform(10, 95, (15_625, 3))
            runs[rng.permutation(15_625)[:7_456], 2] = np.nan
            columns.append(Column(f"{split}_accuracy", runs, dataset, 200, (777, 888, 999)))
            columns.append(Column(f"{split}_accuracy", runs[:, :1].copy(), dataset, 12, (111,)))
        per_epoch = rng.uniform(5, 15, 15_625)
        columns += [Column("search_seconds", budget * per_epoch, dataset, budget) for budget in (12, 200)]
    path = tmp_path_factory.mktemp("speed") / "tss.h5"
    return write_table(path, columns, name="tss", space="topology", licence="CC0")


@pytest.fixture(scope="session")
def tss(tss_path: Path) -> Benchmark:
    return Benchmark(Table(tss_path))


@pytest.fixture(scope="session")
def cells_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with the columns of nasbench101, full size, random numbers."""
    rng = np.random.default_rng(0)
    size = 423_624
    columns = [Column("test_accuracy", rng.uniform(10, 95, size), "cifar10", 108, means_over="3 repeats")]
    sparse = np.full(size, np.nan)
    sparse[rng.permutation(size)[:30_001]] = rng.uniform(10, 95, 30_001)
    columns += [Column("valid_accuracy", sparse, "cifar10", budget) for budget in (4, 12, 36, 108)]
    columns.append(Column("search_seconds", sparse * 20, "cifar10", 108))
    path = tmp_path_factory.mktemp("speed") / "cells101.h5"
    return write_table(path, columns, name="nb101", space="cells101", licence="CC0")
