"""A table of one's own: every class trained once, whoever trains it, however often it is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import nasgauge as ng
from nasgauge.bench.errors import BadFile, BadValue, NotMeasured, UnknownName
from nasgauge.bench.live.batches import Batches
from nasgauge.bench.live.build import build
from nasgauge.bench.live.images import SPLITS, Images
from nasgauge.bench.live.networks import check_trainable
from nasgauge.bench.live.protocol import Protocol
from nasgauge.bench.live.training import train
from nasgauge.bench.spaces import ProductSpace, Topology, space
from nasgauge.data.images import digits

SPACE = Topology()
METRICS = [f"{split}_{what}" for split in SPLITS for what in ("accuracy", "loss")]


@pytest.fixture(scope="module")
def images() -> Images:
    return digits.read().first(50)


def small(images: Images, tmp_path: Path, **changes: object) -> Path:
    asked = {"out": tmp_path / "mine.h5", "run": tmp_path / "run", "budget": 2, "seeds": 2, "sample": 10, "jobs": 1}
    return build(SPACE, images, **asked | changes)  # type: ignore[arg-type]


def numbers(path: Path) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    """Everything in a table but measured seconds."""
    bench, everything = ng.open(path), np.arange(SPACE.size)
    return {
        f"{metric} {epoch}": bench.query(everything, metric, epoch=epoch, seed="all")
        for metric in METRICS
        for epoch in (1, 2)
    }


@pytest.fixture(scope="module")
def built(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    small(images, folder)
    return folder


def test_every_member_of_a_trained_class_has_its_numbers_and_no_other_has_any(built: Path, images: Images) -> None:
    bench = ng.open(built / "mine.h5")
    classes = SPACE.canonical(np.arange(SPACE.size))
    accuracy = bench.query(np.arange(SPACE.size), "valid_accuracy", seed="all")
    trained = np.unique(classes[~np.isnan(accuracy).any(axis=1)])
    assert len(trained) == 10
    np.testing.assert_array_equal(~np.isnan(accuracy).any(axis=1), np.isin(classes, trained))
    for each in trained:
        np.testing.assert_array_equal(accuracy[classes == each], np.tile(accuracy[each], (sum(classes == each), 1)))
    correct = accuracy[~np.isnan(accuracy)] * images.count("valid") / 100
    np.testing.assert_allclose(correct, correct.round(), atol=1e-9)


def test_the_end_of_a_run_is_the_last_epoch_of_its_curve(built: Path) -> None:
    bench = ng.open(built / "mine.h5")
    known = np.flatnonzero(bench.known(np.arange(SPACE.size), "test_loss"))
    for metric in METRICS:
        end = bench.query(known, metric, seed="all")
        table = bench.tables[0]
        curves = table.read_curves(f"digits/2/{metric}/curves", known)
        np.testing.assert_array_equal(end, curves[:, :, -1].astype(np.float64))
    assert (bench.cost(known).seconds > bench.query(known, "train_seconds")).all()
    bench.tables[0].verify()


def test_the_losses_within_a_run_can_be_left_out(built: Path, images: Images, tmp_path: Path) -> None:
    slim = small(images, tmp_path, run=built / "run", loss_curves=False)
    whole, bench = ng.open(built / "mine.h5"), ng.open(slim)
    everything = np.arange(SPACE.size)
    for metric in METRICS:
        np.testing.assert_array_equal(bench.query(everything, metric), whole.query(everything, metric))
    np.testing.assert_array_equal(*(each.query(everything, "test_accuracy", epoch=1) for each in (bench, whole)))
    with pytest.raises(NotMeasured):
        bench.query(0, "test_loss", epoch=1)


def test_the_table_says_how_it_was_made(built: Path) -> None:
    words = " ".join(ng.open(built / "mine.h5").describe().split())
    for part in ("10 of 6,466 isomorphism classes", "lr 0.15", "50 test", "seeds 0, 1", "scikit-learn"):
        assert part in words


@pytest.mark.parametrize("way", ["jobs", "cluster"])
def test_numbers_depend_neither_on_jobs_nor_on_a_cluster(built: Path, images: Images, tmp_path: Path, way: str) -> None:
    if way == "jobs":
        small(images, tmp_path, jobs=2)
    else:
        distributed = pytest.importorskip("distributed")
        local = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
        with distributed.LocalCluster(**local) as cluster:
            small(images, tmp_path, cluster=cluster.scheduler_address)
    expected, found = numbers(built / "mine.h5"), numbers(tmp_path / "mine.h5")
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


KILLED = """
import sys
from pathlib import Path
from nasgauge.bench.live.build import build
from nasgauge.bench.spaces import Topology
from nasgauge.data.images import digits
folder = Path(sys.argv[1])
build(Topology(), digits.read().first(50), out=folder / "mine.h5", run=folder / "run", budget=2, seeds=2, sample=10,
      jobs=1)
"""


def test_a_killed_build_goes_on_and_ends_as_an_undisturbed_one(built: Path, images: Images, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    first = tmp_path / "run" / "part-00000.npz"
    deadline = time.monotonic() + 120
    while not first.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert first.exists()
    kept = first.stat().st_mtime_ns
    small(images, tmp_path)
    assert first.stat().st_mtime_ns == kept
    for name, values in numbers(built / "mine.h5").items():
        np.testing.assert_array_equal(numbers(tmp_path / "mine.h5")[name], values, err_msg=name)


def test_a_larger_sample_trains_the_difference(images: Images, tmp_path: Path) -> None:
    small(images, tmp_path, sample=3, budget=1)
    (first,) = (tmp_path / "run").glob("part-*.npz")
    kept = first.read_bytes()
    table = small(images, tmp_path, sample=9, budget=1)
    assert first.read_bytes() == kept
    assert len(list((tmp_path / "run").glob("part-*.npz"))) == 2
    assert "9 of 6,466" in ng.open(table).describe()


def test_a_run_folder_of_something_else_is_refused(built: Path, images: Images, tmp_path: Path) -> None:
    for changes in ({"seeds": 3}, {"budget": 3}):
        with pytest.raises(BadValue, match=next(iter({"seeds": "seeds", "budget": "recipe"}[key] for key in changes))):
            small(images, tmp_path, run=built / "run", **changes)
    with pytest.raises(BadValue, match="images"):
        small(images.first(40), tmp_path, run=built / "run")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "part-00000.npz").touch()
    with pytest.raises(BadValue, match="not a run folder"):
        small(images, tmp_path, run=tmp_path / "other")
    assert not (tmp_path / "mine.h5").exists()


def test_a_damaged_part_is_named(images: Images, tmp_path: Path) -> None:
    small(images, tmp_path, sample=1, budget=1)
    part = tmp_path / "run" / "part-00000.npz"
    part.write_bytes(part.read_bytes()[:200])
    with pytest.raises(BadFile, match="part-00000"):
        small(images, tmp_path, sample=1, budget=1)


@pytest.mark.parametrize("name", ["size", "cells101"])
def test_networks_of_other_spaces_are_trained_one_by_one(images: Images, tmp_path: Path, name: str) -> None:
    of = space(name)
    path = ng.build(name, images, out=tmp_path / "mine.h5", run=tmp_path / "run", budget=2, seeds=2, sample=2, jobs=1)
    bench = ng.open(path)
    trained = np.flatnonzero(bench.known(np.arange(of.size), "test_accuracy"))
    assert len(trained) == 2
    protocol = Protocol.of(images, 2, of)
    for seed in (0, 1):
        alone = of.network(int(trained[0]), 10, macro=protocol.macro, seed=seed)
        history = train(alone, Batches(images, channels_last=True), protocol.recipe, seed)
        for metric in METRICS:
            found = [bench.query(trained[0], metric, epoch=epoch, seed=seed) for epoch in (1, 2)]
            np.testing.assert_allclose(found, history[metric], rtol=2e-3, err_msg=metric)
    assert (bench.cost(trained).seconds > bench.query(trained, "train_seconds")).all()
    assert bench.tables[0].info["extra"]["macro"] == json.loads(json.dumps(asdict(protocol.macro)))


def test_what_diverges_alone_is_kept_as_diverged(images: Images, tmp_path: Path) -> None:
    asked = {"recipe": {"lr": 1e30}, "budget": 2, "seeds": 1, "sample": 1, "jobs": 1}
    path = ng.build("size", images, out=tmp_path / "mine.h5", run=tmp_path / "run", **asked)
    bench = ng.open(path)
    (trained,) = np.flatnonzero(bench.known(np.arange(bench.space.size), "test_accuracy"))
    assert np.isnan(bench.query(trained, "train_loss", epoch=2, seed=0))
    zeros = 100 * (images.split("test")[1] == 0).mean()
    assert bench.query(trained, "test_accuracy", seed=0) == pytest.approx(zeros)


def test_bad_arguments_end_before_anything_is_written(images: Images, tmp_path: Path) -> None:
    parts = [part for split in SPLITS for part in images.split(split)]
    parts[::2] = [pictures[:, :7, :7] for pictures in parts[::2]]
    odd = Images("odd", *parts, 10, images.mean, images.std)
    for changes, error, words in (
        ({"device": "cude"}, BadValue, "cpu"),
        ({"seeds": 0}, BadValue, "at least 1"),
        ({"sample": 6467}, BadValue, "6,466"),
        ({"sample": 0}, BadValue, "6,466"),
        ({"jobs": 0}, BadValue, "jobs=0"),
        ({"protocol": Protocol.of(images, 5)}, BadValue, "trains 5 epochs"),
        ({"images": odd}, BadValue, "divisible"),
    ):
        folder = tmp_path / words
        asked = {"space": SPACE, "images": images, "out": folder / "x.h5", "run": folder / "run", "budget": 1}
        with pytest.raises(error, match=words):
            build(**asked | changes)  # type: ignore[arg-type]
        assert not (folder / "x.h5").exists()
    with pytest.raises(UnknownName, match="lr"):
        ng.build("topology", images, out=tmp_path / "x.h5", recipe={"rate": 1})


def test_a_space_without_networks_cannot_be_trained() -> None:
    class Bare(ProductSpace):
        name = "bare"

    Bare.__abstractmethods__ = frozenset()
    with pytest.raises(BadValue, match="'bare' has no networks"):
        check_trainable(Bare())
