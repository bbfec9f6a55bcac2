"""Small networks, a batch, and what proxies read of them worked out plainly, in float64 and by loops."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from nasgauge.bench.live.macro import Macro, StackMacro
from nasgauge.bench.spaces import space
from nasgauge.proxies.proxy import Batch
from nasgauge.proxies.subject import Candidate

CELLS = {
    "mixed": "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|",
    "dead branch": "|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|avg_pool_3x3~0|none~1|none~2|",
    "heavy": "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
}
NO_PATH = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|nor_conv_1x1~2|"
TOPOLOGY = space("topology")
MINI = Macro.mini(width=4)


def batch(n: int = 8, side: int = 8, channels: int = 1, classes: int = 3, seed: int = 0) -> Batch:
    """Random images; labels so that every class has several."""
    generator = torch.Generator().manual_seed(seed)
    shape = (n, channels, side, side)
    images, second = (torch.randn(shape, generator=generator) for _ in range(2))
    labels = torch.arange(n) % classes
    return Batch(images, labels, classes, second, labels.flip(0))


def candidate(text: str, given: Batch, seed: int = 0, macro: Macro = MINI) -> Candidate:
    return Candidate(TOPOLOGY, TOPOLOGY.id(text), given, seed=seed, macro=macro)


def other_candidates(n: int = 8) -> dict[str, Candidate]:
    """A small network of every other space."""
    cells, sizes = space("cells101"), space("size")
    stack = StackMacro(stem_channels=6, stacks=2, cells_per_stack=1, image_channels=1)
    size = Macro.size().but(image_channels=1)
    return {
        "cells101": Candidate(cells, 12_345, batch(n), macro=stack, law="fan-out"),
        "size": Candidate(sizes, sizes.id("8:16:8:16:8"), batch(n), macro=size),
    }


def double(network: nn.Module) -> nn.Module:
    """A copy in float64 and training mode, gradients on."""
    return copy.deepcopy(network).double().train()


def layers(network: nn.Module) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


def loss(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy, written out."""
    logits = network(images)
    picked = logits[torch.arange(len(labels)), labels]
    return (torch.log(torch.exp(logits).sum(1)) - picked).mean()


def loss_gradients(network: nn.Module, images: Tensor, labels: Tensor) -> list[np.ndarray]:
    """dL/dW of every convolution and linear layer of a float64 copy, by `backward`."""
    twin = double(network)
    loss(twin, images.double(), labels).backward()
    return [np.zeros(m.weight.shape) if m.weight.grad is None else m.weight.grad.numpy() for m in layers(twin)]


def weights(network: nn.Module) -> list[np.ndarray]:
    return [module.weight.detach().double().numpy() for module in layers(network)]


def watch(network: nn.Module, kind: type[nn.Module] | tuple[type[nn.Module], ...], images: Tensor,
          of: Callable[[nn.Module, Tensor, Tensor], object]) -> list:  # fmt: skip
    """``of(module, input, output)`` of every module of a kind, in the order in which they run."""
    found: list = []
    hooks = [
        module.register_forward_hook(lambda module, inputs, output: found.append(of(module, inputs[0], output)))
        for module in network.modules() if isinstance(module, kind)
    ]  # fmt: skip
    network(images)
    for hook in hooks:
        hook.remove()
    return found


def rectifier_codes(network: nn.Module, images: Tensor) -> list[np.ndarray]:
    """On or off, (n, units) for every rectifier; of what comes out, since in place it overwrites what goes in."""
    twin = copy.deepcopy(network).train()
    with torch.no_grad():
        return watch(twin, nn.ReLU, images, lambda _, __, output: (output > 0).flatten(1).numpy().copy())


def image_jacobian(network: nn.Module, images: Tensor) -> np.ndarray:
    """d(sum of all logits)/d(images), (n, inputs), float64."""
    leaf = images.double().requires_grad_()
    double(network)(leaf).sum().backward()
    return leaf.grad.flatten(1).numpy()
