"""AREA on the real nats-tss with NASWOT scores of real CIFAR-10 images, against what was published.

Scoring takes minutes: keep the scores with ``NASGAUGE_SCORES=folder``, and start again after a kill. A user does the
same with two commands, ``nasgauge score nats-tss -p naswot --archs all --images cifar10 --out scores`` and ``nasgauge
compare nats-tss -s evolution:area --scores scores``; here only the cells are scored that the searches will look at.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import nasgauge as ng
from nasgauge.bench.benchmark import Benchmark
from nasgauge.searchers import Recipe, evolution
from nasgauge.searchers.runner.experiment import search_once
from nasgauge.searchers.scores import Scorer, Scores

from ..real_images import real_cifar10

pytestmark = [pytest.mark.real, pytest.mark.slow]

SEEDS = 50  # as published
SECONDS = 12_000
BATCH = 32  # published: 128, at four times the cost
DATASETS = ("cifar10", "cifar100", "ImageNet16-120")


@pytest.fixture(scope="module")
def bench(real_home: Path) -> Benchmark:
    return ng.open("nats-tss", home=real_home)


def searcher(bench: Benchmark, recipe: Recipe, seed: int, scorer: Scorer | None = None):  # type: ignore[no-untyped-def]
    return recipe.start(bench.space, np.random.default_rng(seed), budgets=(12, 200), scorer=scorer)


def asked(bench: Benchmark) -> list[int]:
    """The cells whose scores the searches want: each draws its twenty before it knows any score."""
    found: set[int] = set()

    def note(_: str, ids: Sequence[int]) -> np.ndarray:
        found.update(ids)
        return np.zeros(len(ids))

    for seed in range(SEEDS):
        searcher(bench, evolution("area"), seed, note).ask()
    return sorted(found)


@pytest.fixture(scope="module")
def scores(bench: Benchmark, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Scores:
    given = os.environ.get("NASGAUGE_SCORES")
    folder = (Path(given) if given else tmp_path_factory.mktemp("scores")) / "area"
    ids = asked(bench)
    assert SEEDS * 10 < len(ids) <= SEEDS * 20
    ng.score(bench, ["naswot"], archs=ids, images=real_cifar10(shared), batch=BATCH, dataset="cifar10", out=folder)
    found = Scores.read(folder, bench.space.size)
    assert not np.isnan(found.values["naswot"][ids]).any()
    return found


def ends(bench: Benchmark, recipe: Recipe, scores: Scores) -> np.ndarray:
    """The cells that searches on cifar10 end with."""
    found = []
    for seed in range(SEEDS):
        objective, scorer = bench.objective("cifar10", seconds=SECONDS, budget=12), scores.count()
        search_once(searcher(bench, recipe, seed, scorer), objective, scorer=scorer)
        found.append(objective.ids[int(np.argmax(objective.values))])
    return np.array(found)


def test_area_ends_where_it_was_published_to_end(bench: Benchmark, shared: Path, scores: Scores) -> None:
    """Within 3 standard errors of the difference and .05 for rounding and conventions.

    The table's row gives one number a data set and leaves open whether it is of validation or of test: one has to fit.
    """
    area, plain = ends(bench, evolution("area"), scores), ends(bench, evolution(), scores)
    with open(shared / "spec" / "published.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["method"], row["space"]) == ("AREA", "NB201")]
    for row in rows:
        mean, spread, fits = float(row["mean"]), float(row["std"]), []
        for split in ("valid", "test"):
            ours, other = (bench.query(each, f"{split}_accuracy", dataset=row["dataset"]) for each in (area, plain))
            print(f"{row['dataset']:<15} {split:<5} area {ours.mean():.2f} ±{ours.std():.2f}  evolution "
                  f"{other.mean():.2f} ±{other.std():.2f}  published {mean} ±{spread}")  # fmt: skip
            fits.append(abs(ours.mean() - mean) <= 3 * np.hypot(spread, ours.std()) / np.sqrt(SEEDS) + 0.05)
        assert any(fits), row["dataset"]
    assert {row["dataset"] for row in rows} == set(DATASETS)
