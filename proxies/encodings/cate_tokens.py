"""Cells as token sequences for CATE: symbols, who depends on whom, what a cell costs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadValue
from ...bench.spaces import Cells101, Ids, Space
from .graph import INPUT, Graphs, graphs

Variant = Literal["paper", "released"]
Costs = npt.NDArray[np.float64]
VARIANTS = ("paper", "released")


@dataclass(frozen=True, eq=False)
class Tokens:
    """n cells as sequences of L nodes; the input comes first.

    Fields:
        symbols: (n, L) int8, numbers of the vocabulary; `pad` where there is no node.
        edges: (n, L, L) bool, [i, j] where node i feeds node j.
        pad, mask: reserved numbers. ``variant="paper"`` gives them numbers of their own, 0 and 1; the released code
            has the same numbers, which are also those of the input and the first operation.
        first: the number of the first real symbol (the input); real symbols run up to ``vocabulary - 1``.
        vocabulary: how many numbers there are.
    """

    symbols: npt.NDArray[np.int8]
    edges: npt.NDArray[np.bool_]
    pad: int
    mask: int
    first: int
    vocabulary: int

    def __len__(self) -> int:
        return len(self.symbols)


def tokens(space: Space, ids: Ids, variant: Variant = "paper") -> Tokens:
    """Token sequences of the cells ``ids``, (n, L) with L = 8 on topology and 7 on cells101.

    The paper's variant describes what the cell computes: each cell by the smallest member of its isomorphism class
    (`representatives`), nodes that lie on no path from input to output left out. The output is the last position.

    The released one takes every cell as it is (on topology ``none`` is a node), puts padding behind the nodes, and
    lets padding be the number of the input. Its vocabulary is in the authors' order: input, operations, output.
    """
    if variant == "paper":
        found = _pruned(graphs(space, representatives(space)[ids]))
        symbols = np.where(found.nodes < 0, 0, found.nodes + 2)
        return Tokens(symbols.astype(np.int8), found.adjacency > 0, 0, 1, 2, len(found.labels) + 2)
    found = graphs(space, ids, keep_none=True)
    order = np.argsort(found.nodes < 0, axis=1, kind="stable")  # nodes first, padding behind
    nodes = np.take_along_axis(found.nodes, order, 1)
    edges = np.take_along_axis(np.take_along_axis(found.adjacency, order[:, :, None], 1), order[:, None, :], 2)
    count = len(found.labels)
    authors = np.array([0, count - 1, *range(1, count - 1)])  # input first, output last
    return Tokens(np.where(nodes < 0, 0, authors[nodes]).astype(np.int8), edges > 0, 0, 1, 0, count)


def closure(edges: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Transitive closure, (n, L, L) -> (n, L, L): [i, j] where a path of one edge or more leads from i to j.

    Nodes are in topological order, so one sweep over the intermediate nodes suffices (Warshall).
    """
    reach = edges.copy()
    for via in range(reach.shape[1]):
        reach |= reach[:, :, via, None] & reach[:, None, via, :]
    return reach


def _pruned(found: Graphs) -> Graphs:
    """Without the nodes that lie on no path from the first to the last node."""
    last = found.nodes.shape[1] - 1
    reach = closure(found.adjacency > 0)
    reach |= np.eye(last + 1, dtype=bool)
    kept = reach[:, 0, :] & reach[:, :, last]
    kept[:, [0, last]] = True
    both = kept[:, :, None] & kept[:, None, :]
    return Graphs(np.where(kept, found.nodes, INPUT - 1).astype(np.int8), found.adjacency * both, found.labels)


def representatives(space: Space) -> Ids:
    """For every id the member of its isomorphism class that stands for it, (size,) int64.

    The member with the fewest nodes after pruning, then the smallest id, so that isomorphic cells are encoded equal
    and a skip that only passes on takes no node where the class has a cell without it.
    """
    if isinstance(space, Cells101):
        return np.arange(space.size)
    return _smallest_members(type(space))


@lru_cache(maxsize=4)
def _smallest_members(kind: type[Space]) -> Ids:
    space = kind()
    ids = np.arange(space.size)
    classes = space.canonical(ids)
    nodes = (_pruned(graphs(space, ids)).nodes >= 0).sum(1)
    order = np.lexsort((ids, nodes, classes))
    firsts = order[np.unique(classes[order], return_index=True)[1]]
    answer = np.empty(space.size, dtype=np.int64)
    answer[classes[firsts]] = firsts
    return answer[classes]


def costs(space: Space, ids: Ids, by: str = "") -> Costs:
    """What cells cost, (n,): the least "flops" [multiply-adds] or "params" within the isomorphism class of each.

    The default is the authors' for the operations-on-vertices space (params), FLOPs otherwise.
    """
    by = by or default_cost(space)
    if by not in ("flops", "params"):
        raise BadValue(f"cost {by!r}; legal: flops, params")
    count = space.flops if by == "flops" else space.params
    if isinstance(space, Cells101):  # every id is a class
        return count(ids).astype(np.float64)
    every = np.arange(space.size)
    each = count(every).astype(np.float64)
    classes = space.canonical(every)
    least = np.full(space.size, np.inf)
    np.minimum.at(least, classes, each)
    return least[classes[ids]]


def default_cost(space: Space) -> str:
    """The cost by which pairs are formed unless another is asked."""
    return "params" if isinstance(space, Cells101) else "flops"


def population(space: Space, variant: Variant = "paper") -> Ids:
    """Ids to train on: one of each isomorphism class; all in the released variant."""
    return np.unique(representatives(space)) if variant == "paper" else np.arange(space.size)
