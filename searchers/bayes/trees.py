"""The trees that operations hang on, and the masses of their subtrees (Nguyen et al., ICML 2021, section 3)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadValue

Floats = npt.NDArray[np.float64]
Variant = Literal["paper", "released"]


@dataclass(frozen=True)
class Tree:
    """A rooted tree whose leaves carry mass; every node but the root is a row of ``members``.

    ``members[e]`` are the leaves below node e, ``weights[e]`` is the length of the edge above it. Mass that no leaf
    carries lies on the root. Distances between two mass functions are sums over e of weight times the difference of
    what lies below e: with that mass as a coordinate, Wasserstein-1 on the tree is a Manhattan distance.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    members: tuple[tuple[int, ...], ...]
    leaves: int

    @cached_property
    def below(self) -> Floats:
        """1 where a leaf lies below a node, (nodes, leaves)."""
        matrix = np.zeros((len(self.names), self.leaves))
        for node, leaves in enumerate(self.members):
            matrix[node, list(leaves)] = 1
        return matrix

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """The node above each node, -1 for the root."""
        sets = [frozenset(leaves) for leaves in self.members]
        above = [[other for other in range(len(sets)) if own < sets[other]] for own in sets]
        return tuple(min(nodes, key=lambda node: len(sets[node]), default=-1) for nodes in above)

    def masses(self, leaf_masses: Floats) -> Floats:
        """Mass below every node, (n, leaves) -> (n, nodes)."""
        return leaf_masses @ self.below.T


class _Growing:
    def __init__(self, leaves: Iterable[str]) -> None:
        self.leaves = list(leaves)
        self.nodes: dict[str, tuple[float, tuple[int, ...]]] = {}

    def add(self, name: str, weight: float, leaves: Iterable[int]) -> None:
        self.nodes[name] = (weight, tuple(leaves))

    def tree(self) -> Tree:
        weights, members = zip(*self.nodes.values(), strict=True)
        return Tree(tuple(self.nodes), weights, members, len(self.leaves))


def family_tree(families: Mapping[str, tuple[str, ...]], grams: int, alpha: float) -> Tree:
    """Operations in families: what differs inside a family is near, what differs between families is far.

    Leaves are the operations in the order of ``families``, then, with ``grams`` 2, their ordered pairs, first one
    slowest. Every leaf lies 1 below its gram: alpha inside a family of several and 1 - alpha above it; for pairs
    alpha^2, alpha (1 - alpha) above the two directions (inside a family: above equal and unequal pairs), and 1 - alpha.

    Raises:
        BadValue: ``grams`` is neither 1 nor 2, or ``alpha`` not between 0 and 1.
    """
    operations = [(family, name) for family, names in families.items() for name in names]
    growing = _grown([name for _, name in operations], grams, alpha)
    far = 1 - alpha
    for leaf, (family, name) in enumerate(operations):
        growing.add(name, alpha if len(families[family]) > 1 else 1.0, [leaf])
    if grams == 2:
        _pair_leaves(growing, operations, families, alpha)
    for family, names in families.items():
        if len(names) > 1:
            growing.add(family, far, [leaf for leaf, (own, _) in enumerate(operations) if own == family])
    if grams == 2:
        growing.add("1-gram", 1.0, range(len(operations)))
        _pair_groups(growing, operations, families, alpha)
        growing.add("2-gram", 1.0, range(len(operations), len(growing.leaves)))
    return growing.tree()


def _grown(operations: list[str], grams: int, alpha: float) -> _Growing:
    if grams not in (1, 2):
        raise BadValue(f"grams={grams} given; legal: 1 (operations), 2 (operations and ordered pairs of them)")
    if not 0 <= alpha <= 1:
        raise BadValue(f"alpha={alpha} given; legal: 0 to 1")
    pairs = [f"{a}>{b}" for a, b in itertools.product(operations, repeat=2)] if grams == 2 else []
    return _Growing([*operations, *pairs])


def _pair_leaves(
    growing: _Growing, operations: list[tuple[str, str]], families: Mapping[str, tuple[str, ...]], alpha: float
) -> None:
    for number, ((first, _), (second, _)) in enumerate(itertools.product(operations, repeat=2)):
        leaf = len(operations) + number
        several = max(len(families[first]), len(families[second])) > 1
        weight = alpha**2 if several else alpha if first != second else 1.0
        growing.add(growing.leaves[leaf], weight, [leaf])


def _pair_groups(
    growing: _Growing, operations: list[tuple[str, str]], families: Mapping[str, tuple[str, ...]], alpha: float
) -> None:
    pairs = list(enumerate(itertools.product(operations, repeat=2), start=len(operations)))
    near, far = alpha * (1 - alpha), 1 - alpha
    for first, second in itertools.combinations_with_replacement(families, 2):
        several = max(len(families[first]), len(families[second])) > 1
        there = [leaf for leaf, (a, b) in pairs if (a[0], b[0]) == (first, second)]
        back = [leaf for leaf, (a, b) in pairs if (a[0], b[0]) == (second, first)]
        if first == second and several:
            equal = [leaf for leaf, (a, b) in pairs if a == b and a[0] == first]
            growing.add(f"{first}>{first}, equal", near, equal)
            growing.add(f"{first}>{first}, unequal", near, [leaf for leaf in there if leaf not in equal])
            growing.add(f"{first}>{first}", far, there)
        elif first != second:
            if several:
                growing.add(f"{first}>{second}", near, there)
                growing.add(f"{second}>{first}", near, back)
            growing.add(f"{first} and {second}", far, there + back)


def dyadic_tree(values: tuple[str, ...], grams: int, alpha: float) -> Tree:
    """Ordered values, such as layer widths, halved again and again: near values share a small subtree.

    With 8 values: halves of 4, weight 1 - alpha; pairs, alpha (1 - alpha); single values, alpha^2. Ordered pairs of
    values hang on the product of two such trees (4 quarters, 16 squares, 64 pairs) with the same weights. Leaves are
    ordered as in `family_tree`.
    """
    growing = _grown(list(values), grams, alpha)
    count = len(values)
    levels = max((count - 1).bit_length(), 1)
    for depth in range(levels, 0, -1):
        weight = alpha ** (levels - 1) if depth == levels else alpha ** (depth - 1) * (1 - alpha)
        block = 1 << (levels - depth)
        spans = [range(first, min(first + block, count)) for first in range(0, count, block)]
        names = ["/".join(values[leaf] for leaf in span) for span in spans]
        for span, name in zip(spans, names, strict=True):
            growing.add(name, weight, span)
        if grams == 2:
            for (one, first), (two, second) in itertools.product(zip(spans, names, strict=True), repeat=2):
                leaves = [count + a * count + b for a, b in itertools.product(one, two)]
                growing.add(f"{first}>{second}", weight, leaves)
    if grams == 2:
        growing.add("1-gram", 1.0, range(count))
        growing.add("2-gram", 1.0, range(count, count + count**2))
    return growing.tree()


def star(names: Iterable[str]) -> Tree:
    """Leaves right below the root, at 1."""
    names = tuple(names)
    return Tree(names, (1.0,) * len(names), tuple((leaf,) for leaf in range(len(names))), len(names))


def with_slips(tree: Tree, slips: Mapping[str, Iterable[int]]) -> Tree:
    """The same nodes and weights, some with other leaves below than a tree would have."""
    members = tuple(tuple(slips.get(name, own)) for name, own in zip(tree.names, tree.members, strict=True))
    return Tree(tree.names, tree.weights, members, tree.leaves)
