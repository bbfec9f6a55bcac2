"""Samplers of Optuna search our spaces, reproducibly, and say nothing they were not asked."""

from __future__ import annotations

import logging
import sys

import numpy as np
import pytest

from nasgauge.bench.errors import BadValue, MissingPackage, UnknownName
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import space
from nasgauge.searchers import Recipe, optuna_search, recipe
from nasgauge.searchers.optuna_adapter import OptunaSearch
from nasgauge.testing import SearcherConformance, TinySpace

optuna = pytest.importorskip("optuna")


class TestTpe(SearcherConformance):
    spaces = ("topology", "size", "tiny")
    queries = 24

    def make_recipe(self) -> Recipe:
        return optuna_search("TPESampler")


class TestTpeOnCells(SearcherConformance):
    spaces = ("cells101",)
    queries = 6

    def make_recipe(self) -> Recipe:
        return optuna_search("TPESampler")


class TestNsga2Sampler(SearcherConformance):
    spaces = ("topology", "tiny")
    queries = 24

    def make_recipe(self) -> Recipe:
        return optuna_search("NSGAIISampler", population_size=5)


class TestQmc(SearcherConformance):
    spaces = ("topology", "tiny")
    queries = 24

    def make_recipe(self) -> Recipe:
        return optuna_search("QMCSampler")


class TestCmaEs(SearcherConformance):
    spaces = ("topology", "tiny")
    queries = 24

    def make_recipe(self) -> Recipe:
        pytest.importorskip("cmaes")
        return optuna_search("CmaEsSampler", n_startup_trials=4)


@pytest.mark.slow
class TestGp(SearcherConformance):
    spaces = ("topology", "cells101")
    queries = 18

    def make_recipe(self) -> Recipe:
        pytest.importorskip("torch")
        return optuna_search("GPSampler", n_startup_trials=5)


def run(searcher: object, trainings: int) -> list[int]:
    trace = []
    for _ in range(trainings):
        if not (asked := searcher.ask(1)):  # type: ignore[attr-defined]
            break
        trace += asked
        value = float((space("topology").operations(asked[0]) == 3).sum()) if trainings > 10 else 1.0
        searcher.tell([Evaluation(asked[0], value, 1.0)])  # type: ignore[attr-defined]
    return trace


def test_tpe_learns_where_the_good_ones_are() -> None:
    topology = space("topology")
    trace = run(recipe("optuna:TPESampler").start(topology, np.random.default_rng(0)), 80)
    convolutions = (topology.operations(trace) == 3).sum(axis=1)
    assert convolutions[-20:].mean() > convolutions[:20].mean() + 1.5


def test_the_gaussian_process_learns_it_faster() -> None:
    pytest.importorskip("torch")
    topology = space("topology")
    trace = run(recipe("optuna:GPSampler").start(topology, np.random.default_rng(0)), 25)
    assert (topology.operations(trace) == 3).sum(axis=1).max() == 6


@pytest.mark.parametrize("sampler", ["BruteForceSampler", "GridSampler"])
def test_a_sampler_that_lists_the_space_ends_with_it(sampler: str) -> None:
    trace = run(optuna_search(sampler).start(TinySpace(), np.random.default_rng(0)), 9)
    assert sorted(trace) == list(range(6))


def test_an_illegal_cell_is_told_as_zero_and_not_asked() -> None:
    searcher = optuna_search("RandomSampler").start(space("cells101"), np.random.default_rng(0))
    assert isinstance(searcher, OptunaSearch)
    searcher.ask(10)
    trials = searcher._study.trials
    illegal = [trial for trial in trials if trial.state.name == "COMPLETE"]
    assert len(trials) - len(illegal) == 10
    assert {trial.value for trial in illegal} == {0.0}
    assert 10 < len(illegal) < 90


def test_results_reach_the_study_also_those_it_did_not_ask_for() -> None:
    searcher = optuna_search().start(space("topology"), np.random.default_rng(0))
    assert isinstance(searcher, OptunaSearch)
    (arch,) = searcher.ask(1)
    searcher.tell([Evaluation(arch, 71.5, 1.0), Evaluation(123, 80.0, 1.0), Evaluation(124, float("nan"), 1.0)])
    (lost,) = searcher.ask(1)
    searcher.tell([Evaluation(lost, float("nan"), 1.0)])
    assert [(trial.state.name, trial.value) for trial in searcher._study.trials] == [
        ("COMPLETE", 71.5), ("COMPLETE", 80.0), ("FAIL", None),
    ]  # fmt: skip
    assert searcher._study.best_value == 80.0


def test_nothing_is_logged_and_the_verbosity_is_left_alone(capfd: pytest.CaptureFixture[str]) -> None:
    optuna.logging.set_verbosity(optuna.logging.INFO)
    run(optuna_search().start(space("topology"), np.random.default_rng(0)), 3)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == logging.INFO


def test_without_optuna_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingPackage, match=r"pip install nasgauge\[optuna\]"):
        optuna_search().start(space("topology"), np.random.default_rng(0))


def test_unknown_samplers_and_settings_are_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'TPESampler'"):
        optuna_search("TPESampeler").start(space("topology"), np.random.default_rng(0))
    with pytest.raises(UnknownName, match="n_startup_trials"):
        optuna_search("TPESampler", startup=5).start(space("topology"), np.random.default_rng(0))
    with pytest.raises(BadValue, match="PartialFixedSampler cannot be built"):
        optuna_search("PartialFixedSampler").start(space("topology"), np.random.default_rng(0))
