"""Adjacency encodings have the published sizes, and every one of them says which architecture it is of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from nasgauge.bench.errors import BadValue
from nasgauge.bench.spaces import space
from nasgauge.proxies.encodings import vectors
from nasgauge.proxies.encodings.adjacency import choices

CELL = "conv3x3~0+maxpool3x3~0,1+output~1,2"  # 0->1, 0->2, 1->2, 1->6, 2->6 of 7 vertices: edges 0, 1, 6, 10, 14
EDGES = [0, 1, 6, 10, 14]


def test_a_cell_of_101_by_hand() -> None:
    cells = space("cells101")
    one_hot = vectors(cells, "adjacency", CELL)[0]
    assert np.flatnonzero(one_hot).tolist() == [*EDGES, 21 + 0, 24 + 2]  # 3x3 is the first operation, pool the third
    scalar = vectors(cells, "adjacency", CELL, operations="scalar")[0]
    np.testing.assert_array_equal(scalar[21:], [0.5, 1, 0.5, 0.5, 0.5])  # naszilla fills up with 3x3
    categorical = vectors(cells, "adjacency-categorical", CELL)[0]
    np.testing.assert_array_equal(categorical, [*EDGES, -1, -1, -1, -1, 0.5, 1, 0.5, 0.5, 0.5])
    np.testing.assert_array_equal(vectors(cells, "adjacency-categorical", CELL, pad=0)[0, 5:9], 0)
    continuous = vectors(cells, "adjacency-continuous", CELL)[0]
    assert np.flatnonzero(continuous[:21]).tolist() == EDGES and continuous[21] == 5


def test_a_cell_of_201_by_hand() -> None:
    topology = space("topology")
    text = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
    row = vectors(topology, "adjacency", text)[0].reshape(6, 5)
    np.testing.assert_array_equal(row.argmax(axis=1), [3, 0, 4, 1, 0, 2])
    np.testing.assert_array_equal(vectors(topology, "adjacency-categorical", text)[0], [3, 0, 4, 1, 0, 2])
    expected = [1, 0, 1, 1, 0, 1, 4, 0.75, 0, 1, 0.25, 0, 0.5]
    np.testing.assert_array_equal(vectors(topology, "adjacency-continuous", text)[0], expected)


def test_widths_by_hand() -> None:
    size = space("size")
    row = vectors(size, "adjacency", "8:16:64:64:32")[0].reshape(5, 8)
    np.testing.assert_array_equal(row.argmax(axis=1), [0, 1, 7, 7, 3])
    np.testing.assert_array_equal(vectors(size, "adjacency-continuous", "8:16:64:64:32")[0], [0.125, 0.25, 1, 1, 0.5])


@pytest.mark.parametrize(("of", "sizes"), [("cells101", (36, 14, 27)), ("topology", (30, 6, 13)), ("size", (40, 5, 5))])
def test_sizes_are_the_published_ones(of: str, sizes: tuple[int, ...]) -> None:
    names = ("adjacency", "adjacency-categorical", "adjacency-continuous")
    assert tuple(vectors(space(of), name, [0]).shape[1] for name in names) == sizes
    assert vectors(space("cells101"), "adjacency", [0], operations="scalar").shape[1] == 26


def edges_from_the_largest(row: npt.NDArray[np.float32]) -> list[int]:
    return sorted(np.argsort(-row[:21], kind="stable")[: int(row[21])].tolist())


def test_cells_of_101_come_back_from_each_encoding() -> None:
    cells = space("cells101")
    ids = np.unique(cells.sample(300, np.random.default_rng(0)))
    truth = cells.operations(ids)
    one_hot = vectors(cells, "adjacency", ids)
    operations = one_hot[:, 21:].reshape(-1, 5, 3)
    labels = np.where(operations.any(axis=2), operations.argmax(axis=2), -1)
    rows = np.concatenate([one_hot[:, :21], labels], axis=1).astype(np.int8)
    np.testing.assert_array_equal(cells.from_operations(rows), ids)
    present = [np.flatnonzero(row == 1).tolist() for row in truth[:, :21]]
    categorical = vectors(cells, "adjacency-categorical", ids)
    assert [[int(edge) for edge in row[:9] if edge >= 0] for row in categorical] == present
    assert [edges_from_the_largest(row) for row in vectors(cells, "adjacency-continuous", ids)] == present


@pytest.mark.parametrize("of", ["topology", "size"])
def test_choices_come_back_from_their_bits(of: str) -> None:
    ids = np.arange(space(of).size)
    rows = vectors(space(of), "adjacency")
    slots = space(of).operations(ids).shape[1]
    back = rows.reshape(len(ids), slots, -1).argmax(axis=2)
    np.testing.assert_array_equal(space(of).from_operations(back), ids)


def test_choices_that_do_not_apply_leave_zeros() -> None:
    cells = space("cells101")
    smallest = cells.parse("output~0")
    assert choices(cells, [smallest]).sum() == 1  # the one edge; no other slot applies


def test_unknown_forms_are_refused() -> None:
    with pytest.raises(BadValue, match="operations='both'"):
        vectors(space("cells101"), "adjacency", [0], operations="both")
