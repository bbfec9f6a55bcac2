"""Where the nodes of a small directed acyclic graph go: layers, few crossings, straight long edges.

After Sugiyama, Tagawa & Toda (IEEE Trans. SMC 1981): the layer of a node is its longest path from a source; an edge
over several layers passes a place of its own in each of them; orders by barycentres, coordinates by least squares.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

SWEEPS = 8
STRAIGHT = 4.0  # weight of a step between two places of one long edge


@dataclass(frozen=True)
class Layout:
    """Items are the nodes, then the places that long edges pass.

    ``layer`` and ``across`` hold the coordinates of every item; ``chains`` the items of every edge from its source to
    its target.
    """

    layer: tuple[int, ...]
    across: tuple[float, ...]
    chains: tuple[tuple[int, ...], ...]


def layered(nodes: int, edges: Sequence[tuple[int, int]], gap: Callable[[int, int], float]) -> Layout:
    """Coordinates of ``nodes`` nodes, whose ``edges`` run from lower to higher numbers.

    Args:
        gap: least distance between two items beside each other in a layer.
    """
    layer = [0] * nodes
    for target in range(nodes):
        layer[target] = max((layer[source] + 1 for source, end in edges if end == target), default=0)
    chains = []
    for source, target in edges:
        passed = range(layer[source] + 1, layer[target])
        chains.append((source, *range(len(layer), len(layer) + len(passed)), target))
        layer += passed
    steps = [step for chain in chains for step in itertools.pairwise(chain)]
    rows = _ordered(layer, steps)
    across = _placed(rows, steps, layer, nodes, gap)
    least = min(across)
    return Layout(tuple(layer), tuple(place - least for place in across), tuple(chains))


def _ordered(layer: Sequence[int], steps: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The items of each layer from one side to the other: the order with fewest crossings that the sweeps meet."""
    rows: list[list[int]] = [[] for _ in range(max(layer) + 1)]
    for item, its in enumerate(layer):
        rows[its].append(item)
    best, fewest = [list(row) for row in rows], _crossings(rows, steps)
    for sweep in range(2 * SWEEPS):
        forward = sweep % 2 == 0
        for number in range(1, len(rows)) if forward else range(len(rows) - 2, -1, -1):
            beside = rows[number - 1 if forward else number + 1]
            place = {item: at for at, item in enumerate(beside)}
            middle = {
                item: _mean([place[a if forward else b] for a, b in steps if (b if forward else a) == item], at)
                for at, item in enumerate(rows[number])
            }
            # ties the other way round in every second pair of sweeps, as Sugiyama's second phase does
            turned = sorted(rows[number], reverse=sweep % 4 >= 2)
            rows[number] = sorted(turned, key=middle.__getitem__)
        if (found := _crossings(rows, steps)) < fewest:
            best, fewest = [list(row) for row in rows], found
    return best


def _crossings(rows: Sequence[Sequence[int]], steps: Sequence[tuple[int, int]]) -> int:
    place = {item: (number, at) for number, row in enumerate(rows) for at, item in enumerate(row)}
    count = 0
    for (a, b), (c, d) in itertools.combinations(steps, 2):
        if place[a][0] == place[c][0]:
            count += (place[a][1] - place[c][1]) * (place[b][1] - place[d][1]) < 0
    return count


def _placed(
    rows: Sequence[Sequence[int]], steps: Sequence[tuple[int, int]], layer: Sequence[int], nodes: int,
    gap: Callable[[int, int], float],
) -> list[float]:  # fmt: skip
    """Every item near the mean of those it is joined to, at least ``gap`` from those beside it."""
    near: list[list[tuple[int, float]]] = [[] for _ in layer]
    for a, b in steps:
        weight = STRAIGHT if a >= nodes and b >= nodes else 1.0
        near[a].append((b, weight))
        near[b].append((a, weight))
    across = [0.0] * len(layer)
    for row in rows:
        offsets = _offsets(row, gap)
        for item, offset in zip(row, offsets, strict=True):
            across[item] = offset - offsets[-1] / 2
    for sweep in range(4 * SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            weights = [sum(weight for _, weight in near[item]) or 1.0 for item in row]
            wishes = [
                sum(weight * across[other] for other, weight in near[item]) / total if near[item] else across[item]
                for item, total in zip(row, weights, strict=True)
            ]
            offsets = _offsets(row, gap)
            shifted = [wish - offset for wish, offset in zip(wishes, offsets, strict=True)]
            for item, offset, place in zip(row, offsets, _rising(shifted, weights), strict=True):
                across[item] = place + offset
    return across


def _offsets(row: Sequence[int], gap: Callable[[int, int], float]) -> list[float]:
    return [0.0, *itertools.accumulate(gap(a, b) for a, b in itertools.pairwise(row))]


def _rising(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The nearest rising sequence in weighted least squares: pool adjacent violators."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for value, weight in zip(values, weights, strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, w1, n1), (two, w2, n2) = pools[-2:]
            pools[-2:] = [((one * w1 + two * w2) / (w1 + w2), w1 + w2, n1 + n2)]
    return [mean for mean, _, members in pools for _ in range(members)]


def _mean(values: Sequence[int], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
