"""The tree-Wasserstein embedding as an encoding: Manhattan distances of its rows are the distance."""

from __future__ import annotations

import numpy as np
import pytest

import nasgauge
from nasgauge.bench.errors import BadValue
from nasgauge.bench.spaces import space
from nasgauge.proxies.encodings import encodings
from nasgauge.searchers.bayes.embedding import explain
from nasgauge.searchers.bayes.tree_wasserstein import TreeWasserstein


@pytest.mark.parametrize(("of", "width"), [("topology", 25), ("size", 34), ("cells101", 40)])
def test_manhattan_distances_of_rows_are_the_distance(of: str, width: int) -> None:
    ids = space(of).sample(12, np.random.default_rng(0))
    rows = nasgauge.encode(of, "tree-wasserstein", ids)
    assert isinstance(rows, np.ndarray) and rows.shape == (12, width) and rows.dtype == np.float32
    for a, b in zip(range(6), range(6, 12), strict=True):
        expected = explain(TreeWasserstein(), space(of), int(ids[a]), int(ids[b])).total
        assert np.abs(rows[a] - rows[b]).sum() == pytest.approx(expected, abs=1e-5)


def test_it_is_named_among_the_encodings_and_takes_its_settings() -> None:
    assert "tree-wasserstein" in encodings(space("topology"), vectors=True)
    pairs = nasgauge.encode("topology", "tree-wasserstein", [0, 5], grams=2)
    assert pairs.shape[1] > 25  # type: ignore[union-attr]
    assert nasgauge.encode("size", "tree-wasserstein", np.arange(0)).shape == (0, 34)  # type: ignore[union-attr]
    with pytest.raises(BadValue, match="grams"):
        nasgauge.encode("topology", "tree-wasserstein", [0], grams=3)
