"""The size space of NATS-Bench (sss): eight widths for each of five layers of one fixed cell, 32,768 networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import BadArchitecture
from .graph import Graph
from .macro import edge_costs, reduction_cost, stem_and_head_cost
from .product import ProductSpace
from .space import Architecture, Ids

if TYPE_CHECKING:
    from .drawing import Drawing

WIDTHS = tuple(str(width) for width in range(8, 65, 8))
LAYERS = 5
LAYER_NAMES = ("cell 1", "down", "cell 2", "down", "cell 3")
# the fixed cell: |nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|
FROM_INPUT = ("nor_conv_3x3", "nor_conv_3x3", "skip_connect")
FROM_INSIDE = ("nor_conv_3x3",) * 3


class Size(ProductSpace):
    """Layer widths ``c1:c2:c3:c4:c5``, each 8, 16, ... 64 channels, in plain product order (Dong et al., TPAMI 2021).

    c1 is the stem and the first cell, c2 and c4 the reduction blocks, c3 and c5 the second and third cell.
    """

    name = "size"
    mutation_law = "a layer uniformly, then one of the eight widths uniformly (it may be the old one)"
    mutation_may_repeat = True

    @property
    def choices(self) -> tuple[tuple[str, ...], ...]:
        return (WIDTHS,) * LAYERS

    def widths(self, ids: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Channels of the five layers, (n, 5)."""
        return 8 * (self.operations(ids).astype(np.int64) + 1)

    def text(self, arch: int) -> str:
        return ":".join(str(width) for width in self.widths(self.id(arch)))

    def parse(self, text: str) -> int:
        parts = text.strip().split(":")
        if len(parts) != LAYERS or any(part not in WIDTHS for part in parts):
            raise BadArchitecture(f"{text!r} is no size text; expected five of {', '.join(WIDTHS)} joined by ':'")
        return int(self.from_operations([WIDTHS.index(part) for part in parts]))

    def graph(self, arch: int) -> Graph:
        """A chain: the input, then one node per layer labelled with its width."""
        labels = ("input", *(str(width) for width in self.widths(self.id(arch))))
        return Graph(labels, tuple((layer, layer + 1, "") for layer in range(LAYERS)))

    def from_graph(self, graph: Graph) -> int:
        chain = {(layer, layer + 1) for layer in range(LAYERS)}
        if {edge[:2] for edge in graph.edges} != chain or len(graph.nodes) != LAYERS + 1:
            raise BadArchitecture(
                f"a size is a chain of {LAYERS + 1} nodes; got {len(graph.nodes)} nodes, {graph.edges}"
            )
        return self.parse(":".join(graph.nodes[1:]))

    def draw(self, architecture: Architecture, *, title: str | None = None) -> Drawing:
        """Bars as high as the five layers are wide."""
        from .drawing_cells import draw_widths

        widths = self.widths(self.id(architecture)).tolist()
        return draw_widths(widths, int(WIDTHS[-1]), LAYER_NAMES, self._title(architecture, title))

    def canonical(self, ids: npt.ArrayLike) -> Ids:
        """No two sizes are isomorphic: every id is its own class."""
        return self.check(ids)

    def params(self, ids: npt.ArrayLike, classes: int = 10) -> npt.NDArray[np.int64]:
        """Trainable parameters of the network."""
        return self._count(ids, classes, 32)[0]

    def flops(self, ids: npt.ArrayLike, classes: int = 10, image_size: int = 32) -> npt.NDArray[np.int64]:
        """Multiply-adds as the official counter has them (`macro` states the convention)."""
        return self._count(ids, classes, image_size)[1]

    def _count(self, ids: npt.ArrayLike, classes: int, image: int) -> npt.NDArray[np.int64]:
        c1, c2, c3, c4, c5 = np.moveaxis(self.widths(ids), -1, 0)
        total = stem_and_head_cost(c1, c5, classes, image)
        for width_in, width_out, stage in ((c1, c1, 0), (c2, c3, 1), (c4, c5, 2)):
            for name in FROM_INPUT:
                total = total + edge_costs(name, width_in, width_out, image >> stage)
            for name in FROM_INSIDE:
                total = total + edge_costs(name, width_out, width_out, image >> stage)
        for width_in, width_out, stage in ((c1, c2, 1), (c3, c4, 2)):
            total = total + reduction_cost(width_in, width_out, image >> stage)
        return np.moveaxis(total, -1, 0)
