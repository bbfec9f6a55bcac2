"""Synthetic run folders: a made-up table of architectures, a random and a greedy law of choosing, the real layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nasgauge.bench.run_folder import write_frame
from nasgauge.searchers.runner.run import Run

MakeRun = Callable[..., Run]
PEAKS = {"cifar10": (91.6, 94.37, 12.0), "cifar100": (73.5, 73.51, 18.0), "ImageNet16-120": (46.8, 47.31, 14.0)}
LABELS = ("random", "evolution")


def made_up_table(dataset: str, architectures: int, missing: float = 0.0, decimals: int = 1) -> dict[str, np.ndarray]:
    """Accuracies with a long lower tail; rounding ``value`` makes ties; a share ``missing`` of test is NaN."""
    rng = np.random.default_rng([len(dataset), architectures])
    top_valid, top_test, spread = PEAKS.get(dataset, (90.0, 93.0, 10.0))
    quality = rng.beta(1.2, 6.0, architectures) ** 1.5  # 0 is the best
    valid = top_valid - spread * quality + rng.normal(0, 0.12, architectures)
    test = top_test - spread * quality + rng.normal(0, 0.15, architectures)
    value = np.round(valid - 4 + rng.normal(0, 0.5, architectures), decimals)
    test[rng.random(architectures) < missing] = np.nan
    size = rng.gamma(2.0, 30.0, architectures) * (1.3 - quality)  # the better, the larger, more or less
    return {"value": value, "valid": valid, "test": test, "cost": rng.gamma(20.0, 6.0, architectures), "size": size}


def made_up_run(
    folder: Path, *, datasets: Iterable[str] = ("cifar10",), labels: Iterable[str] = LABELS, seeds: int = 6,
    evaluations: int = 30, architectures: int = 400, seconds: float | None = None, queries: int | None = None,
    missing: float = 0.0, skip: Iterable[tuple[str, str, int]] = (), part: int = 100, expectation: bool = True,
    optimum: bool = True, workers: int = 1, objective2: str | None = None, **changes: Any,
) -> Run:  # fmt: skip
    """A run folder; ``skip`` names absent repetitions (data set, label, seed), ``changes`` edit run.json."""
    datasets, labels, skip = list(datasets), list(labels), set(skip)
    if seconds is None and queries is None:
        queries = evaluations
    tables = {dataset: made_up_table(dataset, architectures, missing) for dataset in datasets}
    config = {
        "kind": "compare",
        "benchmark": {
            "name": "made-up", "space": "topology", "architectures": architectures, "classes": architectures // 2,
            "title": "A made-up table", "licence": "MIT", "table_sha256": "ab" * 32, "sampling_law": "uniform over ids",
            "sources": [{"name": "made-up.pth", "url": "https://example.org/made-up.pth", "sha256": "cd" * 32,
                         "licence": "MIT", "size": 123456789}],
            "description": "A table of numbers that nobody measured.\n  splits: as written\n  gaps: as asked",
        },
        "tasks": [_task(dataset, table, optimum, objective2) for dataset, table in tables.items()],
        "searchers": [{"label": label, "name": label, "settings": {}} for label in labels],
        "seconds": seconds, "queries": queries, "count_last": True, "seeds": seeds, "base_seed": 0, "trial": "mean",
        "versions": {"nasgauge": "0.1.0", "python": "3.11.7", "numpy": "2.4.6"}, "git": "0123456789abcdef",
        "host": {"machine": "x86_64", "cpus": 2, "threads": 1, "device": "cpu", "system": "Linux"},
        "started": "2025-01-01T00:00:00+00:00", "workers": workers, "mode": "async", "resume": False,
        "objective2": objective2, "constraint": None, "scores": None, **changes,
    }  # fmt: skip
    run = Run.create(folder, config, ())
    for place, dataset in enumerate(datasets):
        for slot, label in enumerate(labels):
            for first in range(0, seeds, part):
                wanted = [seed for seed in range(first, min(first + part, seeds)) if (dataset, label, seed) not in skip]
                if wanted:
                    frame = made_up_records(
                        tables[dataset], dataset, label, wanted, slot, evaluations, seconds, workers, objective2
                    )
                    run.write_part(f"{place}-{slot}-{wanted[0]:05d}-{wanted[-1]:05d}", frame)
        if expectation:
            write_frame(folder / f"expectation-{dataset}.parquet", _expectation(tables[dataset], evaluations))
    return run


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Makes a run folder below the test's own folder."""

    def make(name: str = "run", **options: Any) -> Run:
        return made_up_run(tmp_path / name, **options)

    return make


@pytest.fixture(scope="module")
def make_run_once(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """The same for folders that several tests of a module share and none changes."""

    def make(name: str = "run", **options: Any) -> Run:
        return made_up_run(tmp_path_factory.mktemp("shared") / name, **options)

    return make


def _task(dataset: str, table: dict[str, np.ndarray], optimum: bool, objective2: str | None) -> dict[str, Any]:
    best = {
        split: {"id": int(np.nanargmax(table[split])), "value": float(np.nanmax(table[split])),
                "rule": "largest mean over runs"}
        for split in ("valid", "test")
    }  # fmt: skip
    return {
        "dataset": dataset,
        "search": {"metric": "valid_accuracy", "budget": 12, "words": "trained on half, evaluated on the other half"},
        "report": {"budget": 200, "valid_words": "trained on half, evaluated on the other half; mean over 3 runs",
                   "test_words": "trained on everything, evaluated on the test images; mean over 3 runs"},
        "cost": {"words": "12 epochs of training and one validation pass", "provenance": "estimated"},
        "optimum": best if optimum else {"valid": None, "test": None},
        "missing": {"search": 7, **{split: int(np.isnan(table[split]).sum()) for split in ("valid", "test")}},
        "mean_of_space": {split: float(np.nanmean(table[split])) for split in ("valid", "test")},
        "top": {split: {str(share): float(np.nanquantile(table[split], 1 - share)) for share in (0.01, 0.001)}
                for split in ("valid", "test")},
        "budgets": [12], "allowed": len(table["test"]),
        "reference": {"value": float(table["value"].min()), "cost": float(table["size"].max())} if objective2 else None,
        "predicted": [],
    }  # fmt: skip


def made_up_records(
    table: dict[str, np.ndarray], dataset: str, label: str, seeds: list[int], slot: int, evaluations: int,
    seconds: float | None = None, workers: int = 1, objective2: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Rows of the repetitions ``seeds``: searcher number 0 chooses uniformly, the others more and more greedily."""
    order = np.argsort(-table["value"], kind="stable")
    uniform = np.array([np.random.default_rng([slot, seed]).random(evaluations) for seed in seeds])
    greed = 1 + slot * np.minimum(1.5, np.maximum(0, np.arange(evaluations) - 5) / 30)
    ids = order[(uniform**greed * len(order)).astype(int)]
    started, ended, worker = on_trainers(table["cost"][ids], workers)
    ending = np.argsort(ended, axis=1, kind="stable")
    ids, started, ended, worker = (np.take_along_axis(each, ending, axis=1) for each in (ids, started, ended, worker))
    query = np.broadcast_to(np.arange(1, evaluations + 1), ids.shape)
    last = np.full(len(seeds), evaluations) if seconds is None else (ended < seconds).sum(axis=1) + 1
    keep = query <= last[:, None]
    ids = ids[keep]
    return pd.DataFrame({
        "dataset": pd.Categorical.from_codes(np.zeros(len(ids), int), [dataset]),
        "searcher": pd.Categorical.from_codes(np.zeros(len(ids), int), [label]),
        "seed": np.repeat(seeds, keep.sum(axis=1)).astype("int32"), "query": query[keep].astype("int32"),
        "id": ids.astype("int32"), "value": table["value"][ids], "budget": np.int16(12),
        "cost": table["size"][ids] if objective2 else np.nan, "feasible": True, "started": started[keep],
        "seconds": ended[keep], "worker": worker[keep].astype("int16"),
        "searcher_seconds": query[keep] * 1.2e-5 * (slot + 1), "proxy_seconds": 0.5 * query[keep] * (slot == 3),
        "valid": table["valid"][ids], "test": table["test"][ids],
    })  # fmt: skip


def on_trainers(costs: np.ndarray, workers: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start, end and trainer of trainings that each go to the first free trainer, all (n_run, n_evaluation)."""
    free = np.zeros((len(costs), workers))
    started, ended, worker = np.empty_like(costs), np.empty_like(costs), np.empty(costs.shape, int)
    runs = np.arange(len(costs))
    for step in range(costs.shape[1]):
        worker[:, step] = free.argmin(axis=1)
        started[:, step] = free.min(axis=1)
        ended[:, step] = started[:, step] + costs[:, step]
        free[runs, worker[:, step]] = ended[:, step]
    return started, ended, worker


def _expectation(table: dict[str, np.ndarray], evaluations: int) -> pd.DataFrame:
    """Uniform random search with replacement in closed form, architectures without a number left out."""
    order = np.argsort(table["value"], kind="stable")
    query = np.unique(np.geomspace(1, evaluations, 60).astype(int))
    reached = (np.arange(len(order) + 1) / len(order))[None, :] ** query[:, None]
    chance = np.diff(reached, axis=1)  # of each architecture (by rank) to be the incumbent
    columns: dict[str, np.ndarray] = {"query": query, "seconds": query * float(table["cost"].mean())}
    for split in ("valid", "test"):
        numbers = table[split][order]
        known = ~np.isnan(numbers)
        weight = chance[:, known] / chance[:, known].sum(axis=1, keepdims=True)
        numbers = numbers[known]
        columns[split] = weight @ numbers
        climb = np.argsort(numbers)
        below = np.cumsum(weight[:, climb], axis=1)
        for end, level in (("low", 0.025), ("high", 0.975)):
            columns[f"{split}_{end}"] = numbers[climb][np.minimum((below < level).sum(axis=1), len(climb) - 1)]
    return pd.DataFrame(columns)
