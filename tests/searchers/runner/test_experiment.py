"""The runner: the same numbers whatever the number of processes, killed or not; refusals before work begins."""

from __future__ import annotations

import json
import os
import random as global_random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.column import Column
from nasgauge.bench.errors import BadFile, BadValue, MissingFile, NotMeasured, UnknownName
from nasgauge.bench.objective import Evaluation, Trial
from nasgauge.bench.table import Table, write_table
from nasgauge.data.home import locate
from nasgauge.searchers import Recipe, Run, evolution, random, recipe, warm_start
from nasgauge.searchers.runner.experiment import compare
from nasgauge.searchers.runner.run import MEASURED

SCRIPT = """
import sys
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.table import Table
from nasgauge.searchers import evolution, random
from nasgauge.searchers.runner.experiment import compare
if __name__ == "__main__":
    compare(Benchmark(Table(sys.argv[1])), [random(), evolution()], sys.argv[2], datasets=["cifar10"], queries=2000,
            seeds=60, workers=3, jobs=int(sys.argv[3]))
"""


def numbers(run: Run) -> pd.DataFrame:
    """All records but what was measured on the host, which no two runs share."""
    return run.records().drop(columns=[*MEASURED]).astype({"dataset": str, "searcher": str})


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


class Moody:
    """Raises, asks what is no architecture, asks nothing, or asks too much, as its first draw has it."""

    healthy = False

    def __init__(self, space: object, rng: np.random.Generator) -> None:
        self.mood = 4 if Moody.healthy else int(rng.integers(5))
        self.asked = 0

    def ask(self, n: int = 1) -> list[int]:
        self.asked += 1
        if self.mood == 0 and self.asked == 6:
            raise RuntimeError("out of ideas")
        return {1: [15_625], 2: [], 3: [0] * (n + 1)}.get(self.mood, [self.asked])

    def tell(self, evaluations: list[Evaluation]) -> None:
        pass


ERRORS = ("RuntimeError: out of ideas", "BadArchitecture: id 15625 asked", "BadValue: the search ended without one",
          "BadValue: asked for 1 architectures, the searcher gave 2")  # fmt: skip


def moody(toy: Benchmark, folder: Path, seeds: int = 25, jobs: int = 1) -> Run:
    recipes = [recipe(Moody), random()]
    return compare(toy, recipes, folder, datasets=["cifar10"], queries=9, seeds=seeds, jobs=jobs)


def test_a_repetition_that_breaks_off_is_recorded_and_the_others_go_on(toy: Benchmark, tmp_path: Path) -> None:
    run = moody(toy, tmp_path / "run")
    failures, finished = run.failures(), run.repetitions()
    assert (finished["searcher"] == "random").sum() == 25
    mine = finished[finished["searcher"] == "Moody"]
    assert set(mine["seed"]) | set(failures["seed"]) == set(range(25))
    assert not set(mine["seed"]) & set(failures["seed"])
    assert (finished["evaluations"] == 9).all()
    for error in ERRORS:
        assert failures["error"].str.startswith(error).any(), error
    assert set(failures.loc[failures["error"] == ERRORS[0], "query"]) == {5}
    assert failures["traceback"].str.contains("out of ideas").any()
    assert run.failed_words().startswith(f"{len(failures)} of 50 repetitions failed; the first is 'Moody' on cifar10")


def test_the_same_command_again_repeats_what_failed_and_nothing_else(
    toy: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = moody(toy, tmp_path / "run")
    before, failed = numbers(run), set(run.failures()["seed"])
    parts = {path: path.stat().st_mtime_ns for path in run.folder.glob("part-*")}
    assert set(moody(toy, tmp_path / "run").failures()["seed"]) == failed
    monkeypatch.setattr(Moody, "healthy", True)
    mended = moody(toy, tmp_path / "run")
    assert not len(mended.failures())
    assert mended.failed_words() == ""
    assert not list(run.folder.glob("failed-*"))
    assert all(path.stat().st_mtime_ns == written for path, written in parts.items())
    after = numbers(mended)
    assert len(after) == 2 * 25 * 9
    kept = after[~((after["searcher"] == "Moody") & after["seed"].isin(failed))]
    pd.testing.assert_frame_equal(kept.reset_index(drop=True), before)


def test_a_kill_between_failures_and_their_part_loses_neither(toy: Benchmark, tmp_path: Path) -> None:
    """Failures are written before the part: where the part is absent, all of it is done again."""
    run = moody(toy, tmp_path / "run")
    before, failures = numbers(run), run.failures().drop(columns="traceback")
    for part in run.folder.glob("part-*Moody*"):
        part.unlink()
    again = moody(toy, tmp_path / "run")
    pd.testing.assert_frame_equal(numbers(again), before)
    pd.testing.assert_frame_equal(again.failures().drop(columns="traceback"), failures)


@pytest.mark.parametrize("killed_at", [0, 1, 5, 10])
def test_a_kill_while_failures_are_mended_leaves_no_repetition_twice(
    toy: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    """Failures of a block whose part is gone are mended with it; the work breaks off after each file in turn."""
    run = moody(toy, tmp_path / "run", seeds=10)
    assert len(run.failures()) > 1
    for part in run.folder.glob("part-*Moody*"):
        part.unlink()
    monkeypatch.setattr(Moody, "healthy", True)
    steps = iter(range(killed_at))

    def one_less(do: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **keywords: object) -> object:
            if next(steps, None) is None:
                raise KeyboardInterrupt
            return do(*args, **keywords)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", one_less(Path.unlink))
        patch.setattr(Run, "write_part", one_less(Run.write_part))
        with suppress(KeyboardInterrupt):
            moody(toy, tmp_path / "run", seeds=10)
    frame = moody(toy, tmp_path / "run", seeds=10).records()
    assert len(frame) == 2 * 10 * 9
    assert not frame.duplicated(["searcher", "seed", "query"]).any()


@pytest.mark.parametrize("seeds", [1, 11])
def test_a_block_of_one_repetition_can_fail_and_be_mended(
    toy: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds: int
) -> None:
    class Broken(Moody):
        def __init__(self, space: object, rng: np.random.Generator) -> None:
            self.mood, self.asked = (4 if Moody.healthy else 2), 0

    def run() -> Run:
        return compare(toy, [Recipe("broken", Broken)], tmp_path / "run", queries=3, seeds=seeds, jobs=1)

    assert len(run().failures()) == 2 * seeds
    with pytest.raises(MissingFile, match="repetitions failed; the first is 'broken'"):
        run().records()
    monkeypatch.setattr(Moody, "healthy", True)
    assert not len(run().failures())
    assert len(run().records()) == 2 * seeds * 3


def test_a_budget_too_short_for_one_repetition_fails_that_one_with_a_reason(toy: Benchmark, tmp_path: Path) -> None:
    """The cheapest training fits, the one that was drawn does not."""
    run = small(toy, tmp_path / "run", queries=None, seconds=20, count_last=False)
    failures, seeds = run.failures(), run.repetitions()
    assert len(failures) + len(seeds) == 50
    assert failures["error"].str.contains("does not fit into the budget").all()
    assert len(failures) and len(seeds)
    with pytest.raises(BadValue, match="so none fits"):
        small(toy, tmp_path / "other", queries=None, seconds=11, count_last=False)
    assert len(small(toy, tmp_path / "last", queries=None, seconds=11).records()) == 50


@pytest.mark.parametrize("mode", ["async", "sync"])
def test_several_trainers_share_the_clock_and_their_idle_time_is_known(
    toy: Benchmark, tmp_path: Path, mode: str
) -> None:
    run = small(toy, tmp_path / "run", workers=4, mode=mode)
    frame = run.records()
    assert set(frame["worker"]) == {0, 1, 2, 3}
    cost = toy.cost(frame["id"].to_numpy(), dataset="cifar10", budget=12).seconds
    np.testing.assert_allclose(frame["seconds"] - frame["started"], cost)
    assert (frame.groupby(["searcher", "seed"])["seconds"].diff().dropna() >= 0).all()
    for row in run.repetitions().itertuples():
        mine = frame[(frame["searcher"] == row.searcher) & (frame["seed"] == row.seed)]
        assert row.makespan == mine["seconds"].max()
        assert row.idle_share == pytest.approx(1 - cost[mine.index].sum() / (4 * row.makespan))
        assert 0 <= row.idle_share < 1
    assert (run.config["workers"], run.config["mode"]) == (4, mode)


def test_a_second_objective_and_a_hard_limit_are_recorded(toy: Benchmark, tmp_path: Path) -> None:
    run = small(toy, tmp_path / "run", objective2="latency_ms:phone", constraint=("latency_ms:phone", 1.5))
    frame, latency = run.records(), toy.static("latency_ms:phone", "cifar10")
    np.testing.assert_array_equal(frame["cost"], latency[frame["id"]])
    np.testing.assert_array_equal(frame["feasible"], frame["cost"] <= 1.5)
    out = frame[~frame["feasible"]]
    assert len(out) and out["value"].isna().all() and (out["seconds"] == out["started"]).all()
    assert frame.loc[frame["feasible"], "value"].notna().all()
    assert (frame.groupby(["searcher", "seed"]).size() == 30).all(), "what is ruled out counts as an evaluation"
    (task,) = run.config["tasks"]
    assert task["reference"] == {"value": pytest.approx(10.5001), "cost": pytest.approx(latency.max())}, (
        "the worst at any training length"
    )
    assert task["allowed"] == (latency <= 1.5).sum()
    assert task["optimum"]["test"]["id"] == np.flatnonzero(latency <= 1.5)[-1]
    left = np.sort(toy.query(np.flatnonzero(latency <= 1.5), "test_accuracy", dataset="cifar10"))[::-1]
    left = left[~np.isnan(left)]
    for share in (0.01, 0.001):
        assert task["top"]["test"][str(share)] == left[int(np.ceil(share * len(left))) - 1], "of those that are allowed"
    assert run.config["constraint"] == ["latency_ms:phone", 1.5]
    line = run.expectation("cifar10")
    assert line["test"].iloc[-1] <= task["optimum"]["test"]["value"]
    plain = small(toy, tmp_path / "plain")
    assert plain.records()["cost"].isna().all() and plain.records()["feasible"].all()
    assert plain.config["tasks"][0]["reference"] is None


class Halver:
    """Everything short once, then long."""

    def __init__(self, space: object, rng: np.random.Generator, *, budgets: tuple[int, ...]) -> None:
        self.plan = [Trial(arch, budget) for budget in budgets for arch in rng.integers(9, size=5).tolist()]

    def ask(self, n: int = 1) -> list[Trial]:
        batch, self.plan = self.plan[:n], self.plan[n:]
        return batch

    def tell(self, evaluations: list[Evaluation]) -> None:
        pass


def test_every_training_length_is_recorded_with_its_own_value_and_cost(toy: Benchmark, tmp_path: Path) -> None:
    def halved(folder: str, **how: object) -> pd.DataFrame:
        return compare(toy, [recipe(Halver)], tmp_path / folder, datasets=["cifar10"], queries=99, seeds=3, jobs=1,
                       **how).records()  # type: ignore[arg-type]  # fmt: skip

    frame = halved("full")
    assert frame["budget"].tolist() == ([12] * 5 + [200] * 5) * 3
    for budget, part in frame.groupby("budget"):
        ids = part["id"].to_numpy()
        np.testing.assert_array_equal(part["value"], toy.query(ids, "valid_accuracy", dataset="cifar10", budget=budget))
        np.testing.assert_allclose(part["seconds"] - part["started"], budget * (1 + ids / 1e4))
    assert halved("short", budgets=[12])["budget"].tolist() == [12] * 15
    resumed = halved("resumed", resume=True)
    np.testing.assert_array_equal(resumed["id"], frame["id"])
    for _, part in resumed.groupby("seed"):
        trained: dict[int, int] = {}
        for row in part.itertuples():
            paid = max(row.budget - trained.get(row.id, 0), 0) * (1 + row.id / 1e4)
            assert row.seconds - row.started == pytest.approx(paid, abs=1e-6)
            trained[row.id] = max(trained.get(row.id, 0), row.budget)


def test_value_and_cost_of_a_record_come_from_the_same_run(tmp_path: Path) -> None:
    """NATS simulate_train_eval may mix the accuracy of one run with the time of another."""
    runs = np.random.default_rng(0).uniform(1, 99, (15_625, 3))
    columns = [
        Column("valid_accuracy", runs, "toy", 1, (1, 2, 3)), Column("test_accuracy", runs, "toy", 1, (1, 2, 3)),
        Column("search_seconds", runs * 2, "toy", 1, (1, 2, 3)),
    ]  # fmt: skip
    bench = Benchmark(Table(write_table(tmp_path / "t.h5", columns, name="t", space="topology", licence="CC0")))
    for workers in (1, 3):
        run = compare(bench, [random()], tmp_path / str(workers), queries=50, seeds=3, trial="random", workers=workers,
                      jobs=1)  # fmt: skip
        frame = run.records()
        np.testing.assert_allclose(frame["seconds"] - frame["started"], 2 * frame["value"])


def test_scores_of_proxies_reach_the_searcher_and_their_seconds_the_records(toy: Benchmark, tmp_path: Path) -> None:
    ids = np.arange(toy.space.size)
    pd.DataFrame({"id": ids, "synflow": ids, "seconds": 0.5}).to_csv(tmp_path / "scores.csv", index=False)
    warm = warm_start("random", sampled=40, kept=5)
    run = compare(toy, [warm, random()], tmp_path / "run", datasets=["cifar10"], queries=9, seeds=12, jobs=2,
                  scores=tmp_path / "scores.csv")  # fmt: skip
    frame = run.records()
    spent = frame[frame["searcher"] == warm.label].groupby("seed")["proxy_seconds"].agg(["first", "last"])
    assert spent["first"].between(0.5 * 30, 0.5 * 40).all() and (spent["first"] == spent["last"]).all()
    assert (frame.loc[frame["searcher"] == "random", "proxy_seconds"] == 0).all()
    assert run.config["scores"] == str(tmp_path / "scores.csv")
    pd.DataFrame({"id": ids, "synflow": -ids, "seconds": 0.5}).to_csv(tmp_path / "scores.csv", index=False)
    with pytest.raises(BadValue, match="holds a run with scores_sha256"):
        compare(toy, [warm, random()], run.folder, datasets=["cifar10"], queries=9, seeds=12,
                scores=tmp_path / "scores.csv")  # fmt: skip
    with pytest.raises(BadValue, match="needs scores of proxies"):
        compare(toy, [warm], tmp_path / "without", queries=9, seeds=1)
    assert not (tmp_path / "without").exists()


def test_a_comparison_touches_no_global_generator(toy: Benchmark, tmp_path: Path) -> None:
    """nasbench and NASBenchAPI seed or draw from the global generators."""
    before, numpy_before = global_random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002
    run = small(toy, tmp_path / "run", trial="random", budget=200, workers=2, seeds=3)
    assert len(run.records())
    assert global_random.getstate() == before
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # type: ignore[index]  # noqa: NPY002


def test_the_default_training_is_the_shortest_with_a_known_cost(tmp_path: Path) -> None:
    ramp = np.arange(15_625.0)
    columns = [Column(f"{split}_accuracy", ramp, "toy", budget) for split in ("valid", "test") for budget in (4, 12)]
    columns.append(Column("search_seconds", 1 + ramp, "toy", 12))
    bench = Benchmark(Table(write_table(tmp_path / "t.h5", columns, name="t", space="topology", licence="CC0")))
    run = compare(bench, [random()], tmp_path / "run", seconds=5, seeds=1, jobs=1)
    assert (run.config["tasks"][0]["search"]["budget"], run.config["tasks"][0]["budgets"]) == (12, [12])
    with pytest.raises(NotMeasured, match="search_seconds"):
        compare(bench, [random()], tmp_path / "other", seconds=5, budget=4, seeds=1, jobs=1)


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
        ({"workers": 0}, BadValue),
        ({"mode": "both"}, BadValue),
        ({"jobs": 0}, BadValue),
        ({"budgets": [90]}, NotMeasured),
        ({"objective2": "test_accuracy"}, BadValue),
        ({"objective2": "latency_ms:moon"}, UnknownName),
        ({"constraint": ("latency_ms:phone", 0.0)}, BadValue),
        ({"scores": "nowhere.csv"}, MissingFile),
        ({"trial": "best"}, BadValue),
        ({"datasets": ["svhn"]}, UnknownName),
        ({"budget": 90}, NotMeasured),
        ({"report_budget": 90}, NotMeasured),
        ({"base_seed": -1}, BadValue),
        ({"datasets": ["cifar10", "cifar10"]}, BadValue),
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


class Unwilling:
    def __init__(self, space: object, rng: object) -> None:
        raise OSError("no licence")


class WithoutGenerator:
    def __init__(self, space: object) -> None: ...


class Silent:
    def __init__(self, space: object, rng: object) -> None: ...

    def ask(self, n: int = 1) -> list[int]:
        return [0] * n


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Unwilling, "'Unwilling' cannot be built: OSError: no licence"),
        (WithoutGenerator, "'WithoutGenerator' cannot be built: TypeError: .*takes 2 positional arguments"),
        (Silent, r"'Silent' has no tell\(\)"),
    ],
)
def test_a_class_that_is_no_searcher_is_refused_before_a_folder_appears(
    toy: Benchmark, tmp_path: Path, kind: type, words: str
) -> None:
    with pytest.raises(BadValue, match=words):
        compare(toy, [random(), recipe(kind)], tmp_path / "run", queries=3, seeds=2, jobs=1)
    assert not (tmp_path / "run").exists()


def test_a_run_cannot_be_made_where_a_file_lies(toy: Benchmark, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(BadValue, match=r"cannot be made .*choose another with --out"):
        small(toy, tmp_path / "run")
    assert (tmp_path / "run").read_text() == "mine"


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


@pytest.mark.real
def test_measured_latency_and_energy_are_second_objectives_of_real_tables(real_home: Path, tmp_path: Path) -> None:
    bench = Benchmark(*(Table(path) for path in locate("nats-tss+hw-nas-bench", real_home)))
    for objective2 in ("latency_ms:edgegpu", "energy_mj:eyeriss", "params_millions"):
        run = compare(
            bench, [random(), evolution()], tmp_path / objective2.replace(":", "-"), datasets=["cifar100"],
            seconds=12_000, seeds=3, workers=4, objective2=objective2, constraint=("flops_millions", 50.0), jobs=1,
        )  # fmt: skip
        frame = run.records()
        ids = frame["id"].to_numpy()
        np.testing.assert_array_equal(frame["cost"], bench.query(ids, objective2, dataset="cifar100"))
        np.testing.assert_array_equal(
            frame["feasible"], bench.query(ids, "flops_millions", dataset="cifar100") <= 50
        )  # fmt: skip
        assert frame.loc[~frame["feasible"], "value"].isna().all()
        assert frame.groupby(["searcher", "seed"])["seconds"].max().between(12_000, 13_000).all()
        assert run.config["tasks"][0]["reference"]["cost"] == np.nanmax(bench.static(objective2, "cifar100"))
