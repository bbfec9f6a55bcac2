"""Fixtures that several folders of tests share: the real data, and a toy table whose every split differs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.column import Column
from nasgauge.bench.table import Source, Table, write_table
from nasgauge.data.catalogue import CATALOGUE
from nasgauge.data.fetch import fetch

# A busy machine is no failure. Where CI is set, every run draws the same examples.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

ARCHS = 15_625
SEEDS = (777, 888, 999)


def toy_columns() -> list[Column]:
    """Value = offset of the split + arch / 1e4 + run; run 2 (seed 999) exists for even ids only."""
    ramp = np.arange(ARCHS) / 1e4
    columns = []
    offsets = {"cifar10": {"valid": 10, "test": 20, "train": 30}, "cifar100": {"valid": 40, "test": 50, "valtest": 60}}
    for dataset, splits in offsets.items():
        for split, offset in splits.items():
            runs = offset + ramp[:, None] + np.arange(3.0)
            runs[1::2, 2] = np.nan
            columns.append(
                Column(f"{split}_accuracy", runs, dataset, 200, SEEDS, trained_on="toy", evaluated_on=f"{split} images")
            )
            if split == "valid":
                columns.append(Column("valid_accuracy", offset + 5 + ramp, dataset, 12, means_over="seeds 111 and 777"))
        for budget in (12, 200):
            seconds = budget * (1 + ramp)
            columns.append(Column("search_seconds", seconds, dataset, budget, provenance="estimated"))
    curve = 5 + np.arange(200) / 100 + np.zeros((ARCHS, 1, 1)) + np.array([0, 1, 2])[None, :, None]
    columns.append(Column("train_loss", curve[:, :, -1].copy(), "cifar10", 200, SEEDS))
    columns.append(Column("train_loss", curve.astype(np.float32), "cifar10", 200, SEEDS))
    columns.append(Column("latency_ms:phone", 1 + ramp, "cifar10"))
    return columns


@pytest.fixture(scope="session")
def toy_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "toy.h5"
    source = Source("toy.csv", "https://example.org/toy.csv", "0" * 64, "CC0", 1)
    return write_table(
        path,
        toy_columns(),
        name="toy",
        space="topology",
        title="A toy",
        licence="CC0",
        sources=[source],
        notes=["Toy."],
    )


@pytest.fixture(scope="session")
def toy(toy_path: Path) -> Benchmark:
    return Benchmark(Table(toy_path))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real tables and files beside the project; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("NASGAUGE_SHARED", Path(__file__).parents[2] / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder


@pytest.fixture(scope="session")
def real_home(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with every fetchable table, assembled from the real public files."""
    home = tmp_path_factory.mktemp("home")
    for name in CATALOGUE:
        fetch(name, mirror=shared / "data" / "mirrors", home=home)
    return home
