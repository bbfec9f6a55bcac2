"""The cell of four nodes and the two reductions, with the parameter names of NAS-Bench-201's implementation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..spaces.topology import EDGES


class ConvEdge(nn.Module):
    """ReLU, convolution without bias, batch normalisation (the official ``ReLUConvBN``)."""

    def __init__(self, width_in: int, width_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        conv = nn.Conv2d(width_in, width_out, kernel, stride, padding=kernel // 2, bias=False)
        self.op = nn.Sequential(nn.ReLU(inplace=False), conv, nn.BatchNorm2d(width_out))

    def forward(self, feature: Tensor) -> Tensor:
        return self.op(feature)


class WideningSkip(nn.Module):
    """The skip between different widths: 1x1 convolution and normalisation (``FactorizedReduce`` with stride 1)."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width_in, width_out, 1, bias=False)
        self.bn = nn.BatchNorm2d(width_out)

    def forward(self, feature: Tensor) -> Tensor:
        return self.bn(self.conv(feature))


class Zero(nn.Module):
    """The official ``none``: zeros that gradients (also zero) flow through. Only unpruned networks hold it."""

    def forward(self, feature: Tensor) -> Tensor:
        return feature * 0.0


def edge_layer(name: str, width_in: int, width_out: int) -> nn.Module:
    """The operation called ``name`` between a node of ``width_in`` and one of ``width_out`` channels."""
    if name == "nor_conv_3x3":
        return ConvEdge(width_in, width_out, 3)
    if name == "nor_conv_1x1":
        return ConvEdge(width_in, width_out, 1)
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    if name == "skip_connect":
        return nn.Identity() if width_in == width_out else WideningSkip(width_in, width_out)
    return Zero()


class Cell(nn.Module):
    """Four nodes; each is the sum of what its edges bring, the last one is the output.

    ``operations`` are names in the order of `spaces.topology.EDGES`; edges where ``built`` is false do not exist, but
    keep their number, so that ``layers.5`` is the edge 2->3 in every cell. A cell without any edge answers zeros.
    """

    def __init__(self, operations: Sequence[str], built: Sequence[bool], width_in: int, width_out: int) -> None:
        super().__init__()
        self.width_out = width_out
        self.layers = nn.ModuleDict()
        self._plan: list[tuple[str, int, int]] = []
        for edge, (source, target) in enumerate(EDGES):
            if built[edge]:
                self.layers[str(edge)] = edge_layer(operations[edge], width_out if source else width_in, width_out)
                self._plan.append((str(edge), source, target))

    def forward(self, feature: Tensor) -> Tensor:
        nodes: dict[int, Tensor] = {0: feature}
        for edge, source, target in self._plan:
            value = self.layers[edge](nodes[source])
            nodes[target] = nodes[target] + value if target in nodes else value
        if 3 not in nodes:
            return feature.new_zeros((feature.shape[0], self.width_out, *feature.shape[2:]))
        return nodes[3]


class ResidualReduction(nn.Module):
    """Half the image: two 3x3 convolutions, the first with stride 2, beside pooling and a 1x1 convolution."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.conv_a = ConvEdge(width_in, width_out, 3, stride=2)
        self.conv_b = ConvEdge(width_out, width_out, 3)
        self.downsample = _short_cut(width_in, width_out)

    def forward(self, feature: Tensor) -> Tensor:
        return self.downsample(feature) + self.conv_b(self.conv_a(feature))


class PoolReduction(nn.Module):
    """Half the image: 2x2 average pooling and a 1x1 convolution without bias."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.downsample = _short_cut(width_in, width_out)

    def forward(self, feature: Tensor) -> Tensor:
        return self.downsample(feature)


def _short_cut(width_in: int, width_out: int) -> nn.Sequential:
    return nn.Sequential(nn.AvgPool2d(2, stride=2), nn.Conv2d(width_in, width_out, 1, bias=False))


def pooled(feature: Tensor) -> Tensor:
    """Global average pooling, (n, channels, height, width) -> (n, channels)."""
    return torch.mean(feature, dim=(2, 3))
