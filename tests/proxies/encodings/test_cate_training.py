"""Training of encoders: the same from the same seed, unhurt by a kill, nothing held out is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from nasgauge.bench.errors import BadFile, BadValue, UnknownName
from nasgauge.bench.spaces import space
from nasgauge.proxies.encodings.cate_training import CatePretraining, settings_for
from nasgauge.proxies.encodings.checkpoints import Checkpoint, load_checkpoint
from nasgauge.proxies.encodings.learned import LEARNED, pretraining, train
from nasgauge.proxies.encodings.pretraining import pretrain

TSS, CELLS = space("topology"), space("cells101")
TINY: dict[str, dict[str, Any]] = {
    "cate": {"layers": 1, "cross_layers": 1, "width": 16, "heads": 2, "inner": 16, "cross_inner": 16, "warmup": 5,
             "cells": 300, "batch": 64, "epochs": 3},
    "arch2vec": {"hops": 2, "width": 16, "latent": 4, "cells": 300, "epochs": 3},
}  # fmt: skip
learned = pytest.mark.parametrize("encoder", LEARNED)


def same(one: Checkpoint, two: Checkpoint) -> bool:
    curves = {name for name in one.curves if name != "train_seconds"}
    return all(np.array_equal(one.weights[name], two.weights[name]) for name in one.weights) and all(
        np.array_equal(one.curves[name], two.curves[name]) for name in curves
    )


@learned
def test_a_seed_decides_and_a_kill_changes_nothing(tmp_path: Path, encoder: str) -> None:
    stream = torch.random.get_rng_state()
    whole = pretrain(pretraining(TSS, encoder, **TINY[encoder]), tmp_path / "whole.npz")
    assert torch.equal(stream, torch.random.get_rng_state())

    stopped = pretraining(TSS, encoder, **TINY[encoder])
    kind = type(stopped)

    class Killed(kind):  # type: ignore[valid-type, misc]
        def held_out(self, device: torch.device) -> dict[str, float]:
            if (tmp_path / "killed.npz").exists():
                raise KeyboardInterrupt
            return dict(super().held_out(device))

    with pytest.raises(KeyboardInterrupt):
        pretrain(Killed(TSS, stopped.given), tmp_path / "killed.npz")
    assert load_checkpoint(tmp_path / "killed.npz", encoder, TSS).epochs == 1
    torch.manual_seed(99)
    resumed = pretrain(pretraining(TSS, encoder, **TINY[encoder]), tmp_path / "killed.npz")
    assert same(whole, resumed)
    assert resumed.finished
    assert not resumed.state
    other = pretrain(pretraining(TSS, encoder, **TINY[encoder] | {"seed": 9}), tmp_path / "other.npz")
    assert not same(whole, other)


@learned
def test_the_folder_holds_weights_and_curves(tmp_path: Path, encoder: str) -> None:
    path = train(CELLS, encoder, tmp_path / "run", **TINY[encoder])
    assert sorted(each.name for each in (tmp_path / "run").iterdir()) == ["curves.csv", "weights.npz"]
    lines = (tmp_path / "run" / "curves.csv").read_text().splitlines()
    assert len(lines) == 4
    assert {"epoch", "train_loss", "held_loss"} < set(lines[0].split(","))
    before = path.stat().st_mtime_ns
    assert train(CELLS, encoder, tmp_path / "run", **TINY[encoder]).stat().st_mtime_ns == before
    with pytest.raises(BadValue, match=r"seed=\d+, now seed=77 is asked"):
        train(CELLS, encoder, tmp_path / "run", **TINY[encoder] | {"seed": 77})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadFile, match=r"weights\.npz"):
        train(CELLS, encoder, tmp_path / "run", **TINY[encoder])


def test_no_pair_of_training_holds_a_held_out_cell() -> None:
    task = CatePretraining(TSS, settings_for(TSS, **TINY["cate"] | {"cells": 0}))
    held = set(task.held.cells.ravel())
    assert len(held) > 200
    for seed in range(3):
        masked = task.epoch_pairs(np.random.default_rng(seed))
        assert not held & set(masked.cells.ravel())
        assert -(-len(masked) // task.given.batch) == task.steps
    assert np.ptp(task.cost[task.held.cells], axis=1).max() <= task.given.threshold


def test_released_trains_on_all_cells_with_a_fixed_list_of_pairs() -> None:
    task = CatePretraining(TSS, settings_for(TSS, variant="released", attends="descendants", **TINY["cate"]))
    one, two = (np.unique(task.epoch_pairs(np.random.default_rng(seed)).cells, axis=0) for seed in (0, 1))
    np.testing.assert_array_equal(one, two)
    assert task.real.all()
    assert not task.reach[:, range(8), range(8)].any()


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"layer": 3}, "no setting 'layer'"),
        ({"heads": 7}, "multiple of the heads"),
        ({"variant": "mine"}, "legal: paper"),
        ({"epochs": 0}, "1 or more"),
        ({"cells": 3, "threshold": 0.0}, "leaves no pairs"),
        ({"cost": "price"}, "flops, params"),
        ({"epochs": "two"}, "'two'; legal: a whole number"),
        ({"batch": 1.5}, "1.5; legal: a whole number"),
        ({"seed": True}, "True; legal: a whole number"),
        ({"dropout": "much"}, "'much'; legal: a number"),
        ({"learning_rate": float("nan")}, "nan; legal: a number"),
        ({"learning_rate": 0}, "learning_rate 0; legal: above 0"),
        ({"cost": 3}, "3; legal: a word"),
    ],
)
def test_bad_settings_are_refused(tmp_path: Path, wrong: dict[str, Any], match: str) -> None:
    with pytest.raises(BadValue, match=match):
        train(TSS, "cate", tmp_path, **wrong)
    assert not list(tmp_path.iterdir())


def test_unknown_encoders_and_spaces_list_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="legal: cate, arch2vec"):
        train(TSS, "path", tmp_path)
    with pytest.raises(UnknownName, match="topology, cells101"):
        train(space("size"), "cate", tmp_path)
    with pytest.raises(BadValue, match="legal: fp32, bf16"):
        train(TSS, "cate", tmp_path, precision="fp8", **TINY["cate"])  # type: ignore[arg-type]


@learned
def test_bf16_learns_the_same_thing(tmp_path: Path, encoder: str) -> None:
    full = pretrain(pretraining(TSS, encoder, **TINY[encoder]), tmp_path / "full.npz")
    half = pretrain(pretraining(TSS, encoder, **TINY[encoder]), tmp_path / "half.npz", precision="bf16")
    np.testing.assert_allclose(half.curves["held_loss"], full.curves["held_loss"], rtol=0.05)
