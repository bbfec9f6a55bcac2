"""All of CIFAR-10 from the real data beside the project, which keeps it as residuals (see the README there)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nasgauge.bench.live.images import Images
from nasgauge.data.images.official import Parts
from nasgauge.data.images.published import CIFAR10
from nasgauge.data.images.splits import Validation, divide


def cifar10_parts(shared: Path, splits: tuple[str, ...] = ("train", "test")) -> Parts:
    """The official training and test pictures, in official order; 104 of the 60,000 went through JPEG."""
    with np.load(shared / "data" / "images" / "cifar10_full.npz", allow_pickle=False) as file:
        return {split: (_decode(file[f"resid_{split}"]), file[f"y_{split}"].astype(np.int64)) for split in splits}


def _decode(residuals: np.ndarray) -> np.ndarray:
    made = np.empty((residuals.shape[1], *residuals.shape[2:], 3), dtype=np.uint8)
    for first in range(0, len(made), 10_000):
        part = slice(first, first + 10_000)
        y = np.cumsum(np.cumsum(residuals[:, part], axis=-2, dtype=np.uint8), axis=-1, dtype=np.uint8)
        made[part, ..., 0], made[part, ..., 1], made[part, ..., 2] = y[1] + y[0], y[0], y[2] + y[0]
    return made


def real_cifar10(shared: Path, validation: Validation = "standard") -> Images:
    """The real CIFAR-10 as `load("cifar10")` gives it."""
    train, valid, test, words = divide(CIFAR10, cifar10_parts(shared), validation, shared)
    return Images("cifar10", *train, *valid, *test, 10, CIFAR10.mean, CIFAR10.std, words)
