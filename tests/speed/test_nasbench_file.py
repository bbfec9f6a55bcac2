"""Reading NAS-Bench-101 files: per record against the official loader's work, and at full size."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasgauge.data.files.nasbench_records import Reader
from nasgauge.data.files.tfrecord import read_batches, read_records
from nasgauge.data.official.nasbench import NASBench

from .conftest import Row, best_of
from .synthesise_nasbench import write

CELLS = 20_000
RECORDS = 3 * CELLS
OFFICIAL_SECONDS_PER_RECORD = 28e-6  # with upb, claimed in the issue
PEAK = (
    "import resource, sys, time; from pathlib import Path\n"
    "from joblib.externals.loky import get_reusable_executor\n"
    "from nasgauge.bench.memory import resident, since\n"
    "from nasgauge.data.files.nasbench_file import convert_nasbench\n"
    "before, started = resident(), time.perf_counter(); convert_nasbench(Path(sys.argv[1]), Path(sys.argv[2]))\n"
    "seconds = time.perf_counter() - started; get_reusable_executor().shutdown(wait=True)\n"
    "print(seconds, since(before).peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("speed") / "some.tfrecord", CELLS)


def read(file: Path) -> None:
    reader = Reader()
    for batch in read_batches(file):
        reader.read(batch)


def test_records(benchmark: Any, file: Path, row: Row) -> None:
    parse = official_message()
    benchmark.pedantic(lambda: read(file), rounds=3, warmup_rounds=1)
    rounds = [  # in turn, so that a busy machine slows both
        (best_of(1, lambda: read(file)), best_of(1, lambda: official_load(file, parse))) for _ in range(5)
    ]
    ours, theirs = (1e6 * min(seconds) / RECORDS for seconds in zip(*rounds, strict=True))
    row("TFRecord, one record", ours, "us", 28 / 3, "official loader's work, upb", theirs)


@pytest.mark.slow
def test_full_size(row: Row, tmp_path: Path) -> None:
    """1.27 million records: seconds, peak memory, opening."""
    path, table = tmp_path / "only108.tfrecord", tmp_path / "table.h5"
    subprocess.run([sys.executable, Path(__file__).with_name("synthesise_nasbench.py"), path], check=True)
    size = path.stat().st_size
    said = subprocess.run(
        [sys.executable, "-c", PEAK, str(path), str(table)], check=True, capture_output=True, text=True
    )
    seconds, peak, helper = map(float, said.stdout.split())
    started = best_of(20, lambda: NASBench(table))
    path.unlink()
    row("only108, 1.27 million records", seconds, "s", 60, "official loader", OFFICIAL_SECONDS_PER_RECORD * 1_270_872)
    row("only108, peak resident", peak, "MB", 1000, "size of the file", size / 1e6)
    row("only108, peak resident of each helper", helper, "MB", 200, "size of the file", size / 1e6)
    row("only108, size of the table", table.stat().st_size / 1e6, "MB", 1000, "size of the file", size / 1e6)
    row("only108, opening of the drop-in", 1e3 * started, "ms", 50, "conversion", 1e3 * seconds)
    assert peak + 2 * helper < 1000


def official_message() -> Any:
    """``ModelMetrics`` of the protobuf package, from a description made here."""
    protobuf = pytest.importorskip("google.protobuf")
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    from google.protobuf.internal import api_implementation

    assert protobuf
    assert api_implementation.Type() == "upb"
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package="nasbench", syntax="proto2")
    evaluation, metrics = file.message_type.add(name="EvaluationData"), file.message_type.add(name="ModelMetrics")
    names = ("current_epoch", "training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
    for number, name in enumerate(names, 1):
        evaluation.field.add(name=name, number=number, type=1, label=1)
    evaluation.field.add(name="checkpoint_path", number=6, type=9, label=1)
    metrics.field.add(name="evaluation_data", number=1, type=11, label=3, type_name=".nasbench.EvaluationData")
    metrics.field.add(name="trainable_parameters", number=2, type=5, label=1)
    metrics.field.add(name="total_time", number=3, type=1, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("nasbench.ModelMetrics")).FromString


def official_load(file: Path, parse: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What ``NASBench.__init__`` does with each record, its reading of TFRecords replaced by ours."""
    fixed: dict[str, Any] = {}
    computed: dict[str, Any] = {}
    epochs_seen = set()
    for serialized in read_records(file):
        module_hash, epochs, digits, operations, raw = json.loads(serialized.decode("utf-8"))
        size = int(np.sqrt(len(digits)))
        adjacency = np.array([int(digit) for digit in list(digits)], dtype=np.int8).reshape(size, size)
        labels = operations.split(",")
        metrics = parse(base64.decodebytes(raw.encode("ascii")))
        if module_hash not in fixed:
            fixed[module_hash] = {"module_adjacency": adjacency, "module_operations": labels,
                                  "trainable_parameters": metrics.trainable_parameters}  # fmt: skip
            computed[module_hash] = {}
        epochs_seen.add(epochs)
        half, final = metrics.evaluation_data[1], metrics.evaluation_data[2]
        computed[module_hash].setdefault(epochs, []).append({
            "halfway_training_time": half.training_time, "halfway_train_accuracy": half.train_accuracy,
            "halfway_validation_accuracy": half.validation_accuracy, "halfway_test_accuracy": half.test_accuracy,
            "final_training_time": final.training_time, "final_train_accuracy": final.train_accuracy,
            "final_validation_accuracy": final.validation_accuracy, "final_test_accuracy": final.test_accuracy,
        })  # fmt: skip
    return fixed, computed
