"""Neighbours, pairs and maps of encoded architectures, beside plain loops over all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.spaces import space
from nasgauge.searchers.runner import encoding_geometry as geometry
from nasgauge.searchers.runner.encoding_transfer import crossings

TOPOLOGY = space("topology")


def test_one_of_each_class_has_every_class_once_and_only_known_architectures():
    known = np.arange(1, 400, 3)
    found = geometry.one_of_each_class(TOPOLOGY, known)
    classes = TOPOLOGY.canonical(found)
    assert len(set(classes)) == len(found)
    assert set(classes) == set(TOPOLOGY.canonical(known))
    assert set(found) <= set(known)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=12), st.integers(1, 11))
def test_shares_are_those_of_fair_draws_among_ties(distances, k):
    k = min(k, len(distances))
    numbers = np.array([distances], dtype=float)
    rng = np.random.default_rng(0)
    draws = np.zeros(len(distances))
    for _ in range(600):
        draws[np.lexsort([rng.random(len(distances)), numbers[0]])[:k]] += 1 / 600
    shares = geometry.nearest_shares(numbers, k)[0]
    assert shares.sum() == pytest.approx(k)
    assert np.abs(shares - draws).max() < 0.12


def test_gaps_are_those_of_a_plain_loop():
    rng = np.random.default_rng(1)
    rows, values = rng.normal(size=(150, 3)).astype(np.float32), rng.normal(size=(150, 2))
    centres = np.array([0, 70, 149])
    found, others = geometry.nearest_gaps(rows, centres, 4, values), geometry.other_gaps(centres, values)
    for place, centre in enumerate(centres):
        far = sorted((float(np.linalg.norm(rows[each] - rows[centre])), each) for each in range(150) if each != centre)
        near = [each for _, each in far[:4]]
        assert found[place] == pytest.approx(np.mean([np.abs(values[each] - values[centre]) for each in near], axis=0))
        assert geometry.nearest_few(rows, int(centre), 4)[0].tolist() == near
        rest = [np.abs(values[each] - values[centre]) for _, each in far]
        assert others[place] == pytest.approx(np.mean(rest, axis=0))


def test_one_edit_neighbours_are_other_classes_each_once_and_measured():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(TOPOLOGY.size, 1))
    values[rng.random(TOPOLOGY.size) < 0.3] = np.nan
    ids = rng.choice(np.flatnonzero(~np.isnan(values[:, 0])), 40, replace=False)
    found = geometry.edit_gaps(TOPOLOGY, ids, values)
    for arch, gap in zip(ids, found[:, 0], strict=True):
        mine, seen = TOPOLOGY.canonical([arch])[0], {}
        for neighbour in TOPOLOGY.neighbours(int(arch)):
            theirs = int(TOPOLOGY.canonical([neighbour])[0])
            if theirs != mine and not np.isnan(values[neighbour, 0]):
                seen.setdefault(theirs, abs(values[neighbour, 0] - values[arch, 0]))
        assert gap == pytest.approx(np.mean(list(seen.values())))


def test_an_architecture_without_measured_neighbours_has_no_gap():
    values = np.full((TOPOLOGY.size, 1), np.nan)
    values[[5, 9000]] = 1.0
    assert np.isnan(geometry.edit_gaps(TOPOLOGY, np.array([5]), values)).all()


def test_percentiles_count_what_lies_below():
    assert geometry.percentiles(np.array([3.0, 1.0, np.nan, 1.0, 2.0])) == pytest.approx(
        [87.5, 25.0, np.nan, 25.0, 62.5], nan_ok=True
    )


def test_pairs_share_no_member():
    one, other = geometry.disjoint_pairs(101, 500, np.random.default_rng(0))
    assert len(one) == len(other) == 50
    assert len({*one, *other}) == 100


def test_principal_map_has_the_largest_variance_of_all_directions():
    rng = np.random.default_rng(3)
    rows = (rng.normal(size=(200, 5)) * [5, 3, 1, 1, 0.1]).astype(np.float32)
    places, shares = geometry.principal_map(rows)
    variances = np.sort(np.linalg.eigvalsh(np.cov(rows.T.astype(float))))[::-1]
    assert places.var(axis=0, ddof=1) == pytest.approx(variances[:2], rel=1e-5)
    assert shares == pytest.approx(variances[:2] / variances.sum(), rel=1e-5)


def test_neighbours_stay_neighbours_on_a_t_sne_map():
    rng = np.random.default_rng(4)
    rows = np.concatenate([rng.normal(size=(20, 6)), 30 + rng.normal(size=(20, 6))]).astype(np.float32)
    places = geometry.neighbour_map(rows, np.random.default_rng(0))
    near = [geometry.nearest_few(places.astype(np.float32), each, 3)[0] // 20 == each // 20 for each in range(40)]
    assert np.mean(near) > 0.95
    assert (places == geometry.neighbour_map(rows, np.random.default_rng(0))).all()


def test_crossings_divide_cells_by_vertices_and_edges():
    cells = space("cells101")
    ids = np.random.default_rng(5).choice(cells.size, 200, replace=False)
    for crossing in crossings(cells, ids):
        for arch, learned, predicted in zip(ids, crossing.source, crossing.target, strict=True):
            graph = cells.graph(int(arch))
            many = len(graph.nodes) == 7 if crossing.name == "vertices" else len(graph.edges) == 9
            assert (learned, predicted) == (not many, many)
    assert crossings(TOPOLOGY, ids) == []
