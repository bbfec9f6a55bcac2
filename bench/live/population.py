"""Many networks trained as one: their channels lie side by side, so that every kernel launch serves all of them.

Member m of P owns channels [m C, (m + 1) C) of every feature map (n, P C, height, width). A convolution becomes a
grouped one, batch normalisation is per channel anyway, pooling and sums need nothing. Where members disagree about the
operation on an edge they are grouped by operation. No number of one member ever meets one of another, so each trains
exactly as it would alone; a member that diverges harms no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, relu

from ..errors import BadValue
from ..spaces.topology import EDGES, OPERATIONS
from .cell import pooled
from .liveness import live_edges
from .network import CellNetwork

States = Sequence[Mapping[str, Tensor]]


class Population(nn.Module):
    """Networks of one skeleton as one network: images (n, P channels, height, width) -> logits (P, n, classes).

    The population starts from copies of the networks' parameters. In ``forward``, images of the plain number of
    channels are shown to every member alike.

    Raises:
        BadValue: no networks; networks of different skeletons or classes, not pruned, or with cells of changing width.
    """

    def __init__(self, networks: Sequence[CellNetwork]) -> None:
        super().__init__()
        if not networks:
            raise BadValue("a population needs at least one network")
        first = networks[0]
        if any(each.macro != first.macro or each.classes != first.classes for each in networks):
            raise BadValue("a population is made of networks of one skeleton and one number of classes")
        if not all(each.prune for each in networks):
            raise BadValue("a population is made of pruned networks; build them with prune=True")
        if any(kind == "cell" and before != after for kind, before, after in first.macro.layers()):
            raise BadValue(f"widths {first.macro.widths} change inside a stage; a population needs cells of one width")
        self.macro, self.size = first.macro, len(networks)
        states = [dict(each.named_parameters()) for each in networks]
        everyone = range(self.size)
        self.stem = StackedConv(states, everyone, "stem.0", "stem.1")
        self.cells = nn.ModuleList()
        for number, (kind, _, _) in enumerate(first.macro.layers()):
            prefix = f"cells.{number}"
            if kind == "cell":
                self.cells.append(StackedCell(states, [each.operations for each in networks], prefix))
            else:
                self.cells.append(StackedReduction(states, prefix, residual=first.macro.reduction == "residual"))
        self.norm = StackedNorm(states, everyone, "lastact.0")
        self.weight = nn.Parameter(torch.stack([state["classifier.weight"].detach().T for state in states]))
        self.bias = nn.Parameter(torch.stack([state["classifier.bias"].detach()[None] for state in states]))

    def forward(self, images: Tensor) -> Tensor:
        shared = images.shape[1] == self.macro.image_channels
        feature = self.stem(images, groups=1 if shared else self.size)
        for cell in self.cells:
            feature = cell(feature)
        seen = pooled(relu(self.norm(feature)))
        return torch.baddbmm(self.bias, seen.unflatten(1, (self.size, -1)).transpose(0, 1), self.weight)


class StackedNorm(nn.BatchNorm2d):
    """The normalisations called ``name`` of ``members``, side by side."""

    def __init__(self, states: States, members: Sequence[int], name: str) -> None:
        weights = torch.cat([states[member][f"{name}.weight"].detach() for member in members])
        super().__init__(len(weights), device=weights.device, dtype=weights.dtype)
        self.weight = nn.Parameter(weights)
        self.bias = nn.Parameter(torch.cat([states[member][f"{name}.bias"].detach() for member in members]))


class StackedConv(nn.Module):
    """The convolutions ``conv`` of ``members`` side by side, and their normalisations ``norm`` where they have any."""

    def __init__(self, states: States, members: Sequence[int], conv: str, norm: str | None, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.cat([states[member][f"{conv}.weight"].detach() for member in members]))
        self.members, self.stride = len(members), stride
        self.norm = StackedNorm(states, members, norm) if norm else nn.Identity()

    def forward(self, feature: Tensor, groups: int | None = None) -> Tensor:
        padding = self.weight.shape[-1] // 2
        out = conv2d(feature, self.weight, None, self.stride, padding, groups=groups or self.members)
        return self.norm(out)


class StackedReduction(nn.Module):
    """The layers between two stages, of all members side by side."""

    def __init__(self, states: States, prefix: str, *, residual: bool) -> None:
        super().__init__()
        everyone = range(len(states))
        self.downsample = StackedConv(states, everyone, f"{prefix}.downsample.1", None)
        self.convs = nn.ModuleList()
        if residual:
            for name, stride in (("conv_a", 2), ("conv_b", 1)):
                parts = f"{prefix}.{name}.op.1", f"{prefix}.{name}.op.2"
                self.convs.append(StackedConv(states, everyone, *parts, stride=stride))

    def forward(self, feature: Tensor) -> Tensor:
        short = self.downsample(avg_pool2d(feature, 2))
        if not self.convs:
            return short
        for conv in self.convs:
            feature = conv(relu(feature))
        return short + feature


class StackedCell(nn.Module):
    """One cell of every member: four nodes whose edges may carry another operation in every member."""

    def __init__(self, states: States, operations: Sequence[Sequence[int]], prefix: str) -> None:
        super().__init__()
        alive = live_edges(operations)
        self.edges = nn.ModuleDict()
        for edge in range(len(EDGES)):
            if alive[:, edge].any():
                chosen = [OPERATIONS[row[edge]] if alive[m, edge] else "none" for m, row in enumerate(operations)]
                self.edges[str(edge)] = StackedEdge(states, chosen, f"{prefix}.layers.{edge}")

    def forward(self, feature: Tensor) -> Tensor:
        nodes: dict[int, Tensor] = {0: feature}
        sources: dict[int, Source] = {}
        for number, edge in self.edges.items():
            source, target = EDGES[int(number)]
            if source not in sources:  # EDGES are sorted by target: a node is complete before it is read
                sources[source] = Source(nodes[source])
            value = edge(sources[source])
            nodes[target] = nodes[target] + value if target in nodes else value
        return nodes[3] if 3 in nodes else torch.zeros_like(feature)


class Source:
    """The value of a node, and what several of its edges may want of it, computed once."""

    def __init__(self, value: Tensor) -> None:
        self.value = value

    @cached_property
    def rectified(self) -> Tensor:
        return relu(self.value)

    @cached_property
    def smoothed(self) -> Tensor:
        return avg_pool2d(self.value, 3, stride=1, padding=1, count_include_pad=False)


class StackedEdge(nn.Module):
    """One edge: the members that share an operation share its kernel launch; ``none`` brings zeros."""

    def __init__(self, states: States, chosen: Sequence[str], prefix: str) -> None:
        super().__init__()
        self.size = len(chosen)
        self.groups = {name: [m for m, each in enumerate(chosen) if each == name] for name in dict.fromkeys(chosen)}
        self.convs = nn.ModuleDict(
            {
                name: StackedConv(states, members, f"{prefix}.op.1", f"{prefix}.op.2")
                for name, members in self.groups.items()
                if name in ("nor_conv_1x1", "nor_conv_3x3")
            }
        )
        order = torch.tensor([member for members in self.groups.values() for member in members])
        for number, members in enumerate(self.groups.values()):
            self.register_buffer(f"members{number}", torch.tensor(members), persistent=False)
        self.register_buffer("order", torch.argsort(order), persistent=False)

    def forward(self, source: Source) -> Tensor:
        parts = [self._part(name, source, self.get_buffer(f"members{n}")) for n, name in enumerate(self.groups)]
        if len(parts) == 1:
            return parts[0]
        return self._take(
            torch.cat(parts, 1), self.get_buffer("order")
        )  # from the order of the groups to that of the members

    def _part(self, name: str, source: Source, members: Tensor) -> Tensor:
        if name in self.convs:
            return self.convs[name](self._take(source.rectified, members))
        if name == "none":
            return torch.zeros_like(self._take(source.value, members))
        return self._take(source.smoothed if name == "avg_pool_3x3" else source.value, members)

    def _take(self, feature: Tensor, members: Tensor) -> Tensor:
        """The channels of ``members``, in their order."""
        if len(self.groups) == 1:
            return feature
        return feature.unflatten(1, (self.size, -1)).index_select(1, members).flatten(1, 2)
