"""The page on predictors says what the run found, from made-up fits; and nothing that it did not."""

import math

import numpy as np
import pandas as pd
import pytest

from nasgauge.bench.errors import BadFile, MissingFile
from nasgauge.bench.run_folder import write_frame
from nasgauge.reports import report
from nasgauge.reports.surrogate.compose import command
from nasgauge.reports.surrogate.measures import MEASURES
from nasgauge.reports.surrogate.outcome import outcome
from nasgauge.searchers.runner.judging import LEVELS
from nasgauge.searchers.runner.run import Run

SIZES = (50, 100, 500)
MODELS = ("tw-gp", "path+ridge", "surrogate")


def question(dataset="cifar10", runs=True):
    return {"metric": "test_accuracy", "dataset": dataset, "budget": 200, "epoch": None,
            "words": "on the test pictures", "runs": runs, "known": 2_000,
            "noise": {"tau": 0.905, "tau_top": 0.73} if runs else None}  # fmt: skip


def made_up(folder, *, models=MODELS, datasets=("cifar10",), draws=8, runs=True, close=True, skip=(), coverage=1.0,
            gain=0.02, **changes):  # fmt: skip
    """Tau is .7 + .1 times the place of the size + .02 times that of the model, and a thousandth more in each draw."""
    config = {
        "kind": "surrogate",
        "benchmark": {"name": "made-up", "title": "A made-up <table>", "licence": "CC0", "space": "topology",
                      "architectures": 15_625, "classes": 6_466, "sources": [], "table_sha256": {"made-up": "ab" * 32}},
        "questions": [question(dataset, runs) for dataset in datasets], "models": list(models), "scale": "log-error",
        "fit_on": 500, "sizes": list(SIZES), "draws": draws, "base_seed": 0, "held": 900,
        "versions": {"nasgauge": "0.1.0"}, "git": None, "host": {"device": "cpu"}, "started": "2026-01-01T00:00:00",
        **changes,
    }  # fmt: skip
    run = Run.create(folder, config, ())
    rng = np.random.default_rng(0)
    for dataset in datasets:
        for slot, model in enumerate(models):
            for draw in range(draws):
                rows = [one(dataset, slot, model, place, draw, runs, coverage, gain) for place in range(len(SIZES))
                        if (model, SIZES[place], draw) not in skip]  # fmt: skip
                if rows:
                    run.write_part(f"{dataset}-{slot}-{draw}", pd.DataFrame(rows))
            if close:
                truth = 90 + rng.random(900)
                frame = pd.DataFrame({"dataset": dataset, "model": model, "id": np.arange(900), "measured": truth,
                                      "predicted": truth + 0.1, "low": truth - 1, "high": truth + 1})  # fmt: skip
                write_frame(folder / f"predictions-{dataset}-{slot}-0.parquet", frame)
    return run


def one(dataset, slot, model, place, draw, runs, coverage, gain):
    size = SIZES[place]
    tau = 0.7 + 0.1 * place + 0.02 * slot + 0.001 * draw
    row = {"dataset": dataset, "model": model, "size": size, "draw": draw, "pairs": 900, "tau": tau,
           "tau_top": tau - 0.2, "rho": tau + 0.05, "r2": tau, "error": 1 - tau, "precision": tau / 2, "nll": 2 - tau,
           "calibration": 3.0, "width": 2.5, "fit_seconds": 0.1, "predict_seconds": 0.2}  # fmt: skip
    row |= {f"coverage_{level}": coverage * level for level in LEVELS}
    if size == 500 and runs:
        row |= {"one_seed_trainings": 450.0, "one_seed_table": 0.9 + 0.01 * draw,
                "one_seed_learned": 0.9 + gain + 0.011 * draw, "one_seed_held": 0.85}  # fmt: skip
    return row


def said(made):
    return repr(made.sections)


def test_the_page_says_what_was_found(tmp_path):
    made = report(made_up(tmp_path / "run"))
    page = made.html()
    assert made.title == "Test accuracy of made-up, predicted"
    for words in (
        "cifar10: from 500 architectures, surrogate ranks best: it ranks those of other classes with τ 0.94",
        "two seeds of the table agree with τ 0.905", "+0.040 against tw-gp",
        "from 50 the best is surrogate with τ 0.74",
        "where both answer, surrogate beats a table of one seed", "difference +0.02", "hold 90.0 % of the truths",
        "2.50 points wide", "A made-up &lt;table&gt;", "6,466 up to isomorphism", "on the test pictures",
    ):  # fmt: skip
        assert words in page, words
    assert "missing" not in said(made)
    assert "do not hold what they promise" not in page
    assert set(made.tables) == {"fits", "curves", "differences", "predictions"}
    assert made.figure("differences-cifar10", "png").startswith(b"\x89PNG")


def test_every_data_set_has_its_figures_and_findings(tmp_path):
    made = report(made_up(tmp_path / "run", datasets=("cifar10", "cifar100")))
    kinds = ("learning", "differences", "calibration", "predictions")
    assert set(made.figures) == {f"{kind}-{dataset}" for kind in kinds for dataset in ("cifar10", "cifar100")}
    for dataset in ("cifar10", "cifar100"):
        assert f"{dataset}: from 500 architectures, surrogate ranks best" in said(made)
    again = report(Run(tmp_path / "run"))
    assert repr(again.sections) == said(made)
    assert all(again.csv(name) == made.csv(name) for name in made.tables)


def test_differences_are_of_draws_and_signed_by_what_is_better(tmp_path):
    found = outcome(made_up(tmp_path / "run"))
    table = found.differences.set_index(["model", "size", "measure"])
    assert set(found.differences["reference"]) == {"tw-gp"}
    row = table.loc[("surrogate", 500, "tau")]
    assert (row["mean"], row["low"], row["high"]) == pytest.approx((0.04, 0.04, 0.04))
    assert row["p_holm"] == pytest.approx(2 * 2 * 0.5**8)  # all eight differences have one sign; two models
    assert row["verdict"] == 1
    assert table.loc[("surrogate", 500, "nll")]["mean"] == pytest.approx(-0.04)
    assert table.loc[("surrogate", 500, "nll")]["verdict"] == 1
    assert table.loc[("surrogate", 500, "calibration")]["verdict"] == 0


def test_a_draw_that_one_model_lacks_is_in_no_difference(tmp_path):
    found = outcome(made_up(tmp_path / "run", skip={("tw-gp", 500, 3), ("surrogate", 500, 4)}))
    table = found.differences.set_index(["model", "size", "measure"])
    assert table.loc[("surrogate", 500, "tau")]["pairs"] == 6
    assert table.loc[("path+ridge", 500, "tau")]["pairs"] == 7
    assert table.loc[("surrogate", 500, "tau")]["mean"] == pytest.approx(0.04)


def test_one_model_is_compared_with_nothing_but_noise(tmp_path):
    made = report(made_up(tmp_path / "run", models=("surrogate",)))
    assert set(made.figures) == {f"{kind}-cifar10" for kind in ("learning", "calibration", "predictions")}
    assert "from 500 architectures, surrogate ranks those of other classes with τ 0.90" in said(made)
    assert "differences" not in made.tables
    assert "adjusted" not in said(made)


@pytest.mark.parametrize(
    ("gain", "words"),
    [(0.02, "surrogate beats a table of one seed"), (-0.02, "surrogate is worse than a table of one seed"),
     (-0.0035, "surrogate cannot be told from a table of one seed")],
)  # fmt: skip
def test_a_table_of_one_seed_is_beaten_only_beyond_doubt(tmp_path, gain, words):
    assert words in said(report(made_up(tmp_path / "run", gain=gain)))


def test_what_is_missing_or_wrong_is_an_alarm(tmp_path):
    run = made_up(tmp_path / "run", skip={("tw-gp", 50, 1), ("surrogate", 100, 2)}, coverage=0.8)
    frame = pd.DataFrame([("cifar10", "tw-gp", 50, 1, "ValueError: no", "Traceback ...")],
                         columns=["dataset", "model", "size", "draw", "error", "traceback"])  # fmt: skip
    write_frame(run.failed("some"), frame)
    words = said(report(run))
    assert "Incomplete: 2 fits missing" in words
    assert "1 fit broke off with an error" in words
    assert "tw-gp on cifar10, 50 architectures: ValueError: no" in words
    assert "hold too few of the truths by tw-gp 72.0 %, path+ridge 72.0 % and surrogate 72.0 %" in words


def test_a_table_without_single_runs_has_no_ceiling(tmp_path):
    run = made_up(tmp_path / "run", runs=False)
    made = report(run)
    assert math.isnan(outcome(run).ceiling("cifar10"))
    assert "two seeds of the table agree with" not in said(made)
    assert not any(section.title.startswith("Against") for section in made.sections)


def test_a_run_that_has_just_begun_has_a_page(tmp_path):
    skip = {("tw-gp", 500, 0), ("tw-gp", 100, 0), *(("path+ridge", size, 0) for size in SIZES),
            *(("surrogate", size, 0) for size in SIZES)}  # fmt: skip
    made = report(made_up(tmp_path / "run", draws=1, skip=skip, close=False))
    page = made.html()
    assert "Incomplete: 8 fits missing" in page
    assert "nan" not in page.split("<script")[0].lower()
    assert "From 50 architectures" in page


def test_the_interval_is_over_draws(tmp_path):
    found = outcome(made_up(tmp_path / "run", draws=4))
    summary = found.summary("cifar10", "tw-gp", 100, "tau")
    assert (summary.runs, summary.mean) == (4, pytest.approx(0.8015))
    assert 0.8 <= summary.low < summary.mean < summary.high <= 0.803
    counts = found.curve.groupby("measure").size()
    assert counts.eq(len(SIZES) * len(MODELS)).all()
    assert set(counts.index) >= {measure.column for measure in MEASURES}
    covered = found.curve.query("measure == 'coverage_80'")["mean"]
    assert covered.tolist() == pytest.approx([80] * 9)


def test_a_damaged_run_is_refused(tmp_path):
    every = {(model, size, draw) for model in MODELS for size in SIZES for draw in range(8)}
    with pytest.raises(MissingFile, match="no finished fit"):
        report(made_up(tmp_path / "empty", skip=every, close=False))
    run = made_up(tmp_path / "parts")
    whole = pd.read_parquet(run.part("cifar10-0-0"))
    run.write_part("cifar10-0-0", whole.drop(columns="nll"))
    run.part("cifar10-0-1").write_bytes(b"no parquet")
    with pytest.raises(BadFile, match="cifar10-0-1"):
        report(run)
    run.write_part("cifar10-0-1", whole)
    with pytest.raises(BadFile, match="there twice"):
        report(run)
    config = Run(tmp_path / "parts").config
    del config["questions"]
    (tmp_path / "other").mkdir()
    with pytest.raises(BadFile, match=r"run\.json.*questions"):
        report(Run.create(tmp_path / "other" / "run", config, ()))


def test_the_command_is_that_of_the_command_line(tmp_path):
    """Its options are those the command has; the values are those of the run."""
    from typer.testing import CliRunner

    from nasgauge.cli import app

    words = command(outcome(made_up(tmp_path / "run")).config).split()
    shown = CliRunner().invoke(app, ["surrogate", "--help"], env={"COLUMNS": "200"}).output
    assert words[:3] == ["nasgauge", "surrogate", "made-up"]
    assert all(word in shown for word in words if word.startswith("--"))
    assert words[words.index("--fit-on") + 1] == "500"
    assert words[words.index("--sizes") + 1] == "50,100,500"
    assert [words[place + 1] for place, word in enumerate(words) if word == "--model"] == list(MODELS)
