"""Weights on disk: what is written is read, and nothing else is taken for it."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasgauge.bench.errors import BadFile, BadValue, MissingFile, NasgaugeError
from nasgauge.bench.spaces import space
from nasgauge.proxies.encodings import checkpoints
from nasgauge.proxies.encodings.checkpoints import Checkpoint, load_checkpoint, save_checkpoint, shipped

TSS = space("topology")


@pytest.fixture
def whole() -> Checkpoint:
    rng = np.random.default_rng(0)
    weights = {"a.weight": rng.normal(size=(3, 4)).astype(np.float16), "a.steps": np.array(7)}
    curves = {"held_loss": np.array([1.5, np.nan])}
    return Checkpoint("cate", "topology", TSS.size, {"epochs": 2, "cost": "flops"}, 1, weights, curves, {})


def test_what_is_written_is_read(tmp_path: Path, whole: Checkpoint) -> None:
    found = load_checkpoint(save_checkpoint(tmp_path / "w.npz", whole), "cate", TSS)
    assert found.about == whole.about
    assert not found.finished
    for name, value in whole.weights.items():
        np.testing.assert_array_equal(found.weights[name], value)
        assert found.weights[name].dtype == value.dtype
    np.testing.assert_array_equal(found.curves["held_loss"], whole.curves["held_loss"])


@pytest.mark.parametrize(("encoder", "name"), [("arch2vec", "topology"), ("cate", "cells101")])
def test_weights_of_another_encoder_or_space_are_refused(
    tmp_path: Path, whole: Checkpoint, encoder: str, name: str
) -> None:
    path = save_checkpoint(tmp_path / "w.npz", whole)
    with pytest.raises(BadValue, match="holds 'cate' for space 'topology'") as raised:
        load_checkpoint(path, encoder, space(name))
    assert "--train" in str(raised.value)


def test_another_schema_is_refused(tmp_path: Path, whole: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr(checkpoints, "SCHEMA", 2)
        path = save_checkpoint(tmp_path / "w.npz", whole)
    with pytest.raises(BadFile, match=r"schema 2 .* reads schema 1"):
        load_checkpoint(path, "cate", TSS)


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "exploded",)

    (tmp_path / "plain.npz").write_bytes(pickle.dumps(Bomb()))
    hidden = np.empty(1, dtype=object)
    hidden[0] = Bomb()
    np.savez(tmp_path / "hidden.npz", about=hidden, sha256=np.array(""))
    for name in ("plain", "hidden"):
        with pytest.raises(BadFile, match="no weights of an encoder"):
            load_checkpoint(tmp_path / f"{name}.npz", "cate", TSS)
    assert not (tmp_path / "exploded").exists()


def test_other_archives_and_missing_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", sha256=np.array("0"), about=np.array(json.dumps({"format": "something"})))
    with pytest.raises(BadFile, match="not made by `nasgauge encode`"):
        load_checkpoint(tmp_path / "other.npz", "cate", TSS)
    with pytest.raises(MissingFile, match="--encoder cate --train"):
        load_checkpoint(tmp_path / "none.npz", "cate", TSS)
    with pytest.raises(BadValue, match="no weights of 'cate' for space 'size'"):
        shipped("cate", space("size"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_a_damaged_file_is_one_clear_error_or_reads_the_same(
    tmp_path: Path, whole: Checkpoint, data: st.DataObject
) -> None:
    content = bytearray(save_checkpoint(tmp_path / "w.npz", whole).read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (tmp_path / "damaged.npz").write_bytes(content)
    try:
        found = load_checkpoint(tmp_path / "damaged.npz", "cate", TSS)
    except NasgaugeError as error:
        assert "damaged.npz" in str(error)
    else:  # a byte of the archive that nothing depends on
        assert found.about == whole.about
        np.testing.assert_array_equal(found.weights["a.weight"], whole.weights["a.weight"])
