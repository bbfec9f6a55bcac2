"""Seconds of training, of one validation pass, and of one step of a search, on the topology space: all estimates.

NATS-Bench measured the seconds per epoch of one 12-epoch run per cell (cifar10-valid, seed 777), scaled them by the
number of images for the other trainings, and wrote the result into every epoch of every run. The small sources hold
those of training only. A validation pass takes a fixed fraction of an epoch of the same training: the median over the
complete official records of cells 0, 11 and 284 (0.353, 0.333 and 0.490 for cifar10-valid).
"""

from __future__ import annotations

from collections.abc import Mapping

from ...bench.column import Column
from ..splits import TRAININGS, VALIDATES
from .assembly import Floats

FULL = 200
BUDGETS = (12, 200)
PASS = {"cifar10-valid": 0.353, "cifar100": 0.0353, "ImageNet16-120": 0.00698}
"""Training -> one pass over x-valid, in epochs of that training."""
EVERY_RUN = "every run: one estimate serves all seeds"


def second_columns(seconds: Mapping[str, Floats], source: str) -> list[Column]:
    """``train_seconds``, ``valid_seconds`` and ``search_seconds`` from the seconds of 200 epochs of each training.

    ``train_seconds`` of cifar10 is of the training on all 50,000 images (twice that on half of them); its
    ``valid_seconds`` and ``search_seconds`` are of the training on 25,000, which yields the validation accuracy.
    """
    columns = []
    for budget in BUDGETS:
        share = budget / FULL
        trained = {training: values * share for training, values in seconds.items()}
        trained["cifar10"] = 2 * trained["cifar10-valid"]
        for training, values in trained.items():
            columns.append(_column("train_seconds", values, training, budget, training, "the whole training", source))
        for training, datasets in VALIDATES.items():
            passes = seconds[training] / FULL * PASS[training]
            for dataset in datasets:
                columns.append(
                    _column("valid_seconds", passes, dataset, budget, training, "one pass over x-valid", source)
                )
                words = "the training that yields valid_accuracy, and one pass over x-valid"
                columns.append(
                    _column("search_seconds", trained[training] + passes, dataset, budget, training, words, source)
                )
    return columns


def _column(metric: str, values: Floats, dataset: str, budget: int, training: str, words: str, source: str) -> Column:
    return Column(
        metric, values, dataset, budget, None, TRAININGS[training], words, EVERY_RUN, "estimated", (source,)
    )  # fmt: skip
