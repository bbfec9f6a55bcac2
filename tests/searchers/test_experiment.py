"""The runner: the same numbers whatever the number of processes, killed or not; refusals before work begins."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadFile, BadValue, MissingFile, NotMeasured, UnknownName
from nasgauge.searchers import Run, evolution, random
from nasgauge.searchers.experiment import compare

SCRIPT = """
import sys
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.table import Table
from nasgauge.searchers import evolution, random
from nasgauge.searchers.experiment import compare
if __name__ == "__main__":
    compare(Benchmark(Table(sys.argv[1])), [random(), evolution()], sys.argv[2], datasets=["cifar10"], queries=2000,
            seeds=60, jobs=int(sys.argv[3]))
"""


def numbers(run: Run) -> pd.DataFrame:
    """All records but the measured seconds, which no two runs share."""
    return run.records().drop(columns="searcher_seconds").astype({"dataset": str, "searcher": str})


def small(toy: Benchmark, folder: Path, **changes: object) -> Run:
    arguments: dict[str, object] = {"datasets": ["cifar10"], "queries": 30, "seeds": 25, "jobs": 1} | changes
    return compare(toy, [random(), evolution()], folder, **arguments)  # type: ignore[arg-type]


def test_records_hold_every_evaluation_with_its_truth(toy: Benchmark, tmp_path: Path) -> None:
    frame = small(toy, tmp_path / "run").records()
    assert len(frame) == 2 * 25 * 30
    for (_, seed), part in frame.groupby(["searcher", "seed"], observed=True):
        assert part["query"].tolist() == list(range(1, 31)), seed
        assert (np.diff(part["seconds"]) > 0).all()
        assert (np.diff(part["searcher_seconds"]) >= 0).all()
    ids = frame["id"].to_numpy()
    np.testing.assert_array_equal(frame["value"], toy.query(ids, "valid_accuracy", dataset="cifar10", budget=12))
    np.testing.assert_array_equal(frame["valid"], toy.query(ids, "valid_accuracy", dataset="cifar10"))
    np.testing.assert_array_equal(frame["test"], toy.query(ids, "test_accuracy", dataset="cifar10"))


def test_results_do_not_depend_on_the_number_of_processes(toy: Benchmark, tmp_path: Path) -> None:
    alone, together = (numbers(small(toy, tmp_path / str(jobs), jobs=jobs)) for jobs in (1, 2))
    pd.testing.assert_frame_equal(alone, together)


def test_results_do_not_depend_on_what_else_is_compared(toy: Benchmark, tmp_path: Path) -> None:
    both = numbers(small(toy, tmp_path / "both"))
    one = numbers(compare(toy, [evolution()], tmp_path / "one", datasets=["cifar10"], queries=30, seeds=25, jobs=1))
    pd.testing.assert_frame_equal(both[both["searcher"] == "evolution"].reset_index(drop=True), one)


def test_more_seeds_keep_the_earlier_ones(toy: Benchmark, tmp_path: Path) -> None:
    few, many = numbers(small(toy, tmp_path / "few", seeds=10)), numbers(small(toy, tmp_path / "many", seeds=20))
    pd.testing.assert_frame_equal(many[many["seed"] < 10].reset_index(drop=True), few)


def test_killed_and_started_again_loses_nothing_and_does_nothing_twice(toy_path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    first = subprocess.Popen([sys.executable, "-c", SCRIPT, str(toy_path), str(folder), "2"], start_new_session=True)
    deadline = time.monotonic() + 120
    while len(list(folder.glob("part-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    parts = {path: path.stat().st_mtime_ns for path in folder.glob("part-*")}
    assert 2 <= len(parts) < 12
    subprocess.run([sys.executable, "-c", SCRIPT, str(toy_path), str(folder), "2"], check=True)
    assert len(list(folder.glob("part-*"))) == 12
    assert all(path.stat().st_mtime_ns == written for path, written in parts.items())
    subprocess.run([sys.executable, "-c", SCRIPT, str(toy_path), str(tmp_path / "whole"), "1"], check=True)
    pd.testing.assert_frame_equal(numbers(Run(folder)), numbers(Run(tmp_path / "whole")))


def test_another_question_does_not_go_into_the_same_folder(toy: Benchmark, tmp_path: Path) -> None:
    small(toy, tmp_path / "run")
    with pytest.raises(BadValue, match="queries=30, now queries=31"):
        small(toy, tmp_path / "run", queries=31)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(BadValue, match="not a run folder"):
        small(toy, tmp_path / "full")


def test_random_trials_draw_single_runs(toy: Benchmark, tmp_path: Path) -> None:
    frame = small(toy, tmp_path / "run", trial="random", budget=200).records()
    runs = toy.query(frame["id"].to_numpy(), "valid_accuracy", dataset="cifar10", seed="all")
    assert (runs == frame["value"].to_numpy()[:, None]).any(axis=1).all()
    with pytest.raises(NotMeasured, match="seeds 111 and 777"):
        small(toy, tmp_path / "other", trial="random", budget=12)
    assert not (tmp_path / "other").exists()


def test_expectation_starts_at_the_mean_of_the_space(toy: Benchmark, tmp_path: Path) -> None:
    line = small(toy, tmp_path / "run").expectation("cifar10")
    mean = toy.query(np.arange(toy.space.size), "test_accuracy", dataset="cifar10").mean()
    assert line["test"][0] == pytest.approx(mean)
    assert line["query"].iloc[-1] == 30


def test_the_run_states_what_was_asked_and_with_what(toy: Benchmark, tmp_path: Path) -> None:
    config = json.loads((small(toy, tmp_path / "run").folder / "run.json").read_text())
    (task,) = config["tasks"]
    assert task["optimum"]["test"] == {"id": 15_624, "value": pytest.approx(22.5624),
                                       "rule": "largest mean over runs after 200 epochs"}  # fmt: skip
    assert task["cost"]["provenance"] == "estimated"
    assert config["searchers"][1]["settings"] == {"population": 10, "tournament": 3, "replace": True}
    assert config["benchmark"]["table_sha256"]["toy"] == toy.tables[0].sha256()
    assert {"python", "numpy", "nasgauge"} <= set(config["versions"])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"seeds": 0}, BadValue),
        ({"queries": None}, BadValue),
        ({"queries": 0}, BadValue),
        ({"seconds": -1}, BadValue),
        ({"trial": "best"}, BadValue),
        ({"datasets": ["svhn"]}, UnknownName),
        ({"budget": 90}, NotMeasured),
        ({"report_budget": 90}, NotMeasured),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_before_a_folder_appears(
    toy: Benchmark, tmp_path: Path, wrong: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        small(toy, tmp_path / "run", **wrong)
    assert not (tmp_path / "run").exists()
    with pytest.raises(BadValue, match="one label"):
        compare(toy, [random(), random()], tmp_path / "run", queries=3)


def test_a_damaged_or_empty_run_folder_says_what_to_do(toy: Benchmark, tmp_path: Path) -> None:
    run = small(toy, tmp_path / "run")
    part = min(run.folder.glob("part-*"))
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(BadFile, match=part.name):
        run.records()
    for path in run.folder.glob("part-*"):
        path.unlink()
    with pytest.raises(MissingFile, match="same command again"):
        run.records()
    with pytest.raises(MissingFile, match="nasgauge compare"):
        Run(tmp_path / "nothing")
    (run.folder / "run.json").write_text("{")
    with pytest.raises(BadFile, match="not JSON"):
        Run(run.folder)
