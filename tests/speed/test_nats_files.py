"""Converting official NAS-Bench-201 and NATS-Bench files, beside the loop that the official package runs."""

from __future__ import annotations

import bz2
import pickle
import statistics
import sys
import time
from pathlib import Path

import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.table import Table
from nasgauge.data.convert import convert
from nasgauge.data.files.nats_files import BLOCK, blocks_of_files, read_block, read_meta
from nasgauge.data.files.nats_listing import list_directory

from .conftest import Row, best_of, in_python

sys.path.insert(0, str(Path(__file__).parent))
import synthesise_nats

ARCHS = 1_200
PEAK = (
    "import resource, sys; from pathlib import Path; from nasgauge.data.convert import convert; "
    "convert(Path(sys.argv[1]), Path(sys.argv[2])); "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


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
    started = time.perf_counter()
    converted = convert(directory, tmp_path / "x.h5")
    seconds = time.perf_counter() - started
    peak = int(in_python(PEAK, str(directory), str(tmp_path / "y.h5"))) / 1024
    row(f"NATS directory of {ARCHS:,}, table written", seconds, "s", 60, "", seconds)
    row("converting, peak memory", peak, "MB", 1000, "", peak)
    opened = best_of(20, lambda: Benchmark(Table(converted.path)))
    row("open the converted table", 1e3 * opened, "ms", 20, "", 1e3 * opened)
    assert peak < 1000
