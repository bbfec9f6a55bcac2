"""Parameter and FLOP counts by formula, offered beside a table's measured columns as if they were stored."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from .spaces import Space
from .table import Entry

IMAGE_TASKS = {"cifar10": (10, 32), "cifar10-valid": (10, 32), "cifar100": (100, 32), "ImageNet16-120": (120, 16)}
"""Classes and image side [pixels] of the data sets that fix the network's input and output."""


class Formulas:
    """`params_millions` and `flops_millions` of every data set in ``datasets`` whose image size we know."""

    def __init__(self, space: Space, datasets: Iterable[str]) -> None:
        self._space = space
        metrics = {"params_millions": type(space).params is not Space.params,
                   "flops_millions": type(space).flops is not Space.flops}  # fmt: skip
        self.entries = tuple(
            Entry(
                path=f"{dataset}/static/{metric}/static", kind="static", metric=metric, dataset=dataset, budget=None,
                seeds=None, shape=(space.size,), missing=0, sha256="", trained_on="", evaluated_on="", means_over="",
                provenance="computed", sources=(),
            )
            for dataset in datasets if dataset in IMAGE_TASKS
            for metric, present in metrics.items() if present
        )  # fmt: skip

    def read(self, path: str) -> npt.NDArray[np.generic]:
        """Millions of parameters or multiply-adds of every architecture, (n_arch,) float64."""
        dataset, _, metric, _ = path.split("/")
        classes, side = IMAGE_TASKS[dataset]
        ids = np.arange(self._space.size)
        if metric == "params_millions":
            return self._space.params(ids, classes) / 1e6
        return self._space.flops(ids, classes, side) / 1e6
