"""Six zero-cost proxies one after the other, as their authors' code computes them: a yardstick of speed.

Every score copies the network and makes passes of its own, in the plain memory layout; dead branches are computed.
Written from Abdelfattah et al. (Zero-Cost Proxies for Lightweight NAS, ICLR 2021) and what they cite.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


def layers(network: nn.Module) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


def grad_norm(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    network = copy.deepcopy(network)
    cross_entropy(network(images), labels).backward()
    return float(sum(layer.weight.grad.norm() for layer in layers(network)))


def snip(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    network = copy.deepcopy(network)
    cross_entropy(network(images), labels).backward()
    return float(sum((layer.weight.grad * layer.weight).abs().sum().detach() for layer in layers(network)))


def grasp(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    network = copy.deepcopy(network)
    weights = [layer.weight for layer in layers(network)]
    first = torch.autograd.grad(cross_entropy(network(images), labels), weights)
    second = torch.autograd.grad(cross_entropy(network(images), labels), weights, create_graph=True)
    sum((a.detach() * b).sum() for a, b in zip(first, second, strict=True)).backward()
    return float(sum((-weight.grad * weight).sum() for weight in weights))


def fisher(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    network = copy.deepcopy(network)
    outputs: list[Tensor] = []

    def keep(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        output.retain_grad()
        outputs.append(output)

    for layer in layers(network):
        layer.register_forward_hook(keep)
    cross_entropy(network(images), labels).backward()
    spatial = [output for output in outputs if output.dim() == 4]
    return float(sum((output * output.grad).sum((2, 3)).pow(2).mean(0).sum() / 2 for output in spatial))


def jacob_cov(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    network = copy.deepcopy(network)
    images = images.clone().requires_grad_()
    output = network(images)
    output.backward(torch.ones_like(output))
    values = torch.linalg.eigvalsh(torch.corrcoef(images.grad.flatten(1)).double())
    return float(-(torch.log(values + 1e-5) + 1 / (values + 1e-5)).sum())


def synflow(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    network = copy.deepcopy(network).double().eval()
    with torch.no_grad():
        for value in network.state_dict().values():
            value.abs_()
    network(torch.ones_like(images[:1]).double()).sum().backward()
    return float(sum((layer.weight.grad * layer.weight).abs().sum().detach() for layer in layers(network)))


Score = Callable[[nn.Module, Tensor, Tensor], float]
SIX: dict[str, Score] = {
    "grad_norm": grad_norm, "snip": snip, "grasp": grasp, "fisher": fisher, "jacob_cov": jacob_cov, "synflow": synflow,
}  # fmt: skip
