"""The four tables from the real files, through a local server: published facts and an independent tidy copy agree."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.table import Table
from nasgauge.data.catalogue import CATALOGUE
from nasgauge.data.fetch import fetch
from nasgauge.data.public.hw_nas_bench import METRICS

pytestmark = pytest.mark.real
HALVED = {"cifar100": 5_000, "ImageNet16-120": 3_000}
BY_RUN = tuple((dataset, "valtest_accuracy") for dataset in HALVED)
EVERY = np.arange(15_625)


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def benchmarks(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Benchmark]]:
    home = tmp_path_factory.mktemp("home")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(shared / "data" / "mirrors")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield {name: Benchmark(Table(fetch(name, mirror=url, home=home))) for name in CATALOGUE}
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def tidy(shared: Path) -> Any:
    return np.load(shared / "data" / "tables" / "nb201.npz", allow_pickle=False)


@pytest.fixture(scope="module")
def tss(benchmarks: dict[str, Benchmark]) -> Benchmark:
    return benchmarks["nats-tss"]


def off(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference; NaN must stand at the same places."""
    expected = np.asarray(expected, dtype=np.float64)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    return float(np.nanmax(np.abs(found - expected)))


FLOAT32 = 5e-6  # what float32 takes from a percentage


def test_published_optima_and_means(tss: Benchmark) -> None:
    for dataset, best, value in (
        ("cifar10", 6111, 94.3733),
        ("cifar100", 9930, 73.5133),
        ("ImageNet16-120", 857, 47.3111),
    ):
        optimum = tss.optimum(dataset)
        assert optimum.id == best and optimum.value == pytest.approx(value, abs=5e-5)
    assert tss.query(EVERY, "test_accuracy", dataset="cifar10").mean() == pytest.approx(87.0629, abs=5e-5)


def test_two_seeds_exist_for_7456_cells_and_three_for_8169(tss: Benchmark) -> None:
    for dataset, metric in (
        ("cifar10", "valid_accuracy"),
        ("cifar10", "test_accuracy"),
        ("cifar100", "valtest_accuracy"),
    ):
        runs = tss.query(EVERY, metric, dataset=dataset, seed="all")
        assert np.bincount(np.isfinite(runs).sum(axis=1)).tolist() == [0, 0, 7456, 8169]
        assert np.isfinite(runs[:, :2]).all()


def test_every_run_agrees_with_the_tidy_copy(tss: Benchmark, tidy: Any) -> None:
    for dataset, metric, column in (
        ("cifar10", "valid_accuracy", "cifar10-valid_valid"),
        ("cifar10-valid", "valid_accuracy", "cifar10-valid_valid"),
        ("cifar10", "test_accuracy", "cifar10_test"),
        ("cifar100", "valtest_accuracy", "cifar100_valtest"),
        ("ImageNet16-120", "valtest_accuracy", "ImageNet16-120_valtest"),
    ):
        for seed in (777, 888, 999):
            found = tss.query(EVERY, metric, dataset=dataset, seed=seed)
            assert off(found, tidy[f"{column}_acc_seed{seed}_epoch200"]) < FLOAT32
        assert off(tss.query(EVERY, metric, dataset=dataset), tidy[f"{column}_acc_epoch200"]) < FLOAT32


def test_every_mean_agrees_with_the_tidy_copy(tss: Benchmark, tidy: Any) -> None:
    for dataset in HALVED:
        for split in ("valid", "test"):
            found = tss.query(EVERY, f"{split}_accuracy", dataset=dataset)
            assert off(found, tidy[f"{dataset}_{split}_acc_epoch200"]) < FLOAT32
    for dataset, split, column in (
        ("cifar10", "test", "cifar10_test"), ("cifar10", "valid", "cifar10-valid_valid"),
        ("cifar10-valid", "valid", "cifar10-valid_valid"), ("cifar100", "test", "cifar100_test"),
        ("cifar100", "valid", "cifar100_valid"), ("ImageNet16-120", "test", "ImageNet16-120_test"),
        ("ImageNet16-120", "valid", "ImageNet16-120_valid"),
    ):  # fmt: skip
        found = tss.query(EVERY, f"{split}_accuracy", dataset=dataset, budget=12)
        assert off(found, tidy[f"{column}_acc_epoch12"]) < FLOAT32


def test_single_runs_told_apart_agree_to_one_image(tss: Benchmark, tidy: Any) -> None:
    """The tidy copy takes test of seed 888 as twice valtest minus valid; ours is as evaluated: 14 cells differ."""
    different = 0
    for dataset, images in HALVED.items():
        for split in ("valid", "test"):
            runs = tss.query(EVERY, f"{split}_accuracy", dataset=dataset, seed="all")
            for place, seed in enumerate((777, 888)):
                expected = tidy[f"{dataset}_{split}_acc_seed{seed}_epoch200_partial"]
                assert off(runs[:, place], expected) < 100 / images + FLOAT32
                different += int((np.abs(runs[:, place] - expected) > FLOAT32).sum())
            assert np.isfinite(runs[:, 2]).sum() == 208
    assert different == 28


def test_seconds_agree_with_the_tidy_copy(tss: Benchmark, tidy: Any) -> None:
    for dataset in ("cifar10-valid", "cifar10", *HALVED):
        for budget in (12, 200):
            found = tss.query(EVERY, "train_seconds", dataset=dataset, budget=budget)
            assert np.allclose(found, tidy[f"{dataset}_train_time_per_epoch"] * budget, rtol=1e-12)


def test_the_complete_official_records_agree(tss: Benchmark, shared: Path) -> None:
    """Cells 0, 11 and 284 exist as complete official files: every run, split and second that we serve of them."""
    curves = np.load(shared / "data" / "tables" / "curves.npz", allow_pickle=False)
    served = 0
    for arch in (0, 11, 284):
        for training, evaluated, dataset, metric in (
            ("cifar10-valid", "x-valid", "cifar10", "valid_accuracy"),
            ("cifar10-valid", "train", "cifar10-valid", "train_accuracy"),
            ("cifar10-valid", "ori-test", "cifar10-valid", "test_accuracy"),
            ("cifar10", "ori-test", "cifar10", "test_accuracy"),
            *((name, part, name, f"{split}_accuracy") for name in HALVED for part, split in (
                ("train", "train"), ("x-valid", "valid"), ("x-test", "test"), ("ori-test", "valtest"))),
        ):  # fmt: skip
            for hp, budget, seeds in (("hp200", 200, (777, 888, 999)), ("hp12", 12, (111, 777))):
                keys = [f"tss{arch}|{hp}|{training}|seed{seed}|{evaluated}_acc" for seed in seeds]
                ends = [float(curves[key][-1]) for key in keys if key in curves]
                if budget not in tss.budgets(dataset, metric):
                    continue
                found = tss.query(arch, metric, dataset=dataset, budget=budget)
                assert found == pytest.approx(np.mean(ends), abs=2e-5)
                served += 1
        for dataset, training in (("cifar10", "cifar10-valid"), ("cifar100", "cifar100")):
            epoch = float(curves[f"tss{arch}|hp200|{training}|seed777|train_time"][0])
            one_pass = float(curves[f"tss{arch}|hp200|{training}|seed777|x-valid_time"][0])
            cost = tss.cost(arch, dataset=dataset, budget=12)
            assert cost.seconds == pytest.approx(12 * epoch + one_pass, rel=0.012)
    assert served == 3 * (12 + 6)


def test_release_1_1_agrees_with_the_tidy_copy(benchmarks: dict[str, Benchmark], tidy: Any) -> None:
    bench = benchmarks["nasbench201"]
    for dataset, column in (("cifar10", "cifar10-valid"), ("cifar100", "cifar100"), ("ImageNet16-120",) * 2):
        found = bench.query(EVERY, "valid_accuracy", dataset=dataset)
        assert off(found, tidy[f"{column}_valid_acc_epoch200_nb201v1_1"]) < FLOAT32
    runs = bench.query(EVERY, "test_accuracy", dataset="cifar10", seed="all")
    assert np.array_equal(np.isfinite(runs).sum(axis=1), tidy["n_seeds_nb201v1_1"])
    assert np.bincount(np.isfinite(runs).sum(axis=1)).tolist() == [0, 2225, 5439, 7961]
    read = np.stack([tidy[f"cifar10_test_acc_seed{seed}_epoch200"] for seed in (777, 888, 999)], axis=1)
    assert off(runs, np.where(tidy["cifar10_test_acc_seed_source"] == 1, read, np.nan)) < FLOAT32


def test_hardware_agrees_with_the_tidy_copy(benchmarks: dict[str, Benchmark], tidy: Any) -> None:
    bench = benchmarks["hw-nas-bench"]
    for dataset in ("cifar10", *HALVED):
        for name, metric in METRICS.items():
            expected = tidy[f"{dataset}_hwnas_{name}"]
            found = bench.query(EVERY, metric, dataset=dataset)
            assert np.array_equal(found, np.where(expected == -1, np.nan, expected), equal_nan=True)
    assert bench.query(0, "latency_ms:edgegpu", dataset="cifar10") == 5.807418537139893
    assert bench.query(0, "energy_mj:edgegpu", dataset="cifar10") == 24.226614330768584
    assert np.isnan(bench.query(EVERY, "latency_ms:edgetpu", dataset="cifar10")).sum() == 4699


def test_nasbench101_facts_and_tidy_copy(benchmarks: dict[str, Benchmark], shared: Path) -> None:
    bench = benchmarks["nasbench101"]
    tidy = np.load(shared / "data" / "tables" / "nb101.npz", allow_pickle=False)
    every = np.arange(len(tidy["hash"]))
    test = bench.query(every, "test_accuracy", dataset="cifar10")
    assert bench.optimum("cifar10").value == pytest.approx(94.3175752957662, abs=1e-6)
    assert test.mean() == pytest.approx(89.6798, abs=5e-5) and test[0] == pytest.approx(92.06063151359558, abs=1e-5)
    assert np.array_equal(np.rint(test * 299.52), tidy["test108_sum3"])
    assert np.array_equal(np.rint(bench.query(every, "params_millions", dataset="cifar10") * 1e6), tidy["params"])
    rows = tidy["sub_index"]
    for budget in (4, 12, 36, 108):
        valid = bench.query(every, "valid_accuracy", dataset="cifar10", budget=budget)
        assert np.array_equal(np.flatnonzero(np.isfinite(valid)), np.sort(rows))
        assert np.array_equal(np.rint(valid[rows] * 99.84), tidy[f"sub_val{budget}_count"])
    seconds = bench.query(rows, "train_seconds", dataset="cifar10")
    assert np.array_equal(seconds.astype(np.float32), tidy["sub_time108"])
