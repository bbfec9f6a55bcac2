"""Surrogate runs: fair splits, the same numbers however they are computed, nothing done twice, clear refusals."""

import shutil

import numpy as np
import pandas as pd
import pytest

import nasgauge as ng
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.column import Column
from nasgauge.bench.errors import BadValue, NotMeasured, UnknownName
from nasgauge.bench.spaces import space
from nasgauge.bench.surrogate.quality import agreement
from nasgauge.bench.table import Table, write_table
from nasgauge.searchers.runner.run import Run
from nasgauge.searchers.runner.stretching import Draw, _split, measurements, predictions, surrogate

TOPOLOGY = space("topology")
SMALL = {"fit_on": 60, "sizes": (40,), "repeats": 2, "held": 300, "jobs": 1}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Three noisy runs of 500 architectures; a third of the third runs is not known."""
    rng = np.random.default_rng(0)
    ids = rng.permutation(TOPOLOGY.size)[:500]
    runs = np.full((TOPOLOGY.size, 3), np.nan)
    best = 60 + 5.0 * (TOPOLOGY.operations(ids)[:, 3] == 3) + (TOPOLOGY.operations(ids) == 3).sum(axis=1)
    runs[ids] = best[:, None] + 0.3 * rng.standard_normal((500, 3))
    runs[ids[::3], 2] = np.nan
    columns = [
        Column("test_accuracy", runs, "cifar10", 12, (1, 2, 3), evaluated_on="the test pictures"),
        Column("valid_accuracy", runs[:, 0].copy(), "cifar10", 12, means_over="one seed"),
    ]
    path = tmp_path_factory.mktemp("tables") / "some.h5"
    return Benchmark(Table(write_table(path, columns, name="some", space="topology", licence="CC0")))


@pytest.fixture(scope="module")
def run(bench, tmp_path_factory):
    return surrogate(bench, tmp_path_factory.mktemp("runs") / "run", **SMALL)


def test_one_row_a_fit_with_every_number_it_can_have(run):
    rows = measurements(run)
    assert rows[["size", "repeat"]].to_numpy().tolist() == [[40, 0], [40, 1], [60, 0], [60, 1]]
    close = rows[rows["size"] == 60]
    assert close.notna().all().all()
    assert rows[rows["size"] == 40]["coverage_90"].isna().all()
    assert (rows["pairs"] == 300).all()
    assert close["tau"].between(0.3, 1).all()
    assert close["coverage_90"].between(70, 100).all()
    assert (close["coverage_20"] < close["coverage_80"]).all()
    assert (close["one_seed_trainings"] <= 60).all()
    assert run.config["noise"]["tau"] == pytest.approx(0.85, abs=0.12)
    assert run.config["known"] == 500


def test_kept_predictions_are_those_that_were_judged(bench, run):
    kept = predictions(run)
    row = measurements(run).set_index(["size", "repeat"]).loc[60, 0]
    np.testing.assert_array_equal(kept["measured"], bench.query(kept["id"].to_numpy(), "test_accuracy"))
    assert agreement(kept["measured"], kept["predicted"]).tau == pytest.approx(row["tau"])
    inside = (kept["measured"] >= kept["low"]) & (kept["measured"] <= kept["high"])
    assert 100 * inside.mean() == pytest.approx(row["coverage_90"])


def test_no_class_is_learned_and_judged_and_draws_are_nested(bench, run):
    values = bench.query(np.arange(bench.space.size), "test_accuracy")
    for repeat in range(3):
        small, _ = _split(bench, run.config, Draw(40, repeat), values)
        learned, judged = _split(bench, run.config, Draw(60, repeat), values)
        np.testing.assert_array_equal(small, learned[:40])
        assert not set(TOPOLOGY.canonical(learned)) & set(TOPOLOGY.canonical(judged))
        assert not np.isnan(values[learned]).any()
        assert not np.isnan(values[judged]).any()
    first, second = (_split(bench, run.config, Draw(60, repeat), values)[0] for repeat in (0, 1))
    assert set(first) != set(second)


def test_a_killed_run_goes_on_to_the_same_numbers(bench, run, tmp_path):
    """Whatever is missing is done again, in as many processes as asked for; the rest is not touched."""
    again = Run(shutil.copytree(run.folder, tmp_path / "again"))
    kept = again.part("000060-0001")
    stamp = kept.stat().st_mtime_ns
    again.part("000040-0000").unlink()
    again.part("000060-0000").unlink()
    resumed = surrogate(bench, tmp_path / "again", **(SMALL | {"jobs": 2}))
    pd.testing.assert_frame_equal(measurements(resumed), measurements(run))
    assert kept.stat().st_mtime_ns == stamp


def test_a_column_of_means_has_no_ceiling_and_no_single_seed(bench, tmp_path):
    found = ng.surrogate(bench, metric="valid_accuracy", out=tmp_path / "run", **(SMALL | {"repeats": 1}))
    assert found.config["noise"] is None
    assert "one_seed_table" not in measurements(found)
    assert isinstance(found, Run)


def test_wrong_questions_are_refused_before_anything_is_written(bench, tmp_path):
    folder = tmp_path / "run"
    for wrong in ({"fit_on": 39}, {"fit_on": True}, {"sizes": (10,)}, {"sizes": (60.5,)}, {"repeats": 0},
                  {"held": 1}, {"base_seed": -1}, {"jobs": 0}):  # fmt: skip
        with pytest.raises(BadValue):
            surrogate(bench, folder, **(SMALL | wrong))
    with pytest.raises(BadValue, match="leave nothing to predict"):
        surrogate(bench, folder, **(SMALL | {"fit_on": 500}))
    with pytest.raises(UnknownName):
        surrogate(bench, folder, metric="test_acuracy", **SMALL)
    with pytest.raises(NotMeasured):
        surrogate(bench, folder, budget=200, **SMALL)
    assert not folder.exists()


def test_a_folder_of_something_else_is_not_touched(bench, run, tmp_path):
    with pytest.raises(BadValue, match="repeats"):
        surrogate(bench, run.folder, **(SMALL | {"repeats": 3}))
