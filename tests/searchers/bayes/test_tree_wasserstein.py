"""The embedding is the tree-Wasserstein distance of the paper, on every space."""

from __future__ import annotations

import itertools
import os
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.bench.spaces import Space, space
from nasgauge.bench.spaces.cells101_code import EDGE_SLOTS, SOURCES, TARGETS
from nasgauge.searchers.bayes.distances import DISTANCES, WeisfeilerLehman, distance_called
from nasgauge.searchers.bayes.embedding import Distance, embed, explain, whole_space
from nasgauge.searchers.bayes.operation_graphs import cell_graphs, chain_grid, degree_masses
from nasgauge.searchers.bayes.tree_wasserstein import TreeWasserstein
from nasgauge.searchers.bayes.trees import Tree
from nasgauge.testing import TinySpace

os.environ.setdefault("POT_BACKEND_DISABLE_PYTORCH", "1")  # read when POT is imported: it needs no torch here

SPACES = ("topology", "size", "cells101", "tiny")


def called(name: str) -> Space:
    return TinySpace() if name == "tiny" else space(name)


def some(space_: Space, n: int, seed: int = 0) -> np.ndarray:
    return np.unique(space_.sample(n, np.random.default_rng(seed)))


def tree_metric(tree: Tree) -> np.ndarray:
    """Path lengths between all nodes, the root last, by walking up."""
    size = len(tree.names) + 1
    above = {}
    for node in range(size):
        at, here = 0.0, node
        above[node] = {here: at}
        while here != size - 1:
            at += tree.weights[here]
            here = tree.parents[here] if tree.parents[here] >= 0 else size - 1
            above[node][here] = at
    lengths = np.zeros((size, size))
    for a, b in itertools.product(range(size), repeat=2):
        lengths[a, b] = min(above[a][node] + above[b][node] for node in above[a] if node in above[b])
    return lengths


@pytest.mark.parametrize("grams", [1, 2])
@pytest.mark.parametrize("name", SPACES)
def test_operations_are_optimal_transport_on_the_tree(name: str, grams: int) -> None:
    ot = pytest.importorskip("ot")
    space_, distance = called(name), TreeWasserstein(grams)
    tree, ids = distance.tree(space_), some(called(name), 12)
    lengths = tree_metric(tree)
    component = distance.components(space_, ids)[0]
    leaf_of = [tree.members.index((leaf,)) for leaf in range(tree.leaves)]
    masses = np.zeros((len(ids), len(tree.names) + 1))
    masses[:, leaf_of] = component.masses[:, leaf_of]
    masses[:, -1] = 1 - masses.sum(axis=1)
    ours = embed(distance, space_, ids).distances()[0]
    for a, b in itertools.combinations(range(len(ids)), 2):
        assert ours[a, b] == pytest.approx(ot.emd2(masses[a], masses[b], lengths), abs=1e-9)


@pytest.mark.parametrize("name", ["topology", "size", "cells101"])
def test_degrees_are_one_dimensional_transport(name: str) -> None:
    ot = pytest.importorskip("ot")
    space_ = called(name)
    ids = some(space_, 12, seed=1)
    ours = embed(TreeWasserstein(), space_, ids).distances()
    for component, measures in ((1, layers(space_, ids, 0)), (2, layers(space_, ids, 1))):
        for a, b in itertools.combinations(range(len(ids)), 2):
            (xa, wa), (xb, wb) = measures[a], measures[b]
            assert ours[component, a, b] == pytest.approx(ot.wasserstein_1d(xa, xb, wa, wb), abs=1e-9)


def layers(space_: Space, ids: np.ndarray, direction: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places and masses of the layers of each graph, written down once more, one graph at a time."""
    found = []
    for arch in ids.tolist():
        if space_.name == "size":
            widths = [8 * (int(choice) + 1) for choice in space_.operations(arch)]
            degrees, depth = (np.array([3, *widths[:-1]] if direction == 0 else widths, dtype=float)), np.arange(5)
        else:
            adjacency = adjacency_of(space_, arch)
            degrees = adjacency.sum(axis=direction).astype(float)
            depth = np.full(len(adjacency), -1)
            depth[0], front = 0, [0]
            while front:  # breadth first
                here = front.pop(0)
                for there in np.flatnonzero(adjacency[here]):
                    if depth[there] < 0:
                        depth[there] = depth[here] + 1
                        front.append(int(there))
        count = int(depth.max()) + 1
        masses = np.array([degrees[depth == layer].sum() for layer in range(count)])
        masses = masses / masses.sum() if masses.sum() else np.full(count, 1 / count)
        found.append((np.arange(count) / count, masses))
    return found


def adjacency_of(space_: Space, arch: int) -> np.ndarray:
    graph = space_.graph(arch)
    if space_.name == "cells101":
        return graph.adjacency
    used = [(source, target) for source, target, label in graph.edges if label != "none"]
    matrix = np.zeros((len(used) + 2, len(used) + 2), dtype=bool)
    for one, (source, target) in enumerate(used, start=1):
        matrix[0, one], matrix[one, -1] = source == 0, target == 3
        for two, (other, _) in enumerate(used, start=1):
            matrix[one, two] = target == other
    return matrix


@pytest.mark.parametrize("grams", [1, 2])
@pytest.mark.parametrize("name", ["topology", "size", "cells101"])
def test_every_parent_holds_what_its_children_hold(name: str, grams: int) -> None:
    space_, distance = called(name), TreeWasserstein(grams)
    tree = distance.tree(space_)
    masses = distance.components(space_, some(space_, 60))[0].masses
    for node in range(len(tree.names)):
        children = [child for child, parent in enumerate(tree.parents) if parent == node]
        if children:
            np.testing.assert_allclose(masses[:, node], masses[:, children].sum(axis=1), atol=1e-12)
    depth = tree_metric(tree)[-1, [tree.members.index((leaf,)) for leaf in range(tree.leaves)]]
    np.testing.assert_allclose(depth, 1.0 if grams == 1 else 2.0)  # every operation is equally deep


def test_masses_of_a_cell_counted_by_hand() -> None:
    """input -> conv3x3 -> conv1x1 -> output, conv3x3 -> maxpool -> output: 3 operations, 2 pairs, a fifth each."""
    cells = space("cells101")
    arch = cells.parse("conv3x3~0+conv1x1~1+maxpool3x3~1+output~2,3")
    operations, ins, outs = TreeWasserstein(2).components(cells, np.array([arch]))
    held = dict(zip(operations.names, operations.masses[0].tolist(), strict=True))
    expected = {
        "conv3x3": 0.2, "conv1x1": 0.2, "maxpool3x3": 0.2, "conv": 0.4, "1-gram": 0.6, "2-gram": 0.4,
        "conv3x3>conv1x1": 0.2, "conv3x3>maxpool3x3": 0.2, "conv>conv, unequal": 0.2, "conv>conv": 0.2,
        "conv>pool": 0.2, "conv and pool": 0.2,
    }  # fmt: skip
    assert held == pytest.approx({**dict.fromkeys(held, 0.0), **expected})
    # layers input | conv3x3 | conv1x1, maxpool | output: in-degrees 0, 1, 2, 2 and out-degrees 1, 2, 2, 0 of 5 edges
    ins_, outs_, count = degree_masses(cell_graphs(cells.operations([arch])))
    assert count.tolist() == [4]
    np.testing.assert_allclose(ins_[0, :4], [0, 0.2, 0.4, 0.4])
    np.testing.assert_allclose(outs_[0, :4], [0.2, 0.4, 0.4, 0])
    assert ins.masses[0, 0] == 0 and outs.masses[0, 0] == pytest.approx(0.2)


def test_distances_of_the_specification() -> None:
    """All 3x3 against all 1x1 is .1 + .1, against all pooling .1 + .9 + 1."""
    cells = space("cells101")
    three, one, pool = (cells.parse(f"{name}~0+{name}~1+output~2") for name in ("conv3x3", "conv1x1", "maxpool3x3"))
    distances = embed(TreeWasserstein(), cells, [three, one, pool]).distances()
    np.testing.assert_allclose(distances[0, 0], [0, 0.2, 2.0])
    np.testing.assert_allclose(distances[1:], 0)


def test_the_released_sums_leave_out_what_they_left_out() -> None:
    cells, topology = space("cells101"), space("topology")
    pool = cells.parse("maxpool3x3~0+maxpool3x3~1+output~2")
    operations = TreeWasserstein(2, variant="released").components(cells, np.array([pool]))[0]
    held = dict(zip(operations.names, operations.masses[0].tolist(), strict=True))
    assert held["maxpool3x3"] == pytest.approx(2 / 3) and held["maxpool3x3>maxpool3x3"] == pytest.approx(1 / 3)
    assert held["1-gram"] == held["2-gram"] == 0
    row = ["nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "skip_connect", "skip_connect", "skip_connect"]
    arch = topology.from_operations([topology.choices[0].index(name) for name in row])
    operations = TreeWasserstein(1, variant="released").components(topology, np.array([arch]))[0]
    held = dict(zip(operations.names, operations.masses[0].tolist(), strict=True))
    assert held["conv"] == pytest.approx(2 / 6)  # 1x1 and pooling
    assert held["1-gram"] == pytest.approx(3 / 6)  # without skips
    two = TreeWasserstein(2, variant="released").components(topology, np.arange(500))[0]
    pairs = slice(two.names.index("conv3x3>conv3x3"), two.names.index("skip>skip"))
    np.testing.assert_allclose(two.masses[:, two.names.index("2-gram")], two.masses[:, pairs].sum(axis=1), atol=1e-12)
    assert len(two.names) == 33 and len(TreeWasserstein(2).tree(cells).names) == 21


def test_a_cell_without_operations_lies_on_the_root() -> None:
    topology, cells = space("topology"), space("cells101")
    empty = topology.from_operations([0] * 6)
    bare = cells.parse("output~0")
    for space_, arch in ((topology, int(empty)), (cells, bare)):
        for variant in ("paper", "released"):
            distance = TreeWasserstein(2, variant=variant)  # type: ignore[arg-type]
            assert (distance.components(space_, np.array([arch]))[0].masses == 0).all()
            assert np.isfinite(embed(distance, space_, [arch, 0, 5]).distances()).all()


@pytest.mark.parametrize("distance", DISTANCES.values(), ids=DISTANCES)
@pytest.mark.parametrize("name", SPACES)
def test_distances_are_metrics_of_negative_type(name: str, distance: Distance) -> None:
    space_ = called(name)
    ids = some(space_, 40, seed=2)
    for d in embed(distance, space_, ids).distances():
        np.testing.assert_allclose(np.diag(d), 0, atol=1e-12)
        np.testing.assert_allclose(d, d.T, atol=1e-12)
        assert (d[:, None, :] <= d[:, :, None] + d[None, :, :] + 1e-9).all()
        centring = np.eye(len(ids)) - 1 / len(ids)
        assert np.linalg.eigvalsh(-centring @ d @ centring).min() > -1e-9
        assert np.linalg.eigvalsh(np.exp(-d / 0.05)).min() > -1e-9


@pytest.mark.parametrize("name", SPACES)
def test_the_weisfeiler_lehman_kernel_is_positive_semidefinite(name: str) -> None:
    space_ = called(name)
    ids = some(space_, 40)
    kernel = WeisfeilerLehman().kernel(space_, ids, ids)
    np.testing.assert_allclose(np.diag(kernel), 1)
    assert np.linalg.eigvalsh(kernel).min() > -1e-9


@given(st.integers(0, 423_623), st.permutations(range(1, 6)))
@settings(max_examples=60)
def test_the_numbering_of_vertices_does_not_matter(arch: int, order: list[int]) -> None:
    cells = space("cells101")
    row = np.maximum(cells.operations(arch), 0)
    matrix = np.zeros((7, 7), dtype=np.int8)
    matrix[SOURCES, TARGETS] = row[:EDGE_SLOTS]
    numbers = [0, *order, 6]
    shuffled = matrix[np.ix_(numbers, numbers)]
    if np.tril(shuffled).any():
        return  # an edge would run backwards: no row of this space
    operations = row[EDGE_SLOTS:][np.array(order) - 1]
    other = np.concatenate([shuffled[SOURCES, TARGETS], operations]).astype(np.int8)
    for grams in (1, 2):
        one, two = (TreeWasserstein(grams).of_rows(cells, each[None]) for each in (row, other))
        for a, b in zip(one, two, strict=True):
            np.testing.assert_allclose(a.masses, b.masses, atol=1e-12)


def test_swapping_the_inner_nodes_of_a_topology_cell_changes_nothing() -> None:
    topology = space("topology")
    rows = topology.operations(np.arange(topology.size))
    rows = rows[rows[:, 2] == 0][:500]  # no edge between the two
    swapped = rows[:, [1, 0, 2, 3, 5, 4]]
    for distance in (TreeWasserstein(1), TreeWasserstein(2), WeisfeilerLehman()):
        one, two = (embed(distance, topology, topology.from_operations(each)) for each in (rows, swapped))
        np.testing.assert_allclose(one.values, two.values, atol=1e-12)


@pytest.mark.parametrize("name", SPACES)
def test_an_explanation_adds_up_to_the_distance(name: str) -> None:
    space_ = called(name)
    a, b = 0, space_.size - 1
    distances = embed(TreeWasserstein(2), space_, [a, b]).distances()[:, 0, 1]
    said = explain(TreeWasserstein(2), space_, a, b)
    assert list(said.components.values()) == pytest.approx(distances.tolist())
    assert said.total == pytest.approx(distances.sum()) == pytest.approx(sum(part.amount for part in said.parts))
    assert said.parts[0].amount == max(part.amount for part in said.parts)
    doubled = explain(TreeWasserstein(2), space_, a, b, {"operations": 2.0})
    assert doubled.total == pytest.approx(distances.sum() + distances[0])


def test_a_space_is_embedded_once() -> None:
    topology = space("topology")
    everything = whole_space(TreeWasserstein(), topology)
    assert whole_space(TreeWasserstein(), topology) is everything
    assert everything.values.shape[0] == topology.size and not everything.values.flags.writeable
    parts = TreeWasserstein().components(topology, np.array([7, 9]))
    np.testing.assert_array_equal(
        embed(TreeWasserstein(), topology, [7, 9]).values, np.concatenate([part.points for part in parts], axis=1)
    )


def test_the_grid_refines_every_chain_exactly() -> None:
    widths, passed = chain_grid(5)
    assert widths.sum() == pytest.approx(1)
    starts = [Fraction(0), *np.cumsum([Fraction(width).limit_denominator(100) for width in widths])[:-1]]
    for count in range(1, 6):
        assert [sum(Fraction(t, count) <= start for t in range(count)) for start in starts] == passed[count].tolist()


@pytest.mark.parametrize("wrong", [{"grams": 3}, {"alpha": 1.5}, {"variant": "matlab"}])
def test_senseless_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadValue):
        TreeWasserstein(**wrong)  # type: ignore[arg-type]


def test_distances_have_names() -> None:
    assert distance_called("tree-wasserstein") == TreeWasserstein()
    with pytest.raises(UnknownName, match="hamming"):
        distance_called("euclid")
