"""The official identity of a NAS-Bench-101 cell: the pruning rule and the module hash of google-research/nasbench.

`prune` and `module_hash` take any adjacency matrix and list of operations, as ``ModelSpec`` and
``graph_util.hash_module`` do; `code_hash` and `code_hashes` take the numbers of `cells101_code`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from ..errors import BadArchitecture
from .cells101_code import DIGITS, FIRST_CODE, edge_bit, embed_one

INPUT, OUTPUT = "input", "output"
#: Interior operations in the official order: their place is their label.
OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")

REMEMBERED = 1 << 16
"""Cells whose hash `graph_hash` does not compute twice; some 40 MB at most."""
_Neighbours = tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]  # (sources, targets) of each vertex
_DIGITS: list[list[int]] = DIGITS.tolist()


def prune(adjacency: npt.ArrayLike, operations: Sequence[str]) -> tuple[npt.NDArray[np.int64], list[str]] | None:
    """The cell without the vertices that lie on no path from first to last; None where there is no path at all.

    ``adjacency`` is a strictly upper triangular matrix of zeros and ones, ``operations`` names each vertex. Nothing
    else is checked (``ModelSpec`` prunes before it looks at sizes and names), and any number of vertices is taken.
    """
    matrix = np.asarray(adjacency)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise BadArchitecture(f"adjacency of shape {matrix.shape} given; it is a square matrix")
    if len(operations) != len(matrix):
        raise BadArchitecture(f"{len(operations)} operations for {len(matrix)} vertices; each vertex has one")
    if np.tril(matrix).any():
        raise BadArchitecture("adjacency is not strictly upper triangular; edges run from lower to higher vertices")
    matrix = (matrix != 0).astype(np.int64)
    last = len(matrix) - 1
    reached, reaching = {0}, {last}
    for vertex in range(1, last + 1):
        if any(matrix[source, vertex] for source in reached):
            reached.add(vertex)
    for vertex in range(last - 1, -1, -1):
        if any(matrix[vertex, target] for target in reaching):
            reaching.add(vertex)
    kept = sorted(reached & reaching)
    if len(kept) < 2:
        return None
    return matrix[np.ix_(kept, kept)], [operations[vertex] for vertex in kept]


def module_hash(adjacency: npt.ArrayLike, operations: Sequence[str]) -> str:
    """The official MD5 hash of a pruned cell, 32 hexadecimal digits; equal for isomorphic cells.

    Algorithm: ``graph_util.hash_module``. A vertex starts as the hash of (out-degree, in-degree, label) and takes in
    its neighbours once per vertex of the cell (Weisfeiler-Lehman refinement); the cell is the hash of the sorted
    list. ``operations`` names every vertex of ``adjacency``, 'input' and 'output' included.
    """
    interior = list(operations[1:-1])
    if unknown := [name for name in interior if name not in OPERATIONS]:
        raise BadArchitecture(f"unknown operation {unknown[0]!r}; legal: {', '.join(OPERATIONS)}")
    return graph_hash((np.asarray(adjacency) != 0).tobytes(), (-1, *map(OPERATIONS.index, interior), -2))


@lru_cache(maxsize=REMEMBERED)
def graph_hash(edges: bytes, labels: tuple[int, ...]) -> str:
    """`module_hash` of any graph: 60 microseconds for one of seven vertices, less than one when it comes again.

    Args:
        edges: row by row of the adjacency matrix a byte 0 or 1 each.
        labels: -1 of the input, the place in `OPERATIONS` of what lies between, -2 of the output.
    """
    count = len(labels)
    rows = [edges[first : first + count] for first in range(0, count * count, count)]
    columns = [edges[first::count] for first in range(count)]
    neighbours = tuple(
        (tuple(w for w, there in enumerate(column) if there), tuple(w for w, there in enumerate(row) if there))
        for column, row in zip(columns, rows, strict=True)
    )
    return _refine(neighbours, labels)


def code_hash(code: int) -> str:
    """The official hash of the pruned cell with this code, canonical or not: some 60 microseconds."""
    _, labeling, vertices = embed_one(code)
    return _refine(_neighbours(code // FIRST_CODE, vertices), [-1, *_DIGITS[labeling][: vertices - 2], -2])


def code_hashes(codes: Iterable[int]) -> Iterator[str]:
    """The official hashes of many cells, in order; the whole space takes about half a minute."""
    return (code_hash(int(code)) for code in codes)


@cache
def _neighbours(bits: int, vertices: int) -> _Neighbours:
    """Sources and targets of each vertex of a cell with these edge bits."""
    sources = [[w for w in range(v) if bits >> edge_bit(w, v) & 1] for v in range(vertices)]
    return tuple((tuple(sources[v]), tuple(w for w in range(vertices) if v in sources[w])) for v in range(vertices))


def _refine(neighbours: _Neighbours, labels: Sequence[int]) -> str:
    """`module_hash` proper, on the sources and targets of each vertex."""
    starts = [
        f"({len(targets)}, {len(sources)}, {label})"
        for (sources, targets), label in zip(neighbours, labels, strict=True)
    ]
    return refined(starts, neighbours)


def refined(starts: Sequence[str], neighbours: _Neighbours) -> str:
    """The hash of a graph whose vertices begin as ``starts``, given the (sources, targets) of each."""
    colours = [_md5(start) for start in starts]
    for _ in starts:
        of, before = colours.__getitem__, colours
        colours = []
        for (sources, targets), colour in zip(neighbours, before, strict=True):  # most vertices have one of each
            above = of(sources[0]) if len(sources) == 1 else "".join(sorted(map(of, sources)))
            below = of(targets[0]) if len(targets) == 1 else "".join(sorted(map(of, targets)))
            colours.append(_md5(f"{above}|{below}|{colour}"))
    return _md5(str(sorted(colours)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
