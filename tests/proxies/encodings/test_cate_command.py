"""`nasgauge encode` as typed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

import nasgauge as ng
from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.cli import app

TINY = [
    "layers=1", "cross_layers=1", "width=16", "heads=2", "inner=16", "cross_inner=16", "cells=300", "batch=64",
    "epochs=2",
]  # fmt: skip


def typed(*words: str) -> tuple[int, str, BaseException | None]:
    shown = CliRunner().invoke(app, ["encode", *words])
    return shown.exit_code, shown.output, shown.exception


def test_a_fixed_encoding_of_a_space(tmp_path: Path) -> None:
    code, output, _ = typed("topology", "-e", "path-truncated", "--set", "length=30", "--out", str(tmp_path / "run"))
    assert (code, output.strip()) == (0, str(tmp_path / "run" / "encoding.npy"))
    rows = np.load(tmp_path / "run" / "encoding.npy")
    np.testing.assert_array_equal(rows, ng.encode("topology", "path-truncated", length=30))


def test_training_writes_weights_curves_and_the_encoding(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = ["topology", "--encoder", "cate", "--train", "--out", str(folder)]
    command += [word for setting in TINY for word in ("--set", setting)]
    code, output, _ = typed(*command)
    assert code == 0, output
    assert sorted(each.name for each in folder.iterdir()) == ["curves.csv", "encoding.npy", "weights.npz"]
    assert "2/2" in output
    rows = np.load(folder / "encoding.npy")
    assert rows.shape == (15_625, 16)
    assert typed(*command)[0] == 0  # finished: only encodes again
    np.testing.assert_array_equal(rows, np.load(folder / "encoding.npy"))
    again = tmp_path / "again"
    assert typed("topology", "-e", "cate", "--weights", str(folder / "weights.npz"), "-o", str(again))[0] == 0
    np.testing.assert_array_equal(rows, np.load(again / "encoding.npy"))
    code, _, error = typed(*command, "--set", "seed=77")
    assert isinstance(error, BadValue)


def test_wrong_words_are_one_clear_error(tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "run")]
    assert isinstance(typed("topology", "-e", "kate", *out)[2], UnknownName)
    assert isinstance(typed("size", "-e", "cate", *out)[2], UnknownName)
    assert isinstance(typed("topology", "-e", "path", "--train", *out)[2], UnknownName)
    for words in (["--precision", "bf16"], ["--compile"], ["--set", "epochs"], ["--train", "--weights", "w.npz"]):
        assert typed("topology", "-e", "cate", *words, *out)[0] == 2
    assert isinstance(typed("topology", "-e", "cate", "--train", "--set", "epochs=two", *out)[2], BadValue)
    assert isinstance(typed("topology", "-e", "adjacency", "--device", "cpu", *out)[2], BadValue)
    assert not (tmp_path / "run").exists()
