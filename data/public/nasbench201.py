"""The table `nasbench201`: NAS-Bench-201 v1.1 after 200 epochs, assembled from small public files.

Means over the runs of each cell (NASGraph), and single runs of the CIFAR-10 test accuracy (MeCo), which also say how
many runs that release has of each cell: one (seed 888), two (777, 888) or three (777, 888, 999).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...bench.column import Column
from ...bench.spaces import Topology
from ..splits import images, split_columns
from .assembly import Assembly, Counts, percent
from .meco import SEEDS, read_tests
from .nasgraph import TESTED, Means, read_means

BUDGET = 200
TESTS = "MeCo"
MEANS = {
    "cifar10-valid": "NASGraph cifar10",
    "cifar100": "NASGraph cifar100",
    "ImageNet16-120": "NASGraph ImageNet16-120",
}
"""Training -> its source. NASGraph's file called cifar10 is of the cifar10-valid training, its test accuracy too."""
OVER = "all runs of release v1.1: one (2,225 cells), two (5,439) or three (7,961)"
NOTES = (
    "Release v1.1 has one run (seed 888) of 2,225 cells, two (777, 888) of 5,439 and three (999 too) of 7,961.",
    "Accuracies are exact fractions of the number of images; the sources' float32 rounding is taken out (train: kept).",
    "On cifar100 and ImageNet16-120 validation is x-valid, test x-test; the sources do not hold their union, valtest.",
    "The sources hold no seconds of training: `nats-tss` has estimates of the same cells.",
)


def assemble(files: Mapping[str, Path]) -> Assembly:
    """The table's columns from its source files, named as in the catalogue.

    Raises:
        BadFile: a file of another layout, or two that disagree.
    """
    space = Topology()
    tests = read_tests(files[TESTS], space)
    n_runs = (tests >= 0).sum(axis=1)
    columns = split_columns(
        "cifar10", "ori-test", percent(tests, images("cifar10", "ori-test")), BUDGET, seeds=SEEDS, sources=(TESTS,)
    )
    for training, source in MEANS.items():
        columns += _mean_columns(training, read_means(files[source], training, n_runs, space), n_runs, source)
    return Assembly(tuple(columns), NOTES)


def _mean_columns(training: str, means: Means, n_runs: Counts, source: str) -> list[Column]:
    found = {"train": means.train}
    for evaluated, counts in (("x-valid", means.valid), (TESTED[training], means.test)):
        found[evaluated] = percent(counts, images(training, evaluated) * n_runs)
    return [
        column
        for evaluated, values in found.items()
        for column in split_columns(training, evaluated, values, BUDGET, means_over=OVER, sources=(source,))
    ]
