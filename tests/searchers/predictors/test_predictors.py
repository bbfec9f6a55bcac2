"""Every predictor keeps the same promises; what is known of some of them is checked against it."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, norm

from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.bench.spaces import space
from nasgauge.searchers.bayes.distances import DISTANCES
from nasgauge.searchers.bayes.embedding import embed
from nasgauge.searchers.predictors import Forecast, predictor, predictors
from nasgauge.searchers.predictors.gaussian import lean

TOPOLOGY, CELLS, SIZE = space("topology"), space("cells101"), space("size")
SOME = ["surrogate", "tw-gp", "tw-gp:published", "wl-gp", "hamming-gp", "path+ridge", "path-features+gp",
        "adjacency+random-forest", "adjacency+mlp"]  # fmt: skip


def made_up(of, ids):
    """Numbers that depend on the cell: how many of each choice it has."""
    rows = of.operations(ids).astype(float)
    return 90 + rows.mean(axis=1) - 0.3 * (rows == 0).sum(axis=1)


@pytest.fixture(scope="module")
def learned():
    rng = np.random.default_rng(0)
    ids = np.unique(TOPOLOGY.sample(260, rng))
    rng.shuffle(ids)
    return ids[:100], ids[100:]


@pytest.mark.parametrize("name", SOME)
def test_a_predictor_learns_and_says_how_sure_it_is(name, learned):
    """It ranks what it never saw, in the unit of the numbers; the same stream gives the same forecast."""
    ids, others = learned
    values, truth = made_up(TOPOLOGY, ids), made_up(TOPOLOGY, others)
    of = predictor(name, TOPOLOGY)
    assert of.name == name
    first = of.fit(TOPOLOGY, ids, values, np.random.default_rng(1)).predict(others)
    again = of.fit(TOPOLOGY, ids, values, np.random.default_rng(1)).predict(others)
    np.testing.assert_array_equal(first.mean, again.mean)
    np.testing.assert_array_equal(first.deviation, again.deviation)
    assert kendalltau(first.mean, truth).statistic > 0.2
    assert (first.deviation > 0).all()
    assert np.isfinite(first.deviation).all()
    assert (first.interval(0.5)[0] < first.mean.max()).all()
    assert abs(first.mean.mean() - truth.mean()) < 2 * values.std()
    inside = np.abs(2 * first.place(truth) - 1) <= 0.9
    assert inside.mean() > 0.5
    assert len(of.fit(TOPOLOGY, ids, values, np.random.default_rng(1)).predict(others[:0]).mean) == 0


@pytest.mark.parametrize("name", SOME)
def test_awkward_numbers_break_nothing(name, learned):
    """Equal values, twins, and hardly any architectures end in finite forecasts with positive deviations."""
    ids, others = learned
    of = predictor(name, TOPOLOGY)
    for few, values in ((ids[:10], np.full(10, 91.5)), (np.repeat(ids[:5], 4), np.repeat(np.arange(5.0), 4)),
                        (ids[:10], np.r_[1e6, np.zeros(9)])):  # fmt: skip
        found = of.fit(TOPOLOGY, few, values, np.random.default_rng(0)).predict(others)
        assert np.isfinite(found.mean).all()
        assert (np.isfinite(found.deviation) & (found.deviation > 0)).all()


@pytest.mark.parametrize("of", [TOPOLOGY, CELLS, SIZE], ids=lambda of: of.name)
def test_every_name_is_a_predictor_of_its_space(of):
    names = predictors(of)
    assert len(set(names)) == len(names)
    for name in names:
        assert predictor(name, of).name == name
        pickle.dumps(predictor(name, of))
    assert sum(name.endswith("-gp") for name in names) >= len(DISTANCES)


@pytest.mark.parametrize("of", [CELLS, SIZE], ids=lambda of: of.name)
def test_other_spaces_are_predicted_too(of):
    rng = np.random.default_rng(3)
    ids = np.unique(of.sample(90, rng))
    rng.shuffle(ids)
    for name in ("surrogate", "tw-gp", "adjacency+ridge"):
        found = predictor(name, of).fit(of, ids[:60], made_up(of, ids[:60]), np.random.default_rng(0)).predict(ids[60:])
        assert kendalltau(found.mean, made_up(of, ids[60:])).statistic > 0


def test_wrong_names_say_what_there_is():
    with pytest.raises(UnknownName, match="tw-gp"):
        predictor("tw-pg", TOPOLOGY)
    with pytest.raises(UnknownName, match="path\\+ridge"):
        predictor("path+rigde", TOPOLOGY)
    with pytest.raises(UnknownName):
        predictor("path+ridge", SIZE)  # no cells, no paths
    with pytest.raises(BadValue, match="name and fit"):
        predictor(3, TOPOLOGY)


@pytest.mark.parametrize("distance", DISTANCES)
def test_fewer_coordinates_have_the_same_distances(distance):
    rng = np.random.default_rng(5)
    known, asked = (embed(DISTANCES[distance], TOPOLOGY, TOPOLOGY.sample(count, rng)) for count in (12, 30))
    ours, theirs = lean(known, asked)
    np.testing.assert_allclose(theirs.distances(ours), asked.distances(known), atol=1e-12)
    assert ours.values.shape[1] <= known.values.shape[1] + len(known.sizes)


@given(st.floats(-3, 3), st.floats(0.1, 3), st.floats(-3, 3), st.floats(0.05, 0.95))
def test_a_normal_forecast_is_scipys(mean, deviation, truth, level):
    found = Forecast(np.array([mean]), np.array([deviation]))
    law = norm(mean, deviation)
    assert found.place(np.array([truth]))[0] == pytest.approx(law.cdf(truth))
    assert found.surprise(np.array([truth]))[0] == pytest.approx(-law.logpdf(truth))
    assert np.array(found.interval(level)).ravel() == pytest.approx(law.interval(level))


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(0.1, 0.9))
def test_intervals_and_places_agree(seed, level):
    """A truth lies in the central interval exactly where its place is that near to one half, whatever the errors."""
    rng = np.random.default_rng(seed)
    errors = np.sort(rng.standard_t(2, 40))
    found = Forecast(np.zeros(200), np.ones(200), errors)
    truth = rng.standard_t(2, 200)
    low, high = found.interval(level)
    np.testing.assert_array_equal((truth >= low) & (truth <= high), np.abs(2 * found.place(truth) - 1) <= level)


def test_naming_predictors_loads_neither_torch_nor_sklearn():
    code = (
        "import sys, json\nfrom nasgauge.bench.spaces import space\n"
        "from nasgauge.searchers.predictors import predictors\nassert predictors(space('topology'))\n"
        "print(json.dumps(sorted({'torch', 'sklearn'} & set(sys.modules))))"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert json.loads(shown) == []
