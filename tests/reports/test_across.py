"""What the report on several comparisons promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadValue
from nasgauge.reports import report
from nasgauge.reports.across.pool import Pool
from nasgauge.reports.blocks import Plot, Text
from nasgauge.reports.panels import Ranking
from nasgauge.reports.view import View
from nasgauge.searchers import evolution, random
from nasgauge.searchers.runner.experiment import compare
from nasgauge.searchers.runner.run import Run

LABELS = ["random", "evolution", "local-search"]


def renamed(run: Run, benchmark: str) -> Run:
    config = run.config
    config["benchmark"]["name"] = benchmark
    (run.folder / "run.json").write_text(json.dumps(config))
    return Run(run.folder)


@pytest.fixture(scope="module")
def runs(make_run_once: Any) -> list[Run]:
    """Two benchmarks of three data sets each, and the first of them once more with four trainers."""
    names = ["cifar10", "cifar100", "ImageNet16-120"]
    common = {"labels": LABELS, "seeds": 4, "evaluations": 25}
    return [
        renamed(make_run_once("one", datasets=names, **common), "tss"),
        renamed(make_run_once("two", datasets=names, **{**common, "labels": [*LABELS, "only-here"]}), "sss"),
        renamed(make_run_once("four", datasets=names[:1], workers=4, **common), "tss"),
    ]


def test_six_data_sets_of_two_benchmarks_are_six_tasks(runs: list[Run]) -> None:
    made = report(*runs[:2])
    [diagram] = made.figures["critical-differences"]
    assert isinstance(diagram, Ranking) and set(diagram.names) == set(LABELS)
    assert made.tables["accuracy"]["place"].tolist()[3] == "sss cifar10"
    alone = report(runs[0]).tables["final"].query("split == 'test' and dataset == 'cifar100' and searcher == 'random'")
    assert made.tables["accuracy"]["random"][1] == alone["mean"].iloc[0]
    assert "only-here" not in made.tables["accuracy"]


def test_a_data_set_searched_twice_counts_once(runs: list[Run]) -> None:
    made = report(runs[0], runs[2])
    assert len(made.tables["accuracy"]) == 3 and "critical-differences" not in made.figures
    said = " ".join(text for section in made.sections for block in section.blocks if isinstance(block, Text)
                    for text in block.paragraphs)  # fmt: skip
    assert "3 data sets with runs of every searcher, at least 6 are needed" in said


def test_trainers_are_compared_at_equal_queries_and_equal_time(runs: list[Run]) -> None:
    made = report(runs[0], runs[2])
    table = made.tables["trainers"].set_index(["measure", "searcher", "workers"])["mean"]
    for label in LABELS:
        assert table["idle", label, 1] == pytest.approx(0, abs=1e-9)
        assert table["idle", label, 4] > 0.1
        assert table["makespan", label, 4] < table["makespan", label, 1]
        assert table["queries", label, 1] == table["queries", label, 4]  # made-up searchers do not learn
    assert made.tables["trainers"]["queries"].unique().tolist() == [25]
    pool = Pool.of([runs[0], runs[2]])
    ends = [each.repetitions["cifar10", label].last("seconds").min() for each in pool.outcomes for label in LABELS]
    assert made.tables["trainers"]["seconds"].unique().tolist() == [min(ends)]
    [plot] = [block for section in made.sections for block in section.blocks
              if isinstance(block, Plot) and block.name == "trainers"]  # fmt: skip
    view = plot.views["tss-cifar10", "seconds"]
    assert isinstance(view, View) and all(line.x.tolist() == [1.0, 4.0] for line in view.lines)
    assert all(np.isfinite(line.y).all() for line in view.lines)


def test_diversity_is_told_over_the_number_of_trainers(toy: Benchmark, tmp_path: Path) -> None:
    found = [
        compare(toy, [random(), evolution()], tmp_path / str(workers), datasets=["cifar10"], queries=40, seeds=4,
                workers=workers, mode="sync", jobs=1)
        for workers in (1, 2, 4)
    ]  # fmt: skip
    made = report(*found)
    table = made.tables["trainers"].query("measure == 'apart'").set_index(["searcher", "workers"])["mean"]
    assert table.loc[:, 1].isna().all()
    for workers, run in zip((2, 4), found[1:], strict=True):
        alone = report(run).tables["batches"].set_index("searcher")["tree_wasserstein_mean"]
        assert table["random", workers] == alone["random"] > table["evolution", workers] == alone["evolution"]
    [plot] = [block for section in made.sections for block in section.blocks
              if isinstance(block, Plot) and block.name == "trainers"]  # fmt: skip
    assert dict(plot.choices["Show"])["apart"] == "diversity"
    assert made.save_all(tmp_path / "report")


def test_runs_are_told_apart_by_what_differs(runs: list[Run]) -> None:
    assert Pool.of([runs[0], runs[2]]).names == ("tss, trainers 1", "tss, trainers 4")
    assert Pool.of([runs[0], runs[0]]).names == ("tss", "tss (2)")


def test_the_page_is_the_same_from_the_same_folders(runs: list[Run], tmp_path: Path) -> None:
    made = report(*runs)
    written = {path.name for path in made.save_all(tmp_path)}
    assert {"index.html", "critical-differences.pdf", "trainers-tss-cifar10.png", "pairs.csv"} <= written
    assert report(*runs).html() == made.html()


def test_what_has_no_report_together_is_refused(runs: list[Run], make_run_once: Any) -> None:
    stranger = make_run_once("stranger", labels=["mine", "yours"])
    with pytest.raises(BadValue, match="no searcher in common"):
        report(runs[0], stranger)
    other = make_run_once("other")
    other.config["kind"] = "verify"
    with pytest.raises(BadValue, match="only comparisons"):
        report(runs[0], other)
