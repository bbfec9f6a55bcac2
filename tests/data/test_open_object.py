"""An official object that is already open answers the uniform query, and its table goes when it does."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import numpy as np
import pytest

import nasgauge as ng
from nasgauge.bench.errors import BadValue

sys.path.insert(0, str(Path(__file__).parents[1]))
import official_files as official

DATASETS = ("cifar10", "cifar100", "ImageNet16-120")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of three architectures in the official layout."""
    path = tmp_path_factory.mktemp("nats") / "NATS-tss-v1_0-made-simple"
    return official.write_directory(path, official.all_results(range(3), "topology", {"12": 3, "200": 5}), "topology")


def test_an_open_nats_bench_object_answers_as_it_does_itself(folder: Path) -> None:
    api = pytest.importorskip("nats_bench").create(str(folder), "tss", fast_mode=True, verbose=False)
    for arch in range(3):
        api.get_more_info(arch, "cifar10", hp="200", is_random=False)
    bench = ng.open(api)
    for dataset in DATASETS:
        ours = bench.query([0, 1, 2], "test_accuracy", dataset=dataset)
        theirs = [api.get_more_info(arch, dataset, hp="200", is_random=False)["test-accuracy"] for arch in range(3)]
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert np.isnan(bench.query(3, "test_accuracy", dataset="cifar10"))
    path = bench.tables[0].path
    assert path.exists()
    del bench
    gc.collect()
    assert not path.exists()


def test_converting_an_object_equals_converting_its_file(folder: Path, tmp_path: Path) -> None:
    api = pytest.importorskip("nats_bench").create(str(folder), "tss", fast_mode=True, verbose=False)
    for arch in range(3):
        api.get_more_info(arch, "cifar10", hp="200", is_random=False)
    made = ng.open(ng.convert(api, tmp_path / "object.h5"))
    read = ng.open(ng.convert(folder, tmp_path / "file.h5", jobs=1))
    for metric in ("valid_accuracy", "train_loss", "search_seconds"):
        for seed in ("mean", "all"):
            answers = [bench.query([0, 1, 2, 3], metric, dataset="cifar10", seed=seed) for bench in (made, read)]
            np.testing.assert_array_equal(*answers)


def test_cifar10_validation_is_that_of_the_25k_training(folder: Path, tmp_path: Path) -> None:
    bench = ng.open(ng.convert(folder, tmp_path / "file.h5", jobs=1))
    np.testing.assert_array_equal(
        bench.query([0, 1, 2], "valid_accuracy", dataset="cifar10", seed="all"),
        bench.query([0, 1, 2], "valid_accuracy", dataset="cifar10-valid", seed="all"),
    )
    assert bench.query(0, "test_accuracy", dataset="cifar10") != bench.query(
        0, "test_accuracy", dataset="cifar10-valid"
    )


def test_anything_else_is_refused_with_what_opens() -> None:
    with pytest.raises(BadValue, match=r"nats_bench, nas_201_api or nasbench"):
        ng.open(object())
