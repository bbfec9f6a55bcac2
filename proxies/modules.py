"""The parts of a network that signals look at, and passes that leave the network as they found it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.hooks import RemovableHandle

from ..bench.errors import BadValue


def weighted(network: nn.Module) -> list[tuple[str, Any]]:
    """Names and modules of all convolutions and linear layers, in definition order."""
    return [(name, module) for name, module in network.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


def normalisations(network: nn.Module) -> list[_BatchNorm]:
    """All batch normalisations, in definition order."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def laid_out(images: Tensor) -> Tensor:
    """The images in the order in memory that passes are fastest with: channels last on a processor.

    The weights follow suit by themselves, so that the network stays as it is.
    """
    return images.contiguous(memory_format=torch.channels_last) if images.device.type == "cpu" else images


def symmetric(rows: Tensor) -> Tensor:
    """``rows @ rows.T``; NumPy computes one half and mirrors it, PyTorch computes both."""
    if rows.device.type != "cpu":
        return rows @ rows.T
    values = rows.detach().numpy()
    return torch.from_numpy(values @ values.T)


@contextmanager
def removing(hooks: Iterable[RemovableHandle]) -> Iterator[None]:
    """Hooks that are removed again whatever happens."""
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Training mode whose normalisations forget the batch again; the network is left as it was found."""
    modes = [(module, module.training) for module in network.modules()]
    remembering = normalisations(network)
    tracked = [norm.track_running_stats for norm in remembering]
    network.train()
    for norm in remembering:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
        for norm, track in zip(remembering, tracked, strict=True):
            norm.track_running_stats = track


def last_map(network: nn.Module) -> nn.Module:
    """The module whose output is the last feature map before global pooling."""
    for name in ("lastact", "stacks"):
        module = getattr(network, name, None)
        if module is not None:
            return module[-1] if name == "stacks" else module  # type: ignore[index, return-value]
    raise BadValue(f"{type(network).__name__} has no last feature map (a module `lastact` or `stacks`)")
