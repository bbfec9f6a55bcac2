"""Architectures as rows of numbers that trees can learn from: what their paths from input to output compute.

A path is the word of operations it passes; skips are left out and paths through ``none`` do not exist, so that cells
which compute the same look the same. This follows the path encoding (White et al., AAAI 2021), with counts in place of
presence and with sums over all paths added: longest, shortest and total length, convolutions and pools.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from ..spaces import Cells101, Ids, Size, Space, Topology

Rows = npt.NDArray[np.float32]
LETTERS = 3  # two convolutions and a pool, in both cell spaces
BASE = LETTERS + 1
TOGETHER = 16_384  # architectures encoded at a time
TOPOLOGY_PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))  # slots of `Topology.operations` on each path


def encode(space: Space, ids: Ids, *, dead: bool = False) -> Rows:
    """The rows of architectures, (n, features) float32; a space without rules of its own is encoded by its choices.

    Args:
        dead: also count the operations that no path uses; they compute nothing but may have been timed.
    """
    rule: Callable[[Space, Ids], Rows] = _choices
    for kind, its in ((Topology, _topology), (Cells101, _cells101), (Size, _size)):
        if isinstance(space, kind):
            rule = its  # type: ignore[assignment]
    parts = [rule(space, ids[first : first + TOGETHER]) for first in range(0, max(1, len(ids)), TOGETHER)]
    rows = np.concatenate(parts)
    if not (dead and isinstance(space, Topology)):
        return rows
    operations = space.operations(ids)
    counts = [(operations == operation).sum(axis=1) for operation in range(1, 5)]
    return np.column_stack([rows, *counts]).astype(np.float32)


def _topology(space: Topology, ids: Ids) -> Rows:
    operations = space.operations(ids).astype(np.int64)
    words, live = [], []
    used = np.zeros(operations.shape, dtype=bool)
    for path in TOPOLOGY_PATHS:
        on_path = operations[:, path]
        there = (on_path != 0).all(axis=1)
        word = np.zeros(len(ids), dtype=np.int64)
        for operation in on_path.T:
            word = np.where(operation == 1, word, word * BASE + operation - 1)
        words.append(np.where(there, word, 0))
        live.append(there)
        used[:, path] |= there[:, None]
    counts = [((operations == operation) & used).sum(axis=1) for operation in range(1, 5)]
    return np.column_stack([path_features(np.stack(words, 1), np.stack(live, 1), 3), *counts]).astype(np.float32)


def _cells101(space: Cells101, ids: Ids) -> Rows:
    choices = space.operations(ids).astype(np.int64)
    edges, operations = choices[:, :21] == 1, choices[:, 21:]
    slot = {pair: place for place, pair in enumerate(itertools.combinations(range(7), 2))}
    words, live = [], []
    for length in range(6):
        for inside in itertools.combinations(range(1, 6), length):
            there = np.ones(len(ids), dtype=bool)
            for step in itertools.pairwise((0, *inside, 6)):
                there &= edges[:, slot[step]]
            word = np.zeros(len(ids), dtype=np.int64)
            for vertex in inside:
                word = word * BASE + operations[:, vertex - 1] + 1
            words.append(np.where(there, word, 0))
            live.append(there)
    counts = [(operations == operation).sum(axis=1) for operation in range(LETTERS)]
    fan_out = edges[:, [slot[0, target] for target in range(1, 7)]].sum(axis=1)
    fan_in = edges[:, [slot[source, 6] for source in range(6)]].sum(axis=1)
    return np.column_stack(
        [path_features(np.stack(words, 1), np.stack(live, 1), 5), *counts, edges.sum(axis=1), fan_out, fan_in,
         edges[:, slot[0, 6]], np.log(space.params(ids)), np.log(space.flops(ids))]
    ).astype(np.float32)  # fmt: skip


def _size(space: Size, ids: Ids) -> Rows:
    widths = space.widths(ids)
    return np.column_stack(
        [widths, np.sort(widths, axis=1), widths.sum(axis=1), np.log(widths).sum(axis=1), np.log(space.params(ids)),
         np.log(space.flops(ids))]
    ).astype(np.float32)  # fmt: skip


def _choices(space: Space, ids: Ids) -> Rows:
    """Every choice of every slot as 0 or 1, by what the slot can hold in the whole space."""
    operations = space.operations(ids)
    every = space.operations(np.arange(space.size))
    columns = [operations[:, slot] == choice for slot in range(every.shape[1]) for choice in np.unique(every[:, slot])]
    return np.column_stack(columns).astype(np.float32)


def path_features(words: Ids, live: npt.NDArray[np.bool_], depth: int) -> npt.NDArray[np.float64]:
    """How often each word occurs, and longest, shortest and summed counts of letters over the paths.

    Args:
        words: (n, paths), each a number in base 4 whose digits 1 to 3 are the letters, first letter highest.
        live: (n, paths), whether the path exists.
        depth: the most letters a word can have.
    """
    place, letters = _dictionary(depth)
    table = np.zeros((len(words), len(letters)))
    for path in range(words.shape[1]):
        rows = np.flatnonzero(live[:, path])
        table[rows, place[words[rows, path]]] += 1
    columns = [live.sum(axis=1)]
    kinds = (letters.sum(axis=1), *letters.T, letters[:, 0] + letters[:, 1])
    for kind in kinds:
        held = kind[place[words]]
        columns += [
            np.where(live, held, -1).max(axis=1),
            np.where(live, held, depth + 1).min(axis=1),
            np.where(live, held, 0).sum(axis=1),
        ]
    return np.column_stack([table, *columns])


@cache
def _dictionary(depth: int) -> tuple[Ids, Ids]:
    """Place of every word (by its number) in the list of words up to ``depth`` letters, and the letters of each."""
    words = [word for length in range(depth + 1) for word in itertools.product(range(1, BASE), repeat=length)]
    place = np.zeros(BASE**depth, dtype=np.int64)
    for number, word in enumerate(words):
        place[sum(letter * BASE**power for power, letter in enumerate(reversed(word)))] = number
    letters = np.array([[word.count(letter) for letter in range(1, BASE)] for word in words], dtype=np.int64)
    return place, letters
