"""Where nats_bench 1.8 and nas_201_api 2.1 answer the same question differently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Dialect:
    """The habits of one official package.

    ==========  ======================================================================================
    refused     error of an epoch outside the run and of other failed checks
    absent      error of a set without numbers in a run whose other sets have times
    number      type of a mean
    mends       parameters and FLOPs that differ between runs are answered by the run of seed 888 alone
    joint       what stands between loss and accuracy in a printed line
    tests       whether a printed cifar10-valid line shows the test set
    timeless    whether get_more_info answers absent times by None (else they are a TypeError)
    comments    whether get_more_info comments on the two trainings on CIFAR-10
    ==========  ======================================================================================
    """

    refused: type[Exception]
    absent: type[Exception]
    number: Callable[[float], float]
    mends: bool
    joint: str
    tests: bool
    timeless: bool
    comments: bool

    def mean(self, values: Sequence[float]) -> float:
        """Mean added left to right, of the type that the package returns."""
        return self.number(sum(values) / len(values))

    def total(self, values: Sequence[float]) -> float:
        """Sum added left to right, of the type that the package returns."""
        return self.number(sum(values))


def _as_is(value: float) -> float:
    return value


NATS = Dialect(ValueError, ValueError, _as_is, mends=True, joint=" & ", tests=False, timeless=True, comments=True)
SIZE = replace(NATS, tests=True, timeless=False)
NB201 = Dialect(
    AssertionError, KeyError, np.float64, mends=False, joint=", ", tests=False, timeless=True, comments=False
)

DATASETS = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
"""The official training keys, in the order of the files."""

SETS = {
    "cifar10-valid": {"x-valid": "valid", "ori-test": "test"},
    "cifar10": {"ori-test": "test"},
    "cifar100": {"x-valid": "valid", "x-test": "test", "ori-test": "valtest"},
    "ImageNet16-120": {"x-valid": "valid", "x-test": "test", "ori-test": "valtest"},
}
"""Training key -> official name of an evaluated set -> split in the names of our columns."""


def remapped(dataset: str, metric_on_set: str) -> tuple[str, str]:
    """Training key and official set that (data set, "train" | "valid" | "test" | official set) stands for."""
    if dataset == "cifar10":
        known = {"valid": ("cifar10-valid", "x-valid"), "test": ("cifar10", "ori-test")}
        return known.get(metric_on_set, (dataset, metric_on_set))
    if dataset in ("cifar100", "ImageNet16-120"):
        return dataset, {"valid": "x-valid", "test": "x-test"}.get(metric_on_set, metric_on_set)
    return dataset, metric_on_set
