"""The images of a data set on a device, batch by batch: order, augmentation and normalisation of every epoch.

Pictures stay uint8 on the device (a quarter of their size as floats) and are augmented there, all of a batch at once.
What is random is drawn on the CPU from a generator seeded for the epoch, so that a GPU sees the batches of a CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from .images import SPLITS, Images
from .recipe import TrainingRecipe, augmentation_seed, crop_padding, epoch_order

Batch = tuple[Tensor, Tensor]
"""Normalised pictures (b, channels, height, width) of float32, and labels (b,) of int64."""


@dataclass(frozen=True)
class Augmentation:
    """What happens to the picture at each position of an epoch: where the crop begins [pixels], whether it is flipped.

    Each is a tensor (images,) of int64 or bool; ``padding`` zeros surround a picture before it is cut.
    """

    rows: Tensor
    columns: Tensor
    flips: Tensor
    padding: int

    @classmethod
    def draw(cls, recipe: TrainingRecipe, seed: int, epoch: int, count: int, side: int) -> Augmentation:
        """The augmentation of one epoch: all rows are drawn, then all columns, then all flips, whether asked or not."""
        generator = torch.Generator().manual_seed(augmentation_seed(seed, epoch))
        padding = crop_padding(side) if "crop" in recipe.augment else 0
        rows = torch.randint(0, 2 * padding + 1, (count,), generator=generator)
        columns = torch.randint(0, 2 * padding + 1, (count,), generator=generator)
        flips = torch.rand(count, generator=generator) < (0.5 if "flip" in recipe.augment else 0.0)
        return cls(rows, columns, flips, padding)

    def to(self, device: torch.device) -> Augmentation:
        """The same on another device."""
        return Augmentation(self.rows.to(device), self.columns.to(device), self.flips.to(device), self.padding)


class Batches:
    """One data set on one device.

    Args:
        device: where the pictures lie and the batches appear.
        channels_last: give batches in the memory layout NHWC (their shape stays NCHW).
    """

    def __init__(self, images: Images, device: torch.device | str = "cpu", *, channels_last: bool = False) -> None:
        self.images = images
        self.device = torch.device(device)
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self._pixels = {split: torch.tensor(images.split(split)[0]).to(self.device) for split in SPLITS}
        self._labels = {split: torch.tensor(images.split(split)[1]).to(self.device) for split in SPLITS}
        shape = (1, images.shape[2], 1, 1)
        self._mean = torch.tensor(images.mean, dtype=torch.float32, device=self.device).reshape(shape)
        self._std = torch.tensor(images.std, dtype=torch.float32, device=self.device).reshape(shape)

    def count(self, split: str) -> int:
        """How many pictures a split has."""
        return self.images.count(split)

    def epoch(self, recipe: TrainingRecipe, seed: int, epoch: int) -> Iterator[Batch]:
        """The training batches of epoch ``epoch`` (from 0) of the training with that seed; the last may be smaller.

        The order is `recipe.epoch_order`; the augmentation is drawn from `recipe.augmentation_seed`. As NAS-Bench-201
        does, zeros are padded before normalisation: they are black pixels, not mean ones.
        """
        pixels, labels = self._pixels["train"], self._labels["train"]
        order = torch.from_numpy(epoch_order(seed, epoch, len(labels))).to(self.device)
        change = None
        if recipe.augment:
            change = Augmentation.draw(recipe, seed, epoch, len(order), self.images.shape[0]).to(self.device)
        for first in range(0, len(order), recipe.batch):
            chosen = order[first : first + recipe.batch]
            pictures = pixels[chosen]
            if change is not None:
                pictures = crop_and_flip(pictures, change, slice(first, first + recipe.batch))
            yield self._normalise(pictures), labels[chosen]

    def held(self, split: str, batch: int) -> Iterator[Batch]:
        """A split in its own order, as it is: what accuracies are measured on."""
        pixels, labels = self._pixels[split], self._labels[split]
        for first in range(0, len(labels), batch):
            yield self._normalise(pixels[first : first + batch]), labels[first : first + batch]

    def _normalise(self, pictures: Tensor) -> Tensor:
        """uint8 NHWC to normalised float32 of shape NCHW."""
        values = pictures.permute(0, 3, 1, 2).to(torch.float32, memory_format=self.layout)
        return values.sub_(self._mean).div_(self._std)


def crop_and_flip(pictures: Tensor, change: Augmentation, part: slice) -> Tensor:
    """Pictures (b, height, width, channels) cut from their padded selves, some mirrored left to right.

    Args:
        part: the positions of the epoch that the pictures have, to look up in ``change``.
    """
    _, height, width, _ = pictures.shape
    rows, columns, flips = change.rows[part], change.columns[part], change.flips[part]
    padded = pad(pictures, (0, 0) + 2 * (change.padding,) + 2 * (change.padding,))
    along = torch.arange(width, device=pictures.device)
    across = torch.where(flips[:, None], width - 1 - along, along) + columns[:, None]
    down = torch.arange(height, device=pictures.device) + rows[:, None]
    which = torch.arange(len(pictures), device=pictures.device)
    return padded[which[:, None, None], down[:, :, None], across[:, None, :]]
