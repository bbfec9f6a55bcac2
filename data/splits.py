"""What each accuracy of NAS-Bench-201 and NATS-Bench means: which training, which images, asked for by what name.

The official files name a training (`cifar10-valid`, `cifar10`, `cifar100`, `ImageNet16-120`) and, inside it, the set of
images that was evaluated (`train`, `x-valid`, `x-test`, `ori-test`). A user names a data set and a split. This file is
the one place where the two meet (Dong & Yang, ICLR 2020, section 2.3; Dong et al., TPAMI 2021, table 2):

* validation accuracy on cifar10 comes from the training on half of the training images, test accuracy from the
  training on all of them;
* on cifar100 and ImageNet16-120 ``ori-test`` holds the validation *and* the test images: it is ``valtest`` and never
  served as validation or test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..bench.column import Column

TRAININGS = {
    "cifar10-valid": "trained on 25,000 of CIFAR-10's 50,000 training images",
    "cifar10": "trained on all 50,000 training images of CIFAR-10",
    "cifar100": "trained on all 50,000 training images of CIFAR-100",
    "ImageNet16-120": "trained on all 151,700 training images of ImageNet16-120",
}


@dataclass(frozen=True)
class Evaluation:
    """One set of images on which a trained network was evaluated."""

    split: str  # train, valid, test or valtest
    images: int
    words: str
    datasets: tuple[str, ...]  # the names a user asks by


ON_TRAIN, ON_ALL = "on its training images", "on the 10,000 test images (ori-test)"
ON_BOTH = "on x-valid and x-test together (ori-test)"
EVALUATIONS = {
    "cifar10-valid": {
        "train": Evaluation("train", 25_000, ON_TRAIN, ("cifar10-valid",)),
        "x-valid": Evaluation(
            "valid", 25_000, "on the other 25,000 training images (x-valid)", ("cifar10-valid", "cifar10")
        ),
        "ori-test": Evaluation("test", 10_000, ON_ALL, ("cifar10-valid",)),
    },
    "cifar10": {
        "train": Evaluation("train", 50_000, ON_TRAIN, ("cifar10",)),
        "ori-test": Evaluation("test", 10_000, ON_ALL, ("cifar10",)),
    },
    "cifar100": {
        "train": Evaluation("train", 50_000, ON_TRAIN, ("cifar100",)),
        "x-valid": Evaluation("valid", 5_000, "on 5,000 of the 10,000 test images (x-valid)", ("cifar100",)),
        "x-test": Evaluation("test", 5_000, "on the other 5,000 of the 10,000 test images (x-test)", ("cifar100",)),
        "ori-test": Evaluation("valtest", 10_000, ON_BOTH, ("cifar100",)),
    },
    "ImageNet16-120": {
        "train": Evaluation("train", 151_700, ON_TRAIN, ("ImageNet16-120",)),
        "x-valid": Evaluation("valid", 3_000, "on 3,000 of the 6,000 test images (x-valid)", ("ImageNet16-120",)),
        "x-test": Evaluation(
            "test", 3_000, "on the other 3,000 of the 6,000 test images (x-test)", ("ImageNet16-120",)
        ),
        "ori-test": Evaluation("valtest", 6_000, ON_BOTH, ("ImageNet16-120",)),
    },
}
"""Training -> evaluated set -> what it means. A pair that is absent does not exist in any official file."""

VALIDATES = {"cifar10-valid": ("cifar10-valid", "cifar10"), "cifar100": ("cifar100",),
             "ImageNet16-120": ("ImageNet16-120",)}  # fmt: skip
"""Trainings that have a validation set, and the names by which a search on them is asked for."""


def split_columns(
    training: str,
    evaluated: str,
    values: npt.NDArray[np.generic],
    budget: int,
    *,
    quantity: str = "accuracy",
    seeds: tuple[int, ...] | None = None,
    epochs: tuple[int, ...] | None = None,
    means_over: str = "",
    provenance: str = "measured",
    sources: tuple[str, ...] = (),
) -> list[Column]:
    """The columns of one official (training, evaluated set): one for each name a user asks by.

    >>> [column.path for column in split_columns("cifar10-valid", "x-valid", np.zeros(3), 200)]
    ['cifar10-valid/200/valid_accuracy/mean', 'cifar10/200/valid_accuracy/mean']
    >>> [column.path for column in split_columns("cifar100", "ori-test", np.zeros(3), 200)]
    ['cifar100/200/valtest_accuracy/mean']
    """
    meaning = EVALUATIONS[training][evaluated]
    return [
        Column(
            f"{meaning.split}_{quantity}", values, dataset, budget, seeds, TRAININGS[training], meaning.words,
            means_over, provenance, sources, epochs,
        )
        for dataset in meaning.datasets
    ]  # fmt: skip


def images(training: str, evaluated: str) -> int:
    """How many images an official (training, evaluated set) holds.

    >>> images("ImageNet16-120", "x-test")
    3000
    """
    return EVALUATIONS[training][evaluated].images
