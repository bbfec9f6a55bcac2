"""Path encodings (White et al., AAAI 2021 and NeurIPS 2020): which words of operations lead from input to output.

Words are numbered by their length, then by what the operations spell, the first one fastest.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadValue
from ...bench.spaces import Cells101, Ids, Space, Topology
from ...bench.spaces.cells101_code import EDGE_SLOTS, INTERIOR, MAX_VERTICES
from ...bench.spaces.topology import EDGES
from ...bench.spaces.topology import OPERATIONS as TOPOLOGY_OPERATIONS

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Rows = npt.NDArray[np.float32]
Words = npt.NDArray[np.int16]

#: Positions that naszilla keeps, short words first: all of up to 2 operations on topology, of up to 3 on cells101.
KEPT_TOPOLOGY, KEPT_CELLS101 = 30, 40
#: Places for the words of one cell: those of nas-encodings, although no cell of 101 has more than 8 distinct words.
PLACES_TOPOLOGY, PLACES_CELLS101 = 4, 20
TOGETHER = 1 << 15  # architectures at a time

SLOT_OF = {edge: slot for slot, edge in enumerate(itertools.combinations(range(MAX_VERTICES), 2))}
_INNER = [inner for size in range(3) for inner in itertools.combinations((1, 2), size)]
TOPOLOGY_PATHS = [[EDGES.index(edge) for edge in itertools.pairwise((0, *inner, 3))] for inner in _INNER]
"""Slots of `Topology.operations` on each of the four paths, short ones first."""

#: How likely a random graph of NAS-Bench-101 has a given word of 0 to 5 operations: the constants of nas-encodings,
#: which counts graphs that are no cells, too (among cells drawn by the official law it is 2.7 times as likely).
CELLS101_LIKELY = (0.2, 0.127, 3.36e-2, 3.92e-3, 1.5e-4, 6.37e-7)


def one_hot(
    space: Space, ids: Ids, *, length: int | None = None, computed: bool = False, sparse: bool = False
) -> Rows | csr_array:
    """A bit for every word: 364 on cells101, 155 on topology, where ``none`` and skip are operations like any other.

    Args:
        length: keep so many positions, the shortest words (a random cell has them most probably); default: all.
        computed: on topology leave out skips, and paths with ``none`` altogether, so that cells which compute the
            same have equal rows (40 bits). On cells101 that is so anyway.
        sparse: answer a scipy CSR array of 8-bit numbers instead, some 10 MB for all cells of NAS-Bench-101.
    """
    length = _checked(length, positions(space, computed))
    return _sparse(space, ids, length, computed) if sparse else _bits(space, ids, length, computed)


def truncated(space: Space, ids: Ids, *, length: int | None = None, sparse: bool = False) -> Rows | csr_array:
    """`one_hot` cut to its short words: 40 bits on cells101 (up to 3 operations), 30 on topology (up to 2)."""
    kept = KEPT_TOPOLOGY if isinstance(space, Topology) else KEPT_CELLS101
    return one_hot(space, ids, length=kept if length is None else length, sparse=sparse)


def categorical(
    space: Space, ids: Ids, *, length: int | None = None, computed: bool = False, pad: float = -1
) -> Rows:  # fmt: skip
    """The numbers of a cell's distinct words, ascending, in 20 places on cells101 and 4 on topology.

    Args:
        length: only words below this number (40 on cells101: the truncated categorical encoding).
        pad: fills places to spare. Deviations: nas-encodings fills with 0, which is also the number of a word, and
            lists a word once for each path that spells it.
    """
    length = _checked(length, positions(space, computed))
    places = PLACES_TOPOLOGY if isinstance(space, Topology) else PLACES_CELLS101
    rows = np.full((len(ids), places), pad, dtype=np.float32)
    for first, words in _chunks(space, ids, computed):
        at, found = _distinct(words, length)
        place = np.arange(len(at)) - np.searchsorted(at, at)
        rows[first + at, place] = found
    return rows


def continuous(
    space: Space, ids: Ids, *, length: int | None = None, computed: bool = False, sparse: bool = False
) -> Rows | csr_array:
    """A real number for every word and how many of the largest there are, in the last place; of a cell 0, 1 and m."""
    length = _checked(length, positions(space, computed))
    if sparse:
        from scipy.sparse import csr_array, hstack

        bits = _sparse(space, ids, length, computed)
        return csr_array(hstack([bits, bits.sum(axis=1).astype(np.int8)[:, None]], format="csr"))
    rows = _bits(space, ids, length, computed, spare=1)
    rows[:, length] = rows[:, :length].sum(axis=1)
    return rows


def weighted(space: Space, ids: Ids, *, length: int | None = None, sparse: bool = False) -> Rows | csr_array:
    """`one_hot` times the probability that a random cell has a given word of that length."""
    length = _checked(length, positions(space))
    if sparse:
        rows = _sparse(space, ids, length, computed=False)
        rows.data = likely(space)[rows.indices]
        return rows
    dense = _bits(space, ids, length, computed=False)
    return np.multiply(dense, likely(space)[:length], out=dense)


def likely(space: Space) -> Rows:
    """Probability of every word in a random cell, (words,): measured on cells101, exact on topology.

    On topology operations are uniform, so that a word of k operations stands on each path of k edges with 5 ** -k.
    """
    if isinstance(space, Cells101):
        return np.repeat(CELLS101_LIKELY, [3**size for size in range(INTERIOR + 1)]).astype(np.float32)
    base = len(TOPOLOGY_OPERATIONS)
    each = [1 - (1 - base**-size) ** sum(len(path) == size for path in TOPOLOGY_PATHS) for size in (1, 2, 3)]
    return np.repeat(each, [base**size for size in (1, 2, 3)]).astype(np.float32)


def words_of(space: Space, ids: Ids, computed: bool = False) -> Words:
    """The number of the word on every path that a cell of the space could have, (n, paths); -1 where it has it not."""
    if isinstance(space, Topology):
        return _topology(space, ids, computed)
    if isinstance(space, Cells101):
        return _cells(space, ids)
    raise BadValue(f"space {space.name!r} has no paths; its architectures are no cells")


def _topology(space: Topology, ids: Ids, computed: bool) -> Words:
    rows = space.operations(ids).astype(np.int16)
    words = np.empty((len(rows), len(TOPOLOGY_PATHS)), dtype=np.int16)
    base = len(TOPOLOGY_OPERATIONS)
    for path, slots in enumerate(TOPOLOGY_PATHS):
        here = rows[:, slots]
        if not computed:
            shorter = sum(base**size for size in range(1, len(slots)))
            words[:, path] = shorter + here @ base ** np.arange(len(slots), dtype=np.int16)
            continue
        letters, size = np.zeros(len(rows), dtype=np.int16), np.zeros(len(rows), dtype=np.int16)
        for operation in here.T:  # 0 none, 1 skip, 2 to 4 the letters
            letters += np.where(operation >= 2, (operation - 2) * 3**size, 0).astype(np.int16)
            size += operation >= 2
        words[:, path] = np.where((here == 0).any(axis=1), -1, (3**size - 1) // 2 + letters)
    return words


def _cells(space: Cells101, ids: Ids) -> Words:
    rows = space.operations(ids)
    edges, labels = rows[:, :EDGE_SLOTS] == 1, np.maximum(rows[:, EDGE_SLOTS:], 0).astype(np.int16)
    found = np.full((len(rows), 2**INTERIOR), -1, dtype=np.int16)
    path = 0
    for size in range(INTERIOR + 1):
        shorter = (3**size - 1) // 2
        for inner in itertools.combinations(range(1, MAX_VERTICES - 1), size):
            slots = [SLOT_OF[edge] for edge in itertools.pairwise((0, *inner, MAX_VERTICES - 1))]
            there = np.flatnonzero(edges[:, slots].all(axis=1))
            word = np.full(len(there), shorter, dtype=np.int16)
            for place, vertex in enumerate(inner):
                word += labels[there, vertex - 1] * np.int16(3**place)
            found[there, path] = word
            path += 1
    return found


def positions(space: Space, computed: bool = False) -> int:
    """How many words there are: 364 on cells101, 155 on topology (40 of what is computed)."""
    if isinstance(space, Topology) and not computed:
        return sum(len(TOPOLOGY_OPERATIONS) ** size for size in (1, 2, 3))
    return sum(3**size for size in range(4 if isinstance(space, Topology) else INTERIOR + 1))


def _checked(length: int | None, size: int) -> int:
    whole = isinstance(length, int | np.integer) and not isinstance(length, bool)
    if length is not None and not (whole and 1 <= length <= size):
        raise BadValue(f"length={length!r} given; legal: 1 to {size}, the number of paths")
    return length or size


def _chunks(space: Space, ids: Ids, computed: bool) -> Iterator[tuple[int, Words]]:
    """Words of `TOGETHER` architectures at a time, with the place of the first of them."""
    for first in range(0, len(ids), TOGETHER):
        yield first, words_of(space, ids[first : first + TOGETHER], computed)


def _distinct(words: Words, length: int) -> tuple[npt.NDArray[np.int64], Words]:
    """Row and number of every distinct word below ``length``, by rows, ascending in each."""
    ascending = np.sort(words, axis=1)
    new = (ascending >= 0) & (ascending < length)
    new[:, 1:] &= ascending[:, 1:] != ascending[:, :-1]
    return np.nonzero(new)[0], ascending[new]


def _bits(space: Space, ids: Ids, length: int, computed: bool, spare: int = 0) -> Rows:
    rows = np.zeros((len(ids), length + spare), dtype=np.float32)
    for first, words in _chunks(space, ids, computed):
        at, path = np.nonzero((words >= 0) & (words < length))
        rows[first + at, words[at, path]] = 1
    return rows


def _sparse(space: Space, ids: Ids, length: int, computed: bool) -> csr_array:
    from scipy.sparse import csr_array

    counts, columns = [np.zeros(1, dtype=np.int32)], [np.empty(0, dtype=np.int32)]
    for first, words in _chunks(space, ids, computed):
        at, found = _distinct(words, length)
        counts.append(np.bincount(at, minlength=min(TOGETHER, len(ids) - first)).astype(np.int32))
        columns.append(found.astype(np.int32))
    indices = np.concatenate(columns)
    bits = np.ones(len(indices), dtype=np.int8)
    return csr_array((bits, indices, np.cumsum(np.concatenate(counts), dtype=np.int32)), shape=(len(ids), length))
