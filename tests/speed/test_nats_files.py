"""Converting official NAS-Bench-201 and NATS-Bench files, beside the loop that the official package runs."""

from __future__ import annotations

import bz2
import pickle
import shutil
import statistics
import sys
import time
from pathlib import Path

import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.table import Table
from nasgauge.data.files.nats_files import BLOCK, blocks_of_files, read_block, read_meta
from nasgauge.data.files.nats_listing import list_directory

from .conftest import Row, best_of, in_python

sys.path.insert(0, str(Path(__file__).parent))
import synthesise_nats

ARCHS = 1_200
PEAK = (
    "import resource, sys, time; from pathlib import Path\n"
    "from joblib.externals.loky import get_reusable_executor\n"
    "from nasgauge.bench.memory import resident, since; from nasgauge.data.convert import convert\n"
    "before, started = resident(), time.perf_counter(); convert(Path(sys.argv[1]), Path(sys.argv[2]))\n"
    "seconds = time.perf_counter() - started; get_reusable_executor().shutdown(wait=True)\n"
    "print(seconds, since(before).peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
)
"""Seconds, and MiB of this process and of the largest helper; getrusage would count what the parent process held."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise_nats.synthesise(tmp_path_factory.mktemp("nats") / "NATS-tss-v1_0-speed-simple", ARCHS)


def test_directory(directory: Path, tmp_path: Path, row: Row) -> None:
    """Files to arrays on disk, on all cores; beside it what one core spends, whatever else the machine does."""
    meta, entries = list_directory(directory)
    space = read_meta(meta).space
    sum(len(block.archs) for block in blocks_of_files(entries[:100], space, tmp_path))  # the processes run from now on
    started = time.perf_counter()
    assert sum(len(block.archs) for block in blocks_of_files(entries, space, tmp_path)) == ARCHS
    wall = 1e3 * (time.perf_counter() - started) / ARCHS
    chosen = [entries[first : first + BLOCK] for first in range(0, 8 * BLOCK, BLOCK)]
    ours, official = [], []
    for block in chosen:
        started = time.process_time()
        read_block(block, space)
        ours.append(1e3 * (time.process_time() - started) / BLOCK)
        started = time.process_time()
        for entry in block:
            pickle.loads(bz2.decompress(Path(entry.path).read_bytes()))
        official.append(1e3 * (time.process_time() - started) / BLOCK)
    loop = statistics.median(official)
    row("NATS directory, per architecture, all cores", wall, "ms", loop / 1.8, "bz2 + unpickle on one core", loop)
    row("the same, one core", statistics.median(ours), "ms", loop / 0.9, "bz2 + unpickle on one core", loop)
    assert 2 * loop / statistics.median(ours) > 1.8


def test_whole_conversion(directory: Path, tmp_path: Path, row: Row) -> None:
    whole_conversion(directory, tmp_path / "x.h5", ARCHS, row)


@pytest.mark.slow
def test_whole_conversion_at_full_size(tmp_path: Path, row: Row) -> None:
    """Every cell of the topology space, with the random numbers of a dozen: 1.3 GB of files."""
    folder = synthesise_nats.synthesise(tmp_path / "NATS-tss-v1_0-full-simple", 15_625)
    whole_conversion(folder, tmp_path / "x.h5", 15_625, row)
    shutil.rmtree(folder)


@pytest.mark.slow
def test_whole_conversion_of_a_pth(tmp_path: Path, row: Row) -> None:
    file = synthesise_nats.synthesise_pth(tmp_path / "NAS-Bench-201-v1_1-speed.pth", ARCHS)
    whole_conversion(file, tmp_path / "x.h5", ARCHS, row)
    file.unlink()


def whole_conversion(path: Path, table: Path, archs: int, row: Row) -> None:
    """Seconds, peak memory, and opening; the bounds are those of two cores."""
    seconds, own, helper = map(float, in_python(PEAK, str(path), str(table)).split())
    what = f"{path.suffix or 'NATS directory'} of {archs:,}"
    row(f"{what}, table written", seconds, "s", archs / 20, "", seconds)
    row(f"{what}, peak memory of all", own + 2 * helper, "MB", 1000, "each helper", helper)
    opened = best_of(20, lambda: Benchmark(Table(table)))
    row(f"{what}, open the table", 1e3 * opened, "ms", 20, "", 1e3 * opened)
    table.unlink()
    assert own + 2 * helper < 1000
