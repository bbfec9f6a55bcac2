"""Defects seen in other packages, each from the search to the numbers on the page: they cannot come back here."""

from __future__ import annotations

import random as global_random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import Space
from nasgauge.reports import report
from nasgauge.reports.comparison.outcome import outcome
from nasgauge.searchers import Recipe, Run, evolution, random
from nasgauge.searchers.runner.experiment import compare


@pytest.fixture(scope="module")
def run(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("defects") / "run"
    return compare(toy, [random(), evolution()], folder, datasets=["cifar10"], queries=25, seeds=5, jobs=1)


def test_validation_is_not_test_nor_test_validation(toy: Benchmark, run: Run) -> None:
    """NASLib, HPOBench and TW_NAS answer both with one number; syne-tune tells searchers the test accuracy."""
    told, truth = run.records(), {}
    for name, metric, budget in (
        ("value", "valid_accuracy", 12), ("valid", "valid_accuracy", 200), ("test", "test_accuracy", 200),
    ):  # fmt: skip
        truth[name] = toy.query(told["id"].to_numpy(), metric, dataset="cifar10", budget=budget)
        np.testing.assert_array_equal(told[name], truth[name])
    assert not np.isclose(truth["value"], truth["test"]).any() and not np.isclose(truth["valid"], truth["test"]).any()
    ends = outcome(run).tables["incumbents"]
    for name, metric in (("valid", "valid_accuracy"), ("test", "test_accuracy")):
        np.testing.assert_array_equal(ends[name], toy.query(ends["id"].to_numpy(), metric, dataset="cifar10"))


def test_the_incumbent_does_not_peek_at_test(run: Run, tmp_path: Path) -> None:
    """TW_NAS hands over the best test accuracy so far: with other test numbers it hands over others."""
    before = outcome(run)
    config = run.config
    other = Run.create(tmp_path / "other", {key: config[key] for key in config if key not in ("format", "schema")}, ())
    for path in run.parts():
        frame = pd.read_parquet(path)
        frame["test"] = np.random.default_rng(0).permutation(frame["test"].to_numpy())
        frame.to_parquet(other.folder / path.name)
    after = outcome(other)
    for name in ("seed", "id", "value", "valid", "queries"):
        np.testing.assert_array_equal(before.tables["incumbents"][name], after.tables["incumbents"][name])
    valid = [each.tables["final"].query("split == 'valid'").reset_index(drop=True) for each in (before, after)]
    pd.testing.assert_frame_equal(*valid)
    tests = [each.tables["incumbents"]["test"] for each in (before, after)]
    assert (tests[0] != tests[1]).any()


def test_equal_runs_are_nobodys_win(toy: Benchmark, tmp_path: Path) -> None:
    """NASLib breaks ties by order: whoever comes first looks better."""

    class Same:
        def __init__(self, space: Space, rng: np.random.Generator, *, twin: int = 0) -> None:
            pass

        def ask(self, n: int = 1) -> Sequence[int]:
            return [7] * n

        def tell(self, evaluations: Sequence[Evaluation]) -> None:
            pass

    twins = [Recipe("same", Same, {"twin": twin}, label) for twin, label in enumerate(("first", "second"))]
    equal = compare(toy, twins, tmp_path / "run", datasets=["cifar10"], queries=3, seeds=6, jobs=1)
    pairs = outcome(equal).tables["pairs"]
    assert (pairs["a12"] == 0.5).all() and (pairs["ties"] == 6).all() and (pairs["verdict"] == 0).all()
    for view in report(equal).figures["ranks-seconds"]:
        assert all((line.y[np.isfinite(line.y)] == 1.5).all() for line in view.lines)


def test_the_order_in_which_settings_are_written_changes_nothing(toy: Benchmark, tmp_path: Path) -> None:
    """nni (issue 2721) tells equal architectures apart by the order of a dict."""
    given = {"population": 5, "tournament": 2, "replace": True}
    there, back = (
        evolution(**dict(items))
        for items in (given.items(), reversed(list(given.items())))  # type: ignore[arg-type]
    )
    assert there == back and there.key == back.key
    runs = [compare(toy, [each], tmp_path / str(place), datasets=["cifar10"], queries=12, seeds=3, jobs=1)
            for place, each in enumerate((there, back))]  # fmt: skip
    assert [path.name for path in runs[0].parts()] == [path.name for path in runs[1].parts()]
    pd.testing.assert_series_equal(runs[0].records()["id"], runs[1].records()["id"])
    assert compare(toy, [back], runs[0].folder, datasets=["cifar10"], queries=12, seeds=3, jobs=1).folder


def test_a_report_draws_from_its_own_generators(run: Run) -> None:
    """nasbench, NASBenchAPI and nats_bench seed or draw from the global ones."""
    before, numpy_before = global_random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002
    assert report(run).html()
    assert global_random.getstate() == before
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # type: ignore[index]  # noqa: NPY002
