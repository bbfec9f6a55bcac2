"""Architectures as shapes: cells with operations on nodes or on edges as layered graphs, layer widths as bars."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence

from .drawing import FONT, LINE, Box, Curve, Drawing, Point, Shape, Words
from .drawing_layout import Layout, layered
from .graph import Graph

BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442"
"""Of the palette of Okabe & Ito (2008), told apart by every kind of colour vision."""
PLAIN, PAPER, DARK = "#e5e7eb", "#ffffff", "#1d2430"

#: Words and colour of the operations that the official spaces name; what has no colour passes its input on.
OPERATIONS: dict[str, tuple[str, str | None]] = {
    "nor_conv_3x3": ("conv 3×3", BLUE),
    "conv3x3-bn-relu": ("conv 3×3", BLUE),
    "nor_conv_1x1": ("conv 1×1", ORANGE),
    "conv1x1-bn-relu": ("conv 1×1", ORANGE),
    "avg_pool_3x3": ("avg pool", GREEN),
    "maxpool3x3": ("max pool", GREEN),
    "skip_connect": ("skip", None),
}
ROLES = {"input": "in", "output": "out", "sum": "+"}
OTHERS = (PURPLE, SKY, YELLOW, BLUE, ORANGE, GREEN)
ABSENT = "none"  # the label of an edge that is not there
LONGEST = 14  # letters of a label

MARGIN = 8.0
HEIGHT = 20.0  # of a box
LETTER = 0.56 * FONT  # width of a letter on average
DOWN = 40.0  # from layer to layer where operations are nodes
RIGHT = 106.0  # where they are on edges ...
BESIDE = 38.0  # ... and from edge to edge beside it


def draw_graph(graph: Graph, title: str = "") -> Drawing:
    """A cell: from top to bottom with operations in its nodes, from left to right with operations on its edges."""
    if any(label for _, _, label in graph.edges):
        return _edges_named(graph, title)
    return _nodes_named(graph, title)


def draw_widths(widths: Sequence[int], most: int, names: Sequence[str], title: str = "") -> Drawing:
    """A bar for every layer, as high as it has channels, in the outline of the widest one."""
    step, wide, high = 46.0, 32.0, 76.0
    top = MARGIN + FONT + 6
    shapes: list[Shape] = []
    for place, (width, name) in enumerate(zip(widths, names, strict=True)):
        x, filled = MARGIN + step * (place + 0.5), high * width / most
        shapes += [
            Box((x, top + high / 2), wide, high, outline=LINE, dashed=True, round=3, pale=True),
            Box((x, top + high - filled / 2), wide, filled, fill=BLUE, round=min(3, filled / 2)),
            Words((x, top + high - filled - 8), str(width)),
            Words((x, top + high + 11), name),
        ]
    return Drawing(2 * MARGIN + step * len(widths), top + high + FONT + MARGIN + 4, tuple(shapes), title)


def _look(label: str) -> tuple[str, str | None]:
    """Words and colour of an operation; unknown ones keep their colour from cell to cell."""
    if label in OPERATIONS:
        return OPERATIONS[label]
    words = label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…"
    return words, OTHERS[zlib.crc32(label.encode()) % len(OTHERS)]


def _washed_out(colour: str) -> str:
    """A fifth of the colour on paper."""
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(255 - 0.2 * (255 - part)):02x}" for part in parts)


def _operation(middle: Point, label: str, pale: bool = False) -> Box:
    words, fill = _look(label)
    width = LETTER * len(words) + 12
    ink = LINE if pale else PAPER if fill == BLUE else DARK
    if fill is None:
        return Box(middle, width, HEIGHT - 2, words, PAPER, ink, outline=LINE, dashed=True, round=9)
    return Box(middle, width, HEIGHT - 2, words, _washed_out(fill) if pale else fill, ink, round=5)


def _node(middle: Point, label: str) -> Box:
    if label in ROLES or not label:
        words = ROLES.get(label, "")
        return Box(middle, max(HEIGHT, LETTER * len(words) + 14), HEIGHT, words, PLAIN, round=HEIGHT / 2)
    return _operation(middle, label)


def _nodes_named(graph: Graph, title: str) -> Drawing:
    widths = [_node((0, 0), label).width for label in graph.nodes]

    def gap(a: int, b: int) -> float:
        both = [widths[item] / 2 if item < len(widths) else 4.0 for item in (a, b)]
        return sum(both) + 10

    ends = [(source, target) for source, target, _ in graph.edges]
    layout = layered(len(graph.nodes), ends, gap)
    reach = [widths[item] / 2 if item < len(widths) else 2.0 for item in range(len(layout.across))]
    left = min(at - half for at, half in zip(layout.across, reach, strict=True))
    points = [
        (MARGIN + at - left, MARGIN + HEIGHT / 2 + DOWN * layer)
        for at, layer in zip(layout.across, layout.layer, strict=True)
    ]
    width = 2 * MARGIN + max(at + half for at, half in zip(layout.across, reach, strict=True)) - left
    curves = [
        _downwards([points[item] for item in chain], *ports)
        for chain, ports in zip(layout.chains, _ports(layout, points, widths), strict=True)
    ]
    boxes = [_node(point, label) for point, label in zip(points, graph.nodes, strict=False)]
    return Drawing(width, 2 * MARGIN + HEIGHT + DOWN * max(layout.layer), (*curves, *boxes), title)


def _ports(layout: Layout, points: Sequence[Point], widths: Sequence[float]) -> list[tuple[float, float]]:
    """How far from the middle of its source each edge leaves, and of its target arrives: side by side, uncrossed."""
    ports = [[0.0, 0.0] for _ in layout.chains]
    for node, width in enumerate(widths):
        for end, along in ((0, 1), (-1, -2)):  # edges that leave, then edges that arrive, by where they come by next
            its = [edge for edge, chain in enumerate(layout.chains) if chain[end] == node]
            its.sort(key=lambda edge, along=along: points[layout.chains[edge][along]][0])  # type: ignore[misc]
            step = min(12.0, (width - 14) / max(len(its) - 1, 1))
            for place, edge in enumerate(its):
                ports[edge][end] = step * (place - (len(its) - 1) / 2)
    return [(leave, arrive) for leave, arrive in ports]


def _downwards(points: Sequence[Point], leave: float, arrive: float) -> Curve:
    places = list(points)
    places[0] = (places[0][0] + leave, places[0][1] + HEIGHT / 2 - 1)
    places[-1] = (places[-1][0] + arrive, places[-1][1] - HEIGHT / 2 + 1)
    pieces = []
    for (x0, y0), (x1, y1) in itertools.pairwise(places):
        half = (y1 - y0) / 2
        pieces.append(((x0, y0 + half), (x1, y1 - half), (x1, y1)))
    return Curve(places[0], tuple(pieces))


def _edges_named(graph: Graph, title: str) -> Drawing:
    ends = [(source, target) for source, target, _ in graph.edges]
    layout = layered(len(graph.nodes), ends, lambda a, b: BESIDE)
    points = [
        (MARGIN + 16 + RIGHT * layer, MARGIN + HEIGHT / 2 + at)
        for at, layer in zip(layout.across, layout.layer, strict=True)
    ]
    useful = _useful(graph)
    curves: list[Shape] = []
    boxes: list[Shape] = []
    for chain, (_, _, label), used in zip(layout.chains, graph.edges, useful, strict=True):
        places = [points[item] for item in chain]
        absent = label == ABSENT
        reach = [_node((0, 0), graph.nodes[end]).width / 2 for end in (chain[0], chain[-1])]
        curves.append(_rightwards(places, reach, absent=absent, pale=absent or not used))
        if label and not absent:
            boxes.append(_operation(_middle(places), label, pale=not used))
    nodes = [_node(point, label) for point, label in zip(points, graph.nodes, strict=False)]
    width = 2 * MARGIN + 32 + RIGHT * max(layout.layer)
    return Drawing(width, 2 * MARGIN + HEIGHT + max(layout.across), (*curves, *boxes, *nodes), title)


def _useful(graph: Graph) -> list[bool]:
    """Which edges lie on a way from the first to the last node that no absent edge interrupts."""
    there = [(source, target) for source, target, label in graph.edges if label != ABSENT]
    from_first, to_last = {0}, {len(graph.nodes) - 1}
    for source, target in sorted(there):
        if source in from_first:
            from_first.add(target)
    for source, target in sorted(there, reverse=True):
        if target in to_last:
            to_last.add(source)
    return [source in from_first and target in to_last for source, target, _ in graph.edges]


def _rightwards(points: Sequence[Point], reach: Sequence[float], *, absent: bool, pale: bool) -> Curve:
    places = list(points)
    places[0] = (places[0][0] + reach[0] - 1, places[0][1])
    places[-1] = (places[-1][0] - reach[1] + 1, places[-1][1])
    pieces = []
    for (x0, y0), (x1, y1) in itertools.pairwise(places):
        half = (x1 - x0) / 2
        pieces.append(((x0 + half, y0), (x1 - half, y1), (x1, y1)))
    return Curve(places[0], tuple(pieces), dashed=absent, arrow=not absent, pale=pale)


def _middle(points: Sequence[Point]) -> Point:
    """Half way along the places of an edge; on a step between two of them, half way between both.

    Where there is one step only, a little before: other edges come in from both sides where it ends.
    """
    at, odd = divmod(len(points) - 1, 2)
    if not odd:
        return points[at]
    (x0, y0), (x1, y1) = points[at], points[at + 1]
    before = 5.0 if len(points) == 2 else 0.0
    return (x0 + x1) / 2 - before, (y0 + y1) / 2
