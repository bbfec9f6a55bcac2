"""Surrogate runs: fair splits, the same numbers however they are computed, nothing done twice, clear refusals."""

import shutil
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

import nasgauge as ng
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.column import Column
from nasgauge.bench.errors import BadValue, NotMeasured, UnknownName
from nasgauge.bench.spaces import space
from nasgauge.bench.surrogate.model import Scale
from nasgauge.bench.surrogate.quality import agreement, precision
from nasgauge.bench.table import Table, write_table
from nasgauge.cli import app
from nasgauge.searchers.predictors import Forecast, predictor
from nasgauge.searchers.runner.judging import LEVELS, judged
from nasgauge.searchers.runner.run import Run
from nasgauge.searchers.runner.stretching import (
    MEASURED,
    FailedFits,
    failures,
    held_out,
    measurements,
    predictions,
    surrogate,
)

TOPOLOGY = space("topology")
SMALL = {"models": ("tw-gp", "path-features+ridge"), "fit_on": 60, "sizes": (20,), "draws": 2, "held": 300, "jobs": 1}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Three noisy runs of 500 architectures; a third of the third runs is not known. A second data set is worse."""
    rng = np.random.default_rng(0)
    ids = rng.permutation(TOPOLOGY.size)[:500]
    runs = np.full((TOPOLOGY.size, 3), np.nan)
    best = 60 + 5.0 * (TOPOLOGY.operations(ids)[:, 3] == 3) + (TOPOLOGY.operations(ids) == 3).sum(axis=1)
    runs[ids] = best[:, None] + 0.3 * rng.standard_normal((500, 3))
    runs[ids[::3], 2] = np.nan
    columns = [
        Column("test_accuracy", runs, "cifar10", 12, (1, 2, 3), evaluated_on="the test pictures"),
        Column("test_accuracy", runs - 20, "cifar100", 12, (1, 2, 3), evaluated_on="the test pictures"),
        Column("valid_accuracy", runs[:, 0].copy(), "cifar10", 12, means_over="one seed"),
    ]
    path = tmp_path_factory.mktemp("tables") / "some.h5"
    return Benchmark(Table(write_table(path, columns, name="some", space="topology", licence="CC0")))


@pytest.fixture(scope="module")
def run(bench, tmp_path_factory):
    return surrogate(bench, tmp_path_factory.mktemp("runs") / "run", datasets=("cifar10", "cifar100"), **SMALL)


def known(frame):
    """Without what was measured on the host."""
    return frame.drop(columns=list(MEASURED))


def test_one_row_a_fit_with_every_number_it_can_have(run):
    rows = measurements(run)
    assert len(rows) == 2 * 2 * 2 * 2
    assert not rows.duplicated(["dataset", "model", "size", "draw"]).any()
    close = rows[rows["size"] == 60]
    assert close.notna().all().all()
    assert rows[rows["size"] == 20]["one_seed_table"].isna().all()
    assert (rows["pairs"] == 300).all()
    assert close["tau"].between(0.2, 1).all()
    assert (close["coverage_20"] < close["coverage_80"]).all()
    assert rows["precision"].between(0, 1).all()
    assert (rows["calibration"] < 50).all()
    assert (rows[list(MEASURED)] >= 0).all().all()
    assert (close["one_seed_trainings"] <= 60).all()
    assert [each["noise"]["tau"] for each in run.config["questions"]] == pytest.approx([0.85, 0.85], abs=0.12)
    assert [each["known"] for each in run.config["questions"]] == [500, 500]
    assert run.config["models"] == ["tw-gp", "path-features+ridge"]


def test_kept_predictions_are_those_that_were_judged(bench, run):
    kept = predictions(run).query("dataset == 'cifar100' and model == 'tw-gp'")
    row = measurements(run).set_index(["dataset", "model", "size", "draw"]).loc["cifar100", "tw-gp", 60, 0]
    truth = bench.query(kept["id"].to_numpy(), "test_accuracy", dataset="cifar100")
    np.testing.assert_array_equal(kept["measured"], truth)
    assert agreement(kept["measured"], kept["predicted"]).tau == pytest.approx(row["tau"])
    inside = (kept["measured"] >= kept["low"]) & (kept["measured"] <= kept["high"])
    assert 100 * inside.mean() == pytest.approx(row["coverage_90"], abs=0.5)
    assert (kept["high"] - kept["low"]).mean() == pytest.approx(row["width"])


def test_no_class_is_learned_and_judged_and_draws_are_nested(bench, run):
    """All sizes, models and data sets of a draw are judged on the same architectures."""
    values = bench.query(np.arange(bench.space.size), "test_accuracy", dataset="cifar10")
    for draw in range(3):
        learned, judged_on = held_out(bench, run.config, draw, values)
        assert len(learned) == 60
        assert not set(TOPOLOGY.canonical(learned)) & set(TOPOLOGY.canonical(judged_on))
        assert not np.isnan(values[np.concatenate([learned, judged_on])]).any()
        again, same = held_out(bench, run.config, draw, values - 20)
        np.testing.assert_array_equal(learned, again)
        np.testing.assert_array_equal(judged_on, same)
    first, second = (held_out(bench, run.config, draw, values)[0] for draw in (0, 1))
    assert set(first) != set(second)


def test_a_killed_run_goes_on_to_the_same_numbers(run, bench, tmp_path):
    """Whatever is missing is done again, in as many processes as asked for; the rest is not touched."""
    again = Run(shutil.copytree(run.folder, tmp_path / "again"))
    gone, kept = again.parts()[::2], again.parts()[1::2]
    stamps = [path.stat().st_mtime_ns for path in kept]
    for path in gone:
        path.unlink()
    resumed = surrogate(bench, again.folder, datasets=("cifar10", "cifar100"), **(SMALL | {"jobs": 2}))
    pd.testing.assert_frame_equal(known(measurements(resumed)), known(measurements(run)))
    assert [path.stat().st_mtime_ns for path in kept] == stamps


def test_a_predictor_is_worth_the_same_beside_others(bench, run, tmp_path):
    """Numbers of one predictor depend neither on the others nor on their order."""
    alone = surrogate(bench, tmp_path / "alone", datasets=("cifar10",), **(SMALL | {"models": ("tw-gp",)}))
    beside = measurements(run).query("dataset == 'cifar10' and model == 'tw-gp'").reset_index(drop=True)
    pd.testing.assert_frame_equal(known(measurements(alone)), known(beside))


@dataclass(frozen=True)
class Moody:
    """A predictor of one's own, that does not like large samples."""

    name: str = "moody"
    most: int = 20

    def fit(self, space, ids, values, rng):
        if len(ids) > self.most:
            raise RuntimeError("too many")
        return predictor("path-features+ridge", space).fit(space, ids, values, rng)


def test_a_predictor_of_ones_own_may_fail_and_is_tried_again(bench, tmp_path):
    wanted = SMALL | {"models": (Moody(), "tw-gp")}
    with pytest.warns(FailedFits, match="2 of 8 fits failed; the first is 'moody' on cifar10, 60 arch.*too many"):
        run = ng.surrogate(bench, wanted.pop("models"), dataset="cifar10", out=tmp_path / "run", **wanted)
    assert len(measurements(run)) == 6
    assert failures(run)["traceback"].str.contains("RuntimeError").all()
    healed = surrogate(bench, run.folder, datasets=("cifar10",), **(SMALL | {"models": (Moody(most=60), "tw-gp")}))
    assert len(measurements(healed)) == 8
    assert failures(healed).empty


def test_a_column_of_means_has_no_ceiling_and_no_single_seed(bench, tmp_path):
    found = ng.surrogate(
        bench, ["path-features+ridge"], metric="valid_accuracy", out=tmp_path / "run", fit_on=40, sizes=(), draws=1,
        held=200, jobs=1,
    )  # fmt: skip
    assert found.config["questions"][0]["noise"] is None
    assert "one_seed_table" not in measurements(found)
    assert isinstance(found, Run)


def test_wrong_questions_are_refused_before_anything_is_written(bench, tmp_path):
    folder = tmp_path / "run"
    for wrong in ({"fit_on": 9}, {"fit_on": True}, {"sizes": (5,)}, {"sizes": (60.5,)}, {"draws": 0}, {"held": 1},
                  {"base_seed": -1}, {"jobs": 0}, {"models": ()}, {"models": ("tw-gp", "tw-gp")},
                  {"models": (7,)}, {"datasets": ("cifar10", "cifar10")}):  # fmt: skip
        with pytest.raises(BadValue):
            surrogate(bench, folder, **(SMALL | wrong))
    with pytest.raises(BadValue, match="leave nothing to predict"):
        surrogate(bench, folder, **(SMALL | {"fit_on": 500}))
    for wrong in ({"metric": "test_acuracy"}, {"models": ("tw-pg",)}, {"scale": "log"}, {"datasets": ("cifar",)}):
        with pytest.raises(UnknownName):
            surrogate(bench, folder, **(SMALL | wrong))
    with pytest.raises(NotMeasured):
        surrogate(bench, folder, budget=200, **SMALL)
    assert not folder.exists()
    every = surrogate(bench, folder, **(SMALL | {"draws": 1, "models": ("path-features+ridge",)}))
    assert [each["dataset"] for each in every.config["questions"]] == ["cifar10", "cifar100"]


def test_a_folder_of_something_else_is_not_touched(bench, run):
    with pytest.raises(BadValue, match="draws"):
        surrogate(bench, run.folder, datasets=("cifar10", "cifar100"), **(SMALL | {"draws": 3}))


@pytest.mark.parametrize("of_accuracy", [True, False])
def test_honest_forecasts_are_found_honest(of_accuracy):
    """Truths drawn from the forecasts themselves: every measure has its known value."""
    rng = np.random.default_rng(0)
    scale = Scale(of_accuracy)
    mean = -2 + 0.5 * rng.standard_normal(20_000)
    deviation = 0.1 + 0.2 * rng.random(20_000)
    truth = scale.back(mean + deviation * rng.standard_normal(20_000))
    row = judged(scale, truth, Forecast(mean, deviation))
    assert [row[f"coverage_{level}"] for level in LEVELS] == pytest.approx(LEVELS, abs=1.5)
    assert row["calibration"] < 1
    if not of_accuracy:
        law = norm(mean, deviation)
        assert row["nll"] == pytest.approx(-law.logpdf(truth).mean())
        assert row["width"] == pytest.approx(np.mean(law.ppf(0.95) - law.ppf(0.05)))
    else:  # the density of an accuracy is that of z times the slope, by a difference quotient
        small = 1e-4
        law = norm(mean, deviation)
        share = law.cdf(scale.learned(truth + small)) - law.cdf(scale.learned(truth - small))
        assert row["nll"] == pytest.approx(-np.log(share / (2 * small)).mean(), abs=1e-3)
    bold = judged(scale, truth, Forecast(mean, deviation / 3))
    assert bold["calibration"] > 20
    assert bold["nll"] > row["nll"]
    assert bold["tau"] == row["tau"]


def test_precision_does_not_depend_on_the_order_of_ties():
    rng = np.random.default_rng(1)
    truth = rng.random(200)
    assert precision(truth, np.zeros(200), 10) == pytest.approx(10 / 200)
    assert precision(truth, truth, 10) == 1
    assert precision(truth, -truth, 10) == 0
    coarse = np.round(truth, 1)
    turn = rng.permutation(200)
    assert precision(truth, coarse, 10) == pytest.approx(precision(truth[turn], coarse[turn], 10))
    assert np.isnan(precision(truth[:5], truth[:5], 10))


def test_the_command_fits_reports_and_says_what_is_wrong(bench, tmp_path):
    table, out = str(bench.tables[0].path), tmp_path / "run"
    words = ["surrogate", table, "-d", "cifar10", "--model", "path-features+ridge", "--model", "hamming-gp", "--sizes",
             "20,40", "--fit-on", "40", "--draws", "2", "--held", "100", "--jobs", "1", "--out", str(out)]  # fmt: skip
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert f"next: nasgauge report {out}" in done.output
    assert len(measurements(Run(out))) == 2 * 2 * 2
    for wrong in (["--model", "path+rigde"], ["--sizes", "20,many"], ["--scale", "log"]):
        refused = CliRunner().invoke(app, [*words, *wrong])
        assert refused.exit_code != 0
