"""Strings of cells: lists of operations, the matrix of operation numbers, and the string that equal cells share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...bench.spaces.topology import OPERATIONS

Node = tuple[tuple[str, int], ...]


def str2lists(arch_str: str) -> list[Node]:
    """One tuple of (operation, source node) for each node after the input.

    >>> str2lists("|nor_conv_1x1~0|+|none~0|skip_connect~1|")
    [(('nor_conv_1x1', 0),), (('none', 0), ('skip_connect', 1))]
    """
    return [tuple((name, int(source)) for name, source in _edges(node)) for node in arch_str.split("+")]


def str2matrix(arch_str: str, search_space: Sequence[str] = OPERATIONS) -> npt.NDArray[np.float64]:
    """Entry (i, j) is the number, in ``search_space``, of the operation on the edge from node j to node i."""
    nodes = arch_str.split("+")
    matrix = np.zeros((len(nodes) + 1, len(nodes) + 1))
    for row, node in enumerate(nodes, 1):
        for name, source in _edges(node):
            if name not in search_space:
                raise ValueError(f"operation {name!r} of {arch_str!r}; legal: {', '.join(search_space)}")
            matrix[row, int(source)] = search_space.index(name)
    return matrix


def unique_str(arch_str: str) -> str:
    """What the cell computes, as the official text: the same for cells that differ only in unused or idle edges.

    A node's text joins, sorted, what its edges bring: ``#`` for nothing, the source's text for skip_connect, else
    ``(source)@operation``; the input is ``0``.
    """
    values = ["0"]
    for node in str2lists(arch_str):
        brought = []
        for name, source in node:
            if name == "none" or values[source] == "#":
                brought.append("#")
            else:
                brought.append(values[source] if name == "skip_connect" else f"({values[source]})@{name}")
        values.append("+".join(sorted(brought)))
    return values[-1]


def _edges(node: str) -> list[tuple[str, str]]:
    edges = []
    for edge in filter(None, node.split("|")):
        parts = edge.split("~")
        if len(parts) != 2:
            raise AssertionError(f"edge {edge!r} is not of the form operation~node")
        edges.append((parts[0], parts[1]))
    return edges
