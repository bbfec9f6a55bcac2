"""The network of NAS-Bench-101 around one cell (``model_builder.py`` of google-research/nasbench)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..spaces.graph import Graph
from .cell import pooled
from .macro import StackMacro
from .weights import Law, initialise


class StackNetwork(nn.Module):
    """Stem, stacks of cells with max-pooling between, global pooling, linear layer: images -> logits (n, classes).

    Every convolution is followed by batch normalisation (`StackMacro.norm_momentum`, epsilon 1e-5) and ReLU. There is
    no official PyTorch implementation; the names follow the official scopes
    (``stacks.0.1.vertex_2.projection.0.weight``).
    """

    def __init__(self, graph: Graph, macro: StackMacro, classes: int) -> None:
        super().__init__()
        self.graph, self.macro, self.classes = graph, macro, classes
        width = macro.stem_channels
        self.stem = _conv(macro.image_channels, width, 3)
        self.stacks = nn.ModuleList()
        for stack in range(macro.stacks):
            width_in, width = width, width * (2 if stack else 1)
            widths = [width_in] + [width] * (macro.cells_per_stack - 1)
            self.stacks.append(nn.Sequential(*(VertexCell(graph, before, width) for before in widths)))
        self.pool = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.classifier = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = macro.norm_momentum

    def features(self, images: Tensor) -> Tensor:
        """What the linear layer sees, (n, last width)."""
        feature = self.stem(images)
        for place, stack in enumerate(self.stacks):
            feature = stack(self.pool(feature) if place else feature)
        return pooled(feature)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


class Vertex(nn.Module):
    """One interior vertex: the sum of its sources, then its operation.

    Sources that are one channel wider are cut; the cell's input comes through a 1x1 convolution of its own.
    """

    def __init__(self, operation: str, sources: list[int], width_in: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.sources = [source for source in sources if source]
        self.projection = _conv(width_in, width, 1) if 0 in sources else None
        if operation == "maxpool3x3":
            self.op: nn.Module = nn.MaxPool2d(3, stride=1, padding=1)
        else:
            self.op = _conv(width, width, 3 if operation == "conv3x3-bn-relu" else 1)

    def forward(self, values: list[Tensor]) -> Tensor:
        terms = [values[source][:, : self.width] for source in self.sources]
        if self.projection is not None:
            terms.append(self.projection(values[0]))
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return self.op(total)


class VertexCell(nn.Module):
    """A cell with operations on its vertices; what feeds the output is concatenated, the input projected and added."""

    def __init__(self, graph: Graph, width_in: int, width: int) -> None:
        super().__init__()
        matrix, last = graph.adjacency, len(graph.nodes) - 1
        widths = vertex_widths(graph, width)
        for vertex in range(1, last):
            sources = [source for source in range(vertex) if matrix[source, vertex]]
            self.add_module(f"vertex_{vertex}", Vertex(graph.nodes[vertex], sources, width_in, widths[vertex]))
        self.interior = range(1, last)
        self.outputs = [vertex for vertex in self.interior if matrix[vertex, last]]
        self.projection = _conv(width_in, width, 1) if matrix[0, last] else None

    def forward(self, feature: Tensor) -> Tensor:
        values = [feature]
        for vertex in self.interior:
            values.append(self.get_submodule(f"vertex_{vertex}")(values))
        if not self.outputs:
            assert self.projection is not None  # a cell has a path from input to output
            return self.projection(feature)
        output = torch.cat([values[vertex] for vertex in self.outputs], dim=1)
        return output if self.projection is None else output + self.projection(feature)


def vertex_widths(graph: Graph, width: int) -> list[int]:
    """Channels of every vertex in a cell of ``width`` output channels (``compute_vertex_channels``).

    Vertices that feed the output share its channels, the first ones taking the remainder; every other interior
    vertex is as wide as the widest it feeds. The input's entry is 0: its width does not depend on the cell.
    """
    matrix, last = graph.adjacency, len(graph.nodes) - 1
    feeding = [vertex for vertex in range(1, last) if matrix[vertex, last]]
    widths = [0] * last + [width]
    for place, vertex in enumerate(feeding):
        widths[vertex] = width // len(feeding) + (place < width % len(feeding))
    for vertex in reversed(range(1, last)):
        if not matrix[vertex, last]:
            widths[vertex] = max(widths[target] for target in range(vertex + 1, last) if matrix[vertex, target])
    return widths


def _conv(width_in: int, width_out: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width_in, width_out, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(width_out),
        nn.ReLU(inplace=True),
    )


def stack_network(
    graph: Graph,
    macro: StackMacro,
    classes: int,
    *,
    seed: int = 0,
    law: Law = "tensorflow",
    device: str | torch.device = "cpu",
) -> StackNetwork:
    """The network around one cell with fresh weights on ``device`` (``meta``: shapes only, no weights)."""
    with torch.device("meta"):
        network = StackNetwork(graph, macro, classes)
    return network if torch.device(device).type == "meta" else initialise(network, seed, law, device)
