"""The drop-in beside the official packages.

nats_bench: a warm query, the first query of an architecture, memory for each one touched. nasbench, which needs
TensorFlow: its hash and its copies, written down here as the package has them.
"""

from __future__ import annotations

import copy
import hashlib
import random
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasgauge.bench.column import Column
from nasgauge.bench.spaces.cells101 import Cells101
from nasgauge.bench.spaces.cells101_hash import graph_hash
from nasgauge.bench.table import write_table
from nasgauge.data.files.nasbench_file import convert_nasbench
from nasgauge.data.official import ModelSpec, NASBench, create

from .conftest import Row, best_of, median
from .synthesise_nasbench import write as write_nasbench
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


OPERATIONS = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"]
MODULES = 2_000


@pytest.fixture(scope="module")
def nasbench(tmp_path_factory: pytest.TempPathFactory) -> NASBench:
    folder = tmp_path_factory.mktemp("nasbench")
    state = random.getstate()
    api = NASBench(convert_nasbench(write_nasbench(folder / "some.tfrecord", MODULES), folder / "table.h5").path)
    random.setstate(state)
    return api


@pytest.fixture(scope="module")
def specs() -> list[ModelSpec]:
    cells = Cells101()
    return [ModelSpec(graph.adjacency, list(graph.nodes)) for graph in map(cells.graph, range(MODULES))]


def official_hash(spec: ModelSpec) -> str:
    """The steps of ``graph_util.hash_module``, lists and all."""
    matrix, labels = np.asarray(spec.matrix), [-1, *(OPERATIONS.index(op) for op in spec.ops[1:-1]), -2]
    out_edges, in_edges = np.sum(matrix, axis=1).tolist(), np.sum(matrix, axis=0).tolist()

    def md5(text: str) -> str:
        return hashlib.md5(text.encode("utf-8")).hexdigest()

    hashes = [md5(str(each)) for each in zip(out_edges, in_edges, labels, strict=True)]
    count = len(labels)
    for _ in range(count):
        new = []
        for v in range(count):
            feeding = [hashes[w] for w in range(count) if matrix[w, v]]
            fed = [hashes[w] for w in range(count) if matrix[v, w]]
            new.append(md5("".join(sorted(feeding)) + "|" + "".join(sorted(fed)) + "|" + hashes[v]))
        hashes = new
    return md5(str(sorted(hashes)))


def test_nasbench_query(benchmark: Any, nasbench: NASBench, specs: list[ModelSpec], row: Row) -> None:
    """Every query of another cell."""
    fixed, computed = dict(nasbench.fixed_statistics), dict(nasbench.computed_statistics)

    def official(spec: ModelSpec) -> None:
        module_hash = official_hash(spec)
        copy.deepcopy(fixed[module_hash])
        copy.deepcopy(computed[module_hash])

    nasbench.query(specs[0])
    benchmark.pedantic(lambda: [nasbench.query(spec) for spec in specs], rounds=5)
    theirs = best_of(2, lambda: [official(spec) for spec in specs])
    ours = median(benchmark)
    row("NASBench.query of another cell", 1e6 * ours / MODULES, "us", 40, "hash and copies", 1e6 * theirs / MODULES)


def test_nasbench_hash(benchmark: Any, specs: list[ModelSpec], row: Row) -> None:
    """``ModelSpec.hash_spec`` of a cell not seen before."""

    def ours() -> list[str]:
        graph_hash.cache_clear()
        return [spec.hash_spec(OPERATIONS) for spec in specs]

    assert ours() == [official_hash(spec) for spec in specs]
    benchmark.pedantic(ours, rounds=5)
    theirs = best_of(2, lambda: [official_hash(spec) for spec in specs])
    row("hash_spec of another cell", 1e6 * median(benchmark) / MODULES, "us", 80, "hash", 1e6 * theirs / MODULES)
