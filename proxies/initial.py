"""The initial weights that some proxies ask for in place of the benchmark's own."""

from __future__ import annotations

import math
from typing import Literal, TypeVar, get_args

import torch
from torch import Tensor, nn

from ..bench.errors import UnknownName
from ..bench.live.weights import fill, generator

Law = Literal["normal", "kaiming"]
Network = TypeVar("Network", bound=nn.Module)


def redraw(network: Network, law: Law, seed: int, repeat: int = 0) -> Network:
    """Give every convolution and linear layer fresh weights, in place; answers the network.

    ``normal`` is N(0, 1), biases too; ``kaiming`` is N(0, 2 / fan in), biases 0. Normalisations start at weight 1,
    bias 0. Every parameter draws from a stream of its own, named after ``seed``, ``repeat`` and the parameter.
    """
    if law not in get_args(Law):
        raise UnknownName.of("initialisation", law, get_args(Law))

    def draw(module: nn.Conv2d | nn.Linear, name: str, part: str) -> Tensor:
        value = torch.empty(getattr(module, part).shape)
        value.normal_(generator=generator(seed, f"{law}:{repeat}:{name}.{part}"))
        if law == "kaiming":
            value *= 0.0 if part == "bias" else math.sqrt(2 / module.weight[0].numel())
        return value

    return fill(network, draw)
