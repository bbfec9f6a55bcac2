"""Verification runs: real trainings in a run folder, killed and resumed; refusals before anything is trained."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nasgauge as ng
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadValue, MissingFile
from nasgauge.bench.live.images import Images
from nasgauge.searchers.runner.verification import trainings, verify

SMALL = {"epochs": 2, "batch": 16}


def spots(count: int = 48, side: int = 8, channels: int = 3) -> Images:
    """Ten classes by brightness."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 10
    pictures = (labels[:, None, None, None] * 24 + rng.integers(0, 24, (count, side, side, channels))).astype(np.uint8)
    part = pictures, labels.astype(np.int64)
    return Images("spots", *part, *part, *part, 10, (120.0,) * channels, (60.0,) * channels)


def test_every_training_becomes_a_part_with_its_curves(toy: Benchmark, tmp_path: Path) -> None:
    said: list[str] = []
    run = verify(
        toy, [118], tmp_path / "run", dataset="cifar10", sample=1, seeds=2, images=spots(), recipe=SMALL,
        say=said.append,
    )  # fmt: skip
    frame = trainings(run)
    assert len(frame) == 2 * 2 * 2 and set(frame["seed"]) == {0, 1} and 118 in set(frame["id"])
    assert frame["train_loss"].notna().all() and (frame["train_seconds"] > 0).all()
    assert run.config["kind"] == "verify" and len(run.config["tabulated"]) == 2
    assert run.config["plan"]["recipe"]["epochs"] == 2 and run.config["published"]["epochs"] == 12
    assert any("2 epochs, SGD, momentum 0.9 (Nesterov)" in line for line in said)
    assert not list(run.folder.glob(".checkpoint*"))


def test_asked_again_nothing_is_trained_again(toy: Benchmark, tmp_path: Path) -> None:
    def go(**changes: object) -> list[int]:
        options = {"dataset": "cifar10", "seeds": 1, "images": spots(), "recipe": SMALL, **changes}
        run = verify(toy, [118], tmp_path / "run", **options)  # type: ignore[arg-type]
        return [path.stat().st_mtime_ns for path in sorted(run.folder.glob("part-*"))]

    assert go() == go()
    for change in ({"recipe": {"epochs": 1}}, {"images": spots(50)}, {"metric": "test_accuracy"}):
        with pytest.raises(BadValue, match="another folder"):
            go(**change)


def test_refusals_come_before_training(toy: Benchmark, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(BadValue, match="not available here"):
        verify(toy, [1], out, dataset="cifar10", images=spots(), device="cuda:77")
    with pytest.raises(BadValue, match="1 channels; this network takes 3"):
        verify(toy, [1], out, dataset="cifar10", images=spots(channels=1))
    with pytest.raises(BadValue, match="divisible by 4"):
        verify(toy, [1], out, dataset="cifar10", images=spots(side=6))
    with pytest.raises(BadValue, match="has no valid images"):
        verify(toy, [1], out, dataset="cifar10", images=spots().without_validation())
    with pytest.raises(BadValue, match="seeds=0"):
        verify(toy, [1], out, dataset="cifar10", images=spots(), seeds=0)
    with pytest.raises(MissingFile, match="md5"):
        verify(toy, [1], out, dataset="cifar10", image_folder=tmp_path)
    assert not out.exists()


def test_a_table_built_here_is_verified_on_its_own_pictures_with_seeds_of_its_own(tmp_path: Path) -> None:
    asked = {"budget": 1, "seeds": 2, "sample": 1, "jobs": 1, "size": 4, "limit": 50, "run": tmp_path / "build"}
    bench = ng.open(ng.build("topology", "digits", out=tmp_path / "mine.h5", **asked))  # type: ignore[arg-type]
    (arch,) = np.unique(
        bench.space.canonical(np.flatnonzero(bench.known(np.arange(bench.space.size), "test_accuracy")))
    )
    for changes in ({}, {"limit": None, "size": None}):
        with pytest.raises(
            BadValue, match=r"digits of 4 x 4 pixels \(50 train, 50 valid, 50 test\), not digits of 8 x 8"
        ):
            verify(bench, [arch], tmp_path / "run", **changes)  # type: ignore[arg-type]
    run = verify(bench, [arch], tmp_path / "run", limit=50, size=4, seeds=1)
    assert run.config["plan"]["seeds"] == [2] and run.config["departures"] == []
    again = verify(bench, [arch], tmp_path / "again", limit=50, size=4, base_seed=1, seeds=1)
    assert trainings(again)["test_accuracy"][0] == pytest.approx(bench.query(arch, "test_accuracy", seed=1))
    other = verify(bench, [arch], tmp_path / "other", images="digits", limit=40, seeds=1)
    alarm = ng.report(other).sections[0].blocks[0]
    assert alarm.title == "Not trained as the table was" and "8 x 8" in alarm.lines[0]
    with pytest.raises(BadValue, match="base_seed=-1"):
        verify(bench, sample=1, base_seed=-1, limit=50, size=4)


def test_a_table_of_pictures_of_ones_own_asks_for_them(tmp_path: Path) -> None:
    images = spots(40)
    asked = {"budget": 1, "seeds": 1, "sample": 1, "jobs": 1, "run": tmp_path / "build"}
    bench = ng.open(ng.build("topology", images, out=tmp_path / "mine.h5", **asked))  # type: ignore[arg-type]
    with pytest.raises(BadValue, match="pictures of your own"):
        verify(bench, sample=1)


def test_killed_it_goes_on_to_the_same_numbers(toy_path: Path, tmp_path: Path) -> None:
    images = spots(100)
    np.savez(tmp_path / "spots.npz", x_train=images.x_train, y_train=images.y_train, x_test=images.x_test,
             y_test=images.y_test)  # fmt: skip

    def start(out: str) -> subprocess.Popen[str]:
        options = "--dataset cifar10 --seeds 2 --recipe epochs=4 --recipe batch=16 --images spots.npz --out"
        command = [sys.executable, "-m", "nasgauge.cli", "verify", str(toy_path), "118", *options.split(), out]
        pipe = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True)

    victim = start("killed")
    deadline = time.monotonic() + 120
    while not list((tmp_path / "killed").glob(".checkpoint-*.pt")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(victim.pid, signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    calm = start("calm")
    assert start("killed").wait() == 0 and calm.wait() == 0
    killed, undisturbed = (trainings(ng.searchers.Run(tmp_path / name)) for name in ("killed", "calm"))
    assert killed["resumed_after"].max() > 0 == undisturbed["resumed_after"].max()
    for name in killed.columns:
        measured = name.endswith("seconds") or name in ("images_per_second", "resumed_after")
        assert measured or np.array_equal(killed[name], undisturbed[name], equal_nan=True), name


def test_the_python_call_and_the_report(toy: Benchmark, tmp_path: Path) -> None:
    run = ng.verify(
        toy, [118], dataset="cifar10", seeds=1, images=spots(), recipe={"epochs": 1, "batch": 16}, out=tmp_path / "run"
    )
    alarm = ng.report(run).sections[0].blocks[0]
    assert alarm.title == "Not trained as the table was" and "epochs: 1 instead of 12" in alarm.lines
    assert any(line.startswith("images: spots of 8 x 8 pixels") for line in alarm.lines)
