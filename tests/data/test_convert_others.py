"""HW-NAS-Bench's pickle and NAS-Bench-Suite-Zero's JSON: recognised by content, every number under our names."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadFile
from nasgauge.bench.spaces import Topology
from nasgauge.bench.table import Table
from nasgauge.data.convert import convert


def hardware() -> dict[str, Any]:
    """Two data sets of two metrics each."""
    rng = np.random.default_rng(0)
    values = {"edgegpu_latency": rng.uniform(1, 9, 15_625).tolist(), "fpga_energy": rng.uniform(1, 9, 15_625).tolist()}
    values["edgegpu_latency"][3] = -1.0
    config = [{"name": "infer.tiny", "C": 16}] * 3
    return {"nasbench201": {"cifar10": {**values, "config": config}}, "fbnet": {"edgegpu_latency": {"a": 1.0}}}


def test_hw_nas_bench(tmp_path: Path) -> None:
    source = hardware()
    (tmp_path / "x").write_bytes(pickle.dumps(source, 4))
    bench = Benchmark(Table(convert(tmp_path / "x", tmp_path / "x.h5").path))
    expected = source["nasbench201"]["cifar10"]
    assert bench.query(7, "latency_ms:edgegpu", dataset="cifar10") == expected["edgegpu_latency"][7]
    assert bench.query(7, "energy_mj:fpga", dataset="cifar10") == expected["fpga_energy"][7]
    assert np.isnan(bench.query(3, "latency_ms:edgegpu", dataset="cifar10"))


def test_hw_nas_bench_of_another_layout_is_refused(tmp_path: Path) -> None:
    source = hardware()
    source["nasbench201"]["cifar10"]["tpu_latency"] = [1.0]
    (tmp_path / "x").write_bytes(pickle.dumps(source, 4))
    with pytest.raises(BadFile, match="unexpected key 'tpu_latency'"):
        convert(tmp_path / "x", tmp_path / "x.h5")


@pytest.mark.parametrize("nested", [False, True])
def test_suite_zero(nested: bool, tmp_path: Path) -> None:
    """(skip, none, conv 3x3, conv 1x1, pool, skip) on edges 0-1, 0-2, 0-3, 1-2, 1-3, 2-3, as NASLib numbers them."""
    entry = {"val_accuracy": 90.5, "snip": {"score": 3.5, "time": 0.25}, "flops": {"score": 7, "time": 0.0}}
    value: Any = {"cifar10": {"(0, 1, 2, 3, 4, 0)": entry}}
    (tmp_path / "x.json").write_text(json.dumps({"nasbench201": value} if nested else value))
    bench = Benchmark(Table(convert(tmp_path / "x.json", tmp_path / "x.h5").path))
    text = "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|skip_connect~2|"
    arch = Topology().id(text)
    assert bench.query(arch, "proxy:snip", dataset="cifar10") == 3.5
    assert bench.query(arch, "proxy_seconds:snip", dataset="cifar10") == 0.25
    assert bench.known(np.arange(15_625), "proxy:flops", dataset="cifar10").sum() == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not a readable JSON"), ('{"nasbench301": {"cifar10": {}}}', "only nasbench201"),
     ('{"cifar10": {"(0, 1, 2, 3, 4, 9)": {}}}', "no tuple of six"),
     ('{"cifar10": {"(0, 1, 2, 3, 4, 0)": {"snip": 3}}}', "unexpected key 'snip'"),
     ('{"cifar10": {"(0, 1, 2, 3, 4, 0)": {"snip": {"score": 1, "unit": 2}}}}', "unexpected key 'unit'")],
)  # fmt: skip
def test_suite_zero_of_another_layout_is_refused(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(BadFile, match=message):
        convert(tmp_path / "x.json", tmp_path / "x.h5")
