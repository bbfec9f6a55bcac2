"""The cell space of NAS-Bench-201 and NATS-Bench tss: five operations on six edges, 15,625 cells."""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import BadArchitecture, BadFile
from .graph import Graph
from .macro import edge_costs, reduction_cost, stem_and_head_cost
from .product import ProductSpace
from .space import Ids

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
ORDER_FILE = Path(__file__).with_name("topology.npy")
CHANNELS = (16, 32, 64)
CELLS_PER_STAGE = 5


class Topology(ProductSpace):
    """Cells of four nodes; edge j->i carries one of `OPERATIONS`, a node is the sum of what its edges bring.

    Ids are the official index of NAS-Bench-201 (Dong & Yang, ICLR 2020) and NATS-Bench: the product order, shuffled
    once by its authors; the order ships with the package and is checked against the published list.
    """

    name = "topology"
    mutation_law = (
        "a node uniformly, one of its incoming edges uniformly, another operation uniformly "
        "(edge probabilities 1/3; 1/6, 1/6; 1/9, 1/9, 1/9)"
    )

    @property
    def choices(self) -> tuple[tuple[str, ...], ...]:
        return (OPERATIONS,) * len(EDGES)

    @cached_property
    def slot_weights(self) -> tuple[int, ...]:
        return tuple(6 // target for _, target in EDGES)  # node `target` has as many incoming edges as its number

    @cached_property
    def numbering(self) -> Ids:
        try:
            order = np.load(ORDER_FILE, allow_pickle=False).astype(np.int64)
        except (OSError, ValueError) as error:
            raise BadFile(
                f"{ORDER_FILE}: the official order is unreadable ({error}); install nasgauge again"
            ) from error
        if not np.array_equal(np.sort(order), np.arange(len(OPERATIONS) ** len(EDGES))):
            raise BadFile(f"{ORDER_FILE}: not a permutation of the 15,625 cells; install nasgauge again")
        return order

    @property
    def size(self) -> int:
        return len(OPERATIONS) ** len(EDGES)

    def text(self, arch: int) -> str:
        names = [OPERATIONS[op] for op in self.operations(self.id(arch))]
        tokens = [f"{name}~{source}" for name, (source, _) in zip(names, EDGES, strict=True)]
        return "+".join(f"|{'|'.join(group)}|" for group in (tokens[:1], tokens[1:3], tokens[3:]))

    def parse(self, text: str) -> int:
        nodes = text.strip().split("+")
        row = []
        for number, node in enumerate(nodes, start=1):
            tokens = node.split("|")
            if len(nodes) != 3 or len(tokens) != number + 2 or tokens[0] or tokens[-1]:
                raise BadArchitecture(f"{text!r} is no cell text; expected the form {self.text(0)!r}")
            for source, token in enumerate(tokens[1:-1]):
                name, _, given = token.partition("~")
                if name not in OPERATIONS or given != str(source):
                    raise BadArchitecture(
                        f"{token!r} in {text!r}; expected OPERATION~{source} with one of {', '.join(OPERATIONS)}"
                    )
                row.append(OPERATIONS.index(name))
        return int(self.from_operations(row))

    def graph(self, arch: int) -> Graph:
        names = [OPERATIONS[op] for op in self.operations(self.id(arch))]
        edges = tuple((source, target, name) for (source, target), name in zip(EDGES, names, strict=True))
        return Graph(("input", "sum", "sum", "output"), edges)

    def from_graph(self, graph: Graph) -> int:
        """Edges that are absent from ``graph`` read as ``none``."""
        labels = {(source, target): name for source, target, name in graph.edges}
        unknown = sorted(set(labels.values()) - set(OPERATIONS))
        if len(graph.nodes) != 4 or unknown:
            raise BadArchitecture(
                f"a graph of {len(graph.nodes)} nodes with edge labels {sorted(set(labels.values()))}; "
                f"a cell has 4 nodes and labels among {', '.join(OPERATIONS)}"
            )
        return int(self.from_operations([OPERATIONS.index(labels.get(edge, "none")) for edge in EDGES]))

    def canonical(self, ids: npt.ArrayLike) -> Ids:
        """By the unique string of the official package (zeros considered): 6,466 classes.

        A skip passes its source on, ``none`` or a source that is exactly ``#`` gives ``#``, a node is the sorted sum
        of its terms. Two zero terms (``#+#``) are kept apart from one, as officially, so the classes are somewhat
        finer than equality of the computed function.
        """
        return _classes()[self.check(ids)]

    def params(self, ids: npt.ArrayLike, classes: int = 10) -> npt.NDArray[np.int64]:
        """Trainable parameters with 16 channels and 5 cells a stage, every edge counted whether reached or not."""
        return self._count(ids, classes, 32)[0]

    def flops(self, ids: npt.ArrayLike, classes: int = 10, image_size: int = 32) -> npt.NDArray[np.int64]:
        """Multiply-adds as the official counter has them (`macro` states the convention)."""
        return self._count(ids, classes, image_size)[1]

    def _count(self, ids: npt.ArrayLike, classes: int, image: int) -> npt.NDArray[np.int64]:
        fixed = stem_and_head_cost(CHANNELS[0], CHANNELS[-1], classes, image)
        for stage in (1, 2):
            fixed = fixed + reduction_cost(CHANNELS[stage - 1], CHANNELS[stage], image >> stage)
        per_operation = np.zeros((len(OPERATIONS), 2), dtype=np.int64)
        for stage, width in enumerate(CHANNELS):
            side = image >> stage
            per_operation += CELLS_PER_STAGE * np.array([edge_costs(name, width, width, side) for name in OPERATIONS])
        return np.moveaxis(fixed + per_operation[self.operations(ids)].sum(axis=-2), -1, 0)


@cache
def _classes() -> Ids:
    """Of every id, made once in a process: copies of the space share it."""
    every = Topology()
    return _isomorphism_classes(every.operations(np.arange(every.size)))


def _isomorphism_classes(operations: npt.NDArray[np.int8]) -> Ids:
    """Smallest row number with the same unique string, per row of (n, 6) operations.

    The string is built as the official `to_unique_str(consider_zero=True)` does, sums joined without parentheses: a
    skipped sum therefore melts into the next one, as addition allows.
    """

    def term(op: int, value: str) -> str:
        if op == 0 or value == "#":
            return "#"
        return value if op == 1 else f"({value})@{OPERATIONS[op]}"

    first: dict[str, int] = {}
    classes = np.empty(len(operations), dtype=np.int64)
    for row, (a, b, c, d, e, f) in enumerate(operations.tolist()):
        one = term(a, "0")
        two = "+".join(sorted((term(b, "0"), term(c, one))))
        three = "+".join(sorted((term(d, "0"), term(e, one), term(f, two))))
        classes[row] = first.setdefault(three, row)
    return classes
