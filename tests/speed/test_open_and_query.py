"""Opening tables, sweeping them, asking one number: against the file system's floor and the official package."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.table import Table

from .conftest import Row, best_of, in_python, median

sys.path.insert(0, str(Path(__file__).parents[1]))
import official_files

CELLS = 12
DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
# the peak of this program alone (Linux); getrusage would count the parent's pages too
RESIDENT = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"


def test_open(benchmark: Any, tss_path: Path, row: Row) -> None:
    Benchmark(Table(tss_path))
    benchmark(lambda: Benchmark(Table(tss_path)))
    floor = best_of(50, lambda: h5py.File(tss_path, "r", locking=False).close())
    row("open nats-tss", 1e3 * median(benchmark), "ms", 20, "bare h5py open", 1e3 * floor)


def test_resident_memory(tss_path: Path, row: Row) -> None:
    bare = int(in_python(RESIDENT)) / 1024
    imports = int(in_python(f"import numpy, h5py; {RESIDENT}")) / 1024 - bare
    code = (
        "import sys, nasgauge as ng; bench = ng.open(sys.argv[1]); "
        f"bench.query(6111, 'test_accuracy', dataset='cifar10'); {RESIDENT}"
    )
    ours = int(in_python(code, str(tss_path))) / 1024 - bare
    row("nats-tss open and asked, resident", ours, "MB", 60, "importing numpy and h5py", imports)


def test_sweep(benchmark: Any, tss_path: Path, row: Row, official: tuple[float, float]) -> None:
    """15,625 cells x 3 data sets x (validation, test) of a table opened for it, nothing cached."""
    ids = np.arange(15_625)

    def sweep() -> float:
        bench = Benchmark(Table(tss_path))
        return sum(
            float(bench.query(ids, f"{split}_accuracy", dataset=dataset).sum())
            for dataset in DATASETS for split in ("valid", "test")
        )  # fmt: skip

    sweep()
    benchmark(sweep)
    cold, _ = official
    row(
        "sweep 15,625 x 3 x (valid, test)",
        1e3 * median(benchmark),
        "ms",
        20,
        "nats_bench fast mode",
        1e3 * cold * 15_625,
    )


def test_array_query(benchmark: Any, tss: Benchmark, row: Row) -> None:
    ids = np.random.default_rng(0).permutation(15_625)
    values = np.random.default_rng(1).random(15_625)
    tss.query(ids, "test_accuracy", dataset="cifar10")
    benchmark(lambda: tss.query(ids, "test_accuracy", dataset="cifar10"))
    ours, floor = 15.625e-3 / median(benchmark), 15.625e-3 / best_of(200, lambda: values[ids])
    row("array query", ours, "million values/s", 50, "of bare numpy indexing", floor)


def test_scalar_query(benchmark: Any, tss: Benchmark, row: Row, official: tuple[float, float]) -> None:
    tss.query(6111, "test_accuracy", dataset="cifar10")
    benchmark(lambda: tss.query(6111, "test_accuracy", dataset="cifar10"))
    row("scalar query", 1e6 * median(benchmark), "us", 10, "nats_bench get_more_info, warm", 1e6 * official[1])


def test_nasbench101_open(benchmark: Any, cells_path: Path, row: Row) -> None:
    Benchmark(Table(cells_path))
    benchmark(lambda: Benchmark(Table(cells_path)))
    floor = best_of(50, lambda: h5py.File(cells_path, "r", locking=False).close())
    row("open nasbench101", 1e3 * median(benchmark), "ms", 50, "bare h5py open", 1e3 * floor)


def test_nasbench101_optimum(benchmark: Any, cells_path: Path, row: Row) -> None:
    column = np.random.default_rng(0).random(423_624)
    benchmark.pedantic(
        lambda bench: bench.optimum("cifar10"), setup=lambda: ((Benchmark(Table(cells_path)),), {}), rounds=20
    )
    row("best of 423,624", 1e3 * median(benchmark), "ms", 20, "numpy argmax", 1e3 * best_of(50, column.argmax))


@pytest.mark.parametrize(
    ("what", "code", "claim"),
    [
        ("import nasgauge", "import nasgauge", 0.2),
        ("nasgauge --help", "import sys; sys.argv[1:] = ['--help']; from nasgauge.cli import main; main()", 0.5),
    ],
)
def test_start(benchmark: Any, what: str, code: str, claim: float, row: Row) -> None:
    in_python(code)
    benchmark.pedantic(in_python, args=(code,), rounds=10)
    bare = best_of(10, lambda: in_python("pass"))
    row(what, median(benchmark), "s", claim, "bare interpreter", bare)


def write_official(folder: Path) -> None:
    """A directory in the official layout: `CELLS` cells, three runs of each at 200 epochs."""

    def seeds(hp: str, _: str) -> tuple[int, ...]:
        return (777, 888, 999) if hp == "200" else (111,)

    official_files.write_directory(
        folder, official_files.all_results(range(CELLS), "topology", seeds=seeds), "topology"
    )


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float]:
    """Seconds of the official package in fast mode: all six answers of a cell on first touch, one answer when warm."""
    import nats_bench

    folder = tmp_path_factory.mktemp("official") / "NATS-tss-v1_0-speed-simple"
    write_official(folder)
    api = nats_bench.create(str(folder), "tss", fast_mode=True, verbose=False)
    state = random.getstate()

    def ask(arch: int, dataset: str) -> None:
        api.get_more_info(arch, dataset, hp="200", is_random=False)

    def first_touch(arch: int) -> None:
        for dataset in ("cifar10-valid", *DATASETS):
            ask(arch, dataset)

    cold = float(np.median([best_of(1, lambda arch=arch: first_touch(arch)) for arch in range(CELLS)]))  # type: ignore[misc]
    warm = best_of(200, lambda: ask(5, "cifar10"))
    random.setstate(state)
    return cold, warm
