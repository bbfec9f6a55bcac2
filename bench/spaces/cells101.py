"""The cell space of NAS-Bench-101: at most 7 vertices and 9 edges, operations on vertices, 423,624 cells."""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import BadArchitecture, BadFile
from .cells101_code import (
    DIGITS,
    EDGE_SLOTS,
    FIRST_CODE,
    INTERIOR,
    LABELINGS,
    MAX_EDGES,
    MAX_VERTICES,
    PLACES,
    SLOT_BITS,
    SOURCES,
    TARGETS,
    UNCONNECTED,
    Codes,
    canonical_embedded,
    canonical_embedded_one,
    canonical_one,
    edge_bit,
    embed,
    embed_one,
    kept_vertices,
)
from .cells101_cost import network_cost
from .cells101_hash import INPUT, OPERATIONS, OUTPUT, code_hash, prune
from .graph import Graph
from .space import Ids, Space

SIZE = 423_624
CODES_FILE = Path(__file__).with_name("cells101.npy")
CODES_CRC32 = 0x7EFB104D
SLOTS = EDGE_SLOTS + INTERIOR

_SHORT = {name.removesuffix("-bn-relu"): name for name in OPERATIONS}
_FULL = _SHORT | {name: name for name in OPERATIONS}
_OUTPUT = MAX_VERTICES - 1
_BIT_VALUES = 1 << np.arange(EDGE_SLOTS)
_FLIP = 1 / MAX_VERTICES  # probability that mutation flips an edge bit ...
_REDRAW = 1 / INTERIOR  # ... and that it takes another operation

_USED = np.arange(MAX_VERTICES) < np.arange(MAX_VERTICES + 1)[:, None] - 1  # vertices of cells of 0 to 7 vertices
_USED[:, _OUTPUT] = True
#: Which slots of `Cells101.operations` apply to cells of 0 to 7 vertices, (8, 26).
_APPLIES = np.concatenate([_USED[:, SOURCES] & _USED[:, TARGETS], _USED[:, 1:_OUTPUT]], axis=1)


def codes_crc32(codes: Codes) -> int:
    """Checksum of codes as they lie in the shipped file (little-endian)."""
    return zlib.crc32(np.ascontiguousarray(codes, dtype="<u4").data)


def load_codes(path: Path = CODES_FILE) -> Codes:
    """The codes (`cells101_code`) of all cells in official order, (423624,) uint32, memory-mapped and checked."""
    rebuild = f"python -m nasgauge.bench.spaces.cells101_enumeration --write {path}"
    repair = f"install nasgauge again, or rebuild it with `{rebuild}`"
    try:
        codes = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BadFile(f"{path}: the list of NAS-Bench-101 cells is unreadable ({error}); {repair}") from error
    if not isinstance(codes, np.memmap) or codes.shape != (SIZE,) or codes.dtype != np.dtype("<u4"):
        raise BadFile(f"{path}: not a list of {SIZE:,} cells as uint32; {repair}")
    if codes_crc32(codes) != CODES_CRC32:
        raise BadFile(f"{path}: the list of NAS-Bench-101 cells is damaged (checksum); {repair}")
    return codes.view(np.ndarray)


class Cells101(Space):
    """Cells of NAS-Bench-101 (Ying et al., ICML 2019): vertex 0 is the input, the last one the output, each vertex
    between them applies one of `OPERATIONS` to the sum of its sources; the output concatenates.

    Ids follow the ascending official module hash (`hash`), one per isomorphism class; the stored graph of a class is
    the one that the official ``generate_graphs.py`` keeps, so matrices, operations and counts agree with the table.

    The text of a cell lists vertex 1, 2, ... and the output with their sources: ``conv3x3~0+maxpool3x3~0,1+output~1,2``
    is a convolution of the input, a pooling of the input and vertex 1, and an output that gathers vertices 1 and 2.
    `parse` takes any numbering, unpruned cells, the long names of operations and the 32 digits of a module hash.

    A row of `operations` is the view of nas_benchmarks: the 21 edges of 7 vertices, row by row of the matrix
    (``np.triu_indices(7, 1)``), 1 where the edge exists, then the operations of vertices 1 to 5 (index in
    `OPERATIONS`). The output of a smaller cell is vertex 6, its interior vertices keep their numbers, and whatever
    touches the vertices in between does not apply: -1. `from_operations` takes any row that prunes to a cell, with
    -1 for "no edge" and for operations of vertices that no path uses.
    """

    name = "cells101"
    mutation_law = (
        "each of the 21 edge bits of the 7-vertex cell flips with probability 1/7 and each of the 5 interior "
        "operations becomes another one with probability 1/5, repeated until legal (NAS-Bench-101 notebook)"
    )

    def __init__(self) -> None:
        self._codes = load_codes()

    def __reduce__(self) -> tuple[type[Cells101], tuple[()]]:
        return type(self), ()  # another process maps the file itself

    @property
    def size(self) -> int:
        return SIZE

    @cached_property
    def _by_code(self) -> tuple[Codes, npt.NDArray[np.int32]]:
        """All codes ascending, and the ids they belong to."""
        order = np.argsort(self._codes).astype(np.int32)
        return self._codes[order], order

    def _ids_of(self, codes: Codes) -> Ids:
        ascending, order = self._by_code
        return order[np.searchsorted(ascending, codes)].astype(np.int64)

    def id_of_code(self, code: int) -> int:
        """The id of a canonical code (`cells101_code.canonical_one`)."""
        ascending, order = self._by_code
        return int(order[ascending.searchsorted(np.uint32(code))])

    def hash(self, arch: int) -> str:
        """The official module hash, 32 hexadecimal digits; ids ascend with it."""
        return code_hash(int(self._codes[self.id(arch)]))

    def text(self, arch: int) -> str:
        graph = self.graph(arch)
        sources: list[list[str]] = [[] for _ in graph.nodes]
        for source, target, _ in graph.edges:
            sources[target].append(str(source))
        names = [name.removesuffix("-bn-relu") for name in graph.nodes]
        return "+".join(f"{name}~{','.join(fed)}" for name, fed in zip(names[1:], sources[1:], strict=True))

    def parse(self, text: str) -> int:
        text = text.strip()
        if re.fullmatch("[0-9a-fA-F]{32}", text):
            place = bisect_left(range(SIZE), text.lower(), key=self.hash)
            if place == SIZE or self.hash(place) != text.lower():
                raise BadArchitecture(f"{text} is the module hash of no cell of NAS-Bench-101")
            return place
        nodes, edges = [INPUT], []
        vertices = text.split("+")
        for number, vertex in enumerate(vertices, start=1):
            name, _, fed = vertex.partition("~")
            legal = (OUTPUT,) if number == len(vertices) else tuple(_FULL)
            if name not in legal or not re.fullmatch(r"(\d{1,4}(,\d{1,4})*)?", fed):
                raise BadArchitecture(
                    f"{vertex!r} at vertex {number} of {text!r}; expected NAME~SOURCE,SOURCE,... with NAME one of "
                    f"{', '.join(legal)}, for example {self.text(0)!r}"
                )
            nodes.append(_FULL.get(name, name))
            edges += [(int(source), number, "") for source in fed.split(",") if source]
        return self.from_graph(Graph(tuple(nodes), tuple(edges)))

    def graph(self, arch: int) -> Graph:
        bits, labeling, vertices = embed_one(int(self._codes[self.id(arch)]))
        nodes = (INPUT, *(OPERATIONS[label] for label in DIGITS[labeling, : vertices - 2]), OUTPUT)
        numbers = {**{vertex: vertex for vertex in range(vertices - 1)}, _OUTPUT: vertices - 1}
        edges = tuple(
            (start, end, "")
            for source, start in numbers.items()
            for target, end in numbers.items()
            if source < target and bits >> edge_bit(source, target) & 1
        )
        return Graph(nodes, edges)

    def from_graph(self, graph: Graph) -> int:
        """The id of any graph that prunes to a cell: isomorphic graphs and superfluous vertices are welcome."""
        if len(graph.nodes) < 2 or graph.nodes[0] != INPUT or graph.nodes[-1] != OUTPUT:
            raise BadArchitecture(f"vertices {graph.nodes}; the first one is {INPUT!r} and the last one {OUTPUT!r}")
        if labelled := [edge for edge in graph.edges if edge[2]]:
            raise BadArchitecture(f"edge {labelled[0]} has a label; the operations of this space are on the vertices")
        pruned = prune(graph.adjacency, graph.nodes)
        if pruned is None:
            raise BadArchitecture("the input does not reach the output; a cell has a path from first to last vertex")
        matrix, names = pruned
        if unknown := [name for name in names[1:-1] if name not in OPERATIONS]:
            raise BadArchitecture(f"unknown operation {unknown[0]!r}; legal: {', '.join(OPERATIONS)}")
        if len(names) > MAX_VERTICES:
            raise BadArchitecture(f"{len(names)} vertices after pruning; a cell has at most {MAX_VERTICES}")
        if matrix.sum() > MAX_EDGES:
            raise BadArchitecture(f"{matrix.sum()} edges after pruning; a cell has at most {MAX_EDGES}")
        bits = sum(1 << edge_bit(int(source), int(target)) for source, target in np.argwhere(matrix))
        labeling = 0
        for name in names[1:-1]:
            labeling = 3 * labeling + OPERATIONS.index(name)
        return self.id_of_code(canonical_one(bits * FIRST_CODE + labeling, len(names)))

    def operations(self, ids: npt.ArrayLike) -> npt.NDArray[np.int8]:
        bits, labelings, vertices = embed(self._codes[self.check(ids)])
        rows = np.concatenate([(bits[..., None] >> SLOT_BITS & 1).astype(np.int8), DIGITS[labelings]], axis=-1)
        rows[~_APPLIES[vertices]] = -1
        return rows

    def from_operations(self, operations: npt.ArrayLike) -> Ids:
        rows = np.asarray(operations)
        if rows.shape[-1:] != (SLOTS,) or rows.dtype.kind not in "iu":
            raise BadArchitecture(
                f"operations of shape {rows.shape}, dtype {rows.dtype}; legal: integers, (n, {SLOTS})"
            )
        shape, rows = rows.shape[:-1], rows.reshape(-1, SLOTS)
        edges, labels = rows[:, :EDGE_SLOTS], rows[:, EDGE_SLOTS:]
        for part, largest, meaning in ((edges, 1, "0 or 1 for an edge"), (labels, 2, "0 to 2 for an operation")):
            if len(wrong := np.argwhere((part < -1) | (part > largest))):
                row, slot = wrong[0]
                raise BadArchitecture(f"choice {part[row, slot]} in row {row}; legal: {meaning}, -1 for not applicable")
        bits = (edges == 1) @ (1 << SLOT_BITS)
        nameless = (labels == -1) @ (2 << np.arange(INTERIOR)) & kept_vertices(bits)
        if nameless.any():
            raise BadArchitecture(f"row {np.argmax(nameless != 0)} has operation -1 on a path; legal: 0 to 2")
        codes = canonical_embedded(bits, np.where(labels == -1, 0, labels).astype(np.int64) @ PLACES)
        if (codes < FIRST_CODE).any():
            row = int(np.argmax(codes < FIRST_CODE))
            if codes[row] == UNCONNECTED:
                raise BadArchitecture(
                    f"the input of row {row} does not reach its output; a cell has a path between them"
                )
            raise BadArchitecture(f"row {row} has too many edges after pruning; a cell has at most {MAX_EDGES}")
        return self._ids_of(codes).reshape(shape)

    def sample_rejection(self, n: int, rng: np.random.Generator) -> Ids:
        """``n`` cells by the official law: each of 21 edge bits and 5 operations uniform, redrawn until legal.

        The law of ``random_spec`` in the NAS-Bench-101 notebook. It is far from uniform over ids (`sample` is): a cell
        comes up as often as unpruned graphs of 7 vertices reduce to it, so that one draw in ten is the cell without
        interior vertices and one in three hundred has all 7, as 85 % of the cells do.
        """
        found = np.empty(0, dtype=np.uint32)
        while len(found) < n:
            draws = rng.integers((1 << EDGE_SLOTS) * LABELINGS, size=2 * (n - len(found)))
            codes = canonical_embedded(draws // LABELINGS, draws % LABELINGS)
            found = np.concatenate([found, codes[codes >= FIRST_CODE]])
        return self._ids_of(found[:n])

    def neighbour_pairs(self, ids: npt.ArrayLike) -> tuple[Ids, Ids]:
        """Distinct other cells after one edit of the stored cell.

        An edit flips one edge bit between two vertices of the cell or gives one interior vertex another operation;
        results that prune to a legal cell count. A vertex of its own would need two new edges, so the padding of
        smaller cells gives no neighbours, and the relation is not symmetric: an edge that goes may take a vertex
        along.
        """
        archs = self.check(ids).ravel()
        bits, labelings, vertices = (part[:, None] for part in embed(self._codes[archs]))
        digits = labelings // PLACES % 3
        relabelled = np.concatenate([labelings + ((digits + shift) % 3 - digits) * PLACES for shift in (1, 2)], axis=1)
        flipped = bits ^ (1 << SLOT_BITS)
        applies = _APPLIES[vertices[:, 0]]
        applies = np.concatenate([applies, applies[:, EDGE_SLOTS:]], axis=1)
        rows = np.nonzero(applies)[0]
        edited = np.concatenate([flipped, np.broadcast_to(bits, relabelled.shape)], axis=1)
        labels = np.concatenate([np.broadcast_to(labelings, flipped.shape), relabelled], axis=1)
        codes = canonical_embedded(edited[applies], labels[applies])
        legal = codes >= FIRST_CODE
        rows, found = rows[legal], self._ids_of(codes[legal])
        pairs = np.unique(rows[found != archs[rows]] * SIZE + found[found != archs[rows]])
        return pairs // SIZE, pairs % SIZE

    def mutate(self, ids: npt.ArrayLike, rng: np.random.Generator) -> Ids:
        """Children by the law of ``mutate_spec`` in the NAS-Bench-101 notebook with rate 1.

        As there, the child may be its parent's own class (2.6 % of the children of uniform cells are). Deviation: the
        notebook mutates the unpruned matrix that it drew or bred; an id remembers no pruned vertices, so a smaller
        cell is placed among 7 vertices as `operations` has it, its padding vertices without edges and with uniformly
        random operations.
        """
        parents = self.check(ids)
        bits, labelings, vertices = embed(self._codes[parents.ravel()])
        digits = DIGITS[labelings + rng.integers(3 ** (MAX_VERTICES - vertices))].astype(np.int64)
        children = np.empty(parents.size, dtype=np.uint32)
        waiting = np.arange(parents.size)
        while len(waiting):
            draws = rng.random((len(waiting), SLOTS))
            flips = (draws[:, :EDGE_SLOTS] < _FLIP) @ _BIT_VALUES
            labels = (digits[waiting] + _shifts(draws[:, EDGE_SLOTS:])) % 3
            codes = canonical_embedded(bits[waiting] ^ flips, labels @ PLACES)
            legal = codes >= FIRST_CODE
            children[waiting[legal]] = codes[legal]
            waiting = waiting[~legal]
        return self._ids_of(children).reshape(parents.shape)

    def mutate_one(self, arch: int, rng: np.random.Generator) -> int:
        bits, labeling, vertices = embed_one(int(self._codes[arch]))
        digits = DIGITS[labeling + int(rng.random() * 3 ** (MAX_VERTICES - vertices))]
        while True:
            draws = rng.random(SLOTS)
            flips = int((draws[:EDGE_SLOTS] < _FLIP) @ _BIT_VALUES)
            child = int((digits + _shifts(draws[EDGE_SLOTS:])) % 3 @ PLACES)
            code = canonical_embedded_one(bits ^ flips, child)
            if code >= FIRST_CODE:
                return self.id_of_code(code)

    def canonical(self, ids: npt.ArrayLike) -> Ids:
        """The ids themselves: every cell stands for its whole isomorphism class."""
        return self.check(ids)

    def params(self, ids: npt.ArrayLike, classes: int = 10) -> npt.NDArray[np.int64]:
        """Trainable parameters of the network of 3 stacks of 3 cells, as the table has them (`cells101_cost`)."""
        return network_cost(self._codes[self.check(ids)], classes, 32)[..., 0]

    def flops(self, ids: npt.ArrayLike, classes: int = 10, image_size: int = 32) -> npt.NDArray[np.int64]:
        """Multiply-adds of convolutions and the linear layer with its bias; the rest counts nothing (as in `macro`)."""
        return network_cost(self._codes[self.check(ids)], classes, image_size)[..., 1]


def _shifts(draws: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """How far to turn each operation (mod 3): 1 or 2 with probability 1/10 each, from uniform draws."""
    return (draws < _REDRAW).astype(np.int64) + (draws < _REDRAW / 2)
