"""NASGraph's csv files: means over the runs of NAS-Bench-201 v1.1 after 200 epochs.

Each file is of one training: ``nasbench201_cifar10.csv`` is of cifar10-valid (25,000 images), train, x-valid and
ori-test; the other two are train, x-valid and x-test. Checked against the complete official records of cells 0, 11 and
284: e.g. cell 0 has test 81.52 = mean of ori-test 81.52, 81.90, 81.14 of the three cifar10-valid runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...bench.spaces import Topology
from ..splits import images
from .assembly import Counts, Floats, exact_counts, numbers, read_csv, require

TESTED = {"cifar10-valid": "ori-test", "cifar100": "x-test", "ImageNet16-120": "x-test"}
"""Training -> the evaluated set that the column 'test accuracy' holds."""


@dataclass(frozen=True)
class Means:
    """Means over the v1.1 runs of each cell, (n_arch,): train [percent]; valid and test as sums of correct images."""

    train: Floats
    valid: Counts
    test: Counts


def read_means(path: Path, training: str, runs: Counts, space: Topology) -> Means:
    """The file of ``training``, given how many v1.1 ``runs`` each cell has.

    Raises:
        BadFile: another order of cells, or values that are no means over so many runs.
    """
    text = ("file id", "arch str", "train accuracy", "validation accuracy", "test accuracy")
    table = read_csv(path, text)
    require(
        table["file id"] == [str(row) for row in range(space.size)], str(path), "rows are not in the official order"
    )
    require(
        all(space.text(row) == cell for row, cell in enumerate(table["arch str"])),
        str(path),
        "cells are not the official",
    )
    valid = images(training, "x-valid") * runs
    test = images(training, TESTED[training]) * runs
    return Means(
        numbers(table["train accuracy"], str(path)),
        exact_counts(numbers(table["validation accuracy"], str(path)), valid, f"{path}, validation accuracy"),
        exact_counts(numbers(table["test accuracy"], str(path)), test, f"{path}, test accuracy"),
    )
