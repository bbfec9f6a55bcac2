"""Pairs of cells that cost alike, and tokens that are hidden: the laws they are drawn by."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.spaces import space
from nasgauge.proxies.encodings.cate_pairs import UNSCORED, mask_tokens, pairs
from nasgauge.proxies.encodings.cate_tokens import tokens


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.integers(0, 10), st.integers(1, 4), st.integers(0, 99))
def test_pairs_are_within_the_threshold_earlier_and_as_many_as_there_are(
    values: list[int], threshold: int, per_cell: int, seed: int
) -> None:
    cost = np.array(values, dtype=float)
    found = pairs(cost, threshold, per_cell, np.random.default_rng(seed))
    rank = np.argsort(np.argsort(cost, kind="stable"), kind="stable")
    assert len(np.unique(found, axis=0)) == len(found)
    assert (rank[found[:, 1]] < rank[found[:, 0]]).all()
    assert (np.abs(cost[found[:, 0]] - cost[found[:, 1]]) <= threshold).all()
    for cell in range(len(cost)):
        candidates = ((rank < rank[cell]) & (cost >= cost[cell] - threshold)).sum()
        assert (found[:, 0] == cell).sum() == min(per_cell, candidates)


def test_every_candidate_is_as_likely() -> None:
    cost = np.zeros(7)
    rng = np.random.default_rng(1)
    counts = np.zeros(7)
    for _ in range(3000):
        found = pairs(cost, 0, 2, rng)
        counts += np.bincount(found[found[:, 0] == 6][:, 1], minlength=7)
    assert counts[6] == 0
    assert np.abs(counts[:6] - 1000).max() < 5 * np.sqrt(3000 * 1 / 3 * 2 / 3)


def test_masks_follow_the_published_rates() -> None:
    cells = tokens(space("topology"), np.arange(2000))
    of = np.random.default_rng(0).integers(2000, size=(20_000, 2))
    masked = mask_tokens(cells, of, 0.2, np.random.default_rng(1))
    true, asked = cells.symbols[of], masked.targets != UNSCORED
    real = true != cells.pad
    np.testing.assert_array_equal(masked.symbols[~asked], true[~asked])
    np.testing.assert_array_equal(masked.targets[asked], true[asked])
    assert not asked[~real].any()
    assert abs(asked[real].mean() - 0.2) < 0.005
    assert abs((masked.symbols[asked] == cells.mask).mean() - 0.8) < 0.01
    shown = masked.symbols[asked & (masked.symbols != cells.mask)]
    assert set(np.unique(shown)) == set(range(cells.first, cells.vocabulary))


def test_released_never_asks_for_the_input_and_shows_the_first_operation_as_mask() -> None:
    cells = tokens(space("cells101"), np.arange(500), "released")
    of = np.random.default_rng(0).integers(500, size=(2000, 2))
    masked = mask_tokens(cells, of, 0.5, np.random.default_rng(1))
    assert (masked.targets[:, :, 0] == UNSCORED).all()
    assert (masked.symbols == 1).mean() > (cells.symbols[of] == 1).mean() + 0.1
