"""Initial weights from a seed, and published trained weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import BadFile, BadValue, UnknownName
from .liveness import constant_edges
from .recipe import parameter_seed

if TYPE_CHECKING:
    from .network import CellNetwork

Law = Literal["pytorch", "tensorflow", "fan-out"]
_CUT = 0.87962566103423978  # standard deviation of a standard normal cut at +-2

Network = TypeVar("Network", bound=nn.Module)


def initialise(network: Network, seed: int, law: Law = "pytorch", device: str | torch.device = "cpu") -> Network:
    """Give a network built on the meta device its initial weights on ``device``; answers the network.

    Every parameter draws from a stream of its own (`recipe.parameter_seed`), on the processor whatever the device.
    Normalisations start at weight 1, bias 0, running mean 0 and variance 1. ``law`` is for convolutions and the
    linear layer:

    ==============  ========================================================================================
    ``pytorch``     PyTorch's default, with which NAS-Bench-201 and NATS-Bench were trained: uniform within
                    +-1/sqrt(fan in), the linear layer's bias too
    ``tensorflow``  NAS-Bench-101's: convolutions normal with variance 1/(fan in), cut at two standard
                    deviations; linear layer uniform within +-sqrt(6/(fan in + fan out)), bias 0
    ``fan-out``     NASWOT's for NAS-Bench-101: convolutions N(0, 2/(kernel area x channels out)), linear
                    layer N(0, 0.01^2), bias 0
    ==============  ========================================================================================
    """
    if law not in get_args(Law):
        raise UnknownName.of("initialisation", law, get_args(Law))
    return fill(
        network.to_empty(device=device),
        lambda module, name, part: _draw(module, part, generator(seed, f"{name}.{part}"), law),
    )


def fill(network: Network, draw: Callable[[nn.Conv2d | nn.Linear, str, str], Tensor]) -> Network:
    """Give a network the parameters ``draw(module, its name, "weight" or "bias")`` in place; answers the network.

    Normalisations start anew: weight 1, bias 0, running mean 0 and variance 1.
    """
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, (nn.Conv2d, nn.Linear)):
                for part, parameter in module.named_parameters(recurse=False):
                    parameter.copy_(draw(module, name, part))
    return network


def generator(seed: int, name: str) -> torch.Generator:
    """The random stream of one seed for one purpose, on the processor (see `recipe.parameter_seed`)."""
    return torch.Generator().manual_seed(parameter_seed(seed, name))


def _draw(module: nn.Conv2d | nn.Linear, part: str, generator: torch.Generator, law: Law) -> Tensor:
    """One initial parameter, drawn on the processor in float32."""
    shape = module.weight.shape
    area = math.prod(shape[2:])
    fan_in, fan_out = shape[1] * area, shape[0] * area
    value = torch.empty(getattr(module, part).shape)
    if law == "pytorch":
        return value.uniform_(-1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in), generator=generator)
    if part == "bias":
        return value.zero_()
    if law == "tensorflow":
        if isinstance(module, nn.Linear):
            bound = math.sqrt(6 / (fan_in + fan_out))
            return value.uniform_(-bound, bound, generator=generator)
        deviation = math.sqrt(1 / fan_in) / _CUT
        return nn.init.trunc_normal_(value, 0, deviation, -2 * deviation, 2 * deviation, generator=generator)
    deviation = 0.01 if isinstance(module, nn.Linear) else math.sqrt(2 / fan_out)
    return value.normal_(0, deviation, generator=generator)


def load_official(network: CellNetwork, state: Mapping[str, Tensor]) -> CellNetwork:
    """Give ``network`` the weights of an official ``state_dict``; answers the network.

    The official network holds parameters on every edge. A pruned network takes those of its live edges; it computes
    the same unless the cell has convolutions of unreached nodes (`liveness.constant_edges`) whose trained bias is
    not zero, which is refused.

    Raises:
        BadFile: names or shapes are not those of this architecture's official network, or no tensor is there.
        BadValue: pruning would change what the trained network computes.
    """
    from .network import cell_network

    whole = cell_network(network.operations, network.macro, network.classes, prune=False, device="meta").state_dict()
    absent = [name for name in whole if name not in state and not name.endswith("num_batches_tracked")]
    unknown = [name for name in state if name not in whole]
    for names, word in ((absent, "is absent"), (unknown, "is unknown")):
        if names:
            raise BadFile(f"the weights are of another network: {names[0]} {word} (one of {len(names)} such)")
    for name, value in state.items():
        if not isinstance(value, Tensor) or value.shape != whole[name].shape:
            given = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise BadFile(f"the weights are of another network: {name} is {given}, expected {tuple(whole[name].shape)}")
    constant = np.flatnonzero(constant_edges(network.operations)) if network.prune else ()
    endings = tuple(f"layers.{edge}.op.2.bias" for edge in constant)
    for name, value in state.items():
        if endings and name.endswith(endings) and bool(value.any()):
            raise BadValue(
                f"{name} belongs to a convolution of a node that no path reaches, and its trained value adds a "
                "constant to the output; build the network with prune=False to compute the same"
            )
    own = network.state_dict()
    network.load_state_dict({name: state.get(name, value) for name, value in own.items()})
    return network
