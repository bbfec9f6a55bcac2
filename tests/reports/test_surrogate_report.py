"""The page of a surrogate says what the run found, from made-up fits; and nothing that it did not."""

import math

import numpy as np
import pandas as pd
import pytest

from nasgauge.bench.errors import BadFile, MissingFile
from nasgauge.bench.run_folder import write_frame
from nasgauge.reports import report
from nasgauge.reports.surrogate.compose import command
from nasgauge.reports.surrogate.outcome import outcome
from nasgauge.searchers.runner.run import Run
from nasgauge.searchers.runner.stretching import LEVELS, PREDICTIONS

SIZES = (50, 100, 500)


def made_up(folder, *, draws=4, runs=True, close=True, skip=(), coverage=1.0, gain=0.02, **changes):
    """A run whose tau is .7 + .1 times the place of the size, and more by a thousandth in each draw."""
    config = {
        "kind": "surrogate",
        "benchmark": {"name": "made-up", "title": "A made-up <table>", "licence": "CC0", "space": "topology",
                      "architectures": 15_625, "classes": 6_466, "sources": [], "table_sha256": {"made-up": "ab" * 32}},
        "question": {"metric": "test_accuracy", "dataset": "cifar10", "budget": 200, "epoch": None,
                     "words": "on the test pictures", "runs": runs},
        "fit_on": 500, "sizes": list(SIZES), "repeats": draws, "base_seed": 0, "held": 900, "known": 2_000,
        "noise": {"tau": 0.905, "tau_top": 0.73} if runs else None,
        "versions": {"nasgauge": "0.1.0"}, "git": None, "host": {"device": "cpu"}, "started": "2026-01-01T00:00:00",
        **changes,
    }  # fmt: skip
    run = Run.create(folder, config, ())
    for place, size in enumerate(SIZES):
        for draw in range(draws):
            if (size, draw) in skip:
                continue
            tau = 0.7 + 0.1 * place + 0.001 * draw
            row = {"size": size, "repeat": draw, "pairs": 900, "tau": tau, "tau_top": tau - 0.2, "rho": tau + 0.05,
                   "r2": tau, "error": 1 - tau}  # fmt: skip
            if size == 500 and close:
                row |= {f"coverage_{level}": coverage * level for level in LEVELS} | {"width": 2.5}
                if runs:
                    row |= {"one_seed_trainings": 450.0, "one_seed_table": 0.9 + 0.01 * draw,
                            "one_seed_learned": 0.9 + gain + 0.011 * draw, "one_seed_held": 0.85}  # fmt: skip
            run.write_part(f"{size}-{draw}", pd.DataFrame([row]))
    if close:
        rng = np.random.default_rng(0)
        truth = 90 + rng.random(900)
        frame = pd.DataFrame({"id": np.arange(900), "measured": truth, "predicted": truth + 0.1, "low": truth - 1,
                              "high": truth + 1})  # fmt: skip
        write_frame(folder / PREDICTIONS, frame)
    return run


def test_the_page_says_what_was_found(tmp_path):
    made = report(made_up(tmp_path / "run"))
    page = made.html()
    assert made.title == "Test accuracy of made-up, predicted"
    for words in (
        "From 500 architectures it ranks those of other classes with τ 0.901", "the table agree with τ 0.905",
        "Where both answer, it beats a table of one seed", "difference +0.02", "hold 90.0 % of the truths",
        "2.50 points wide", "A made-up &lt;table&gt;", "6,466 up to isomorphism", "on the test pictures", "25.00 %",
    ):  # fmt: skip
        assert words in page, words
    assert "fits missing" not in page
    assert "The intervals do not hold" not in page
    assert set(made.figures) == {"learning-curve", "calibration", "predictions"}
    assert set(made.tables) == {"fits", "learning-curve", "coverage", "predictions"}
    for name in made.figures:
        assert made.figure(name, "png").startswith(b"\x89PNG")
    assert page == report(Run(tmp_path / "run")).html()


@pytest.mark.parametrize(
    ("gain", "words"),
    [(0.02, "it beats a table of one seed"), (-0.02, "it is worse than a table of one seed"),
     (-0.0015, "it cannot be told from a table of one seed")],
)  # fmt: skip
def test_a_table_of_one_seed_is_beaten_only_beyond_doubt(tmp_path, gain, words):
    assert words in repr(report(made_up(tmp_path / "run", gain=gain)).sections)


def test_what_is_missing_or_wrong_is_an_alarm(tmp_path):
    said = repr(report(made_up(tmp_path / "run", skip={(50, 1), (100, 2)}, coverage=0.8)).sections)
    assert "Incomplete: 2 fits missing" in said
    assert "Intervals of 90 % hold 72.0 % of the truths" in said


def test_a_table_without_single_runs_has_no_ceiling(tmp_path):
    run = made_up(tmp_path / "run", runs=False)
    made = report(run)
    assert math.isnan(outcome(run).ceiling)
    assert "two seeds of the table agree with" not in repr(made.sections)
    assert not any(section.title.startswith("Against") for section in made.sections)


def test_a_run_that_has_just_begun_has_a_page(tmp_path):
    run = made_up(tmp_path / "run", draws=1, skip={(500, 0), (100, 0)}, close=False)
    page = report(run).html()
    assert "Incomplete: 2 fits missing" in page
    assert "nan" not in page.split("<script")[0].lower()
    assert not any(section.title.startswith("From 500") for section in report(run).sections)


def test_the_interval_is_over_draws(tmp_path):
    found = outcome(made_up(tmp_path / "run"))
    summary = found.summary("tau", 100)
    assert (summary.runs, summary.mean) == (4, pytest.approx(0.8015))
    assert 0.8 <= summary.low < summary.mean < summary.high <= 0.803
    assert found.curve.groupby("quantity").size().eq(3).all()
    assert found.coverage["covered"].tolist() == pytest.approx(list(LEVELS))


def test_a_damaged_run_is_refused(tmp_path):
    with pytest.raises(MissingFile, match="no finished fit"):
        report(made_up(tmp_path / "empty", skip={(size, draw) for size in SIZES for draw in range(4)}, close=False))
    run = made_up(tmp_path / "parts")
    run.write_part("50-0", pd.DataFrame([{"size": 50, "repeat": 0}]))
    run.part("50-1").write_bytes(b"no parquet")
    with pytest.raises(BadFile, match="50-1"):
        report(run)
    config = Run(tmp_path / "parts").config
    del config["question"]
    (tmp_path / "other").mkdir()
    with pytest.raises(BadFile, match=r"run\.json"):
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
