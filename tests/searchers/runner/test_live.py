"""Any searcher runs live: told what real trainings give, judged by the table."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nasgauge as ng
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.column import Column
from nasgauge.bench.errors import BadFile, BadValue, NasgaugeError, UnknownName
from nasgauge.bench.live.build_run import BuildRun
from nasgauge.bench.live.build_training import train_part
from nasgauge.bench.live.images import Images
from nasgauge.bench.live.macro import Macro
from nasgauge.bench.live.protocol import Protocol
from nasgauge.bench.live.recipe import TrainingRecipe
from nasgauge.bench.table import Table, write_table
from nasgauge.data.images import digits
from nasgauge.data.images.published import IMAGENET16_120, PUBLISHED
from nasgauge.searchers import Recipe, Run
from nasgauge.searchers.random_search import RandomSearch
from nasgauge.searchers.runner.live import Live, Training
from nasgauge.searchers.runner.plan import Task
from nasgauge.searchers.runner.run import MEASURED
from nasgauge.searchers.runner.study import Study

from ...data.images.official_sets import write_set

CHANGES = {"lr": 0.05, "batch": 20}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="module")
def images() -> Images:
    return digits.read().first(40)


@pytest.fixture(scope="module")
def table(folder: Path, images: Images) -> Path:
    """One epoch on forty digits, of a few classes, with a recipe of its own."""
    return ng.build("topology", images, out=folder / "tiny.h5", run=folder / "build", budget=1, seeds=2, sample=6,
                    recipe=CHANGES, jobs=1)  # fmt: skip


@pytest.fixture(scope="module")
def bench(table: Path) -> Benchmark:
    return ng.open(table)


def live_run(bench: Benchmark, out: Path, **changes: Any) -> Run:
    asked = {"queries": 4, "seeds": 2, "jobs": 1, "live": {"limit": 40}, **changes}
    return ng.compare(bench, asked.pop("searchers", ["random", "evolution"]), out=out, **asked)


@pytest.fixture(scope="module")
def run(bench: Benchmark, folder: Path) -> Run:
    return live_run(bench, folder / "run")


def told(run: Run) -> pd.DataFrame:
    """The numbers of a run that no stopwatch has a say in."""
    columns = ["dataset", "searcher", "seed", "query", "id", "value", "budget", "cost", "feasible", "valid", "test"]
    return run.records()[columns].astype({"dataset": str, "searcher": str})


def test_searchers_are_told_what_a_build_with_other_seeds_gives(
    run: Run, bench: Benchmark, images: Images, folder: Path
) -> None:
    records = run.records()
    protocol = Protocol.of(images, 1).but(**CHANGES)
    build = BuildRun(folder / "again", bench.space, images, protocol, seeds=(2,), classes_a_part=1)
    for row in records.drop_duplicates("id").head(3).itertuples():
        (arch,) = bench.space.canonical(np.array([row.id]))
        _, content = train_part(build, int(np.flatnonzero(build.order == arch)[0]))
        assert row.value == 100 * content["valid_correct"][0, 0, -1] / images.count("valid")
    seconds = (records["seconds"] - records["started"]).groupby(bench.space.canonical(records["id"].to_numpy()))
    assert (seconds.max() - seconds.min()).max() == pytest.approx(0, abs=1e-9)  # repetitions share trainings
    assert len(list((run.folder / "live").rglob("part-*.npz"))) == seconds.ngroups


def test_what_is_found_is_judged_by_the_table(run: Run, bench: Benchmark) -> None:
    records = run.records()
    for name in ("valid", "test"):
        expected = bench.query(records["id"].to_numpy(), f"{name}_accuracy")
        np.testing.assert_array_equal(records[name], expected)
    assert records["test"].isna().any()  # six classes are tabulated
    assert run.config["tasks"][0]["optimum"]["test"]["value"] == np.nanmax(
        bench.query(np.arange(bench.space.size), "test_accuracy")
    )


def test_run_json_and_the_report_say_that_it_was_live(run: Run, bench: Benchmark, tmp_path: Path) -> None:
    stated = run.config["live"]
    extra = bench.tables[0].info["extra"]
    assert stated["images"] == extra["images"]
    assert (stated["macro"], stated["recipe"]) == (extra["macro"], extra["recipe"])
    assert (stated["seeds"], stated["device"], stated["as_tabulated"]) == ([2], "cpu", True)
    assert "torch" in run.config["versions"]
    page = tmp_path / "page.html"
    ng.report(run).save(page)
    text = page.read_text()
    for words in (
        "what searchers were told was trained live", "done live with seed 2", "the very pictures of the table",
        stated["images"]["sha256"], stated["protocol"],
    ):  # fmt: skip
        assert words in text
    assert "nothing was trained here" not in text.lower()


def test_a_run_of_the_table_says_nothing_of_it(bench: Benchmark, tmp_path: Path) -> None:
    run = live_run(bench, tmp_path / "run", live=False)
    assert run.config["live"] is None
    assert not (run.folder / "live").exists()
    page = tmp_path / "page.html"
    ng.report(run).save(page)
    assert "trained live" not in page.read_text()


def test_processes_change_no_number(run: Run, bench: Benchmark, tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(told(run), told(live_run(bench, tmp_path / "run", seeds=2, jobs=2)))


def test_a_lost_part_comes_back_equal_to_the_last_second(run: Run, bench: Benchmark, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run.folder, copy)
    trained = {path.name: path.stat().st_mtime_ns for path in (copy / "live").rglob("part-*.npz")}
    for part in Run(copy).parts():
        part.unlink()
    again = live_run(bench, copy)
    stopped = [*MEASURED, "proxy_seconds"]
    pd.testing.assert_frame_equal(again.records().drop(columns=stopped), run.records().drop(columns=stopped))
    assert {path.name: path.stat().st_mtime_ns for path in (copy / "live").rglob("part-*.npz")} == trained


def test_a_killed_run_goes_on_to_the_same_records(run: Run, bench: Benchmark, table: Path, tmp_path: Path) -> None:
    script = (
        "import sys, nasgauge as ng\n"
        "ng.compare(ng.open(sys.argv[1]), ['random', 'evolution'], out=sys.argv[2], queries=4, seeds=2, jobs=1, "
        "live={'limit': 40})"
    )
    out = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-c", script, table, out], env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 120
    while process.poll() is None and not list((out / "live").rglob("part-*.npz")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.read_bytes() for path in (out / "live").rglob("part-*.npz")}
    assert kept
    pd.testing.assert_frame_equal(told(live_run(bench, out)), told(run))
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_seeds_are_averaged_and_their_seconds_added(bench: Benchmark, tmp_path: Path) -> None:
    run = live_run(bench, tmp_path / "run", searchers=["random"], seeds=1, queries=2, live=Live(limit=40, seeds=3))
    assert run.config["live"]["seeds"] == [2, 3, 4]
    for row in run.records().itertuples():
        (arch,) = bench.space.canonical(np.array([row.id]))
        (content,) = [
            dict(each) for path in (run.folder / "live").rglob("part-*.npz")
            if (each := np.load(path))["classes"][0] == arch
        ]  # fmt: skip
        assert row.value == pytest.approx(100 * content["valid_correct"][0, :, -1].mean() / 40)
        assert row.seconds - row.started == pytest.approx(
            (content["train_seconds"] + content["valid_seconds"]).sum(), rel=1e-6
        )


def test_a_second_objective_a_limit_and_several_trainers_go_live(bench: Benchmark, tmp_path: Path) -> None:
    flops = np.random.default_rng(0).random(bench.space.size)
    column = Column("flops_millions", flops, bench.datasets[0])
    beside = write_table(
        tmp_path / "static.h5", [column], name="static", space="topology", title="FLOPs", licence="CC0", notes=[]
    )
    both, most = Benchmark(*bench.tables, Table(beside)), float(np.median(flops))
    run = live_run(
        both, tmp_path / "run", seeds=1, queries=8, objective2="flops_millions", constraint=("flops_millions", most),
        workers=2,
    )  # fmt: skip
    records = run.records()
    np.testing.assert_array_equal(records["cost"], flops[records["id"]])
    np.testing.assert_array_equal(records["feasible"], records["cost"] <= most)
    np.testing.assert_array_equal(records["value"].isna(), ~records["feasible"])
    assert (records["started"] == records["seconds"])[~records["feasible"]].all()
    assert set(records["worker"]) == {0, 1}
    with pytest.raises(BadValue, match="no architecture meets it"):
        live_run(both, tmp_path / "none", constraint=("flops_millions", 0.0))


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"live": True}, "other pictures than the set 'digits'"),
    ({"live": {"limit": 40, "seeds": 0}}, "seeds=0"),
    ({"live": {"limit": 40, "device": "tpu"}}, "tpu"),
    ({"live": {"limit": 40, "sha256": "ab"}}, "sha256='ab'"),
    ({"live": {"limmit": 40}}, "did you mean 'limit'"),
    ({"live": {"images": 3}}, "images=3"),
    ({"live": 1}, "live=1"),
    ({"trial": "random"}, "trial='random'"),
    ({"resume": True}, "resume=True"),
    ({"budget": 3}, "1"),
    ({"queries": None}, "seconds"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=[str(each) for each, _ in REFUSED])
def test_what_cannot_be_trained_is_refused_before_a_folder_appears(
    bench: Benchmark, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(NasgaugeError, match=words):
        live_run(bench, tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()


def test_pictures_without_validation_or_of_another_kind_are_refused(
    bench: Benchmark, images: Images, tmp_path: Path
) -> None:
    with pytest.raises(BadValue, match="no validation split"):
        live_run(bench, tmp_path / "run", live=Live(images.without_validation()))
    with pytest.raises(UnknownName, match="image set"):
        live_run(bench, tmp_path / "run", live=Live("digitz"))
    with pytest.raises(BadValue, match="size=4"):
        live_run(bench, tmp_path / "run", live=Live(images, size=4))


def test_only_one_data_set_of_cells_can_be_trained(toy: Benchmark, images: Images, tmp_path: Path) -> None:
    searchers = [Recipe("RandomSearch", RandomSearch)]
    with pytest.raises(BadValue, match="one of the data sets"):
        live_run(toy, tmp_path / "run", searchers=searchers, live=Live(images), dataset=["cifar10", "cifar100"])
    assert not (tmp_path / "run").exists()


def test_other_pictures_and_tables_without_a_protocol_are_said(toy: Benchmark, images: Images, tmp_path: Path) -> None:
    run = live_run(toy, tmp_path / "run", searchers=["random"], live=Live(images), dataset="cifar10", budget=12,
                   budgets=[12], queries=1, seeds=1)  # fmt: skip
    stated = run.config["live"]
    assert stated["as_tabulated"] is None
    assert stated["recipe"] == json.loads(json.dumps(Protocol.of(images, 12).to_json()["recipe"]))
    assert not set(stated["seeds"]) & {seed for each in toy.index.entries for seed in each.seeds or ()}


def test_the_set_of_a_published_table_is_trained_as_its_benchmark_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described, _ = write_set(IMAGENET16_120, tmp_path / "images")
    monkeypatch.setitem(PUBLISHED, "ImageNet16-120", described)
    column = Column("valid_accuracy", np.full(15_625, 20.0), "ImageNet16-120", 12)
    made = write_table(tmp_path / "t.h5", [column], name="t", space="topology", title="T", licence="CC0", notes=[])
    task = (Task("ImageNet16-120", 12, 12),)
    found = Training.of(Benchmark(Table(made)), task, Live(image_folder=tmp_path / "images")).protocol
    assert (found.macro, found.recipe) == (Macro(), TrainingRecipe(12))  # though 16 pixels are few
    shrunk = Training.of(Benchmark(Table(made)), task, Live(image_folder=tmp_path / "images", size=8)).protocol
    assert shrunk.macro == Macro.mini(3)


def test_another_way_to_train_is_another_run(run: Run, bench: Benchmark, images: Images) -> None:
    with pytest.raises(BadValue, match="holds a run with live="):
        live_run(bench, run.folder, live={"limit": 40, "seeds": 2})
    with pytest.raises(BadValue, match="holds a run with live="):
        live_run(bench, run.folder, live=False)
    assert live_run(bench, run.folder, live=Live(images)).config == run.config  # the same pictures, otherwise named


STUDY = """\
benchmark = "{table}"
searchers = ["random", "evolution"]
queries = 4
seeds = 2
[live]
images = "digits"
limit = 40
"""


def test_a_study_can_be_live_and_reproduces_itself(run: Run, table: Path, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(STUDY.format(table=table))
    first = Study.read(path).run(tmp_path / "first", jobs=1)
    again = Study.read(first.folder / "study.toml").run(tmp_path / "again", jobs=1)
    for each in (first, again):
        pd.testing.assert_frame_equal(told(each), told(run))
        assert each.config["live"] == run.config["live"]
    assert (again.folder / "study.toml").read_text() == (first.folder / "study.toml").read_text()


def test_the_pictures_of_a_study_lie_beside_it_and_are_held_to_their_checksum(
    bench: Benchmark, table: Path, images: Images, tmp_path: Path
) -> None:
    def save(how_many: int) -> None:
        splits = {f"{axis}_{name}": getattr(images, f"{axis}_{name}")[:how_many] for axis in "xy"
                  for name in ("train", "valid", "test")}  # fmt: skip
        np.savez(tmp_path / "mine.npz", **splits)

    save(40)
    text = STUDY.format(table=table).replace('"digits"', '"mine.npz"').replace("queries = 4", "queries = 1")
    (tmp_path / "study.toml").write_text(text)
    run = Study.read(tmp_path / "study.toml").run(tmp_path / "run", jobs=1)
    assert run.config["live"]["images"]["name"] == "mine"
    save(39)
    with pytest.raises(BadValue, match="another checksum") as told_of:
        Study.read(run.folder / "study.toml").run(tmp_path / "again", jobs=1)
    assert "study.toml line" in str(told_of.value)


MISTAKES = [
    ("limit = 40", "limmit = 40", 7, "did you mean 'limit'"),
    ("limit = 40", "limit = 40\nseeds = 0", 8, "seeds=0"),
    ("limit = 40", 'limit = 40\ndevice = "tpu"', 8, "tpu"),
    ('"digits"', '"digitz"', 6, "unknown image set"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "words"), MISTAKES, ids=[each[1] for each in MISTAKES])
def test_a_mistake_in_a_live_study_points_to_its_line(
    table: Path, tmp_path: Path, right: str, wrong: str, line: int, words: str
) -> None:
    path = tmp_path / "study.toml"
    path.write_text(STUDY.format(table=table).replace(right, wrong))
    with pytest.raises(NasgaugeError, match=words) as told_of:
        Study.read(path).run(tmp_path / "run", jobs=1)
    assert f"study.toml line {line}" in str(told_of.value)
    path.write_text(STUDY.format(table=table).replace("[live]", 'live = "yes"'))
    with pytest.raises(BadFile, match="true, false or a table"):
        Study.read(path)


def test_the_command_line_runs_live(run: Run, table: Path, tmp_path: Path) -> None:
    def nasgauge(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nasgauge.cli", "compare", *map(str, arguments)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300)

    asked = (table, "-s", "random", "-s", "evolution", "--queries", 4, "--seeds", 2, "--jobs", 1, "--out", "run")
    ran = nasgauge(*asked, "--live", "--images", "digits", "--limit-images", 40, "--device", "cpu", "--live-seeds", 1)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[0] == "run"
    pd.testing.assert_frame_equal(told(Run(tmp_path / "run")), told(run))
    assert json.loads((tmp_path / "run" / "run.json").read_text())["live"] == run.config["live"]
    refused = nasgauge(*asked, "--images", "digits")
    assert refused.returncode != 0
    assert "--live" in refused.stderr
