"""Training one network by a recipe: faithful, measured, interruptible."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..errors import BadFile, BadValue
from ..whole import whole_file
from .batches import Batches
from .device import now
from .optimizers import optimizer_of
from .recipe import TrainingRecipe, learning_rate, steps_per_epoch

Curve = npt.NDArray[np.float64]
SPLITS = ("train", "valid", "test")
HELD_BATCH = 1000
_DAMAGES = (OSError, EOFError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, UnpicklingError)
_CURVES = (*(f"{split}_{what}" for split in SPLITS for what in ("accuracy", "loss")), "train_seconds", "held_seconds")


@dataclass(frozen=True, eq=False)
class History:
    """What one training did, epoch by epoch.

    ``curves`` maps ``train_accuracy``, ``valid_accuracy``, ``test_accuracy`` [percent], ``train_loss``, ``valid_loss``,
    ``test_loss`` (mean cross-entropy), ``train_seconds`` and ``held_seconds`` (training, and evaluation of all other
    splits; measured) to arrays (epochs,). Training accuracy and loss are collected while the weights still move, as
    the official records do; the others are taken after each epoch. An absent split is NaN. A training whose loss
    becomes infinite or no number has ``diverged``: it stops there, and what follows is NaN.
    """

    curves: dict[str, Curve] = field(repr=False)
    images_per_second: float
    peak_memory: float  # bytes on the device, NaN where it cannot be asked
    resumed_after: int  # epochs that an earlier, interrupted call had done

    @property
    def diverged(self) -> bool:
        return not np.isfinite(self.curves["train_loss"]).all()

    def final(self, name: str) -> float:
        """The value of a curve after the last epoch; NaN if the training diverged."""
        return float(self.curves[name][-1])

    def __getitem__(self, name: str) -> Curve:
        return self.curves[name]


def train(
    network: nn.Module,
    batches: Batches,
    recipe: TrainingRecipe,
    seed: int,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    compiled: bool = False,
    on_epoch: Callable[[int, dict[str, float]], None] | None = None,
) -> History:
    """Train ``network``, where it is, on the device of ``batches``.

    On a CPU the answer is a function of the arguments, however often the training is killed and started again; on a
    GPU it is so up to the order of floating-point sums.

    Args:
        network: fresh weights; those of the end of training are left in it.
        seed: of order and augmentation (`recipe`); the weights are the network's own.
        checkpoint: a file written after every epoch, whole or not at all; where it exists, training goes on from it.
            The caller removes it.
        compiled: run the network through ``torch.compile``.
        on_epoch: called after every epoch with its number (from 1) and its row of the history.

    Raises:
        BadValue: the checkpoint belongs to another training, or the device has too little memory.
        BadFile: the checkpoint is damaged.
    """
    device = batches.device
    network = network.to(device).to(memory_format=batches.layout)  # type: ignore[call-overload]
    optimizer = optimizer_of(recipe, network.parameters())
    curves = {name: np.full(recipe.epochs, np.nan) for name in _CURVES}
    path = Path(checkpoint) if checkpoint is not None else None
    identity = _identity(network, batches, recipe, seed) if path is not None else ""
    done = _resume(path, identity, network, optimizer, curves) if path is not None and path.exists() else 0
    run: Callable[[Tensor], Tensor] = torch.compile(network) if compiled else network
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    resumed = done
    try:
        while done < recipe.epochs and not _diverged(curves, done):
            row = _epoch(network, run, optimizer, batches, recipe, seed, done)
            for name, value in row.items():
                curves[name][done] = value
            done += 1
            if path is not None:
                _save(path, identity, done, network, optimizer, curves)
            if on_epoch is not None:
                on_epoch(done, row)
    except torch.OutOfMemoryError as error:
        raise BadValue(
            f"the network and batches of {recipe.batch} images do not fit in the memory of {device}; "
            "give a smaller batch or another device"
        ) from error
    memory = float(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else np.nan
    seconds = np.nansum(curves["train_seconds"])
    speed = batches.count("train") * done / seconds if seconds else np.nan
    return History(curves, float(speed), memory, resumed)


def _epoch(
    network: nn.Module, run: Callable[[Tensor], Tensor], optimizer: torch.optim.Optimizer, batches: Batches,
    recipe: TrainingRecipe, seed: int, epoch: int,
) -> dict[str, float]:  # fmt: skip
    """One epoch of training and the evaluation after it, as a row of the history."""
    started = now(batches.device)
    network.train()
    sums = torch.zeros(2, dtype=torch.float64, device=batches.device)
    steps = steps_per_epoch(recipe, batches.count("train"))
    for step, (images, labels) in enumerate(batches.epoch(recipe, seed, epoch)):
        optimizer.param_groups[0]["lr"] = learning_rate(recipe, epoch * steps + step, steps)
        logits, loss = _loss(run, images, labels, recipe)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        sums += _tally(logits, labels, loss)
    row = _means("train", sums, batches.count("train"))
    trained = now(batches.device)
    network.eval()
    with torch.no_grad():
        for split in ("valid", "test"):
            sums = torch.zeros_like(sums)
            for images, labels in batches.held(split, HELD_BATCH):
                logits, loss = _loss(run, images, labels, recipe)
                sums += _tally(logits, labels, loss)
            row |= _means(split, sums, batches.count(split))
    return row | {"train_seconds": trained - started, "held_seconds": now(batches.device) - trained}


def _loss(
    run: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, recipe: TrainingRecipe
) -> tuple[Tensor, Tensor]:
    with torch.autocast(images.device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
        logits = run(images)
    logits = logits.float()
    return logits, cross_entropy(logits, labels)


def _tally(logits: Tensor, labels: Tensor, loss: Tensor) -> Tensor:
    """Images classified correctly, and the sum of their losses; they stay on the device, which need not wait."""
    return torch.stack([(logits.detach().argmax(1) == labels).sum().double(), loss.detach().double() * len(labels)])


def _means(split: str, sums: Tensor, count: int) -> dict[str, float]:
    correct, loss = sums.tolist()
    return {f"{split}_accuracy": 100 * correct / (count or np.nan), f"{split}_loss": loss / (count or np.nan)}


def _diverged(curves: dict[str, Curve], done: int) -> bool:
    return done > 0 and not np.isfinite(curves["train_loss"][done - 1])


def _identity(network: nn.Module, batches: Batches, recipe: TrainingRecipe, seed: int) -> str:
    """What a checkpoint must have been made for: weights, images, recipe and seed, but not where and how they run."""
    images = batches.images
    parts = [repr(network), repr(asdict(recipe)), str(seed), repr((images.mean, images.std))]
    digest = hashlib.sha256("\n".join(parts).encode())
    for parameter in network.parameters():
        digest.update(parameter.detach().contiguous().cpu().numpy().data)
    for split in SPLITS:
        for array in images.split(split):
            digest.update(repr(array.shape).encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _save(
    path: Path, identity: str, done: int, network: nn.Module, optimizer: torch.optim.Optimizer,
    curves: dict[str, Curve],
) -> None:  # fmt: skip
    content = {
        "identity": identity, "done": done, "network": network.state_dict(), "optimizer": optimizer.state_dict(),
        "curves": {name: torch.from_numpy(curve) for name, curve in curves.items()},
    }  # fmt: skip
    with whole_file(path) as temporary:
        torch.save(content, temporary)


def _resume(
    path: Path, identity: str, network: nn.Module, optimizer: torch.optim.Optimizer, curves: dict[str, Curve]
) -> int:
    """Take up the state at ``path``; answers the epochs it had done."""
    try:
        content = cast("dict[str, Any]", torch.load(path, map_location="cpu", weights_only=True))
        given = content["identity"]
        if given == identity:
            network.load_state_dict(content["network"])
            optimizer.load_state_dict(content["optimizer"])
            for name, curve in curves.items():
                curve[:] = content["curves"][name].numpy()
            return int(content["done"])
    except _DAMAGES as error:
        raise BadFile(f"{path}: no checkpoint of this version ({error}); delete it to train from the start") from error
    raise BadValue(f"{path} is the checkpoint of another training; delete it to train from the start")
