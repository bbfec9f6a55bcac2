"""What every cell of a network answers to random images, the signal of AZ-NAS."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from ..bench.errors import BadValue
from .initial import generator
from .modules import batch_statistics, laid_out, removing, symmetric
from .subject import Subject

BATCH = 64


def entropy(output: Tensor) -> float:
    """-sum p log(p + 1e-8), p the shares of the eigenvalues of the covariance of an output's channels.

    ``output`` is (n, channels, height, width); every position of every image counts as one observation. NaN for an
    output that is the same everywhere.
    """
    rows = observations(output).double()
    centred = rows - rows.mean(0)
    values = torch.linalg.eigvalsh(symmetric(centred.T).cpu() / len(rows)).clamp(min=0)
    total = values.sum()
    if not total > 0:
        return math.nan
    share = values / total
    return float(-(share * (share + 1e-8).log()).sum())


def observations(output: Tensor) -> Tensor:
    """(n, channels, height, width) -> (n x height x width, channels)."""
    return output.permute(0, 2, 3, 1).flatten(0, 2)


def cell_outputs(network: nn.Module, subject: Subject) -> list[Tensor]:
    """Outputs of all cells of a network (reductions included), with their graph, on random images."""
    modules = getattr(network, "cells", None)
    if modules is None and hasattr(network, "stacks"):
        modules = [cell for stack in network.stacks for cell in stack]  # type: ignore[union-attr]
    if modules is None or len(modules) < 2:
        raise BadValue(f"{type(network).__name__} has fewer than two cells (modules `cells` or `stacks`)")
    images = torch.randn((BATCH, *subject.batch.images.shape[1:]), generator=generator(subject.seed, "az_nas"))
    found: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Tensor) -> None:
        found.append(output if output.requires_grad else output.requires_grad_())

    hooks = [module.register_forward_hook(keep) for module in modules]
    with removing(hooks), batch_statistics(network):
        network(laid_out(images.to(subject.batch.images.device)))
    return found
