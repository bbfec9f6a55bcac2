"""From a name to an open benchmark, on made-up source files behind a made-up catalogue entry."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadFile, MissingFile, NotMeasured, UnknownName
from nasgauge.bench.table import Table
from nasgauge.data import fetch as fetch_module
from nasgauge.data.catalogue import CATALOGUE
from nasgauge.data.fetch import fetch


@pytest.fixture(scope="module")
def mirror(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up files, laid out as a server lays them out."""
    folder = tmp_path_factory.mktemp("mirror")
    for source in CATALOGUE["nats-tss"].sources:
        path = folder / source.location
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(made.files[source.name], path)
    return folder


@pytest.fixture
def pinned(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue entry of `nats-tss`, pinned to the made-up files."""
    recipe = CATALOGUE["nats-tss"]
    sources = []
    for source in recipe.sources:
        content = made.files[source.name].read_bytes()
        sources.append(replace(source, sha256=hashlib.sha256(content).hexdigest(), size=len(content)))
    monkeypatch.setitem(CATALOGUE, "nats-tss", replace(recipe, sources=tuple(sources)))


def test_a_fetched_table_answers_the_records(made: Any, mirror: Path, pinned: None, tmp_path: Path) -> None:
    path = fetch("nats-tss", mirror=mirror, home=tmp_path)
    assert path == tmp_path / "tables" / "nats-tss.h5"
    bench = Benchmark(Table(path))
    truth, every = made.truth, np.arange(15_625)
    valid = np.nanmean(truth.percent("cifar10-valid", "x-valid"), axis=1)
    assert np.allclose(bench.query(every, "valid_accuracy", dataset="cifar10"), valid)
    assert np.allclose(bench.query(every, "test_accuracy", dataset="cifar100"), truth.mean("cifar100", "x-test"))
    found = bench.query(every, "test_accuracy", dataset="cifar10", seed=999)
    assert np.allclose(found, truth.percent("cifar10", "ori-test")[:, 2], equal_nan=True)
    with pytest.raises(NotMeasured):
        bench.query(0, "valtest_accuracy", dataset="cifar10")
    cost = bench.cost(every, dataset="cifar10", budget=12)
    assert np.allclose(cost.seconds, truth.seconds * (12 + 0.353) / 200) and cost.provenance == "estimated"
    assert [source.licence for source in bench.tables[0].sources] == [s.licence for s in CATALOGUE["nats-tss"].sources]
    assert "x-valid" in bench.describe() and "constrained-tpe" in bench.describe()


def test_the_same_files_give_the_same_bytes(mirror: Path, pinned: None, tmp_path: Path) -> None:
    first = fetch("nats-tss", mirror=mirror, home=tmp_path / "a").read_bytes()
    assert fetch("nats-tss", mirror=mirror, home=tmp_path / "b").read_bytes() == first


def test_an_unknown_name_is_answered_with_the_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'nasbench101'"):
        fetch("nasbench-101", home=tmp_path)


def test_a_wrong_file_leaves_no_table(mirror: Path, tmp_path: Path) -> None:
    """Pinned to the real files, the made-up ones are refused."""
    with pytest.raises(BadFile, match="is not the file it should be"):
        fetch("nats-tss", mirror=mirror, home=tmp_path)
    assert not list(tmp_path.rglob("*.h5"))


def test_a_full_disk_leaves_the_old_table(
    mirror: Path, pinned: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fetch("nats-tss", mirror=mirror, home=tmp_path)
    before = path.read_bytes()

    def full(*_: Any, **__: Any) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch_module, "write_table", full)
    with pytest.raises(MissingFile, match=r"cannot be written .*No space left"):
        fetch("nats-tss", mirror=mirror, home=tmp_path)
    assert path.read_bytes() == before and [each.name for each in path.parent.iterdir()] == ["nats-tss.h5"]
