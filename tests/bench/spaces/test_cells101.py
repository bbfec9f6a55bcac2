"""The NAS-Bench-101 space: exact identity, texts, operations, sampling and mutation laws."""

from __future__ import annotations

import itertools
import pickle
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.errors import BadArchitecture
from nasgauge.bench.spaces import Graph
from nasgauge.bench.spaces.cells101 import SIZE, Cells101, load_codes
from nasgauge.bench.spaces.cells101_code import num_vertices
from nasgauge.bench.spaces.cells101_hash import OPERATIONS, module_hash, prune
from nasgauge.testing import SpaceConformance

Cell = tuple[list[list[int]], list[str]]
SPACE = Cells101()
EVERY = np.arange(SIZE)
#: google-research/nasbench NASBench.ipynb, "Basic usage": an Inception-like cell.
INCEPTION = "conv1x1~0+conv3x3~0+conv3x3~0+conv3x3~3+maxpool3x3~0+output~1,2,4,5"


class TestCells101(SpaceConformance):
    def make_space(self) -> Cells101:
        return Cells101()


def cell(arch: int) -> Cell:
    graph = SPACE.graph(arch)
    return graph.adjacency.astype(int).tolist(), list(graph.nodes)


def graph_of(matrix: list[list[int]] | np.ndarray, operations: list[str]) -> Graph:
    return Graph(tuple(operations), tuple((int(x), int(y), "") for x, y in np.argwhere(np.array(matrix))))


def id_or_none(matrix: list[list[int]] | np.ndarray, operations: list[str]) -> int | None:
    try:
        return SPACE.from_graph(graph_of(matrix, operations))
    except BadArchitecture:
        return None


@settings(max_examples=200)
@given(st.integers(0, SIZE - 1), st.randoms(use_true_random=False))
def test_every_renumbering_of_a_cell_has_its_id_and_hash(arch: int, random) -> None:  # type: ignore[no-untyped-def]
    matrix, operations = cell(arch)
    order: list[int] = []
    while len(order) < len(matrix):  # a random topological order; input and output stay at the ends by necessity
        ready = [v for v in range(len(matrix)) if v not in order and all(w in order for w in range(v) if matrix[w][v])]
        order.append(random.choice(ready))
    renumbered = [[matrix[x][y] for y in order] for x in order]
    names = [operations[v] for v in order]
    assert SPACE.from_graph(graph_of(renumbered, names)) == arch
    assert module_hash(renumbered, names) == SPACE.hash(arch)


@settings(max_examples=200)
@given(st.integers(0, SIZE - 1), st.integers(1, 4), st.integers(0, 2**32))
def test_superfluous_vertices_are_pruned(arch: int, extra: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, operations = np.array(cell(arch)[0]), cell(arch)[1]
    for _ in range(extra):  # a vertex that nothing feeds, or that feeds nothing; more than 7 are fine before pruning
        place = int(rng.integers(1, len(matrix)))
        matrix = np.insert(np.insert(matrix, place, 0, axis=0), place, 0, axis=1)
        if rng.random() < 0.5:
            matrix[place, place + 1 :] = rng.integers(2, size=len(matrix) - place - 1)
        else:
            matrix[:place, place] = rng.integers(2, size=place)
        operations.insert(place, "anything")
    assert SPACE.from_graph(graph_of(matrix, operations)) == arch


def test_graphs_lead_back_to_their_ids_and_prune_to_themselves() -> None:
    for arch in np.random.default_rng(1).choice(SIZE, 2_000, replace=False).tolist():
        graph = SPACE.graph(arch)
        assert SPACE.from_graph(graph) == arch
        pruned = prune(graph.adjacency, graph.nodes)
        assert pruned is not None
        assert tuple(pruned[1]) == graph.nodes


def test_text_takes_short_and_long_names_in_any_numbering() -> None:
    arch = SPACE.parse(INCEPTION)
    assert (
        SPACE.parse(INCEPTION.replace("conv1x1~", "conv1x1-bn-relu~").replace("conv3x3~", "conv3x3-bn-relu~")) == arch
    )
    assert SPACE.parse(" conv3x3~0+conv3x3~1+conv3x3~0+maxpool3x3~0+conv1x1~0+output~2,3,4,5\n") == arch
    assert SPACE.text(SPACE.parse("output~0")) == "output~0"
    assert SPACE.parse("conv1x1~0+output~0") == SPACE.parse("output~0")


NINE_AND_ONE = "conv3x3~0+conv3x3~0,1+conv3x3~0,1,2+output~0,1,2,3"
WRONG_TEXTS = {
    NINE_AND_ONE: "10 edges",
    "conv3x3~0+output~": "does not reach",
    "conv5x5~0+output~1": "conv3x3, conv1x1",
    "conv3x3~0": "output",
    "conv3x3~0+output": "output",
    "conv3x3~1+output~1": "lower to a higher",
    "conv3x3~2+output~1": "lower to a higher",
    "conv3x3~0,0+output~1": "two edges",
    "conv3x3~0,x+output~1": "SOURCE",
    "+".join(["conv3x3~0", *(f"conv3x3~{v}" for v in range(1, 6)), "output~6"]): "8 vertices",
    "0" * 32: "module hash of no cell",
    "f" * 32: "module hash of no cell",
}


@pytest.mark.parametrize("text", WRONG_TEXTS, ids=range(len(WRONG_TEXTS)))
def test_an_illegal_text_names_the_rule_it_breaks(text: str) -> None:
    with pytest.raises(BadArchitecture, match=WRONG_TEXTS[text]):
        SPACE.parse(text)


@pytest.mark.parametrize(
    ("graph", "rule"),
    [
        (Graph(("output",), ()), "first one"),
        (Graph(("conv3x3-bn-relu", "output"), ((0, 1, ""),)), "first one"),
        (Graph(("input", "conv3x3-bn-relu"), ((0, 1, ""),)), "last one"),
        (Graph(("input", "output"), ((0, 1, "skip_connect"),)), "label"),
        (Graph(("input", "conv3x3", "output"), ((0, 1, ""), (1, 2, ""))), "unknown operation 'conv3x3'"),
        (Graph(("input", "input", "output"), ((0, 1, ""), (1, 2, ""))), "unknown operation 'input'"),
    ],
)
def test_an_illegal_graph_names_the_rule_it_breaks(graph: Graph, rule: str) -> None:
    with pytest.raises(BadArchitecture, match=rule):
        SPACE.from_graph(graph)


def test_operations_of_every_cell_lead_back_to_its_id() -> None:
    rows = SPACE.operations(EVERY)
    assert rows.shape == (SIZE, 26)
    np.testing.assert_array_equal(SPACE.from_operations(rows), EVERY)


def test_operations_are_the_matrix_row_by_row_and_the_labels_with_gaps_where_a_small_cell_has_no_vertex() -> None:
    row = SPACE.operations([SPACE.parse("maxpool3x3~0+output~0,1")])[0]
    matrix = np.full((7, 7), -9)
    matrix[np.triu_indices(7, 1)] = row[:21]
    assert matrix[0].tolist() == [-9, 1, -1, -1, -1, -1, 1]
    assert matrix[1, 2:].tolist() == [-1, -1, -1, -1, 1]
    assert (row[21:] == [2, -1, -1, -1, -1]).all()
    assert (row == -1).sum() == 26 - 4


def test_any_row_of_26_choices_has_the_id_of_its_matrix_or_is_refused() -> None:
    rng = np.random.default_rng(2)
    rows = np.concatenate(
        [rng.random((3_000, 21)) < rng.uniform(0.2, 0.6, (3_000, 1)), rng.integers(3, size=(3_000, 5))], 1
    )
    expected = []
    for row in rows:
        matrix = np.zeros((7, 7), dtype=int)
        matrix[np.triu_indices(7, 1)] = row[:21]
        expected.append(id_or_none(matrix, ["input", *(OPERATIONS[label] for label in row[21:]), "output"]))
    legal = np.array([arch is not None for arch in expected])
    assert 500 < legal.sum() < 2_900
    np.testing.assert_array_equal(SPACE.from_operations(rows[legal]), [arch for arch in expected if arch is not None])
    for row in rows[~legal][:50]:
        with pytest.raises(BadArchitecture, match=r"does not reach|at most 9"):
            SPACE.from_operations(row[None])


def test_operations_that_apply_may_not_be_left_out() -> None:
    row = SPACE.operations([SPACE.parse(INCEPTION)])
    row[0, 23] = -1
    with pytest.raises(BadArchitecture, match="row 0 has operation -1 on a path"):
        SPACE.from_operations(row)


def test_rejection_sampling_follows_the_official_law() -> None:
    rng, drawn = np.random.default_rng(3), 20_000
    naive: Counter[int] = Counter()
    while naive.total() < 4_000:
        matrix = np.triu(rng.integers(0, 2, (7, 7)), 1)
        arch = id_or_none(matrix, ["input", *(OPERATIONS[label] for label in rng.integers(3, size=5)), "output"])
        if arch is not None:
            naive[int(num_vertices(load_codes()[arch]))] += 1
    ids = SPACE.sample_rejection(drawn, np.random.default_rng(4))
    ours = np.bincount(num_vertices(load_codes()[ids]), minlength=8) / drawn
    for vertices in range(2, 8):
        assert ours[vertices] == pytest.approx(naive[vertices] / naive.total(), abs=0.035)
    assert ours[7] < 0.01 < 0.05 < ours[2]  # far from uniform: 85 % of the cells have 7 vertices
    np.testing.assert_array_equal(ids, SPACE.sample_rejection(drawn, np.random.default_rng(4)))
    assert SPACE.sample_rejection(0, rng).shape == (0,)


@pytest.mark.parametrize("text", [INCEPTION, "output~0", "conv1x1~0+maxpool3x3~0,1+output~2", None])
def test_neighbours_are_all_single_edits_of_the_stored_cell(text: str | None) -> None:
    arch = 314_159 if text is None else SPACE.parse(text)
    matrix, operations = cell(arch)
    found: set[int | None] = set()
    for x, y in itertools.combinations(range(len(matrix)), 2):
        edited = [row.copy() for row in matrix]
        edited[x][y] = 1 - edited[x][y]
        found.add(id_or_none(edited, operations))
    for v in range(1, len(matrix) - 1):
        found |= {id_or_none(matrix, [*operations[:v], other, *operations[v + 1 :]]) for other in OPERATIONS}
    assert SPACE.neighbours(arch).tolist() == sorted(other for other in found if other not in (None, arch))


def naive_child(arch: int, rng: np.random.Generator) -> int:
    """mutate_spec of the notebook on the 7-vertex embedding."""
    stored, names = cell(arch)
    size = len(stored)
    place = [*range(size - 1), 6]
    matrix = np.zeros((7, 7), dtype=int)
    matrix[np.ix_(place, place)] = stored
    operations = ["input", *names[1:-1], *(OPERATIONS[label] for label in rng.integers(3, size=7 - size)), "output"]
    while True:
        flips = np.triu(rng.random((7, 7)) < 1 / 7, 1)
        new = operations.copy()
        for v in range(1, 6):
            if rng.random() < 1 / 5:
                new[v] = str(rng.choice([name for name in OPERATIONS if name != operations[v]]))
        child = id_or_none(matrix ^ flips, new)
        if child is not None:
            return child


@pytest.mark.parametrize("text", [INCEPTION, "conv1x1~0+maxpool3x3~0,1+output~2"])
def test_mutation_follows_the_law_of_the_notebook(text: str) -> None:
    arch, draws = SPACE.parse(text), 4_000
    rng = np.random.default_rng(5)
    families: list[Callable[[], np.ndarray]] = [
        lambda: np.array([naive_child(arch, rng) for _ in range(draws)]),
        lambda: SPACE.mutate(np.full(draws, arch), rng),
        lambda: np.array([SPACE.mutate_one(arch, rng) for _ in range(draws)]),
    ]
    statistics = []
    for children in (family() for family in families):
        rows = SPACE.operations(children)
        features = [children == arch, *(num_vertices(load_codes()[children]) == size for size in range(2, 8))]
        features += [(rows[:, 21] == label) for label in range(3)] + [rows[:, slot] == 1 for slot in range(21)]
        statistics.append(np.mean(features, axis=1))
    for ours in statistics[1:]:
        spread = np.sqrt((statistics[0] * (1 - statistics[0]) + 1e-3) * 2 / draws)
        assert (np.abs(ours - statistics[0]) < 5 * spread).all()
    assert 0.005 < statistics[0][0] < 0.5  # the law permits the parent's own class


def test_a_pickled_space_carries_no_data() -> None:
    blob = pickle.dumps(SPACE)
    assert len(blob) < 200
    assert pickle.loads(blob).text(7) == SPACE.text(7)


@pytest.mark.speed
def test_single_questions_are_fast() -> None:
    rng = np.random.default_rng(6)
    SPACE.mutate_one(0, rng)

    def milliseconds(ask: Callable[[], object], repeats: int) -> float:
        start = time.perf_counter()
        for _ in range(repeats):
            ask()
        return (time.perf_counter() - start) / repeats * 1e3

    assert milliseconds(Cells101, 20) < 5
    assert milliseconds(lambda: SPACE.neighbours(int(rng.integers(SIZE))), 200) < 2
    assert milliseconds(lambda: SPACE.mutate_one(int(rng.integers(SIZE)), rng), 2_000) < 0.2
