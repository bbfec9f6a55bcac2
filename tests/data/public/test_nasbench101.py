"""`nasbench101` from its sources: rows are in official order, and what only some cells have is NaN elsewhere."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nasgauge.bench.column import Column
from nasgauge.bench.errors import BadFile
from nasgauge.bench.spaces.cells101 import Cells101
from nasgauge.data.public.nasbench101 import BUDGETS, assemble

SPACE = Cells101()
RNG = np.random.default_rng(7)
SUMS = RNG.integers(3_000, 29_952, SPACE.size)
PARAMS = RNG.integers(10_000, 50_000_000, SPACE.size)
STRETCHES = {"nasbench-vis 20k": range(40), "nasbench-vis 10k": range(1_000, 1_030)}
COUNTS = {name: {budget: RNG.integers(900, 9_984, len(rows)) for budget in BUDGETS} for name, rows in STRETCHES.items()}


def frame(**columns: np.ndarray) -> bytes:
    made = pd.DataFrame({"index": np.arange(SPACE.size), **columns})
    made.columns = pd.Index(list(made.columns), dtype=object)
    return pickle.dumps(made)


def stretch(name: str) -> dict[str, list[Any]]:
    rows = STRETCHES[name]
    made: dict[str, list[Any]] = {
        f"{budget}_final_validation_accuracy": (counts / 9_984).astype(np.float32).astype(float).tolist()
        for budget, counts in COUNTS[name].items()
    }
    made["final_training_time"] = [1_000.5 + row for row in rows]
    made["trainable_parameters"] = PARAMS[rows].tolist()
    made["key"] = [SPACE.hash(row) for row in rows]
    return made


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sources")
    contents = {
        "FreeREA 101 accuracies": frame(accuracy=SUMS / 29_952),
        "FreeREA 101 parameters": frame(params=PARAMS / 1e6),
        **{name: json.dumps(stretch(name)).encode() for name in STRETCHES},
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}


@pytest.fixture(scope="module")
def columns(files: dict[str, Path]) -> dict[str, Column]:
    return {column.path: column for column in assemble(files).columns}


def test_test_accuracy_and_parameters_are_in_official_order(columns: dict[str, Column]) -> None:
    test = columns["cifar10/108/test_accuracy/mean"]
    assert np.array_equal(test.values, 100.0 * SUMS / 29_952) and test.means_over == "all three repeats"
    assert np.array_equal(columns["cifar10/static/params_millions/static"].values, PARAMS / 1e6)


def test_one_repeat_is_known_of_some_cells_and_nan_elsewhere(columns: dict[str, Column]) -> None:
    for budget in BUDGETS:
        expected = np.full(SPACE.size, np.nan)
        for name, rows in STRETCHES.items():
            expected[rows] = 100 * COUNTS[name][budget] / 9_984
        column = columns[f"cifar10/{budget}/valid_accuracy/mean"]
        assert np.array_equal(column.values, expected, equal_nan=True)
        assert column.seeds is None and "one repeat" in column.means_over
    seconds = columns["cifar10/108/train_seconds/mean"].values
    assert np.isfinite(seconds).sum() == 70 and seconds[1_000] == 2_000.5
    assert np.array_equal(columns["cifar10/108/search_seconds/mean"].values, seconds, equal_nan=True)


def test_test_accuracy_of_shorter_runs_is_not_made_up(columns: dict[str, Column]) -> None:
    assert [path for path in columns if "test_accuracy" in path] == ["cifar10/108/test_accuracy/mean"]


def swapped(content: dict[str, list[Any]]) -> None:
    content["key"][3], content["key"][4] = content["key"][4], content["key"][3]


def without_a_row(content: dict[str, list[Any]]) -> None:
    for values in content.values():
        del values[5]


ALTERED: dict[str, Callable[[dict[str, list[Any]]], object]] = {
    "no stretch": without_a_row,
    "keys out of order": swapped,
    "other parameters": lambda content: content["trainable_parameters"].__setitem__(2, 1),
    "no such cell": lambda content: content["key"].__setitem__(-1, "f" * 32),
    "no hashes": lambda content: content.update(key=[0] * 40),
    "no column": lambda content: content.pop("final_training_time"),
    "texts": lambda content: content["final_training_time"].__setitem__(0, "1"),
    "no accuracy": lambda content: content["12_final_validation_accuracy"].__setitem__(0, 0.12345),
    "shorter": lambda content: content["12_final_validation_accuracy"].pop(),
    "empty": lambda content: [values.clear() for values in content.values()],
}


@pytest.mark.parametrize("case", ALTERED)
def test_an_altered_stretch_is_a_bad_file(case: str, files: dict[str, Path], tmp_path: Path) -> None:
    content = stretch("nasbench-vis 20k")
    ALTERED[case](content)
    (tmp_path / "altered.json").write_text(json.dumps(content))
    with pytest.raises(BadFile, match=r"altered\.json"):
        assemble({**files, "nasbench-vis 20k": tmp_path / "altered.json"})


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"key": 1}'])
def test_what_is_no_json_of_columns_is_a_bad_file(content: bytes, files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "altered.json").write_bytes(content)
    with pytest.raises(BadFile, match=r"altered\.json"):
        assemble({**files, "nasbench-vis 20k": tmp_path / "altered.json"})


def test_a_stretch_given_twice_is_a_bad_file(files: dict[str, Path]) -> None:
    with pytest.raises(BadFile, match="repeats"):
        assemble({**files, "nasbench-vis 10k": files["nasbench-vis 20k"]})


@pytest.mark.parametrize("column", ["accuracy", "params"])
def test_a_frame_of_another_layout_is_a_bad_file(column: str, files: dict[str, Path], tmp_path: Path) -> None:
    name = "FreeREA 101 accuracies" if column == "accuracy" else "FreeREA 101 parameters"
    for content in (frame(other=SUMS / 29_952), frame(**{column: SUMS}), frame(**{column: SUMS / 29_952 + 2e-5}),
                    pickle.dumps({column: SUMS})):  # fmt: skip
        (tmp_path / "altered").write_bytes(content)
        with pytest.raises(BadFile, match="altered"):
            assemble({**files, name: tmp_path / "altered"})
