"""A sweep over trainers: whole comparisons in one folder, resumed, refused whole, asked for in three ways."""

import pytest
from typer.testing import CliRunner

import nasgauge as ng
from nasgauge.bench.errors import BadFile, BadValue, NotMeasured
from nasgauge.cli import app
from nasgauge.reports import report
from nasgauge.searchers import recipe
from nasgauge.searchers.bayes.search import tw_gp_batch
from nasgauge.searchers.runner.run import Run
from nasgauge.searchers.runner.study import Study
from nasgauge.searchers.runner.sweep import comparisons, sweep

SETTINGS = {"datasets": ("cifar10",), "queries": 12, "seeds": 2, "jobs": 1}


@pytest.fixture(scope="module")
def made(toy, tmp_path_factory):
    recipes = [recipe("random"), tw_gp_batch(initial=4)]
    folder = tmp_path_factory.mktemp("runs") / "sweep"
    return sweep(toy, recipes, folder, workers=[1, 2, 3], mode=["sync", "async"], **SETTINGS)


def test_a_sweep_is_one_whole_comparison_for_each_number_and_mode(made):
    found = comparisons(made)
    assert [(each.config["workers"], each.config["mode"]) for each in found] == [
        (1, "sync"), (2, "sync"), (2, "async"), (3, "sync"), (3, "async"),
    ]  # fmt: skip
    for each in found:
        assert each.config["kind"] == "compare"
        assert len(each.records()) == 2 * 2 * 12
        assert (each.folder / "study.toml").exists()
    assert comparisons(found[0]) == (found[0],)


def test_batches_are_as_large_as_there_are_trainers_unless_kept(made, toy, tmp_path):
    batches = [each.config["searchers"][1]["settings"]["batch"] for each in comparisons(made)]
    assert batches == [1, 2, 2, 3, 3]
    kept = sweep(toy, [tw_gp_batch(initial=4)], tmp_path / "run", workers=[2], batch_of_trainers=False, **SETTINGS)
    assert comparisons(kept)[0].config["searchers"][0]["settings"]["batch"] == 5


def test_a_killed_sweep_goes_on(toy, tmp_path):
    """What is finished is not touched; another question in the same folder is refused."""
    folder = tmp_path / "run"
    recipes = [recipe("random")]
    first = sweep(toy, recipes, folder, workers=[1, 2], **SETTINGS)
    one, two = comparisons(first)
    stamp = one.parts()[0].stat().st_mtime_ns
    for part in two.parts():
        part.unlink()
    again = sweep(toy, recipes, folder, workers=[1, 2], **SETTINGS)
    assert comparisons(again)[0].parts()[0].stat().st_mtime_ns == stamp
    assert len(comparisons(again)[1].records()) == 2 * 12
    with pytest.raises(BadValue, match="trainers"):
        sweep(toy, recipes, folder, workers=[1, 2, 4], **SETTINGS)


def test_what_cannot_be_asked_leaves_nothing_behind(toy, tmp_path):
    folder = tmp_path / "run"
    for wrong in ({"workers": []}, {"workers": [1, 1]}, {"workers": [0]}, {"workers": [True, 2]},
                  {"workers": [2], "mode": ["sync", "sync"]}, {"workers": [2], "mode": "together"},
                  {"workers": [1], "queries": None}, {"workers": [1], "seeds": 0}):  # fmt: skip
        with pytest.raises(BadValue):
            sweep(toy, [recipe("random")], folder, **{**SETTINGS, **wrong})
        assert not folder.exists(), wrong
    with pytest.raises(NotMeasured):
        sweep(toy, [recipe("random")], folder, workers=[1, 2], **SETTINGS, budget=77)
    assert not folder.exists()
    with pytest.raises(BadValue, match="of a sweep"):
        ng.compare(toy, ["random"], dataset="cifar10", queries=5, seeds=1, mode=["sync", "async"], out=folder)
    assert not folder.exists()


def test_one_call_and_a_study_file_ask_for_the_same(toy_path, tmp_path):
    bench = ng.open(toy_path)
    called = ng.compare(
        bench, ["random"], dataset="cifar10", queries=6, seeds=2, workers=[1, 2], jobs=1, out=tmp_path / "called"
    )
    path = tmp_path / "study.toml"
    path.write_text(
        f'benchmark = "{toy_path}"\ndatasets = ["cifar10"]\nsearchers = ["random"]\nqueries = 6\nseeds = 2\n'
        'workers = [1, 2]\nmode = "async"\n'
    )
    written = Study.read(path).run(tmp_path / "written", jobs=1)
    measured = ["searcher_seconds", "memory_before", "memory_peak"]
    for one, other in zip(comparisons(called), comparisons(written), strict=True):
        assert one.records().drop(columns=measured).equals(other.records().drop(columns=measured))
    path.write_text(path.read_text().replace("[1, 2]", '[1, "two"]'))
    with pytest.raises(BadFile, match=r"line 6.*several in a list"):
        Study.read(path)


def test_a_damaged_statement_is_refused(made, tmp_path):
    config = dict(made.config, trainers="many")
    with pytest.raises(BadFile, match="sweep over trainers"):
        comparisons(Run.create(tmp_path / "run", config, ()))


def test_the_command_sweeps_and_its_report_knows(toy_path, tmp_path):
    out = tmp_path / "run"
    words = ["compare", str(toy_path), "-s", "random", "-d", "cifar10", "--queries", "6", "--seeds", "2", "-w", "1",
             "-w", "2", "--mode", "sync", "--mode", "async", "--jobs", "1", "--out", str(out)]  # fmt: skip
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert [path.name for path in sorted(out.glob("trainers-*"))] == [
        "trainers-001", "trainers-002-async", "trainers-002-sync",
    ]  # fmt: skip
    assert "with 1 and 2 trainers" in report(Run(out)).title
