"""The released search of NAS-Bench-201 goes by random matrices: their paths, their degrees, cells that come again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from nasgauge.bench.errors import BadValue
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import Topology
from nasgauge.searchers import tw_gp, tw_gp_batch
from nasgauge.searchers.bayes.drawn_matrices import EDGE_BITS, SOURCES, TARGETS, DrawnMatrices
from nasgauge.searchers.bayes.embedding import embed
from nasgauge.searchers.bayes.tree_wasserstein import TreeWasserstein

#: Operation of the space -> its number in the authors' code: conv 3x3, conv 1x1, pool, skip, none.
AUTHORS = {3: 0, 2: 1, 4: 2, 1: 3, 0: 4}
SPACE = Topology()


@pytest.fixture
def pairs() -> DrawnMatrices:
    return DrawnMatrices(SPACE, TreeWasserstein(variant="released"))


def taken_apart(candidate: int) -> tuple[np.ndarray, np.ndarray]:
    """The matrix, (8, 8), and the six operations."""
    matrix = np.zeros((8, 8), dtype=int)
    matrix[SOURCES, TARGETS] = candidate // SPACE.size & EDGE_BITS > 0
    return matrix, SPACE.operations(candidate % SPACE.size)


def path_numbers(candidate: int) -> tuple[int, ...]:
    """The numbers of the paths from input to output, walked one after the other."""
    matrix, rows = taken_apart(candidate)
    ending: list[list[tuple[int, ...]]] = [[()] if node == 0 else [] for node in range(8)]
    for node in range(1, 8):
        for source in range(node):
            if matrix[source, node]:
                step = () if source == 0 else (AUTHORS[int(rows[source - 1])],)
                ending[node] += [path + step for path in ending[source]]
    return tuple(sum(5**place * (number + 1) for place, number in enumerate(path)) for path in ending[7])


@given(st.lists(st.integers(0, (1 << 28) * SPACE.size - 1), min_size=1, max_size=6))
def test_paths_are_those_of_a_walk_through_the_matrix(candidates: list[int]) -> None:
    pairs = DrawnMatrices(SPACE, TreeWasserstein(variant="released"))
    coded = pairs._paths(*pairs._parts(np.array(candidates)))
    for one, code in zip(candidates, coded, strict=True):
        for other, its in zip(candidates, coded, strict=True):
            assert (code == its) == (path_numbers(one) == path_numbers(other))


def test_draws_and_mutants_have_paths_of_their_own(pairs: DrawnMatrices) -> None:
    rng = np.random.default_rng(0)
    known = pairs.draw(50, set(), rng).tolist()
    pool = pairs.mutants(known[:5], set(known), rng, each=60, size=100).tolist()
    assert len(pool) == 100
    assert len({path_numbers(candidate) for candidate in known + pool}) == 150


def test_mutants_change_edges_and_operations_as_often_as_released(pairs: DrawnMatrices) -> None:
    rng = np.random.default_rng(1)
    parent = ((1 << 28) - 1) * SPACE.size + 9_930  # with every edge hardly a mutant has the paths of another
    pool = pairs.mutants([parent], set(), rng, each=3000, size=3000)
    matrix, rows = taken_apart(parent)
    changed = [(np.abs(taken_apart(int(child))[0] - matrix).sum(), (taken_apart(int(child))[1] != rows).sum())
               for child in pool]  # fmt: skip
    edges, operations = np.mean(changed, axis=0)
    assert len(pool) > 2500
    assert edges == pytest.approx(28 / 8, abs=0.3) and operations == pytest.approx(1, abs=0.15)
    assert min(operations for _, operations in changed) == 0  # the same operations again


def test_distances_are_of_the_drawn_matrix(pairs: DrawnMatrices) -> None:
    """Degrees by layer as transport on a line, and operations counted where the matrix touches them."""
    candidates = pairs.draw(12, set(), np.random.default_rng(2))
    _, ins, outs = pairs.embed(candidates).distances()
    measures = []
    for candidate in candidates.tolist():
        matrix, _ = taken_apart(candidate)
        layer = np.full(8, -1)
        layer[0] = 0
        for node in range(1, 8):
            near = [layer[source] for source in range(node) if matrix[source, node] and layer[source] >= 0]
            layer[node] = min(near) + 1 if near else -1
        count = layer.max() + 1
        inside = layer >= 0
        measures.append((layer[inside] / count, matrix.sum(axis=0)[inside], matrix.sum(axis=1)[inside]))
    for a, (places, entering, leaving) in enumerate(measures):
        for b, (others, their_entering, their_leaving) in enumerate(measures):
            assert ins[a, b] == pytest.approx(wasserstein_distance(places, others, entering, their_entering))
            assert outs[a, b] == pytest.approx(wasserstein_distance(places, others, leaving, their_leaving))
    bare = SPACE.size * 0 + np.array([SPACE.id("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|"), 0])
    assert pairs.embed(bare).distances().max() == 0  # without an edge nothing counts


def test_what_was_not_asked_has_the_matrix_of_the_cell(pairs: DrawnMatrices) -> None:
    full = np.array([arch for arch in range(0, SPACE.size, 50) if (SPACE.operations(arch) > 0).all()])
    told = [pairs.told(Evaluation(int(arch), 1.0, 1.0)).id for arch in full]
    found = pairs.embed(told).distances()
    np.testing.assert_allclose(found, embed(pairs.distance, SPACE, full).distances(), atol=1e-12)


def test_each_outcome_goes_to_the_pair_that_was_asked_first(pairs: DrawnMatrices) -> None:
    first, second, other = 7 * SPACE.size + 5, 9 * SPACE.size + 5, 7 * SPACE.size + 6
    assert pairs.asked([first, other, second]) == [5, 6, 5]
    told = [pairs.told(Evaluation(arch, float(arch), 1.0)) for arch in (5, 5, 6)]
    assert [(each.id, each.value) for each in told] == [(first, 5.0), (second, 5.0), (other, 6.0)]


@pytest.mark.parametrize("recipe", [tw_gp("released"), tw_gp_batch("released-2")], ids=["one", "batches"])
def test_the_released_search_comes_back_to_the_same_operations(recipe: object) -> None:
    searcher = recipe.start(SPACE, np.random.default_rng(0))  # type: ignore[attr-defined]
    trace: list[int] = []
    while len(trace) < 120:
        asked = searcher.ask(5)
        searcher.tell([Evaluation(arch, float((SPACE.operations(arch) == 3).sum()), 1.0) for arch in asked])
        trace += asked
    assert 40 < len(set(trace)) < 120
    assert len(searcher._value) == len(trace)  # every pair is an observation of its own


def test_a_pool_of_all_matrices_is_refused() -> None:
    with pytest.raises(BadValue, match="2\\^28"):
        tw_gp("released", pool="space").start(SPACE, np.random.default_rng(0))
    assert tw_gp("released", pool="space", distance="hamming").start(SPACE, np.random.default_rng(0)).ask(1)
