"""The topology space: official order, identity, isomorphism, counts."""

from __future__ import annotations

import collections
import hashlib
from pathlib import Path

import numpy as np
import pytest

from nasgauge.bench.errors import BadArchitecture
from nasgauge.bench.spaces import Graph, Topology
from nasgauge.bench.spaces.topology import EDGES
from nasgauge.testing import SpaceConformance

FIRST = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"


class TestTopology(SpaceConformance):
    def make_space(self) -> Topology:
        return Topology()


@pytest.fixture(scope="module")
def space() -> Topology:
    return Topology()


def test_order_is_the_official_one(space: Topology) -> None:
    texts = "\n".join(space.text(arch) for arch in range(space.size))
    assert (
        hashlib.sha256(texts.encode()).hexdigest() == "83abc799e45cf34e9d2163654668ab998b9a54d01c39e72ca1f71f2cdf356d84"
    )
    assert space.text(0) == FIRST


def test_there_are_6466_isomorphism_classes(space: Topology) -> None:
    assert len(np.unique(space.canonical(np.arange(space.size)))) == 6466


def test_classes_are_those_of_the_official_rule(space: Topology) -> None:
    first: dict[str, int] = {}
    official = [first.setdefault(_unique_string(space.text(arch)), arch) for arch in range(space.size)]
    np.testing.assert_array_equal(space.canonical(np.arange(space.size)), official)


def _unique_string(text: str) -> str:
    """The official rule (`to_unique_str`) written naively: skip passes on, none gives #, sums of sorted terms."""
    nodes = {0: "0"}
    for number, node in enumerate(text.split("+"), start=1):
        terms = []
        for token in node.strip("|").split("|"):
            name, source = token.split("~")
            value = nodes[int(source)]
            if name == "none" or value == "#":
                terms.append("#")
            else:
                terms.append(value if name == "skip_connect" else f"({value})@{name}")
        nodes[number] = "+".join(sorted(terms))
    return nodes[3]


def test_mutation_takes_nodes_uniformly_then_edges(space: Topology) -> None:
    draws = 60_000
    children = space.mutate(np.zeros(draws, dtype=int), np.random.default_rng(0))
    changed = space.operations(children) != space.operations(0)
    assert (changed.sum(axis=1) == 1).all()
    share = changed.mean(axis=0)
    expected = np.array([1 / (3 * target) for _, target in EDGES])
    np.testing.assert_allclose(share, expected, atol=5 * np.sqrt(0.25 / draws))


def test_every_cell_has_24_neighbours_and_neighbourhood_is_mutual(space: Topology) -> None:
    table = space.neighbour_table
    assert table.shape == (space.size, 24)
    pairs = collections.Counter(zip(np.repeat(np.arange(space.size), 24).tolist(), table.ravel().tolist(), strict=True))
    assert all((right, left) in pairs for left, right in pairs)


@pytest.mark.parametrize(
    "text",
    [
        "|none~0|",
        FIRST.replace("avg_pool_3x3~0", "avg_pool_3x3~1"),
        FIRST.replace("avg_pool_3x3", "max_pool_3x3"),
        FIRST + "+|none~0|none~1|none~2|none~3|",
        FIRST[:-1],
    ],
)
def test_broken_texts_are_refused_with_the_form_expected(space: Topology, text: str) -> None:
    with pytest.raises(BadArchitecture, match="expected"):
        space.parse(text)


def test_equality_does_not_depend_on_the_order_in_which_edges_are_given(space: Topology) -> None:
    graph = space.graph(77)
    assert space.from_graph(Graph(graph.nodes, tuple(reversed(graph.edges)))) == 77


def test_absent_edges_read_as_none(space: Topology) -> None:
    nothing = space.from_operations([0] * 6)
    assert space.from_graph(Graph(("input", "sum", "sum", "output"), ())) == nothing


def test_counts_of_a_cell_without_operations_are_those_of_the_skeleton(space: Topology) -> None:
    # stem 3*16*9+32; reductions 9*16*32+64 + 9*32*32+64 + 16*32, the same at 32->64; last norm 128; linear 64*10+10
    skeleton = 464 + (4608 + 64 + 9216 + 64 + 512) + (18432 + 128 + 36864 + 128 + 2048) + 128 + 650
    assert space.params([space.from_operations([0] * 6)])[0] == skeleton


@pytest.mark.real
def test_params_and_flops_equal_the_tables_for_every_cell(space: Topology, shared: Path) -> None:
    table = np.load(shared / "data/tables/nb201.npz", allow_pickle=False)
    everything = np.arange(space.size)
    for dataset, classes, side in (("cifar10", 10, 32), ("cifar100", 100, 32), ("ImageNet16-120", 120, 16)):
        np.testing.assert_allclose(space.params(everything, classes) / 1e6, table[f"{dataset}_params_M"], rtol=1e-12)
        np.testing.assert_allclose(
            space.flops(everything, classes, side) / 1e6, table[f"{dataset}_flops_M"], rtol=1e-12
        )


@pytest.mark.real
def test_order_and_classes_equal_the_tables(space: Topology, shared: Path) -> None:
    table = np.load(shared / "data/tables/nb201.npz", allow_pickle=False)
    assert [space.text(arch) for arch in range(space.size)] == table["arch_str"].tolist()
    first: dict[int, int] = {}
    classes = [first.setdefault(label, arch) for arch, label in enumerate(table["unique_id"].tolist())]
    np.testing.assert_array_equal(space.canonical(np.arange(space.size)), classes)
