"""Scores from a file get the same report as those of a run; what is no file of scores is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

import nasgauge
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadFile, BadValue, MissingFile, UnknownName
from nasgauge.bench.spaces import space
from nasgauge.data.convert import convert
from nasgauge.reports.correlation.analysis import Analysis
from nasgauge.reports.correlation.evidence import evidence
from nasgauge.reports.correlation.precomputed import precomputed

NASLIB = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")


def table(n: int = 60, **columns: Any) -> pd.DataFrame:
    """Scores of ``n`` cells: a noisy ramp, its negation, and seconds."""
    ids = np.random.default_rng(0).permutation(15_625)[:n]
    noisy = ids + np.random.default_rng(1).normal(scale=3_000, size=n)
    return pd.DataFrame({"id": ids, "good": noisy, "bad": -noisy, "good_seconds": 0.5, **columns})


def written(frame: pd.DataFrame, folder: Path, name: str = "scores.csv") -> Path:
    frame.to_csv(folder / name, index=False)
    return folder / name


def test_a_csv_is_correlated_with_the_truth_of_a_benchmark(toy: Benchmark, tmp_path: Path) -> None:
    frame = table()
    run = precomputed(written(frame, tmp_path), toy, tmp_path / "run", lower=["bad"])
    found = evidence(run)
    assert {truth.key for truth in found.truths} == {
        f"{dataset}:{metric}" for dataset in ("cifar10", "cifar100") for metric in ("valid_accuracy", "test_accuracy")
    }
    measured = Analysis.of(found, resamples=10).measured
    expected = kendalltau(frame["good"], toy.query(frame["id"].to_numpy(), "test_accuracy", dataset="cifar10"))
    for name in ("good", "bad"):
        assert measured.value(name, found.main, "kendall") == pytest.approx(expected.statistic)
    good = found.named("good")
    assert good is not None
    assert (good.seconds, good.networks) == (0.5, 60)
    assert run.config["proxies"][1]["direction"] == "lower"
    assert found.main.seconds[200] > found.main.seconds[12]
    assert precomputed(tmp_path / "scores.csv", toy, tmp_path / "run", lower=["bad"]).config == run.config


def test_texts_seeds_and_common_seconds_are_understood(toy: Benchmark, tmp_path: Path) -> None:
    frame = table(20, seconds=0.1).drop(columns=["good_seconds"])
    frame["architecture"] = [toy.space.text(int(arch)) for arch in frame.pop("id")]
    both = pd.concat([frame.assign(seed=0), frame.assign(seed=1, good=frame["good"] + 1)])
    found = evidence(precomputed(written(both, tmp_path), toy, tmp_path / "run", dataset="cifar100"))
    good = found.named("good")
    assert good is not None
    np.testing.assert_allclose(good.by_seed[1], good.by_seed[0] + 1)
    assert good.seconds == pytest.approx(0.1)
    assert {truth.dataset for truth in found.truths} == {"cifar100"}


@pytest.mark.parametrize("kind", ["json", "h5"])
def test_suite_zero_is_correlated_with_what_it_records_or_with_a_benchmark(
    kind: str, toy: Benchmark, tmp_path: Path
) -> None:
    ids = np.random.default_rng(2).permutation(15_625)[:40]
    accuracy = {int(arch): 50 + float(arch) / 1e3 for arch in ids}
    cells = {}
    for arch in ids:
        operations = {(int(source), int(target)): name for source, target, name in space("topology").graph(arch).edges}
        key = str(tuple(NASLIB.index(operations[edge]) for edge in sorted(operations)))
        cells[key] = {"val_accuracy": accuracy[int(arch)], "snip": {"score": float(-arch), "time": 0.25}}
    path = tmp_path / "zc_nasbench201.json"
    path.write_text(json.dumps({"nasbench201": {"cifar10": cells}}))
    if kind == "h5":
        path = convert(path, tmp_path / "zc.h5").path
    alone = evidence(precomputed(path, None, tmp_path / "alone"))
    assert alone.main.trained == "cifar10, validation accuracy as recorded beside the scores"
    measured = Analysis.of(alone, resamples=10).measured
    assert measured.value("snip", alone.main, "kendall") == pytest.approx(-1)
    beside = evidence(precomputed(path, toy, tmp_path / "beside", lower=["snip"]))
    expected = kendalltau(beside.ids, toy.query(beside.ids, "test_accuracy", dataset="cifar10")).statistic
    assert Analysis.of(beside, resamples=10).measured.value("snip", beside.main, "kendall") == pytest.approx(expected)
    assert beside.main.key == "cifar10:test_accuracy"
    with pytest.raises(UnknownName, match="cifar100"):
        precomputed(path, toy, tmp_path / "other", dataset="cifar100")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="id"), "no column 'id' or 'architecture'"),
        (lambda frame: frame.assign(id=frame["id"] + 0.5), "other things than whole numbers"),
        (lambda frame: frame.assign(id=frame["id"] + 15_625), "15624"),
        (lambda frame: frame[["id", "good_seconds"]], "no column of scores"),
        (lambda frame: pd.concat([frame, frame[:1]]), "comes twice"),
        (lambda frame: frame.assign(seed=np.arange(len(frame)) * 7), "have to follow each other"),
    ],
)
def test_a_file_of_something_else_is_refused(change: Any, message: str, toy: Benchmark, tmp_path: Path) -> None:
    path = written(change(table(10)), tmp_path)
    with pytest.raises(BadFile, match=message):
        precomputed(path, toy, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_missing_is_said(toy: Benchmark, toy_path: Path, tmp_path: Path) -> None:
    path = written(table(10), tmp_path)
    with pytest.raises(MissingFile, match="no scores at"):
        precomputed(tmp_path / "nowhere.csv", toy)
    with pytest.raises(BadValue, match="--benchmark"):
        nasgauge.report(path)
    with pytest.raises(UnknownName, match="good"):
        precomputed(path, toy, tmp_path / "run", lower=["god"])
    with pytest.raises(BadFile, match="holds no scores"):
        precomputed(toy_path, None, tmp_path / "run")
    with pytest.raises(BadValue, match="not about a run folder"):
        nasgauge.report(tmp_path, bench=toy)
    assert not (tmp_path / "run").exists()
