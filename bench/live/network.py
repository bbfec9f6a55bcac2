"""The network of NAS-Bench-201 and NATS-Bench around one cell."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..spaces.topology import EDGES, OPERATIONS
from .cell import Cell, PoolReduction, ResidualReduction, pooled
from .liveness import live_edges
from .macro import Macro
from .weights import Law, initialise


class CellNetwork(nn.Module):
    """Stem, cells and reductions, head: (n, channels, height, width) -> logits (n, classes).

    Parameters carry the names of the official implementation (AutoDL-Projects, ``TinyNetwork`` and
    ``DynamicShapeTinyNet``): ``stem.0.weight``, ``cells.3.layers.5.op.1.weight``, ``cells.5.conv_a.op.1.weight``,
    ``lastact.0.weight``, ``classifier.weight``. Unlike it, `forward` answers the logits alone; `features` answers
    what the classifier sees.

    ``prune`` leaves out the edges that lie on no path from input to output; without it every layer is built and
    computed, as officially, and parameters and multiply-adds are those that the tables state.
    """

    def __init__(self, operations: Sequence[int], macro: Macro, classes: int, prune: bool = True) -> None:
        super().__init__()
        self.operations, self.macro, self.classes, self.prune = tuple(operations), macro, classes, prune
        names = [OPERATIONS[operation] for operation in operations]
        built = live_edges(operations).tolist() if prune else [True] * len(EDGES)
        reduction = ResidualReduction if macro.reduction == "residual" else PoolReduction
        first, last = macro.widths[0], macro.widths[-1]
        stem = nn.Conv2d(macro.image_channels, first, macro.stem_kernel, padding=macro.stem_kernel // 2, bias=False)
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(first))
        self.cells = nn.ModuleList(
            Cell(names, built, width_in, width_out) if kind == "cell" else reduction(width_in, width_out)
            for kind, width_in, width_out in macro.layers()
        )
        self.lastact = nn.Sequential(nn.BatchNorm2d(last), nn.ReLU(inplace=True))
        self.classifier = nn.Linear(last, classes)

    def features(self, images: Tensor) -> Tensor:
        """What the linear layer sees, (n, last width)."""
        feature = self.stem(images)
        for cell in self.cells:
            feature = cell(feature)
        return pooled(self.lastact(feature))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


def cell_network(
    operations: Sequence[int],
    macro: Macro,
    classes: int,
    *,
    prune: bool = True,
    seed: int = 0,
    law: Law = "pytorch",
    device: str | torch.device = "cpu",
) -> CellNetwork:
    """The network around one cell with fresh weights on ``device`` (``meta``: shapes only, no weights)."""
    with torch.device("meta"):
        network = CellNetwork(operations, macro, classes, prune)
    return network if torch.device(device).type == "meta" else initialise(network, seed, law, device)
