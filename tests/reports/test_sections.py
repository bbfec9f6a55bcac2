"""What the parts of the page on a comparison promise: ranks over data sets, trainers, two objectives, checklist."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nasgauge.bench.run_folder import write_frame
from nasgauge.reports import report
from nasgauge.reports.blocks import Alarm, Block, Facts, Grid, Listing, Plot, Text
from nasgauge.reports.comparison.outcome import outcome
from nasgauge.reports.panels import Matrix, Ranking
from nasgauge.reports.report import Report
from nasgauge.reports.view import View
from nasgauge.searchers.runner.run import Run

LABELS = ["random", "evolution", "local-search"]
MANY = ["cifar10", "cifar100", "ImageNet16-120", "one", "two", "three"]


def section(made: Report, title: str) -> tuple[Block, ...]:
    return next(each.blocks for each in made.sections if each.title == title)


def of_kind(blocks: tuple[Block, ...], kind: type) -> list[Any]:
    return [block for block in blocks if isinstance(block, kind)]


def fail(run: Run, seeds: list[int]) -> None:
    count = len(seeds)
    write_frame(run.folder / "failed-a.parquet", pd.DataFrame({
        "dataset": ["cifar10"] * count, "searcher": ["evolution"] * count, "seed": seeds, "query": [7] * count,
        "error": ["ValueError: <odd>"] * count, "traceback": ["Traceback\nValueError: <odd>"] * count,
    }))  # fmt: skip


def test_failed_repetitions_come_first_and_loud(make_run: Any) -> None:
    run = make_run(skip=[("cifar10", "evolution", seed) for seed in (2, 4)])
    fail(run, [2, 4])
    made = report(run)
    first, second = made.sections[0].blocks[:2]
    assert isinstance(first, Alarm) and isinstance(second, Alarm)
    assert first.title == "2 repetitions failed"
    assert "2 repetitions, e.g. seed 2 at query 7: ValueError: <odd>" in first.lines[0]
    assert "cifar10, evolution: 4 of 6 repetitions (2 failed)" in second.lines
    assert len(made.tables["failures"]) == 2
    assert of_kind(made.sections[0].blocks, Listing)[0].text.startswith("Traceback")
    page = made.html()
    assert "ValueError: &lt;odd&gt;" in page and "<odd>" not in page


def test_few_data_sets_have_no_test_over_them_and_the_page_says_why(make_run: Any) -> None:
    made = report(make_run(labels=LABELS, datasets=MANY[:3], seeds=4, evaluations=12))
    said = " ".join(text for block in of_kind(section(made, "Who is ahead"), Text) for text in block.paragraphs)
    assert "No test over data sets" in said and "3 data sets with runs of every searcher, at least 6 are needed" in said
    assert "critical-differences" not in made.figures


def test_six_data_sets_have_a_critical_difference_diagram(make_run: Any) -> None:
    made = report(make_run(labels=LABELS, datasets=MANY, seeds=4, evaluations=12))
    [diagram] = made.figures["critical-differences"]
    assert isinstance(diagram, Ranking) and sorted(diagram.names) == sorted(LABELS)
    assert sum(diagram.ranks) == pytest.approx(6.0)
    plot = next(block for block in of_kind(section(made, "Who is ahead"), Plot) if block.name == "critical")
    assert "Friedman" in plot.caption and "6 data sets" in plot.caption
    table = of_kind(section(made, "Who is ahead"), Grid)[0]
    assert [sum(map(int, str(cell).split(" / "))) for cell in table.rows[0][2:4]] == [6, 6]


def test_pairs_are_mirror_images_and_the_matrix_shows_them(make_run: Any) -> None:
    run = make_run(labels=LABELS, seeds=9, evaluations=20)
    table = outcome(run).rows("pairs", "cifar10", split="test").set_index(["searcher", "reference"])
    assert len(table) == 6
    for ours, theirs in table.index:
        one, other = table.loc[ours, theirs], table.loc[theirs, ours]
        assert one["mean"] == -other["mean"] and one["a12"] == pytest.approx(1 - other["a12"])
        assert one["low"] == -other["high"] and one["wins"] == other["losses"]
        assert one["p_holm"] == other["p_holm"] >= one["p"]
    [matrix] = report(run).figures["cifar10-pairs"]
    assert isinstance(matrix, Matrix) and np.isnan(np.diag(matrix.values)).all()


def test_every_axis_has_every_statistic(make_run: Any) -> None:
    made = report(make_run(seconds=1500.0, evaluations=60))
    plot = next(block for block in of_kind(section(made, "cifar10"), Plot) if block.name.startswith("plot-"))
    assert [value for value, _ in plot.choices["Against"]] == ["seconds", "queries", "total"]
    assert [value for value, _ in plot.choices["Over runs"]] == ["mean", "iqm", "median", "runs"]
    for (_, _, statistic), view in plot.views.items():
        assert isinstance(view, View)
        assert any(line.faint for line in view.lines) == (statistic == "runs")
    totals, seconds = (plot.views[axis, "test_regret", "mean"] for axis in ("total", "seconds"))
    assert isinstance(totals, View) and isinstance(seconds, View)
    assert totals.x_end > seconds.x_end


def test_single_runs_step_where_their_incumbent_changes(make_run: Any) -> None:
    run = make_run(seeds=2, evaluations=15)
    found = outcome(run)
    plot = next(block for block in of_kind(section(report(run), "cifar10"), Plot) if block.name.startswith("plot-"))
    view = plot.views["queries", "test", "runs"]
    assert isinstance(view, View)
    line = next(each for each in view.lines if each.faint and each.label == "random")
    ends = np.flatnonzero(np.isnan(line.y)) - 1
    np.testing.assert_allclose(line.y[ends], found.repetitions["cifar10", "random"].final("test"))


def test_several_trainers_have_a_part_of_their_own(make_run: Any) -> None:
    made = report(make_run(workers=3, seconds=900.0, evaluations=80))
    blocks = section(made, "Several trainers")
    assert [block.name for block in of_kind(blocks, Plot)] == ["idle", "timetable"]
    table = made.tables["trainers"]
    assert ((table["idle_mean"] > 0) & (table["idle_mean"] < 0.5)).all()
    np.testing.assert_allclose(table["speed_up_mean"], 3 * (1 - table["idle_mean"]))
    assert "idle" in made.figures
    assert all(each.title != "Several trainers" for each in report(make_run("one")).sections)


def test_two_objectives_have_a_part_of_their_own(make_run: Any) -> None:
    made = report(make_run(objective2="flops_millions", constraint=["flops_millions", 200.0], labels=LABELS))
    blocks = section(made, "Two objectives")
    assert "flops_millions at most 200" in of_kind(blocks, Text)[0].paragraphs[0]
    volume = next(block for block in of_kind(blocks, Plot) if block.name == "hypervolume")
    for view in volume.views.values():
        assert isinstance(view, View)
        assert all((np.diff(line.y[~np.isnan(line.y)]) >= -1e-9).all() for line in view.lines)  # it never shrinks
    assert (made.tables["fronts"]["hypervolume_mean"] > 0).all()
    assert "cifar10-fronts" in made.figures


def test_the_checklist_claims_only_what_the_run_shows(make_run: Any) -> None:
    def answers(**options: Any) -> dict[str, tuple[str, ...]]:
        name = "-".join(map(str, options.values())).replace("'", "") or "plain"
        return dict(of_kind(section(report(make_run(name, **options)), "Checklist"), Facts)[0].rows)

    plain = answers()
    assert len(plain) == 16
    assert plain["Comparison to random search"][0] == "Yes."
    assert plain["Ablation studies"][0] == "Up to you." == plain["How hyperparameters were tuned, at what cost"][0]
    assert plain["Several runs, seeds reported"][0] == "Yes."
    assert answers(labels=["evolution", "mine"])["Comparison to random search"][0] == "In part."
    assert "not part of nasgauge" in answers(labels=["random", "mine"])["Code of the searchers"][1]
    assert answers(seeds=1)["Several runs, seeds reported"][0] == "In part."
    assert answers(git=None)["Code of the search space"][0] == "In part."


def test_times_to_targets_are_told_with_what_never_arrived(make_run: Any) -> None:
    run = make_run(seeds=12, evaluations=25, architectures=200)
    made = report(run)
    table = made.tables["milestones"].query("split == 'test' and axis == 'queries'")
    assert set(table["target"]) == {"top 1 %", "top 0.1 %", "optimum"}
    assert (table["reached"] <= table["runs"]).all()
    assert table.loc[2 * table["reached"] < table["runs"], "median"].isna().all()
    grid = next(block for block in of_kind(section(made, "cifar10"), Grid) if block.caption.startswith("Time to"))
    assert any("not reached" in str(cell) for row in grid.rows for cell in row)


def test_an_older_run_without_targets_has_no_such_part(make_run: Any) -> None:
    run = make_run(optimum=False)
    run.config["tasks"][0].pop("top")
    made = report(run)
    assert "milestones" not in made.tables and not any("arrivals" in name for name in made.figures)
