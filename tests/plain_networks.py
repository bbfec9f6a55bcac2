"""The benchmarks' networks written plainly from their papers: an oracle of names and outputs, a yardstick of speed.

Nothing is shared with the package: every layer of every edge is built and computed, ``none`` multiplies by zero.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def relu_conv_norm(width_in: int, width_out: int, kernel: int, stride: int = 1) -> nn.Module:
    block = nn.Module()
    block.op = nn.Sequential(
        nn.ReLU(), nn.Conv2d(width_in, width_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(width_out)
    )
    return block


def edge(name: str, width_in: int, width_out: int) -> nn.Module:
    if name.startswith("nor_conv"):
        return relu_conv_norm(width_in, width_out, int(name[-1]))
    block = nn.Module()
    if name == "skip_connect" and width_in != width_out:
        block.conv = nn.Conv2d(width_in, width_out, 1, bias=False)
        block.bn = nn.BatchNorm2d(width_out)
    return block


def pass_edge(name: str, block: nn.Module, x: Tensor) -> Tensor:
    if name == "none":
        return x.mul(0.0)
    if name == "avg_pool_3x3":
        return nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    if name == "skip_connect":
        return block.bn(block.conv(x)) if hasattr(block, "conv") else x
    return block.op(x)


class PlainNetwork(nn.Module):
    """``text`` is a cell string; ``channels`` and ``reductions`` list the layers as the authors' code does."""

    def __init__(self, text: str, channels: list[int], reductions: list[bool], classes: int) -> None:
        super().__init__()
        self.text = [[token.split("~") for token in node.strip("|").split("|")] for node in text.split("+")]
        self.reductions = reductions
        self.stem = nn.Sequential(nn.Conv2d(3, channels[0], 3, padding=1, bias=False), nn.BatchNorm2d(channels[0]))
        self.cells = nn.ModuleList()
        before = channels[0]
        for width, reduction in zip(channels, reductions, strict=True):
            cell = nn.Module()
            if reduction:
                cell.conv_a = relu_conv_norm(before, width, 3, 2)
                cell.conv_b = relu_conv_norm(width, width, 3)
                cell.downsample = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(before, width, 1, bias=False))
            else:
                cell.layers = nn.ModuleList(
                    edge(name, width if int(source) else before, width) for node in self.text for name, source in node
                )
            self.cells.append(cell)
            before = width
        self.lastact = nn.Sequential(nn.BatchNorm2d(before), nn.ReLU())
        self.global_pooling = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for cell, reduction in zip(self.cells, self.reductions, strict=True):
            if reduction:
                x = cell.downsample(x) + cell.conv_b.op(cell.conv_a.op(x))
                continue
            nodes, layers = [x], iter(cell.layers)
            for node in self.text:
                nodes.append(sum(pass_edge(name, next(layers), nodes[int(source)]) for name, source in node))
            x = nodes[-1]
        return self.classifier(torch.flatten(self.global_pooling(self.lastact(x)), 1))


def plain_topology(text: str, classes: int = 10, width: int = 16, cells: int = 5) -> PlainNetwork:
    channels = [width] * cells + [2 * width] * (cells + 1) + [4 * width] * (cells + 1)
    return PlainNetwork(text, channels, ([False] * cells + [True]) * 2 + [False] * cells, classes)


def plain_size(text: str, classes: int = 10) -> PlainNetwork:
    cell = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    return PlainNetwork(cell, [int(width) for width in text.split(":")], [False, True, False, True, False], classes)


def shake(network: nn.Module, generator: torch.Generator) -> nn.Module:
    """Random numbers everywhere, running statistics and biases included, as after training."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 2, generator=generator)
            elif value.is_floating_point():
                value.add_(torch.randn(value.shape, generator=generator) * 0.1)
    return network
