"""`nasbench201` from its sources: means over the runs of release v1.1, under the names they mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nasgauge.bench.column import Column
from nasgauge.data.public.nasbench201 import assemble


@pytest.fixture(scope="module")
def columns(made: Any) -> dict[str, Column]:
    return {column.path: column for column in assemble(made.files).columns}


def test_means_are_over_the_runs_of_the_release(made: Any, columns: dict[str, Column]) -> None:
    for path, training, evaluated in (
        ("cifar10-valid/200/valid_accuracy/mean", "cifar10-valid", "x-valid"),
        ("cifar10/200/valid_accuracy/mean", "cifar10-valid", "x-valid"),
        ("cifar10-valid/200/test_accuracy/mean", "cifar10-valid", "ori-test"),
        ("cifar100/200/valid_accuracy/mean", "cifar100", "x-valid"),
        ("cifar100/200/test_accuracy/mean", "cifar100", "x-test"),
        ("ImageNet16-120/200/valid_accuracy/mean", "ImageNet16-120", "x-valid"),
        ("ImageNet16-120/200/test_accuracy/mean", "ImageNet16-120", "x-test"),
    ):
        assert np.allclose(columns[path].values, made.truth.mean(training, evaluated, older=True), rtol=1e-14, atol=0)
    for training in ("cifar10-valid", "cifar100", "ImageNet16-120"):
        found = columns[f"{training}/200/train_accuracy/mean"].values
        assert np.allclose(found, made.truth.train_mean(training), rtol=1e-14)


def test_the_file_called_cifar10_is_never_the_test_of_the_whole_training(made: Any, columns: dict[str, Column]) -> None:
    """Its test accuracy is of the training on 25,000 images; cifar10's test comes from single runs on all 50,000."""
    assert "cifar10/200/test_accuracy/mean" not in columns
    runs = columns["cifar10/200/test_accuracy/runs"]
    expected = np.where(made.truth.older, made.truth.percent("cifar10", "ori-test"), np.nan)
    assert runs.seeds == (777, 888, 999) and np.allclose(runs.values, expected, rtol=1e-14, equal_nan=True)


def test_the_union_of_validation_and_test_is_not_made_up(columns: dict[str, Column]) -> None:
    assert not [path for path in columns if "valtest" in path]
