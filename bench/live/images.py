"""The images that networks train on: three splits of uint8 pictures and their labels, checked once and for all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import BadValue

Pictures = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class Images:
    """One data set: pictures (n, height, width, channels) of type uint8 and labels (n,) of type int64, per split.

    Pixels keep the numbers of the source (0 to 255 for photographs, 0 to 16 for scikit-learn's digits); ``mean`` and
    ``std`` are per channel and in the same unit, so that a network sees ``(pixel - mean) / std``.

    Only the validation split may be empty: a protocol that trains on everything but the test images (that of
    NAS-Bench-201's "cifar10", 50,000 images) has none, and an accuracy over it is NaN.

    >>> pictures, labels = np.zeros((4, 8, 8, 1), np.uint8), np.array([0, 1, 0, 1])
    >>> images = Images("toy", pictures, labels, pictures, labels, pictures, labels, 2, (0.0,), (1.0,))
    >>> images.shape, images.count("train")
    ((8, 8, 1), 4)

    Raises:
        BadValue: arrays of another type or shape, labels outside 0 .. classes - 1, an empty training or test split,
            splits whose pictures differ in shape, a mean or std that does not fit.
    """

    name: str
    x_train: Pictures = field(repr=False)
    y_train: Labels = field(repr=False)
    x_valid: Pictures = field(repr=False)
    y_valid: Labels = field(repr=False)
    x_test: Pictures = field(repr=False)
    y_test: Labels = field(repr=False)
    classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.classes, bool) or not isinstance(self.classes, int) or self.classes < 2:
            raise BadValue(f"{self.name}: classes={self.classes!r}; a data set needs at least 2")
        for split in SPLITS:
            _check(self.name, split, *self.split(split), self.classes)
        shapes = {split: self.split(split)[0].shape[1:] for split in SPLITS}
        if len(set(shapes.values())) != 1:
            raise BadValue(f"{self.name}: the splits hold pictures of different shapes: {shapes}")
        for word, values in (("mean", self.mean), ("std", self.std)):
            numbers = np.asarray(values, dtype=np.float64)
            if numbers.shape != (self.shape[2],) or not np.isfinite(numbers).all():
                raise BadValue(f"{self.name}: {word}={values!r}; give one finite number per channel ({self.shape[2]})")
        if min(self.std) <= 0:
            raise BadValue(f"{self.name}: std={self.std!r}; every channel's must be above 0")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of every picture."""
        height, width, channels = self.x_train.shape[1:]
        return height, width, channels

    def split(self, name: str) -> tuple[Pictures, Labels]:
        """Pictures and labels of "train", "valid" or "test"."""
        if name not in SPLITS:
            raise BadValue(f"{self.name}: split {name!r}; legal: {', '.join(SPLITS)}")
        return getattr(self, f"x_{name}"), getattr(self, f"y_{name}")

    def count(self, name: str) -> int:
        """How many pictures a split has."""
        return len(self.split(name)[1])

    def without_validation(self) -> Images:
        """Training and validation pictures joined (in that order) into one training split; validation is empty."""
        return replace(
            self,
            x_train=np.concatenate([self.x_train, self.x_valid]),
            y_train=np.concatenate([self.y_train, self.y_valid]),
            x_valid=self.x_valid[:0],
            y_valid=self.y_valid[:0],
        )

    def first(self, limit: int) -> Images:
        """The first ``limit`` pictures of every split (all of a shorter one), as copies: the others can be let go."""
        if isinstance(limit, bool) or not isinstance(limit, (int, np.integer)) or limit < 1:
            raise BadValue(f"limit={limit!r}; give the number of pictures per split, at least 1")
        return replace(
            self,
            x_train=self.x_train[:limit].copy(), y_train=self.y_train[:limit].copy(),
            x_valid=self.x_valid[:limit].copy(), y_valid=self.y_valid[:limit].copy(),
            x_test=self.x_test[:limit].copy(), y_test=self.y_test[:limit].copy(),
        )  # fmt: skip


def describe_images(images: Images) -> dict[str, Any]:
    """Name, shape, splits and checksum of a set of images."""
    digest = hashlib.sha256()
    for split in SPLITS:
        for array in images.split(split):
            digest.update(np.ascontiguousarray(array).tobytes())
    return {
        "name": images.name, "source": images.source, "shape": list(images.shape), "classes": images.classes,
        "pictures": {split: images.count(split) for split in SPLITS}, "mean": list(images.mean),
        "std": list(images.std), "sha256": digest.hexdigest(),
    }  # fmt: skip


def pixel_statistics(pictures: Pictures) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel, in pixel units, of (n, height, width, channels) pictures.

    A channel that never changes gets the standard deviation 1, so that it becomes 0 everywhere. Sums are exact
    integers: the answer depends neither on the order of the pictures nor on the machine.
    """
    if pictures.ndim != 4 or pictures.size == 0:
        raise BadValue(f"pictures of shape {pictures.shape}; give (n, height, width, channels), none of them 0")
    counts = np.stack(
        [np.bincount(pictures[..., channel].ravel(), minlength=256) for channel in range(pictures.shape[3])]
    )
    values, total = np.arange(256), pictures[..., 0].size
    means = (counts * values).sum(axis=1) / total
    spread = np.sqrt((counts * (values - means[:, None]) ** 2).sum(axis=1) / total)
    return tuple(means.tolist()), tuple(np.where(spread > 0, spread, 1.0).tolist())


def _check(name: str, split: str, pictures: Pictures, labels: Labels, classes: int) -> None:
    if not isinstance(pictures, np.ndarray) or pictures.dtype != np.uint8 or pictures.ndim != 4:
        raise BadValue(f"{name}: x_{split} is {_words(pictures)}; give uint8 of (n, height, width, channels)")
    if not isinstance(labels, np.ndarray) or labels.dtype != np.int64 or labels.ndim != 1:
        raise BadValue(f"{name}: y_{split} is {_words(labels)}; give int64 of (n,)")
    if len(pictures) != len(labels):
        raise BadValue(f"{name}: {split} has {len(pictures):,} pictures but {len(labels):,} labels")
    if 0 in pictures.shape[1:]:
        raise BadValue(f"{name}: x_{split} has pictures without pixels, shape {pictures.shape}")
    if not len(labels):
        if split == "valid":
            return
        raise BadValue(f"{name}: the {split} split is empty")
    if labels.min() < 0 or labels.max() >= classes:
        raise BadValue(
            f"{name}: labels of the {split} split run from {labels.min()} to {labels.max()}; "
            f"{classes} classes have 0 to {classes - 1}"
        )


def _words(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} and shape {value.shape}"
    return f"a {type(value).__name__}"
