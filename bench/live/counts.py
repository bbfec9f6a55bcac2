"""Parameters and multiply-adds counted on the modules themselves."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def count(network: nn.Module, image: tuple[int, int, int]) -> tuple[int, int]:
    """Trainable parameters, and multiply-adds of one forward pass over one image of (height, width, channels).

    Convention of the benchmarks' counter: a convolution counts its weights at every output position, a linear layer
    its weights and biases; pooling, normalisation, activations and sums count nothing. Only what the forward pass
    executes is counted. The network may live on the meta device; counting leaves it as it was.
    """
    parameters = list(network.parameters())
    total = 0

    def add(module: nn.Module, _: Any, output: Any) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += module.weight.numel() * output.shape[2] * output.shape[3]
        elif isinstance(module, nn.Linear):
            total += module.weight.numel() + (module.bias.numel() if module.bias is not None else 0)

    training = network.training
    counted = [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    hooks = [module.register_forward_hook(add) for module in counted]
    try:
        with torch.no_grad():
            height, width, channels = image
            network.eval()(torch.zeros((1, channels, height, width), device=parameters[0].device))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return sum(parameter.numel() for parameter in parameters if parameter.requires_grad), total
