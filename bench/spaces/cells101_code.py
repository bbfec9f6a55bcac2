"""One NAS-Bench-101 cell as one number: packing, pruning and exact canonical form, for millions of cells at once.

The code of a cell is ``edge bits << 8 | labelling``. Edge x->y is bit ``x + y (y - 1) / 2`` (the numbering of
``gen_is_edge_fn`` in google-research/nasbench), so the highest bits belong to the output vertex and the bits alone
tell how many vertices the cell has. The labelling is the number that the interior operations spell in base 3, first
vertex slowest. Ascending codes are therefore the order in which the official ``generate_graphs.py`` meets cells, and
because that script keeps the first graph it meets, the stored representative of an isomorphism class is the class's
smallest code: `canonical` finds it by trying every renumbering of the interior vertices (120 at most).

Cells not yet pruned live in the **7-vertex embedding**: the output is vertex 6, the interior vertices of a smaller
cell keep their numbers, and the places left between them and the output are padding without edges (as naszilla's
``Cell101.convert_to_cell`` does).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

MAX_VERTICES = 7
MAX_EDGES = 9
EDGE_SLOTS = 21
INTERIOR = 5
LABELINGS = 3**INTERIOR

#: What `canonical_embedded` answers instead of a code (every code of a cell is at least 256).
UNCONNECTED, TOO_MANY_EDGES = 0, 1
FIRST_CODE = 1 << 8

Codes: TypeAlias = npt.NDArray[np.uint32]

#: Interior operations of each labelling, (243, 5) int8, and the place values that turn them back into its number.
DIGITS: npt.NDArray[np.int8] = np.array(list(itertools.product(range(3), repeat=INTERIOR)), dtype=np.int8)
PLACES = 3 ** np.arange(INTERIOR - 1, -1, -1)

_LABEL_BITS = 8
_LOW_BITS = 11  # the 21 edge bits are looked up in two halves: 2,048 and 1,024 rows
_LOW = (1 << _LOW_BITS) - 1
_OUTPUT_SHIFT = 15  # first bit of an edge into vertex 6
_BACKWARD = np.uint32(1 << 31)  # marks a renumbering that would turn an edge around: never the minimum
_FIRST_BITS = (1 << 1, 1 << 3, 1 << 6, 1 << 10, 1 << 15)  # smallest edge bits of a cell of 3, 4, 5, 6, 7 vertices
_CHUNK = 2048  # rows of 120 candidates at a time: one megabyte


class _Renumbering(NamedTuple):
    """Lookup tables of a set of renumberings, one column each; ORing the three rows of a cell gives its new codes."""

    low: npt.NDArray[np.uint32]  # (2048, n)
    high: npt.NDArray[np.uint32]  # (1024, n)
    label: npt.NDArray[np.uint32]  # (3 ** interior, n)


def edge_bit(source: int, target: int) -> int:
    """The official number of edge ``source -> target``."""
    return source + target * (target - 1) // 2


#: Row-major pairs (source, target) of the 21 edges of 7 vertices (``np.triu_indices``) and their official bits.
SOURCES, TARGETS = np.triu_indices(MAX_VERTICES, k=1)
SLOT_BITS: npt.NDArray[np.int64] = SOURCES + TARGETS * (TARGETS - 1) // 2


def num_vertices(codes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Vertices of each cell, input and output included."""
    bits = np.asarray(codes, dtype=np.int64) >> _LABEL_BITS
    return np.searchsorted(_FIRST_BITS, bits, side="right") + 2


def embed(codes: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Edge bits and labelling in the 7-vertex embedding (padding labelled conv3x3) and the number of vertices."""
    codes = np.asarray(codes, dtype=np.int64)
    vertices = num_vertices(codes)
    bits, labeling = codes >> _LABEL_BITS, codes & (FIRST_CODE - 1)
    output = (vertices - 1) * (vertices - 2) // 2
    bits = (bits & ((1 << output) - 1)) | (bits >> output) << _OUTPUT_SHIFT
    return bits, labeling * 3 ** (MAX_VERTICES - vertices), vertices


def embed_one(code: int) -> tuple[int, int, int]:
    """`embed` for one cell, in plain integers."""
    bits, labeling = code >> _LABEL_BITS, code & (FIRST_CODE - 1)
    vertices = 2 + sum(bits >= first for first in _FIRST_BITS)
    output = (vertices - 1) * (vertices - 2) // 2
    bits = (bits & ((1 << output) - 1)) | (bits >> output) << _OUTPUT_SHIFT
    return bits, labeling * 3 ** (MAX_VERTICES - vertices), vertices


def kept_vertices(bits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Which vertices of the 7-vertex embedding lie on a path from input to output, (n,) as 7-bit masks.

    The official pruning rule (``ModelSpec._prune``); 0 where the input does not reach the output.
    """
    sources = [(bits >> edge_bit(0, target)) & ((1 << target) - 1) for target in range(MAX_VERTICES)]
    reached = np.ones_like(bits)
    for target in range(1, MAX_VERTICES):
        reached |= ((sources[target] & reached) != 0).astype(np.int64) << target
    reaching = np.full_like(bits, 1 << (MAX_VERTICES - 1))
    for target in range(MAX_VERTICES - 1, 0, -1):
        reaching |= sources[target] * (reaching >> target & 1)
    return np.where(reached >> (MAX_VERTICES - 1) & 1, reached & reaching, 0)


def _kept_one(bits: int) -> int:
    """`kept_vertices` for one cell, in plain integers."""
    reached, reaching = 1, 1 << (MAX_VERTICES - 1)
    for target in range(1, MAX_VERTICES):
        if bits >> (target * (target - 1) // 2) & ((1 << target) - 1) & reached:
            reached |= 1 << target
    if not reached >> (MAX_VERTICES - 1):
        return 0
    for target in range(MAX_VERTICES - 1, 0, -1):
        if reaching >> target & 1:
            reaching |= bits >> (target * (target - 1) // 2) & ((1 << target) - 1)
    return reached & reaching


def canonical_embedded(bits: npt.NDArray[np.int64], labelings: npt.NDArray[np.int64]) -> Codes:
    """Codes of the stored representatives of cells in the 7-vertex embedding, (n,).

    The cells are pruned, checked and brought to canonical form; `UNCONNECTED` stands where the input does not reach
    the output and `TOO_MANY_EDGES` where more than 9 edges are left after pruning.
    """
    kept = kept_vertices(bits)
    compact = _compaction()
    column = kept >> 1 & (2**INTERIOR - 1)
    codes = compact.low[bits & _LOW, column] | compact.high[bits >> _LOW_BITS, column]
    codes |= compact.label[labelings, column]
    answer = np.where(kept > 0, np.uint32(TOO_MANY_EDGES), np.uint32(UNCONNECTED))
    legal = (kept > 0) & (np.bitwise_count(codes >> _LABEL_BITS) <= MAX_EDGES)
    answer[legal] = canonical(codes[legal])
    return answer


def canonical_embedded_one(bits: int, labeling: int) -> int:
    """`canonical_embedded` for one cell, without the overhead of arrays."""
    kept = _kept_one(bits)
    if not kept:
        return UNCONNECTED
    compact, column = _compaction(), kept >> 1 & (2**INTERIOR - 1)
    edges = int(compact.low[bits & _LOW, column] | compact.high[bits >> _LOW_BITS, column])
    if edges.bit_count() > MAX_EDGES:
        return TOO_MANY_EDGES
    return canonical_one(edges | int(compact.label[labeling, column]), kept.bit_count())


def canonical(codes: npt.ArrayLike) -> Codes:
    """The smallest code of each cell's isomorphism class, for pruned cells, (n,)."""
    codes = np.asarray(codes, dtype=np.uint32)
    answer = np.empty_like(codes)
    sizes = num_vertices(codes)
    for vertices in np.unique(sizes):
        places = np.flatnonzero(sizes == vertices)
        tables = _permutations(int(vertices))
        for start in range(0, len(places), _CHUNK):
            chunk = places[start : start + _CHUNK]
            bits, labelings = codes[chunk] >> _LABEL_BITS, codes[chunk] & (FIRST_CODE - 1)
            candidates = tables.low[bits & _LOW]
            candidates |= tables.high[bits >> _LOW_BITS]
            candidates |= tables.label[labelings]
            answer[chunk] = candidates.min(axis=1)
    return answer


def canonical_one(code: int, vertices: int) -> int:
    """`canonical` for one cell of known size."""
    tables, bits = _permutations(vertices), code >> _LABEL_BITS
    candidates = tables.low[bits & _LOW] | tables.high[bits >> _LOW_BITS] | tables.label[code & (FIRST_CODE - 1)]
    return int(candidates.min())


def minimal_structures(vertices: int) -> Codes:
    """Codes (labelling 0) of all unlabelled cells of exactly this size that are the smallest of their class."""
    first, end = (1 << (size * (size - 1) // 2) for size in (vertices - 1, vertices))
    bits = np.arange(first, end, dtype=np.uint32)
    bits = bits[np.bitwise_count(bits) <= MAX_EDGES]
    sources = [bits >> edge_bit(0, target) & ((1 << target) - 1) for target in range(1, vertices)]
    feeding = np.bitwise_or.reduce(sources)  # every vertex but the output needs an edge out, all but the input one in
    codes: Codes = bits[np.all(sources, axis=0) & (feeding == (1 << (vertices - 1)) - 1)] << _LABEL_BITS
    smallest: Codes = codes[canonical(codes) == codes]
    return smallest


@cache
def _permutations(vertices: int) -> _Renumbering:
    """All renumberings of the interior of a cell; those that turn an edge around carry the `_BACKWARD` mark."""
    interior = vertices - 2
    orders = list(itertools.permutations(range(1, vertices - 1)))
    return _renumbering([[0, *order, vertices - 1] for order in orders], vertices, interior)


@cache
def _compaction() -> _Renumbering:
    """For each of the 32 sets of kept interior vertices: close the gaps, dropping the edges of the others."""
    maps: list[list[int | None]] = []
    for kept in range(2**INTERIOR):
        places = itertools.count(1)
        inner = [next(places) if kept >> vertex & 1 else None for vertex in range(INTERIOR)]
        maps.append([0, *inner, next(places)])
    return _renumbering(maps, MAX_VERTICES, None)


def _renumbering(maps: Sequence[Sequence[int | None]], vertices: int, interior: int | None) -> _Renumbering:
    """Tables of ``maps``, each of which gives the new number (None: dropped) of every vertex."""
    edges = np.zeros((EDGE_SLOTS, len(maps)), dtype=np.uint32)
    for source, target in itertools.combinations(range(vertices), 2):
        for column, new in enumerate(maps):
            start, end = new[source], new[target]
            if start is not None and end is not None:
                moved = 1 << edge_bit(start, end) + _LABEL_BITS if start < end else _BACKWARD
                edges[edge_bit(source, target), column] = moved
    halves = []
    for rows in (edges[:_LOW_BITS], edges[_LOW_BITS:]):
        table = np.zeros((1, len(maps)), dtype=np.uint32)
        for row in rows:
            table = np.concatenate([table, table | row])
        halves.append(table)
    digits = DIGITS if interior is None else np.array(list(itertools.product(range(3), repeat=interior)), dtype=np.int8)
    label = np.zeros((len(digits), len(maps)), dtype=np.uint32)
    for column, new in enumerate(maps):
        order = sorted((place, vertex) for vertex, place in enumerate(new[1:-1]) if place is not None)
        for place, vertex in order:
            label[:, column] += digits[:, vertex].astype(np.uint32) * 3 ** (len(order) - place)
    return _Renumbering(halves[0], halves[1], label)
