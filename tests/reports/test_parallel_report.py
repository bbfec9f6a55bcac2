"""The page on a sweep over trainers: numbers against plain computation, what is missing, the same page every time."""

import shutil

import numpy as np
import pytest

from nasgauge.bench.errors import BadFile, MissingFile
from nasgauge.reports import report
from nasgauge.reports.parallel.fleet import Setting, fleet
from nasgauge.reports.parallel.numbers import MEASURES, Numbers, _sooner
from nasgauge.reports.parallel.plots import over_trainers
from nasgauge.searchers import recipe
from nasgauge.searchers.bayes.search import tw_gp_batch
from nasgauge.searchers.runner.run import Run
from nasgauge.searchers.runner.sweep import comparisons, sweep

LABELS = ("tw-gp-batch", "random")


@pytest.fixture(scope="module")
def run(toy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "sweep"
    recipes = [tw_gp_batch(initial=6), recipe("random")]
    return sweep(
        toy, recipes, folder, workers=[1, 2, 4], mode=["sync", "async"], datasets=("cifar10",), seconds=300.0, seeds=6,
        jobs=1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def numbers(run):
    return Numbers(fleet(run))


def test_every_setting_is_there_and_one_trainer_belongs_to_both_modes(numbers):
    found = numbers.fleet
    assert [str(each) for each in sorted(found.runs)] == [
        "1 trainer", "2 trainers, async", "2 trainers, sync", "4 trainers, async", "4 trainers, sync",
    ]  # fmt: skip
    assert [each.workers for each in found.settings("async")] == [1, 2, 4]
    assert (found.datasets, found.labels, found.modes, found.missing) == (("cifar10",), LABELS, ("sync", "async"), 0)
    assert found.first == Setting(1, "sync")


def test_equal_queries_and_equal_time_are_what_every_run_reached(run, numbers):
    ends = [frame.groupby(["searcher", "seed"], observed=True).agg(q=("query", "max"), s=("seconds", "max"))
            for frame in (each.records() for each in comparisons(run))]  # fmt: skip
    assert numbers.fleet.queries == {"cifar10": min(int(each["q"].min()) for each in ends)}
    assert numbers.fleet.seconds == {"cifar10": min(float(each["s"].min()) for each in ends)}


@pytest.mark.parametrize("label", LABELS)
def test_measures_are_those_of_the_records(run, numbers, label):
    """Regret, speed-up and idleness of every seed, by loops over rows."""
    queries, seconds = numbers.fleet.queries["cifar10"], numbers.fleet.seconds["cifar10"]
    best = numbers.fleet.best("cifar10")
    makespans = {}
    for each in comparisons(run):
        setting = Setting(each.config["workers"], each.config["mode"])
        frame = each.records()
        frame = frame[frame["searcher"] == label]
        for seed, rows in frame.groupby("seed"):
            at_queries = rows.iloc[:queries]
            regret = best - at_queries.loc[at_queries["value"].idxmax(), "test"]
            assert numbers.values(setting, "cifar10", label, "queries")[seed] == pytest.approx(regret)
            at_time = rows[rows["seconds"] <= seconds]
            regret = best - at_time.loc[at_time["value"].idxmax(), "test"]
            assert numbers.values(setting, "cifar10", label, "seconds")[seed] == pytest.approx(regret)
            work = (rows["seconds"] - rows["started"]).sum()
            idle = 100 * (1 - work / (setting.workers * rows["seconds"].max()))
            assert numbers.values(setting, "cifar10", label, "idle")[seed] == pytest.approx(idle, abs=1e-9)
            makespans[setting, seed] = at_queries["seconds"].iloc[-1]
            speed_up = makespans[Setting(1, "sync"), seed] / makespans[setting, seed]
            assert numbers.values(setting, "cifar10", label, "speed_up")[seed] == pytest.approx(speed_up)


def test_more_trainers_wait_less_without_a_barrier_and_are_faster(numbers):
    for label in LABELS:
        free, barrier = (Setting(4, mode) for mode in ("async", "sync"))
        assert numbers.summary(free, "cifar10", label, "speed_up")[0] > 1.5
        assert (numbers.summary(free, "cifar10", label, "idle")[0]
                <= numbers.summary(barrier, "cifar10", label, "idle")[0] + 5)  # fmt: skip
        assert numbers.summary(Setting(1, "sync"), "cifar10", label, "speed_up") == (1, 1, 1)
        assert numbers.summary(Setting(1, "sync"), "cifar10", label, "sooner")[0] == 1
        assert np.isnan(numbers.summary(Setting(1, "sync"), "cifar10", label, "tree_wasserstein")[0])
        assert numbers.summary(free, "cifar10", label, "volume")[0] < 0.01


@pytest.mark.parametrize("measure", ["queries", "speed_up"])
def test_the_axis_of_trainers_counts_those_that_there_were(numbers, measure):
    assert over_trainers(numbers, "cifar10", measure, "async").x_ticks == (1, 2, 4)


def test_sooner_is_a_ratio_of_first_times():
    x = np.arange(1.0, 11)
    one = np.r_[9, 8, 7, 6, 5, 4, 3, 2, 2, 2.0]  # at 2 from time 8
    assert _sooner(x, one, np.r_[5, 2, np.ones(8)]) == 4
    assert _sooner(x, one, one) == 1
    assert np.isnan(_sooner(x, one, np.full(10, 3.0)))
    assert np.isnan(_sooner(x, one, np.full(10, np.nan)))


def test_the_page_has_every_part_and_is_the_same_from_the_same_folder(run, tmp_path):
    made = report(run)
    assert [section.title for section in made.sections] == [
        "", "What more trainers bring", "Regret over time", "What batches are made of", "To wait or not to wait",
        "tw-gp-batch against the others", "How to read this", "Do it again",
    ]  # fmt: skip
    assert set(made.tables) == {"trainers", "modes", "pairs"}
    assert set(made.tables["trainers"]["measure"]) == set(MEASURES)
    said = repr(made.sections)
    for words in ("in the same time 4 trainers", "at equal queries", "Only 6 repetitions", "workers = [1, 2, 4]"):
        assert words in said, words
    page = made.html()
    assert "nan" not in page.split("<script")[0].lower()
    again = report(Run(run.folder))
    assert repr(again.sections) == said
    assert made.figure("curves-cifar10-sync", "png").startswith(b"\x89PNG")


def test_the_study_of_the_page_reproduces_the_sweep(run, tmp_path, toy_path):
    from nasgauge.reports.blocks import Listing
    from nasgauge.searchers.runner.study import Study

    [text] = [block.text for section in report(run).sections for block in section.blocks
              if isinstance(block, Listing) and block.title.startswith("study.toml")]  # fmt: skip
    path = tmp_path / "study.toml"
    path.write_text(text)
    again = Study.read(path).run(tmp_path / "again", jobs=1)
    assert again.config["trainers"] == [1, 2, 4]
    measured = ["searcher_seconds", "memory_before", "memory_peak"]
    for one, other in zip(comparisons(run), comparisons(again), strict=True):
        assert one.records().drop(columns=measured).equals(other.records().drop(columns=measured))


def test_what_is_missing_is_said_and_what_is_damaged_refused(run, tmp_path):
    folder = shutil.copytree(run.folder, tmp_path / "run")
    shutil.rmtree(folder / "trainers-004-async")
    made = report(Run(folder))
    assert "Incomplete: 12 repetitions missing" in repr(made.sections)
    part = next((folder / "trainers-002-sync").glob("part-*"))
    part.write_bytes(b"no parquet")
    with pytest.raises(BadFile, match=part.name):
        report(Run(folder))
    empty = shutil.copytree(run.folder, tmp_path / "empty")
    for each in empty.glob("trainers-*"):
        shutil.rmtree(each)
    with pytest.raises(MissingFile, match="no finished part"):
        report(Run(empty))
