"""Parameters and multiply-adds counted on the modules themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def count(network: nn.Module, image: tuple[int, int, int]) -> tuple[int, int]:
    """Trainable parameters, and multiply-adds of one forward pass over one image of (height, width, channels).

    Convention of the benchmarks' counter: a convolution counts its weights at every output position, a linear layer
    its weights and biases; pooling, normalisation, activations and sums count nothing. Only what the forward pass
    executes is counted. The network may live on the meta device; counting leaves it as it was.
    """
    total = 0

    def add(module: nn.Module, _: Any, output: Any) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += module.weight.numel() * output.shape[2] * output.shape[3]
        elif isinstance(module, nn.Linear):
            total += sum(parameter.numel() for parameter in module.parameters())

    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    counted = [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    hooks = [module.register_forward_hook(add) for module in counted]
    try:
        with torch.no_grad(), _shapes_only(network):
            height, width, channels = image
            network(torch.zeros((1, channels, height, width), device=parameters[0].device))
    finally:
        for hook in hooks:
            hook.remove()
    return sum(parameter.numel() for parameter in parameters), total


@contextmanager
def _shapes_only(network: nn.Module) -> Iterator[None]:
    """Pass by the layers that keep the shape: they count nothing, take most of the time, and remember batches."""
    passed = [module for module in network.modules() if isinstance(module, (nn.BatchNorm2d, nn.ReLU))]
    for module in passed:
        module.forward = _same  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        for module in passed:
            del module.forward


def _same(feature: Tensor) -> Tensor:
    return feature
