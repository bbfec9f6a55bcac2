"""What the process is told instead of accuracies depends on their order alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

from nasgauge.searchers.bayes.warping import normal_scores

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


@given(VALUES)
def test_scores_are_quantiles_at_mean_ranks(values: list[float]) -> None:
    expected = norm.ppf((rankdata(values) - 0.5) / len(values))
    np.testing.assert_allclose(normal_scores(values), expected, atol=1e-12)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30))
def test_an_increasing_transformation_changes_nothing(values: list[int]) -> None:
    np.testing.assert_array_equal(normal_scores(values), normal_scores(np.array(values) ** 3 / 7.0))


@pytest.mark.parametrize("values", [[5.0], [3.0, 3.0, 3.0], [1e300, -1e300], [0.0, 1e-300]])
def test_scores_are_finite_and_centred(values: list[float]) -> None:
    scores = normal_scores(values)
    assert np.isfinite(scores).all() and scores.sum() == pytest.approx(0, abs=1e-9)
