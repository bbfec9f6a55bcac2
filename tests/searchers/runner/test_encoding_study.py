"""Encoding runs: what they keep, that they go on after a kill, that numbers do not depend on how they were made."""

import numpy as np
import pandas as pd
import pytest

import nasgauge as ng
from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.reports.encoding.outcome import outcome
from nasgauge.searchers.predictors.encoded import Encoded
from nasgauge.searchers.runner.encoding_parts import StoredRows, frames
from nasgauge.searchers.runner.encoding_study import PREDICTORS, failed_words
from nasgauge.searchers.runner.run import Run
from nasgauge.searchers.runner.stretching import FAILURE, measurements

SMALL = {"heads": ["ridge"], "sizes": [10, 30], "fit_on": 30, "draws": 2, "held": 60, "pool": 150, "centres": 12,
         "neighbours": 3, "pairs": 50, "mapped": 40, "jobs": 1}  # fmt: skip


@pytest.fixture(scope="module")
def digits():
    return ng.open("tss-digits")


@pytest.fixture(scope="module")
def study(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encodings") / "run"
    return ng.encodings(digits, ["adjacency", "path"], out=folder, searchers=["nearest"], queries=12, seeds=2, **SMALL)


def test_a_killed_run_goes_on_to_the_same_numbers(digits, study):
    before = {path: pd.read_parquet(path) for path in study.parts()}
    for path in list(before)[::2]:
        path.unlink()
    (study.folder / "rows-path.npy").unlink()
    ng.encodings(digits, ["adjacency", "path"], out=study.folder, searchers=["nearest"], queries=12, seeds=2, **SMALL)
    assert set(study.parts()) == set(before)
    for path, frame in before.items():
        pd.testing.assert_frame_equal(pd.read_parquet(path), frame)


def test_gaps_are_those_of_the_table(digits, study):
    table, archs = frames(study, "neighbours"), frames(study, "archs")
    accuracy = archs.set_index("id")["accuracy:digits"]
    rows = ng.encode(digits, "path", archs["id"].to_numpy()).astype(float)
    mine = table[table["neighbours"] == "path"].set_index("id")["gap"]
    for arch in mine.index[:4]:
        place = int(np.flatnonzero(archs["id"] == arch)[0])
        squares = np.square(rows - rows[place]).sum(axis=1)
        squares[place] = np.inf
        third = np.sort(squares)[2]
        gaps = np.abs(accuracy.to_numpy() - accuracy[arch])
        inner, ties = squares < third, squares == third
        expected = (gaps[inner].sum() + (3 - inner.sum()) * gaps[ties].mean()) / 3
        assert mine[arch] == pytest.approx(expected)


def test_stored_rows_predict_as_rows_made_anew(digits, study):
    ids = np.load(study.folder / "ids.npy")[:80]
    values = digits.query(ids, "test_accuracy")
    stored = Encoded("path", "ridge", StoredRows(study.folder, "path"))
    ours, theirs = (
        model.fit(digits.space, ids[:40], values[:40], np.random.default_rng(0)).predict(ids[40:])
        for model in (stored, Encoded("path", "ridge"))
    )
    assert (ours.mean == theirs.mean).all()


def test_predictors_are_a_run_of_their_own(study):
    fits = measurements(Run(study.folder / PREDICTORS))
    assert set(fits["model"]) == {"adjacency+ridge", "path+ridge"}
    assert len(fits) == 2 * 2 * 2


def test_its_page_shows_every_part(study):
    made = ng.report(study)
    page = made.html()
    for words in (
        "Encodings of tss-digits", "How many architectures a predictor takes", "Whether neighbours are alike",
        "Nearest neighbours, drawn", "Maps", "What distances follow", "Searching with each encoding", "one edit",
        "nearest, path", "t-SNE", "FLOPs", "On digits:",
    ):  # fmt: skip
        assert words in page, words
    assert "From one part of the space to another" not in page
    assert made.figure("map-tsne-flops", "pdf").startswith(b"%PDF")
    assert ng.report(study).html() == page


@pytest.mark.real
def test_learning_outside_is_kept_beside_learning_inside(shared, real_home, tmp_path):
    bench = ng.open("nasbench101", home=real_home)
    settings = {**SMALL, "sizes": [30], "pool": 900, "held": 100}
    found = outcome(ng.encodings(bench, ["adjacency", "path"], out=tmp_path / "run", **settings))
    table = found.transfers
    assert set(table["crossing"]) == {"vertices", "edges"}
    assert set(table["learned"]) == {"source", "target"}
    draws = found.transfer[found.transfer["model"] == "path+ridge"]
    for row in table[(table["model"] == "path+ridge") & (table["learned"] == "source")].itertuples():
        mine = draws[(draws["crossing"] == row.crossing) & (draws["size"] == row.size)]
        sides = mine.pivot(index="draw", columns="learned", values="tau")
        assert row.tau == pytest.approx(sides["source"].mean())
        assert row.lost == pytest.approx((sides["target"] - sides["source"]).mean())
    assert "From one part of the space to another" in ng.report(found.run).html()


@pytest.mark.real
def test_trainings_on_half_of_cifar10_have_to_be_asked_for(real_home, tmp_path):
    few = SMALL | {"sizes": [10], "fit_on": 10, "draws": 1, "held": 20, "pool": 100}
    run = ng.encodings(ng.open("nats-tss", home=real_home), ["adjacency"], out=tmp_path / "run", **few)
    asked = [each["dataset"] for each in run.config["questions"]]
    assert asked == ["cifar10", "cifar100", "ImageNet16-120"]
    assert [each["dataset"] for each in Run(run.folder / PREDICTORS).config["questions"]] == asked


def test_the_page_says_the_command_that_makes_the_same_run(study):
    from typer.testing import CliRunner

    from nasgauge.cli import app
    from nasgauge.reports.encoding.compose import command

    words = command(study.config).split()
    before = {path: path.stat().st_mtime_ns for path in study.parts()}
    answer = CliRunner().invoke(app, [*words[1:], "--jobs", "1", "--out", str(study.folder)])
    assert answer.exit_code == 0, answer.output
    assert {path: path.stat().st_mtime_ns for path in study.parts()} == before  # the same question: nothing is redone


def test_failed_fits_are_told(study):
    assert failed_words(study) == []
    path = study.folder / PREDICTORS / "failed-one.parquet"
    row = ("digits", "path+ridge", 10, 0, "ValueError: no", "trace")
    pd.DataFrame([row], columns=list(FAILURE)).to_parquet(path)
    assert "ValueError: no" in failed_words(study)[0]
    assert "broke off with an error" in ng.report(study).html()
    path.unlink()


def test_bad_questions_end_in_one_error_and_no_folder(digits, tmp_path):
    folder = tmp_path / "run"
    for settings, error, words in (
        ({"encodings": ["paths"]}, UnknownName, "path-truncated"),
        ({"encodings": ["graph"]}, UnknownName, "graph"),
        ({"encodings": ["path", "path"]}, BadValue, "each once"),
        ({"encodings": ["path"], "heads": ["lasso"]}, UnknownName, "unknown head 'lasso'; legal: ridge"),
        ({"encodings": ["path"], "base_seed": -1}, BadValue, "base_seed=-1"),
        ({"encodings": ["path"], "searchers": ["random"]}, UnknownName, "dngo"),
        ({"encodings": ["path"], "pool": 3}, BadValue, "pool=3"),
        ({"encodings": ["path"], "jobs": 0}, BadValue, "jobs=0"),
        ({"encodings": ["path"], "sizes": [7_000], "heads": ["ridge"]}, BadValue, "nothing to predict"),
    ):
        with pytest.raises(error, match=words):
            ng.encodings(digits, out=folder, **settings)
        assert not folder.exists()
