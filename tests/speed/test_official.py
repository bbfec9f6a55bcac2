"""The drop-in beside nats_bench: a warm query, the first query of an architecture, memory for each one touched."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasgauge.bench.column import Column
from nasgauge.bench.table import write_table
from nasgauge.data.official import create

from .conftest import Row, best_of, median
from .test_open_and_query import CELLS, write_official

SPLITS = {
    "cifar10-valid": ("valid", "test"),
    "cifar10": ("test",),
    "cifar100": ("valid", "test", "valtest"),
    "ImageNet16-120": ("valid", "test", "valtest"),
}
Ask = Callable[[Any, int], None]


def ask(api: Any, arch: int) -> None:
    """What a script that wants everything asks of one architecture."""
    for dataset in SPLITS:
        api.get_more_info(arch, dataset, hp="200", is_random=False)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Any]]:
    nats_bench = pytest.importorskip("nats_bench")
    folder = tmp_path_factory.mktemp("official") / "NATS-tss-v1_0-speed-simple"
    write_official(folder)
    state = random.getstate()
    yield lambda: nats_bench.create(str(folder), "tss", fast_mode=True, verbose=False)
    random.setstate(state)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The columns that answer about ends of runs, for all 15,625 cells."""
    draw = np.random.default_rng(0)
    cells, seeds = 15_625, {12: (111,), 200: (777, 888, 999)}
    columns = []
    for budget, runs in seeds.items():
        columns.append(Column(f"_evaluated:{budget}", np.ones(cells, dtype=np.uint8)))
        for dataset, splits in SPLITS.items():
            metrics = [f"{split}_{metric}" for split in ("train", *splits) for metric in ("accuracy", "loss")]
            metrics += ["train_epoch_seconds", *(f"{split}_pass_seconds" for split in splits)]
            metrics += ["recorded_params_millions", "recorded_flops_millions", "latency_seconds"]
            shape = (cells, len(runs))
            columns += [Column(metric, draw.uniform(1, 90, shape), dataset, budget, runs) for metric in metrics]
    extra = {"hps": ["12", "200"]}
    path = tmp_path_factory.mktemp("official") / "tss.h5"
    return write_table(path, columns, name="tss", space="topology", licence="CC0", extra=extra)


@pytest.mark.filterwarnings("ignore::nasgauge.data.official.warn.OfficialTrap")
@pytest.mark.parametrize("dataset", list(SPLITS))
def test_warm_query(benchmark: Any, theirs: Callable[[], Any], table: Path, dataset: str, row: Row) -> None:
    official, ours = theirs(), create(str(table), "tss", fast_mode=True, verbose=False)

    def warm(api: Any) -> None:
        api.get_more_info(5, dataset, hp="200", is_random=False)

    warm(ours)
    warm(official)
    benchmark(lambda: warm(ours))
    other = best_of(100, lambda: warm(official))
    row(f"get_more_info {dataset}, warm", 1e6 * median(benchmark), "us", 35, "nats_bench", 1e6 * other)


@pytest.mark.filterwarnings("ignore::nasgauge.data.official.warn.OfficialTrap")
def test_first_query(benchmark: Any, theirs: Callable[[], Any], table: Path, row: Row) -> None:
    official, ours = theirs(), create(str(table), "tss", fast_mode=True, verbose=False)
    ask(ours, 0)
    cells = iter(range(1, 15_625))
    benchmark.pedantic(
        lambda arch: ours.get_more_info(arch, "cifar10", hp="200", is_random=False),
        setup=lambda: ((next(cells),), {}), rounds=2_000,
    )  # fmt: skip
    seconds = [
        best_of(1, lambda arch=arch: official.get_more_info(arch, "cifar10", hp="200", is_random=False))  # type: ignore[misc]
        for arch in range(CELLS)
    ]
    row(
        "first query of an architecture",
        1e6 * median(benchmark),
        "us",
        140,
        "nats_bench",
        1e6 * float(np.median(seconds)),
    )


@pytest.mark.filterwarnings("ignore::nasgauge.data.official.warn.OfficialTrap")
def test_memory(theirs: Callable[[], Any], table: Path, row: Row) -> None:
    def per_architecture(api: Any, cells: range) -> float:
        ask(api, 0)
        tracemalloc.start()
        try:
            for arch in cells:
                ask(api, arch)
            return tracemalloc.get_traced_memory()[0] / len(cells) / 1e3
        finally:
            tracemalloc.stop()

    ours = per_architecture(create(str(table), "tss", fast_mode=True, verbose=False), range(1, 2_001))
    official = per_architecture(theirs(), range(1, CELLS))
    row("memory of an architecture touched", ours, "kB", 40, "nats_bench", official)
