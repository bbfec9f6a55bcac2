"""Parameters and multiply-adds of the network that NAS-Bench-101 trained around each cell.

The network (``model_builder.py`` of google-research/nasbench; Ying et al., ICML 2019, section 2.2): a 3x3 stem of 128
channels; 3 stacks of 3 cells; before the second and third stack a 2x2 max-pooling, after which the channels double;
global pooling and a linear layer. Every convolution is followed by batch normalisation (two trainable numbers a
channel) and ReLU. Inside a cell, vertices that feed the output share its channels (the first ones take the
remainder), every other vertex is as wide as the widest it feeds, and each edge from the input is a 1x1 convolution.
Multiply-adds follow the convention of `macro`: convolutions and the linear layer with its bias; pooling, batch
normalisation, activations and sums count nothing.

Because the remainder goes to the first vertices, the counts belong to the stored numbering of the vertices.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .cells101_code import DIGITS, MAX_VERTICES, edge_bit, embed
from .macro import Counts, conv_norm

STEM_CHANNELS = 128
STACKS = 3
CELLS_PER_STACK = 3

_OUTPUT = MAX_VERTICES - 1
_INTERIOR = range(1, _OUTPUT)
_KERNEL_AREA = np.array([9, 1, 0])  # conv3x3, conv1x1, maxpool3x3


def network_cost(codes: npt.ArrayLike, classes: int, image: int) -> Counts:
    """Trainable parameters and multiply-adds of the network around each cell, (n, 2)."""
    bits, labelings, vertices = embed(codes)
    edges = [[(bits >> edge_bit(source, target) & 1) for target in range(MAX_VERTICES)] for source in range(_OUTPUT)]
    padding = np.arange(1, _OUTPUT) > (vertices - 2)[..., None]
    areas = np.where(padding, 0, _KERNEL_AREA[DIGITS[labelings]])
    side, width = image, STEM_CHANNELS
    total = conv_norm(3, 3, width, side) + np.zeros((*bits.shape, 2), dtype=np.int64)
    for stack in range(STACKS):
        width_in = width
        if stack:
            side = -(-side // 2)
            width *= 2
        widths = vertex_widths(edges, width)
        total += _cell_cost(edges, areas, widths, width_in, width, side)
        total += (CELLS_PER_STACK - 1) * _cell_cost(edges, areas, widths, width, width, side)
    return total + width * classes + classes


def vertex_widths(edges: list[list[npt.NDArray[np.int64]]], width: int) -> list[npt.NDArray[np.int64]]:
    """Channels of vertices 0 to 5 in a cell of ``width`` output channels (``compute_vertex_channels``).

    ``edges[source][target]`` are arrays of 0 and 1 over cells, in the 7-vertex embedding; the place of the input
    holds 0 and so do padding vertices, which have no edges.
    """
    fan_in = sum(edges[vertex][_OUTPUT] for vertex in _INTERIOR)
    share, remainder = np.divmod(width, np.maximum(fan_in, 1))
    widths = [np.zeros_like(share)]
    for vertex in _INTERIOR:
        feeds = edges[vertex][_OUTPUT]
        extra = feeds * (remainder > 0)
        remainder = remainder - extra
        widths.append(feeds * share + extra)
    for vertex in reversed(_INTERIOR):
        widest = np.max([edges[vertex][w] * widths[w] for w in _INTERIOR if w > vertex] or [widths[vertex]], axis=0)
        widths[vertex] = np.where(edges[vertex][_OUTPUT], widths[vertex], widest)
    return widths


def _cell_cost(
    edges: list[list[npt.NDArray[np.int64]]],
    areas: npt.NDArray[np.int64],
    widths: list[npt.NDArray[np.int64]],
    width_in: int,
    width_out: int,
    side: int,
) -> Counts:
    """One cell: its own convolutions and the projections of its input."""
    cost = edges[0][_OUTPUT][..., None] * conv_norm(1, width_in, width_out, side)
    for vertex in _INTERIOR:
        width, area = widths[vertex], areas[..., vertex - 1]
        cost = cost + edges[0][vertex][..., None] * conv_norm(1, width_in, width, side)
        weights = area * width * width
        cost = cost + np.stack([weights + 2 * width * (area > 0), weights * side * side], axis=-1)
    return cost
