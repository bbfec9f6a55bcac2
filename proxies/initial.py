"""The initial weights that some proxies ask for in place of the benchmark's own."""

from __future__ import annotations

import math
from typing import Literal, TypeVar, get_args

import torch
from torch import nn

from ..bench.errors import UnknownName
from ..bench.live.recipe import parameter_seed

Law = Literal["normal", "kaiming"]
Network = TypeVar("Network", bound=nn.Module)


def redraw(network: Network, law: Law, seed: int, repeat: int = 0) -> Network:
    """Give every convolution and linear layer fresh weights, in place; answers the network.

    ``normal`` is N(0, 1), biases too; ``kaiming`` is N(0, 2 / fan in), biases 0. Normalisations start at weight 1,
    bias 0. Every parameter draws from a stream of its own, named after ``seed``, ``repeat`` and the parameter.
    """
    if law not in get_args(Law):
        raise UnknownName.of("initialisation", law, get_args(Law))
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, (nn.Conv2d, nn.Linear)):
                fan_in = module.weight[0].numel()
                for part, parameter in module.named_parameters(recurse=False):
                    stream = generator(seed, f"{law}:{repeat}:{name}.{part}")
                    draw = torch.empty(parameter.shape).normal_(generator=stream)
                    if law == "kaiming":
                        draw *= 0.0 if part == "bias" else math.sqrt(2 / fan_in)
                    parameter.copy_(draw)
    return network


def generator(seed: int, name: str) -> torch.Generator:
    """The random stream of one seed for one purpose, on the processor."""
    return torch.Generator().manual_seed(parameter_seed(seed, name))
