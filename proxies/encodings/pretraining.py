"""Training of encoders: epochs that a kill cannot hurt, the same numbers from the same seed on a processor."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import fields
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, get_type_hints

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ...bench.errors import BadFile, BadValue
from ...bench.live.device import device_of, now
from ...bench.spaces import Space
from .checkpoints import Arrays, Checkpoint, load_checkpoint, save_checkpoint

Precision = Literal["fp32", "bf16"]
_MOMENTS = ("exp_avg", "exp_avg_sq")
_LATEST = "latest"
Settings = TypeVar("Settings")


def made(kind: type[Settings], given: dict[str, Any]) -> Settings:
    """``kind(**given)``, a dataclass of numbers and words.

    Raises:
        BadValue: a setting is unknown, which lists those there are, or not of its type.
    """
    legal = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    types = get_type_hints(kind)
    for name, value in given.items():
        if name not in legal:
            raise BadValue(f"no setting {name!r} of this training; legal: {', '.join(legal)}")
        if types[name] is int and (isinstance(value, bool) or not isinstance(value, int | np.integer)):
            raise BadValue(f"{name} {value!r}; legal: a whole number")
        if types[name] is float and (isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value)):
            raise BadValue(f"{name} {value!r}; legal: a number")
        if types[name] not in (int, float) and not isinstance(value, str):
            raise BadValue(f"{name} {value!r}; legal: a word")
    return kind(**given)


def settings_in(checkpoint: Checkpoint, kind: type[Settings]) -> Settings:
    """What the weights of a checkpoint were trained with; its number of steps follows from that."""
    return made(kind, {name: value for name, value in checkpoint.settings.items() if name != "steps"})


class Pretraining(ABC):
    """What one kind of encoder learns from; `pretrain` does the rest.

    ``network`` is made by the constructor from the seed; ``settings`` are plain values, among them "epochs" and "seed",
    and decide the numbers together with the space.
    """

    encoder: ClassVar[str]
    space: Space
    network: nn.Module
    settings: dict[str, Any]
    curves: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def steps(self) -> int:
        """Steps of an epoch, for the schedule of the learning rate."""

    @abstractmethod
    def batches(self, rng: np.random.Generator, device: torch.device) -> Iterator[tuple[Tensor, ...]]:
        """The arguments of `loss`, batch by batch, of one epoch."""

    @abstractmethod
    def loss(self, *batch: Tensor) -> Tensor:
        """What is minimised, a mean over the batch."""

    @abstractmethod
    def held_out(self, device: torch.device) -> dict[str, float]:
        """Measures on cells that training never sees; "held_loss" decides which epoch is kept."""

    @abstractmethod
    def optimizer(self) -> torch.optim.Optimizer:
        """An Adam or AdamW over the parameters of ``network``."""

    @abstractmethod
    def rate(self, step: int) -> float:
        """Learning rate of step 0, 1, ... of the whole training."""


def pretrain(
    task: Pretraining,
    path: str | os.PathLike[str],
    *,
    device: str = "cpu",
    precision: Precision = "fp32",
    compiled: bool = False,
    progress: bool = False,
) -> Checkpoint:
    """Train, or go on training, the encoder whose checkpoint is ``path``; it is written whole after every epoch.

    On a processor the weights are a function of the settings, however often the training was killed; a GPU,
    ``precision`` and ``compiled`` change them in the last digits. Kept are the weights of the epoch with the least
    loss on held-out cells, at the end in 16 bits, which is enough to encode with.

    Raises:
        BadValue: ``path`` holds a training with other settings, or the device is not there.
        BadFile: it is damaged.
    """
    if precision not in ("fp32", "bf16"):
        raise BadValue(f"precision {precision!r}; legal: fp32, bf16")
    where, path = device_of(device), Path(path)
    network = task.network.to(where)
    optimizer = task.optimizer()
    curves = {name: np.full(int(task.settings["epochs"]), np.nan) for name in task.curves}
    best, done = _arrays(network), 0
    if path.exists():
        found = load_checkpoint(path, task.encoder, task.space)
        _same_settings(path, found, task)
        if found.finished:
            return found
        best, done = dict(found.weights), found.epochs
        _resume(path, found, network, optimizer, curves)
    if compiled:
        network.compile()
    bar = tqdm(total=len(curves["held_loss"]), initial=done, desc=f"{task.encoder}, {task.space.name}",
               unit="epoch", disable=not progress)  # fmt: skip
    with bar:
        while True:
            checkpoint = _checkpoint(task, done, best, curves, network, optimizer)
            if checkpoint.finished:
                save_checkpoint(path, checkpoint)
                return checkpoint
            if done:
                save_checkpoint(path, checkpoint)
            row = _epoch(task, network, optimizer, done, where, precision)
            for name, value in row.items():
                curves[name][done] = value
            if not np.isfinite(row["train_loss"]):
                raise BadValue(f"the loss of epoch {done + 1} is no number; give a smaller learning rate")
            if done == 0 or row["held_loss"] < np.nanmin(curves["held_loss"][:done]):
                best = _arrays(network)
            done += 1
            bar.set_postfix(train=f"{row['train_loss']:.3f}", held=f"{row['held_loss']:.3f}")
            bar.update()


def _epoch(
    task: Pretraining, network: nn.Module, optimizer: torch.optim.Optimizer, epoch: int, device: torch.device,
    precision: str,
) -> dict[str, float]:  # fmt: skip
    """One epoch and the measures after it. Randomness comes from seed and epoch; torch's own stream is put back."""
    started = now(device)
    root = np.random.SeedSequence([int(task.settings["seed"]), epoch])
    network.train()
    sums, count = torch.zeros((), dtype=torch.float64, device=device), 0
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(int(root.generate_state(1)[0]))
        for count, batch in enumerate(task.batches(np.random.default_rng(root), device), start=1):
            optimizer.param_groups[0]["lr"] = task.rate(epoch * task.steps + count - 1)
            for group in optimizer.param_groups[1:]:
                group["lr"] = optimizer.param_groups[0]["lr"]
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                loss = task.loss(*batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            sums += loss.detach()
    trained = now(device)
    network.eval()
    with torch.no_grad():
        measures = task.held_out(device)
    return {"train_loss": float(sums) / max(count, 1), "train_seconds": trained - started, **measures}


def _arrays(network: nn.Module) -> dict[str, npt.NDArray[np.generic]]:
    return {name: value.detach().cpu().numpy().copy() for name, value in network.state_dict().items()}


def load_weights(network: nn.Module, weights: Arrays, path: str | os.PathLike[str]) -> None:
    """Put the arrays of a checkpoint into ``network`` (32 bits); BadFile names ``path`` where they do not fit."""
    try:
        network.load_state_dict({name: torch.from_numpy(np.asarray(value)) for name, value in weights.items()})
    except (RuntimeError, TypeError, KeyError) as error:
        what = str(error).splitlines()[-1].strip()
        raise BadFile(f"{path}: the weights do not fit the settings beside them ({what}); train again") from error


def _checkpoint(
    task: Pretraining, done: int, best: Arrays, curves: Arrays, network: nn.Module, optimizer: torch.optim.Optimizer
) -> Checkpoint:
    settings = task.settings
    state: dict[str, npt.NDArray[np.generic]] = {}
    if 0 < done < int(settings["epochs"]):
        state = {f"{_LATEST}/{name}": value for name, value in _arrays(network).items()}
        for name, parameter in network.named_parameters():
            for moment in _MOMENTS:
                state[f"{moment}/{name}"] = optimizer.state[parameter][moment].cpu().numpy().copy()
    else:
        best = {name: value.astype(np.float16) if value.dtype.kind == "f" else value for name, value in best.items()}
    return Checkpoint(task.encoder, task.space.name, task.space.size, settings, done, best, curves, state)


def _same_settings(path: Path, found: Checkpoint, task: Pretraining) -> None:
    for name in sorted({*found.settings, *task.settings}):
        if found.settings.get(name) != task.settings.get(name):
            raise BadValue(
                f"{path} is a training with {name}={found.settings.get(name)!r}, now "
                f"{name}={task.settings.get(name)!r} is asked; choose another --out, or delete the file"
            )


def _resume(
    path: Path, found: Checkpoint, network: nn.Module, optimizer: torch.optim.Optimizer, curves: dict[str, Any]
) -> None:
    """Take up the state of an unfinished training."""
    latest = {
        name.removeprefix(f"{_LATEST}/"): value for name, value in found.state.items() if name.startswith(_LATEST)
    }
    load_weights(network, latest, path)
    try:
        for name, curve in curves.items():
            curve[:] = found.curves[name]
        for name, parameter in network.named_parameters():
            kept = {moment: torch.from_numpy(found.state[f"{moment}/{name}"]).to(parameter) for moment in _MOMENTS}
            steps = float(found.epochs * found.settings["steps"])
            optimizer.state[parameter] = {"step": torch.tensor(steps), **kept}
    except (KeyError, ValueError, TypeError) as error:
        raise BadFile(
            f"{path}: the state of the training is incomplete ({error}); delete it and train again"
        ) from error
