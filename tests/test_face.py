"""The public face: names stand for benchmarks, one name for a list of one, and what is neither is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import nasgauge as ng
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadValue


@pytest.fixture
def name(toy_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the toy table, in a home and a working folder of its own."""
    (tmp_path / "tables").mkdir()
    shutil.copy(toy_path, tmp_path / "tables" / "toy.h5")
    monkeypatch.setenv("NASGAUGE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return "toy"


def test_a_name_stands_for_its_benchmark_and_one_searcher_for_a_list_of_one(name: str) -> None:
    asked = {"dataset": "cifar10", "queries": 5, "seeds": 2, "jobs": 1}
    by_name = ng.compare(name, "random", out="one", **asked)  # type: ignore[arg-type]
    by_object = ng.compare(ng.open(name), ["random"], out="two", **asked)  # type: ignore[arg-type]
    columns = ["searcher", "seed", "id", "value"]
    assert set(columns) <= set(by_name.records().columns)
    pd.testing.assert_frame_equal(by_name.records()[columns], by_object.records()[columns])


@pytest.mark.parametrize("given", ["topology", "toy"])
def test_encodings_and_scores_take_a_space_or_a_benchmark_by_name(name: str, given: str) -> None:
    assert ng.encode(given, "path", [0, 1]).shape == (2, 155)


def test_scores_take_a_benchmark_by_name(name: str) -> None:
    pytest.importorskip("torch")
    run = ng.score(name, "params", archs=[0, 1], images="digits", out="scores", jobs=1)
    assert len(run.frame()) == 2


@pytest.mark.parametrize("wrong", [3, None, ["toy"], Benchmark])
def test_what_is_no_benchmark_is_refused(wrong: object) -> None:
    for ask in (
        lambda: ng.compare(wrong, "random", queries=3),  # type: ignore[arg-type]
        lambda: ng.verify(wrong, [0]),  # type: ignore[arg-type]
        lambda: ng.surrogate(wrong),  # type: ignore[arg-type]
        lambda: ng.encodings(wrong, "path"),  # type: ignore[arg-type]
        lambda: ng.encode(wrong, "path"),  # type: ignore[arg-type]
    ):
        with pytest.raises(BadValue, match="no benchmark; give what"):
            ask()


def test_what_is_no_searcher_is_refused(toy: Benchmark) -> None:
    with pytest.raises(BadValue, match="3 is no searcher"):
        ng.compare(toy, [3], queries=3)  # type: ignore[list-item]
