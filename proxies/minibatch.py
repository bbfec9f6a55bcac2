"""The minibatches that networks are scored on: drawn from the training pictures, one for every seed of a run."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..bench.errors import BadValue
from ..bench.live.images import Images, describe_images
from .proxy import Batch

STREAM = 2  # keeps these draws apart from those of architectures


class Minibatches:
    """Batches of ``size`` training pictures of ``images``, normalised, without augmentation; or one fixed batch.

    The pictures of seed s are the first ``size`` of a random order of the training split, drawn from
    ``SeedSequence([s, 2])``; the second batch of a proxy that compares two are the next ``size``.

    Raises:
        BadValue: fewer training pictures than the batches need.
    """

    def __init__(self, images: Images | Batch, size: int = 128, second: bool = False) -> None:
        self.images = images
        self.second = second
        self.size = len(images) if isinstance(images, Batch) else size
        if isinstance(images, Batch):
            if second and images.second_images is None:
                raise BadValue("a proxy (such as zico) compares two batches; give the batch second_images too")
            return
        if isinstance(size, bool) or not isinstance(size, int) or size < 2:
            raise BadValue(f"batch={size!r}; legal: a number of images from 2 on")
        if images.count("train") < size * (1 + second):
            need = f"two batches of {size:,} need" if second else f"a batch of {size:,} needs"
            raise BadValue(f"{images.name} has {images.count('train'):,} training pictures; {need} more")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a picture."""
        if isinstance(self.images, Batch):
            _, channels, height, width = self.images.images.shape
            return height, width, channels
        return self.images.shape

    def of(self, seed: int) -> Batch:
        """The batch of one seed, on the processor."""
        if isinstance(self.images, Batch):
            return self.images
        images = self.images
        order = np.random.default_rng(np.random.SeedSequence([seed, STREAM])).permutation(images.count("train"))
        first, second = order[: self.size], order[self.size : 2 * self.size]
        batch = (self._pictures(first), torch.from_numpy(images.y_train[first]), images.classes)
        if not self.second:
            return Batch(*batch)
        return Batch(*batch, self._pictures(second), torch.from_numpy(images.y_train[second]))

    def _pictures(self, which: npt.NDArray[np.int64]) -> Tensor:
        assert isinstance(self.images, Images)
        mean, std = (np.asarray(each, dtype=np.float32) for each in (self.images.mean, self.images.std))
        values = (self.images.x_train[which].astype(np.float32) - mean) / std
        return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))

    def describe(self) -> dict[str, Any]:
        """Name, shape and checksum, as run.json keeps them."""
        if isinstance(self.images, Images):
            return describe_images(self.images)
        batch = self.images
        digest = hashlib.sha256()
        for tensor in (batch.images, batch.labels, batch.second_images, batch.second_labels):
            if tensor is not None:
                digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return {
            "name": "a given batch", "shape": list(self.shape), "classes": batch.classes, "sha256": digest.hexdigest(),
        }  # fmt: skip


def moved(batch: Batch, device: torch.device) -> Batch:
    """The same batch on ``device``."""
    return Batch(
        batch.images.to(device), batch.labels.to(device), batch.classes,
        None if batch.second_images is None else batch.second_images.to(device),
        None if batch.second_labels is None else batch.second_labels.to(device),
    )  # fmt: skip
