"""The page of a scoring run says what the scores are worth, from made-up scores; and nothing that they are not."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, spearmanr

from nasgauge.bench.errors import BadFile, MissingFile
from nasgauge.bench.run_folder import write_frame
from nasgauge.bench.spaces import space
from nasgauge.proxies.score_run import ARCHITECTURES, COLUMNS, ScoreRun
from nasgauge.reports import Report, report
from nasgauge.reports.correlation import correlation

SIZE = 15_625


def fields(name: str, **changes: Any) -> dict[str, Any]:
    """A proxy as run.json keeps it."""
    made = {"name": name, "cites": f"somebody, {name}", "kind": "network", "needs": ["images"], "reads": [],
            "direction": "higher", "per_class": True, "code": ""}  # fmt: skip
    return made | changes


def made_up(
    folder: Path, *, archs: int = 400, seeds: int = 2, proxies: int = 3, datasets: tuple[str, ...] = ("cifar10",),
    runs: bool = True, failing: int = 3, skip: tuple[int, ...] = (), metrics: tuple[str, ...] = (), **changes: Any,
) -> ScoreRun:  # fmt: skip
    """Scores of topology cells: proxy i is the truth's quality with noise that grows with i; a flat one; a failing one.

    Truth is made of FLOPs, quality and noise, so that there is something beyond size.
    """
    rng = np.random.default_rng(archs)
    topology = space("topology")
    ids = rng.permutation(topology.size)[:archs].astype(np.int64)
    classes = topology.canonical(ids)
    flops = topology.flops(classes) / 1e6
    ranks = np.argsort(np.argsort(flops)) / archs
    quality = np.random.default_rng(1).normal(size=topology.size)[classes]
    names = [f"proxy_{place}" for place in range(proxies)]
    config = {
        "kind": "score",
        "benchmark": {"name": "made-up", "title": "A made-up <table>", "licence": "CC0", "space": "topology",
                      "architectures": SIZE, "classes": 6_466, "sources": [], "table_sha256": {"made-up": "ab" * 32},
                      "description": "numbers that nobody measured", "sampling_law": "uniform over ids"},
        "sample": f"{archs:,} architectures, drawn uniformly over ids, without replacement", "ids": archs,
        "classes": len(np.unique(classes)), "ids_sha256": "cd" * 32,
        "proxies": [*(fields(name) for name in names), fields("flat", direction="lower"),
                    fields("breaking", per_class=False), fields("depth", kind="column", needs=[])],
        "combinations": [{"name": "both", "cites": "sum of ranks", "law": "rank_sum", "parts": [*names[:2]]}],
        "images": {"name": "cifar10", "source": "official", "sha256": "ef" * 32}, "batch": 64, "seeds": seeds,
        "base_seed": 0, "macro": None, "law": None, "device": "cpu", "archs_a_part": 50, "datasets": list(datasets),
        "mirrored": "proxies marked per_class score one network of each isomorphism class",
        "versions": {"nasgauge": "0.1.0"}, "git": None, "host": {"device": "cpu"}, "started": "2026-01-01T00:00:00",
        **changes,
    }  # fmt: skip
    run = ScoreRun.create(folder, config, ())
    write_frame(folder / ARCHITECTURES, pd.DataFrame({"id": ids, "class": classes}))
    columns = [pd.DataFrame({"id": ids, "seed": seed, "depth": np.round(3 * ranks), "depth_seconds": 1e-6})
               for seed in range(seeds)]  # fmt: skip
    write_frame(folder / COLUMNS, pd.concat(columns))
    for place, dataset in enumerate(datasets):
        write_frame(folder / f"truth-{dataset}.parquet", truth(ids, ranks, quality, place, runs, metrics))
    for seed in set(range(seeds)) - set(skip):
        draw = np.random.default_rng([seed, 7])
        unique = np.unique(classes)
        whose = np.random.default_rng(1).normal(size=topology.size)[unique]
        frame = pd.DataFrame({"id": unique, "seed": seed})
        for place, name in enumerate(names):
            frame[name] = whose + (0.5 + 1.5 * place) * draw.normal(size=len(unique))
            frame[f"{name}_seconds"], frame[f"{name}_own_seconds"] = 0.5, 0.1
            frame[f"{name}_error"] = pd.array([None] * len(unique), dtype="string")
        frame["flat"], frame["flat_seconds"] = 1.0, 0.5
        frame["both_seconds"], frame["shared_seconds"] = 0.7, 0.4
        run.write_part(f"class-s{seed:04d}-00000", frame)
        each = pd.DataFrame({"id": ids, "seed": seed, "breaking": draw.normal(size=archs), "breaking_seconds": 0.2})
        each["breaking_error"] = pd.array([None] * archs, dtype="string")
        each.loc[: failing - 1, ["breaking", "breaking_error"]] = [math.nan, "ValueError: it broke"]
        run.write_part(f"each-s{seed:04d}-00000", each)
    return run


def truth(
    ids: np.ndarray, ranks: np.ndarray, quality: np.ndarray, place: int, runs: bool, metrics: tuple[str, ...]
) -> pd.DataFrame:  # fmt: skip
    """Accuracies after 12 and 200 epochs, with two runs of the longer training, and what they cost."""
    rng = np.random.default_rng([place, 3])
    whole = 85 - 15 * place + 3 * ranks + quality
    columns: dict[str, Any] = {"id": ids}
    for metric in metrics or ("valid_accuracy", "test_accuracy"):
        several = whole + 0.5 * rng.normal(size=(2, len(ids)))
        several[1, ::5] = np.nan
        columns[f"{metric}@200"] = np.nanmean(several, axis=0)
        if runs:
            columns |= {f"{metric}@200:{seed}": values for seed, values in zip((777, 888), several, strict=True)}
    columns["valid_accuracy@12"] = whole - 10 + rng.normal(size=len(ids))
    columns["search_seconds@12"], columns["search_seconds@200"] = 200.0, 3_000.0
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ScoreRun:
    return made_up(tmp_path_factory.mktemp("scores") / "run", datasets=("cifar100", "cifar10"))


@pytest.fixture(scope="module")
def made(run: ScoreRun) -> Report:
    return correlation(run, resamples=100)
