"""The set of NAS-Bench-101 cells, their official order and hashes, and the shipped file."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.errors import BadArchitecture, BadFile
from nasgauge.bench.spaces import Graph
from nasgauge.bench.spaces.cells101 import CODES_FILE, SIZE, Cells101, load_codes
from nasgauge.bench.spaces.cells101_code import num_vertices
from nasgauge.bench.spaces.cells101_enumeration import enumerate_cells, main
from nasgauge.bench.spaces.cells101_hash import OPERATIONS, module_hash, prune

SPACE = Cells101()


def naive_hash(matrix: list[list[int]], labels: list[int]) -> str:
    """graph_util.hash_module, word by word."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode("utf-8")).hexdigest()

    size = len(labels)
    columns = [[matrix[w][v] for w in range(size)] for v in range(size)]
    hashes = [md5(str((sum(matrix[v]), sum(columns[v]), labels[v]))) for v in range(size)]
    for _ in range(size):
        hashes = [
            md5(
                "".join(sorted(hashes[w] for w in range(size) if columns[v][w]))
                + "|"
                + "".join(sorted(hashes[w] for w in range(size) if matrix[v][w]))
                + "|"
                + hashes[v]
            )
            for v in range(size)
        ]
    return md5(str(sorted(hashes)))


def naive_enumeration(max_vertices: int) -> dict[str, tuple[int, int, tuple[int, ...]]]:
    """generate_graphs.py: hash -> (vertices, edge bits, labels) of the first graph met."""
    first: dict[str, tuple[int, int, tuple[int, ...]]] = {}
    for size in range(2, max_vertices + 1):
        for bits in range(2 ** (size * (size - 1) // 2)):
            matrix = [[int(x < y and bits >> (x + y * (y - 1) // 2) & 1) for y in range(size)] for x in range(size)]
            full = all(any(row) for row in matrix[:-1]) and all(any(column) for column in list(zip(*matrix))[1:])  # noqa: B905
            if not full or sum(map(sum, matrix)) > 9:
                continue
            for labels in itertools.product(range(3), repeat=size - 2):
                first.setdefault(naive_hash(matrix, [-1, *labels, -2]), (size, bits, labels))
    return first


def cell(arch: int) -> tuple[list[list[int]], list[str]]:
    graph = SPACE.graph(arch)
    return graph.adjacency.astype(int).tolist(), list(graph.nodes)


def test_there_are_423624_distinct_cells() -> None:
    codes = enumerate_cells()
    assert len(codes) == SIZE
    np.testing.assert_array_equal(np.sort(load_codes()), codes)
    assert np.bincount(num_vertices(codes))[2:].tolist() == [1, 6, 84, 2441, 62010, 359082]


def test_cells_of_up_to_5_vertices_are_those_the_official_script_keeps() -> None:
    official = naive_enumeration(5)
    ours = {}
    for arch in np.flatnonzero(num_vertices(load_codes()) <= 5).tolist():
        matrix, operations = cell(arch)
        bits = sum(1 << (x + y * (y - 1) // 2) for x, y in np.argwhere(np.array(matrix)).tolist())
        ours[SPACE.hash(arch)] = (len(operations), bits, tuple(OPERATIONS.index(name) for name in operations[1:-1]))
    assert ours == official


def test_ids_ascend_with_the_official_hash() -> None:
    assert SPACE.hash(0) == "00005c142e6f48ac74fdcf73e3439874"
    ids = np.sort(np.random.default_rng(0).choice(SIZE, 500, replace=False)).tolist()
    near = range(200_000, 200_200)
    for some in (ids, near):
        hashes = [SPACE.hash(arch) for arch in some]
        assert hashes == sorted(set(hashes))


@settings(max_examples=50)
@given(st.integers(0, SIZE - 1))
def test_hash_equals_the_naive_reading_of_the_official_code(arch: int) -> None:
    matrix, operations = cell(arch)
    labels = [-1, *(OPERATIONS.index(name) for name in operations[1:-1]), -2]
    assert SPACE.hash(arch) == naive_hash(matrix, labels) == module_hash(matrix, operations)
    assert SPACE.parse(SPACE.hash(arch)) == SPACE.parse(SPACE.hash(arch).upper()) == arch


@pytest.mark.parametrize(
    ("adjacency", "operations", "rule"),
    [
        ([[0, 1]], ["input"], "square"),
        ([[0, 1], [0, 0]], ["input"], "1 operations for 2 vertices"),
        ([[0, 1], [1, 0]], ["input", "output"], "upper triangular"),
    ],
)
def test_prune_refuses_what_is_no_cell_matrix(adjacency: list[list[int]], operations: list[str], rule: str) -> None:
    with pytest.raises(BadArchitecture, match=rule):
        prune(adjacency, operations)


def test_a_missing_or_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    whole = CODES_FILE.read_bytes()
    flipped = bytearray(whole)
    flipped[100_000] ^= 1
    contents = {"empty": b"", "cut": whole[:-7], "flipped": bytes(flipped), "text": b"not an array"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    np.save(tmp_path / "other", np.arange(5))
    for name in [*contents, "other.npy", "absent"]:
        with pytest.raises(BadFile, match=f"{name}.*install nasgauge again"):
            load_codes(tmp_path / name)


@pytest.mark.slow
def test_the_shipped_file_equals_a_fresh_computation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert "right" in capsys.readouterr().out


@pytest.mark.real
def test_stored_cells_equal_the_real_table(shared: Path) -> None:
    with np.load(shared / "data" / "tables" / "nb101.npz", allow_pickle=False) as table:
        vertices, bits, labels = (table[key] for key in ("num_vertices", "adj_bits", "ops"))
        hashes = table["hash"]
    codes = load_codes()
    np.testing.assert_array_equal(num_vertices(codes), vertices)
    np.testing.assert_array_equal(codes >> 8, bits)
    ours = SPACE.operations(np.arange(SIZE))[:, 21:]
    np.testing.assert_array_equal(np.where(ours < 0, 255, ours.astype(np.int64)), labels)
    for arch in range(0, SIZE, 997):
        assert SPACE.hash(arch) == hashes[arch].tobytes().hex()


@pytest.mark.real
@pytest.mark.slow
def test_every_hash_equals_the_real_table(shared: Path) -> None:
    with np.load(shared / "data" / "tables" / "nb101.npz", allow_pickle=False) as table:
        hashes = table["hash"]
    for arch in range(SIZE):
        assert SPACE.hash(arch) == hashes[arch].tobytes().hex()


@pytest.mark.real
def test_the_official_package_prunes_judges_and_hashes_alike(shared: Path) -> None:
    answers = json.loads((shared / "fixtures" / "nasbench101" / "nasbench_synth_full.answers.json").read_text())["rows"]
    seen: Counter[str] = Counter()
    for row in answers:
        if row["call"] not in ("prune", "is_valid", "hash_spec") or "answer" not in row:
            continue
        if row.get("note") == "float vs int matrix":
            continue  # the official hash of a float matrix finds no cell; here every matrix is one of zeros and ones
        matrix, operations = row["args"]["matrix"], row["args"]["ops"]
        pruned = prune(matrix, operations)
        seen[row["call"]] += 1
        if row["call"] == "prune":
            assert row["answer"] == ([False, None, None] if pruned is None else [True, pruned[0].tolist(), pruned[1]])
        elif row["call"] == "hash_spec":
            assert pruned is not None
            assert module_hash(*pruned) == row["answer"]
        else:
            graph = Graph(tuple(operations), tuple((int(x), int(y), "") for x, y in np.argwhere(np.array(matrix))))
            assert _is_cell(graph) == row["answer"]
    assert min(seen[call] for call in ("prune", "is_valid", "hash_spec")) > 200


def _is_cell(graph: Graph) -> bool:
    try:
        SPACE.from_graph(graph)
    except BadArchitecture:
        return False
    return True
