"""The numbers of the page on encodings."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from nasgauge.reports.encoding.outcome import spearman
from nasgauge.reports.encoding.plots import percent


def test_spearman_is_scipys_and_its_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    truth = 6 / np.pi * np.arcsin(0.6 / 2)  # of two normals with correlation .6
    hits = 0
    for _ in range(400):
        x = rng.normal(size=120)
        y = 0.6 * x + 0.8 * rng.normal(size=120)
        found = spearman(x, y)
        hits += found.low <= truth <= found.high
    assert found.value == pytest.approx(spearmanr(x, y).statistic)
    assert 0.92 < hits / 400 < 0.98


def test_spearman_leaves_out_what_is_not_known_and_refuses_constants():
    assert spearman([1, 2, 3, 4, np.nan], [2, 4, 6, 8, 9]).pairs == 4
    assert spearman([1, 2, 3, 4], [2, 4, 6, 8]).low == 1.0
    assert np.isnan(spearman([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]).value)


def test_colours_end_where_few_lie():
    values = np.arange(101.0)
    assert percent(values).min() == 5.0
    assert percent(values).max() == 95.0
