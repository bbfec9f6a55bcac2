"""What the report on a comparison says, checked against the records it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

import nasgauge as ng
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadFile, MissingFile, NasgaugeError, UnknownName
from nasgauge.bench.run_folder import write_frame
from nasgauge.reports import report
from nasgauge.reports.blocks import Alarm, Block, Facts, Findings, Grid, Listing, Plot, Points
from nasgauge.reports.comparison.asked import Asked
from nasgauge.reports.comparison.outcome import Outcome, outcome
from nasgauge.reports.comparison.sentences import command, findings
from nasgauge.reports.interactive import figure
from nasgauge.reports.page import render
from nasgauge.reports.report import Report
from nasgauge.reports.view import View
from nasgauge.searchers.runner.run import Run


def blocks(made: Report, kind: type) -> list[Any]:
    return [block for section in made.sections for block in section.blocks if isinstance(block, kind)]


def grids(made: Report, caption: str) -> list[Grid]:
    return [grid for grid in blocks(made, Grid) if grid.caption.startswith(caption)]


def told(found: Outcome) -> list[tuple[str, str]]:
    task = found.asked.tasks[0]
    final = found.rows("final", task.dataset, split="test")
    return findings(
        task, found.asked, final, found.rows("pairs", task.dataset, split="test", reference=found.asked.labels[0])
    )


def test_final_table_equals_a_plain_computation(make_run: Any) -> None:
    run = make_run(seeds=7, evaluations=25)
    found, records = outcome(run), run.records()
    best = run.config["tasks"][0]["optimum"]["test"]["value"]
    for row in found.rows("final", "cifar10", split="test").itertuples():
        mine = records[records["searcher"] == row.searcher]
        ends = [one.loc[one["value"].idxmax(), "test"] for _, one in mine.groupby("seed")]
        assert row.runs == 7
        assert row.mean == pytest.approx(np.mean(ends))
        assert row.std == pytest.approx(np.std(ends, ddof=1))
        assert row.median == pytest.approx(np.median(ends))
        assert row.regret == pytest.approx(best - np.mean(ends))
        assert row.regret_low == pytest.approx(best - row.high)
        assert row.at_optimum == pytest.approx(np.mean(np.isclose(ends, best)))
        assert row.low < row.mean < row.high


def test_paired_differences_are_to_the_first_searcher_seed_by_seed(make_run: Any) -> None:
    found = outcome(make_run(labels=["random", "a", "b"], seeds=9))
    ends = found.tables["incumbents"].pivot_table(index="seed", columns="searcher", values="test")
    rows = found.rows("pairs", "cifar10", split="test", reference="random").set_index("searcher")
    assert list(rows.index) == ["a", "b"]
    for label in "ab":
        assert rows.loc[label, "mean"] == pytest.approx((ends[label] - ends["random"]).mean())
        assert rows.loc[label, "wins"] == (ends[label] > ends["random"]).sum()


def test_curves_end_where_the_final_table_says_when_the_budget_is_in_queries(make_run: Any) -> None:
    found = outcome(make_run(seeds=5, evaluations=20))
    for row in found.tables["final"].itertuples():
        curve = found.curves["cifar10", "queries", row.split, row.searcher]
        assert curve.x[-1] == 20
        assert curve.mean.y[-1] == pytest.approx(row.mean)


def test_grid_ends_at_the_budget_in_seconds(make_run: Any) -> None:
    found = outcome(make_run(seconds=1500.0, evaluations=60))
    assert found.ends["cifar10", "seconds"] == 1500.0
    assert found.curves["cifar10", "seconds", "test", "random"].x[-1] == 1500.0
    assert found.ends["cifar10", "queries"] == found.tables["effort"]["queries_most"].max()


def test_with_two_budgets_no_axis_goes_beyond_the_longest_run(make_run: Any) -> None:
    found = outcome(make_run(seconds=1500.0, queries=1000, evaluations=60))
    assert found.ends["cifar10", "queries"] == found.tables["effort"]["queries_most"].max()


def test_a_table_without_costs_has_no_time_axis(make_run: Any) -> None:
    run = make_run(evaluations=10)
    for path in run.folder.glob("part-*.parquet"):
        write_frame(path, pd.read_parquet(path).assign(seconds=0.0))
    made = report(run)
    assert "cifar10-queries" in made.figures
    assert not [name for name in made.figures if "seconds" in name or "total" in name]


def test_the_summary_tells_a_difference_from_none() -> None:
    asked = _asked(["random", "evolution"])
    task = asked.tasks[0]
    final = pd.DataFrame({"searcher": ["random", "evolution"], "runs": 100, "mean": [93.7, 93.9], "low": 93.6,
                          "high": 94.0, "regret": [0.67, 0.47]})  # fmt: skip
    row = {"searcher": "evolution", "pairs": 100, "mean": 0.2, "low": 0.15, "high": 0.25, "verdict": 1,
           "p_holm": 0.0004, "a12": 0.71}  # fmt: skip
    [(headline, evidence)] = findings(task, asked, final, pd.DataFrame([row]))
    assert headline == "evolution beats random on cifar10 test by 0.20 points"
    assert evidence.startswith(
        "95 % interval 0.150 to 0.250 of the paired difference, 100 seeds; signed-rank p < 0.001"
    )
    worse = {**row, "mean": -0.2, "low": -0.25, "high": -0.15, "verdict": -1}
    assert "loses to random" in findings(task, asked, final, pd.DataFrame([worse]))[0][0]
    unclear = {**row, "mean": 0.01, "low": -0.02, "high": 0.04, "verdict": 0, "p_holm": 0.4}
    headline, evidence = findings(task, asked, final, pd.DataFrame([unclear]))[0]
    assert headline == "evolution and random are not told apart on cifar10 test"
    assert "+0.010 points" in evidence and "−0.020 to 0.040" in evidence and "sides" not in evidence
    torn = {**unclear, "p_holm": 0.01}
    headline, evidence = findings(task, asked, final, pd.DataFrame([torn]))[0]
    assert "not told apart" in headline and "mean and ranks of the differences lie on different sides" in evidence


def test_p_is_adjusted_over_all_pairs_of_one_data_set_and_split(make_run: Any) -> None:
    pairs = outcome(make_run(labels=["random", "a", "b", "c"], seeds=12, evaluations=10)).tables["pairs"]
    for _, family in pairs[pairs["searcher"] < pairs["reference"]].groupby(["dataset", "split"]):
        assert len(family) == 6
        np.testing.assert_allclose(family["p_holm"], multipletests(family["p"], method="holm")[1])


def test_one_seed_is_told_without_an_interval(make_run: Any) -> None:
    [(headline, evidence)] = told(outcome(make_run(seeds=1)))
    assert "beats" not in headline and "1 seed: there is no interval" in evidence


def test_many_searchers_are_summed_up_by_the_best(make_run: Any) -> None:
    found = outcome(make_run(labels=["random", *"abcdefghi"], seeds=4, evaluations=10))
    told_ = told(found)
    assert len(told_) <= 2
    test = found.rows("final", "cifar10", split="test")
    assert told_[0][0].startswith(test.loc[test["mean"].idxmax(), "searcher"])


def test_an_incomplete_run_is_said_loudly_with_counts(make_run: Any) -> None:
    skip = [("cifar10", "evolution", seed) for seed in (1, 3)] + [("cifar100", "random", seed) for seed in range(6)]
    made = report(make_run(datasets=["cifar10", "cifar100"], skip=skip))
    alarm = blocks(made, Alarm)[0]
    assert alarm.title == "Incomplete: 8 of 24 repetitions are missing"
    assert "cifar10, evolution: 4 of 6 repetitions" in alarm.lines
    assert "cifar100, random: 0 of 6 repetitions" in alarm.lines
    assert made.sections[0].blocks[0] is alarm  # before anything else


def test_a_search_on_predictions_says_so_before_anything_else(toy: Benchmark, tmp_path: Path) -> None:
    path = toy.surrogate(range(0, 15_625, 50)).save(tmp_path / "predicted.h5")
    run = ng.compare(path, "random", dataset="cifar10", queries=3, seeds=2, jobs=1, out=tmp_path / "run")
    alarm = blocks(ng.report(run), Alarm)[0]
    assert alarm.title == "Accuracies are predicted, not measured"
    assert alarm.lines[0].startswith("cifar10: ")
    assert "what searchers were told" in alarm.lines[0]
    assert "verify" in alarm.lines[-1]


def test_a_complete_run_raises_no_alarm(make_run: Any) -> None:
    assert not blocks(report(make_run()), Alarm)


def test_incumbents_without_a_test_number_are_counted_aloud(make_run: Any) -> None:
    made = report(make_run(missing=0.5, seeds=12))
    missing = made.tables["final"].query("split == 'test'")["missing"]
    assert missing.gt(0).any()
    lines = [line for alarm in blocks(made, Alarm) for line in alarm.lines]
    assert any(f"{missing.iloc[0]} of 12 final incumbents have no test accuracy" in line for line in lines)


def test_a_missing_closed_form_is_said(make_run: Any) -> None:
    made = report(make_run(expectation=False))
    assert any("expectation-cifar10.parquet" in line for alarm in blocks(made, Alarm) for line in alarm.lines)
    assert "random-closed-form" not in made.tables


def test_the_closed_form_is_a_row_and_a_line(make_run: Any) -> None:
    run = make_run()
    made = report(run)
    last = run.expectation("cifar10").iloc[-1]
    row = next(
        row for row in grids(made, "Test")[0].rows if getattr(row[0], "text", "") == "random search, closed form"
    )
    assert f"{last['test']:.2f}" in row
    assert "random search, closed form" in [line.label for line in made.figures["cifar10-seconds"][0].lines]


def test_regret_of_the_closed_form_band_is_turned_the_right_way_round(make_run: Any) -> None:
    made = report(make_run())
    reference = next(line for line in made.figures["cifar10-queries"][0].lines if line.slot is None)
    assert (reference.low <= reference.y).all() and (reference.y <= reference.high).all()


def test_the_header_is_complete(make_run: Any) -> None:
    made = report(make_run())
    rows = dict(blocks(made, Facts)[1].rows)  # after the short facts at the top, before the checklist
    said = "\n".join(line for lines in rows.values() for line in lines)
    for needed in (
        "made-up.pth", "cd" * 32, "ab" * 32, "topology", "uniform over ids", "400 architectures",
        "distinct up to isomorphism: 200", "trained on half, evaluated on the other half", "after 12 epochs",
        "after 200 epochs", "architectures without a number: 7 search, 0 test and 0 validation", "base seed 0",
        "the mean over all runs", "nasgauge 0.1.0", "0123456789abcdef", "threads 1", "device cpu", "(estimated)",
        "2,000 resamples, seed 20240229", "6 repetitions", "largest mean over runs",
    ):  # fmt: skip
        assert needed in said, needed


def test_error_bars_say_what_they_are(make_run: Any) -> None:
    made = report(make_run())
    for plot in blocks(made, Plot):
        assert "95 %" in plot.caption or not plot.bands
        for view in plot.views.values():
            assert all(line.band for line in view.lines if line.banded) if isinstance(view, View) else True
    said = "\n".join(item for block in blocks(made, Points) for item in block.items)
    assert "95 % intervals are bootstrap intervals of the mean over repetitions" in said


def test_without_an_optimum_accuracy_is_drawn_instead_of_regret(make_run: Any) -> None:
    made = report(make_run(optimum=False))
    titles = [view.y_title for views in made.figures.values() for view in views if isinstance(view, View)]
    assert titles and not any("regret" in title for title in titles)
    assert made.tables["final"]["regret"].isna().all()


def test_the_command_runs_the_same_comparison(make_run: Any) -> None:
    made = report(make_run(labels=["random", "evolution:nb101", "it's mine"], seconds=1500.0, count_last=False))
    listing = blocks(made, Listing)[0].text
    words = listing.replace("\\\n", " ").split()
    assert words[:3] == ["nasgauge", "compare", "made-up"]
    for needed in ("--searcher evolution:nb101", "--dataset cifar10", "--seconds 1500", "--seeds 6", "--budget 12",
                   "--report-budget 200", "--trial mean", "--no-count-last", "--base-seed 0"):  # fmt: skip
        assert needed in listing
    assert "--queries" not in listing
    assert "'it'\"'\"'s mine'" in listing


def test_two_training_lengths_make_two_commands(make_run: Any) -> None:
    run = make_run(datasets=["cifar10", "cifar100"], evaluations=5)
    run.config["tasks"][1]["search"]["budget"] = 20
    assert command(Asked.of(run.config)).count("nasgauge compare") == 2


@pytest.mark.parametrize(
    "options",
    [
        {"labels": ["random"]},
        {"seeds": 1, "evaluations": 1},
        {"seeds": 2, "evaluations": 1},
        {"seconds": 10.0, "evaluations": 3},
        {"queries": 5, "seconds": 500.0, "evaluations": 5},
        {"labels": ['<b>&"', "$a_b^", "_x"], "seeds": 2, "evaluations": 8},
        {"missing": 0.99, "evaluations": 8, "seeds": 3, "expectation": False, "optimum": False},
        {"datasets": ["a/b", "a b"], "seeds": 2, "evaluations": 6, "expectation": False},
    ],
    ids=[
        "one searcher",
        "one of everything",
        "one evaluation",
        "tiny budget",
        "two budgets",
        "labels",
        "no test",
        "names",
    ],
)
def test_every_odd_run_makes_a_page(make_run: Any, options: dict[str, Any]) -> None:
    options = {**options}
    names = options.pop("datasets", None)
    run = make_run(**options) if names is None else _renamed(make_run(datasets=["x", "y"], **options), names)
    made = report(run)
    assert len({name.lower() for name in made.figures}) == len(made.figures)
    assert render(made, still=True).rstrip().endswith("</html>")
    for plot in blocks(made, Plot):
        assert all(figure(view).to_json() for view in plot.views.values())
    assert blocks(made, Findings)[0].items


def test_bad_folders_give_one_clear_error(make_run: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFile, match=r"run\.json does not exist"):
        report(Run(tmp_path / "empty"))
    with pytest.raises(MissingFile, match="no finished part"):
        report(
            make_run(
                "nothing", skip=[("cifar10", label, seed) for label in ("random", "evolution") for seed in range(6)]
            )
        )
    run = make_run("damaged")
    part = sorted(run.folder.glob("part-*.parquet"))[0]
    part.write_bytes(part.read_bytes()[:300])
    with pytest.raises(BadFile, match=part.name):
        report(run)
    run = make_run("twice")
    part = sorted(run.folder.glob("part-*.parquet"))[0]
    (run.folder / "part-copy.parquet").write_bytes(part.read_bytes())
    with pytest.raises(BadFile, match="there twice"):
        report(run)
    run = make_run("line")
    write_frame(run.folder / "expectation-cifar10.parquet", pd.DataFrame({"query": [1]}))
    with pytest.raises(BadFile, match="expectation-cifar10"):
        report(run)
    with pytest.raises(UnknownName, match=r"poll.*compare"):
        report(make_run("other", kind="poll"))


@pytest.mark.parametrize("key", ["tasks", "searchers", "benchmark", "seeds", "host"])
def test_a_damaged_run_json_names_what_is_wrong(make_run: Any, key: str) -> None:
    run = make_run()
    for config in ({name: value for name, value in run.config.items() if name != key}, {**run.config, key: "x"}):
        run.config = config
        with pytest.raises(BadFile, match=r"run\.json"):
            report(run)


def test_what_was_never_asked_for_is_refused(make_run: Any) -> None:
    run = make_run()
    run.config["searchers"] = run.config["searchers"][:1]
    with pytest.raises(BadFile, match="'evolution'"):
        report(run)
    run = make_run("seeds")
    run.config["seeds"] = 3
    with pytest.raises(BadFile, match="seed 3"):
        report(run)
    assert issubclass(BadFile, NasgaugeError)


def _renamed(run: Run, names: list[str]) -> Run:
    """The run with other data set names, in its parts too."""
    old = [task["dataset"] for task in run.config["tasks"]]
    for task, name in zip(run.config["tasks"], names, strict=True):
        task["dataset"] = name
    for path in run.folder.glob("part-*.parquet"):
        frame = pd.read_parquet(path)
        write_frame(path, frame.assign(dataset=frame["dataset"].map(dict(zip(old, names, strict=True)))))
    return run


def _asked(labels: list[str]) -> Asked:
    task = {"dataset": "cifar10", "search": {"metric": "valid_accuracy", "budget": 12, "words": ""},
            "report": {"budget": 200, "valid_words": "", "test_words": ""}, "cost": {"words": "", "provenance": "x"},
            "optimum": {}}  # fmt: skip
    benchmark = {"name": "t", "space": "s", "architectures": 1, "sampling_law": "u", "sources": []}
    return Asked.of({
        "benchmark": benchmark, "tasks": [task], "searchers": [{"label": label, "name": label} for label in labels],
        "seconds": None, "queries": 5, "count_last": True, "seeds": 100, "base_seed": 0, "trial": "mean",
        "versions": {}, "host": {},
    })  # fmt: skip


def test_blocks_are_all_of_known_kinds(make_run: Any) -> None:
    made = report(make_run(evaluations=5))
    assert all(isinstance(block, Block) for section in made.sections for block in section.blocks)
