"""Training a population: every member has its own images, order and initial weights, all share every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..errors import BadValue
from .batches import Batches
from .device import now
from .network import CellNetwork
from .optimizers import optimizer_of
from .population import Population
from .recipe import TrainingRecipe, learning_rate, steps_per_epoch

Counts = npt.NDArray[np.int64]
Losses = npt.NDArray[np.float64]
SPLITS = ("train", "valid", "test")
HELD_BATCH = 100  # pictures shown at a time after an epoch; small enough for a processor's cache


@dataclass(frozen=True)
class Curves:
    """What the members of a population did after every epoch.

    ``correct[split]`` counts pictures classified correctly, (member, epoch); ``loss[split]`` is the mean cross-entropy
    over the split, NaN where a member diverged. For "train" both are collected while the weights still move, as the
    official records do. ``train_seconds`` and ``valid_seconds`` are one member's share of the measured time of the
    whole training and of one pass over the validation split (the mean of one after every epoch).
    """

    correct: dict[str, Counts] = field(repr=False)
    loss: dict[str, Losses] = field(repr=False)
    pictures: dict[str, int]
    train_seconds: float
    valid_seconds: float

    def accuracy(self, split: str) -> Losses:
        """Percent, (member, epoch); NaN where the split is empty."""
        return 100 * self.correct[split] / (self.pictures[split] or np.nan)

    @property
    def diverged(self) -> npt.NDArray[np.bool_]:
        """Members whose training loss is no number at the end, (member,)."""
        return ~np.isfinite(self.loss["train"][:, -1])


def train_population(
    networks: Sequence[CellNetwork], seeds: Sequence[int], batches: Batches, recipe: TrainingRecipe
) -> Curves:
    """Train copies of networks together on the device of ``batches``, member m with seed ``seeds[m]``.

    Seconds are those of `device.now`.

    Raises:
        BadValue: not one seed for each network.
        torch.OutOfMemoryError: the population does not fit the device.
    """
    if len(seeds) != len(networks):
        raise BadValue(f"{len(seeds)} seeds for {len(networks)} networks; give one for each")
    population = Population(networks).to(batches.device)
    population = population.to(memory_format=batches.layout)  # type: ignore[call-overload]
    optimizer = optimizer_of(recipe, population.parameters())
    pictures = {split: batches.count(split) for split in SPLITS}
    epochs: dict[str, list[tuple[Tensor, Tensor]]] = {split: [] for split in SPLITS}
    train_seconds = valid_seconds = 0.0
    for epoch in range(recipe.epochs):
        started = now(batches.device)
        epochs["train"].append(_train_epoch(population, optimizer, seeds, batches, recipe, epoch))
        train_seconds += now(batches.device) - started
        started = now(batches.device)
        epochs["valid"].append(_hold(population, batches, "valid", recipe))
        valid_seconds += now(batches.device) - started
        epochs["test"].append(_hold(population, batches, "test", recipe))
    correct = {split: _stack([right for right, _ in done]).astype(np.int64) for split, done in epochs.items()}
    loss = {split: _stack([total for _, total in done]) / (pictures[split] or np.nan) for split, done in epochs.items()}
    size = len(networks)
    return Curves(correct, loss, pictures, train_seconds / size, valid_seconds / size / recipe.epochs)


def _train_epoch(
    population: Population, optimizer: torch.optim.Optimizer, seeds: Sequence[int], batches: Batches,
    recipe: TrainingRecipe, epoch: int,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """One epoch; correct pictures and the sum of losses, each (member,)."""
    population.train()
    distinct = sorted(set(seeds))
    order = torch.tensor([distinct.index(seed) for seed in seeds], device=batches.device)
    alone = distinct == list(seeds)
    steps = steps_per_epoch(recipe, batches.count("train"))
    right = torch.zeros(len(seeds), dtype=torch.int64, device=batches.device)
    total = torch.zeros(len(seeds), dtype=torch.float64, device=batches.device)
    streams = zip(*(batches.epoch(recipe, seed, epoch) for seed in distinct), strict=True)
    for step, stream in enumerate(streams):
        images, labels = torch.cat([x for x, _ in stream], 1), torch.stack([y for _, y in stream])
        if not alone:
            images = images.unflatten(1, (len(distinct), -1)).index_select(1, order).flatten(1, 2)
            labels = labels.index_select(0, order)
        optimizer.param_groups[0]["lr"] = learning_rate(recipe, epoch * steps + step, steps)
        logits, losses = _losses(population, images, labels, recipe)
        optimizer.zero_grad()
        (losses.sum() / labels.shape[1]).backward()
        optimizer.step()
        right += (logits.detach().argmax(-1) == labels).sum(1)
        total += losses.detach()
    return right, total


@torch.inference_mode()
def _hold(population: Population, batches: Batches, split: str, recipe: TrainingRecipe) -> tuple[Tensor, Tensor]:
    """Correct pictures and the sum of losses over a split, each (member,)."""
    population.eval()
    right = torch.zeros(population.size, dtype=torch.int64, device=batches.device)
    total = torch.zeros(population.size, dtype=torch.float64, device=batches.device)
    for images, labels in batches.held(split, HELD_BATCH):
        logits, losses = _losses(population, images, labels.expand(population.size, -1), recipe)
        right += (logits.argmax(-1) == labels).sum(1)
        total += losses
    return right, total


def _losses(population: Population, images: Tensor, labels: Tensor, recipe: TrainingRecipe) -> tuple[Tensor, Tensor]:
    """Logits (member, n, classes) and every member's sum of cross-entropies, (member,)."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
        logits = population(images)
    losses = cross_entropy(logits.float().flatten(0, 1), labels.flatten(), reduction="none")
    return logits, losses.unflatten(0, labels.shape).sum(1)


def _stack(values: Sequence[Tensor]) -> Losses:
    return torch.stack(list(values), dim=1).cpu().numpy().astype(np.float64)
