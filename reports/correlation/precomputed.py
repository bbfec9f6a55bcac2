"""Scores that somebody else computed, as a run folder: from there on they are reported like any others."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...bench.benchmark import Benchmark
from ...bench.describe import identity
from ...bench.environment import environment
from ...bench.errors import BadArchitecture, BadFile, BadValue, MissingFile, UnknownName
from ...bench.run_folder import write_frame
from ...bench.spaces import Ids, Space
from ...bench.table import Table
from ...proxies.engine import ground_truth
from ...proxies.score_run import ARCHITECTURES, COLUMNS, SECONDS, ScoreRun
from ..report import SCORES
from .evidence import RECORDED

ID, TEXT, SEED = "id", "architecture", "seed"
PROXY, PROXY_SECONDS = "proxy:", "proxy_seconds:"
ASKED = ("kind", "benchmark", "source", "proxies", "datasets", "ids_sha256")


@dataclass(frozen=True, eq=False)
class Given:
    """Scores by architecture and seed: columns ``id``, ``seed``, every proxy, and PROXY_seconds where known."""

    frame: pd.DataFrame
    source: dict[str, str]  # name and sha256 of the file
    bench: Benchmark
    datasets: tuple[str, ...]
    truth: pd.DataFrame | None = None  # recorded beside the scores, where there is no other

    @property
    def proxies(self) -> list[str]:
        """Names of the scores."""
        return [name for name in self.frame if name not in (ID, SEED) and not str(name).endswith(SECONDS)]


def precomputed(
    path: str | os.PathLike[str],
    bench: Benchmark | None = None,
    folder: str | os.PathLike[str] | None = None,
    *,
    dataset: str | None = None,
    lower: Sequence[str] = (),
) -> ScoreRun:
    """A run folder of the scores in a file, with the ground truth beside them.

    >>> run = precomputed("scores.csv", nasgauge.open("nats-tss"))  # doctest: +SKIP
    >>> nasgauge.report(run).save("scores.html")                    # doctest: +SKIP

    Args:
        path: a CSV or parquet file with the columns ``id`` (or ``architecture``, the official string), one for each
            proxy, and, if known, ``PROXY_seconds`` (or ``seconds`` for all) and ``seed``; a ``zc_*.json`` of
            NAS-Bench-Suite-Zero, or the table that `nasgauge convert` made of it.
        bench: whose ground truth counts; of a file of NAS-Bench-Suite-Zero, default: the accuracies it records.
        folder: default: one under ``runs/`` named after the file and what is asked.
        dataset: whose scores and truth to take; default: the first of the file, all of the benchmark for a CSV.
        lower: proxies that are better lower; their scores are negated.

    Raises:
        MissingFile: no such file.
        BadFile: not a file of scores, or of another space than the benchmark's.
        UnknownName: no such data set or proxy.
        BadValue: a CSV without a benchmark.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFile(f"no scores at {path}; give a CSV, a zc_*.json, or a table that holds scores")
    if path.suffix.lower() not in SCORES:
        raise BadFile(f"{path} ends in {path.suffix!r}; scores are read from {', '.join(SCORES)}")
    if path.suffix.lower() in (".csv", ".parquet"):
        given = _of_frame(path, bench, dataset)
    elif path.suffix.lower() == ".h5":
        given = _of_table(path, Benchmark(Table(path)), bench, dataset)
    else:
        from ...data.convert import convert

        with tempfile.TemporaryDirectory() as scratch:
            converted = convert(path, Path(scratch) / "scores.h5")
            tables = [Benchmark(Table(each)) for each in (converted.path, *converted.more)]
            same = [table for table in tables if bench is None or table.space.name == bench.space.name]
            given = _of_table(path, (same or tables)[0], bench, dataset)
    for name in lower:
        if name not in given.proxies:
            raise UnknownName.of("proxy", name, given.proxies, f"They come from {path}.")
        given.frame[name] = -given.frame[name]
    return _written(given, frozenset(lower), folder)


def _of_frame(path: Path, bench: Benchmark | None, dataset: str | None) -> Given:
    """A CSV or parquet file."""
    import pyarrow as pa

    if bench is None:
        raise BadValue(f"{path} says nothing about accuracies; name the benchmark that does (--benchmark nats-tss)")
    try:
        frame = pd.read_parquet(path) if path.suffix.lower() == ".parquet" else pd.read_csv(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadFile(f"{path}: unreadable scores ({error})") from error
    frame = frame.rename(columns=str)
    ids = _ids(frame, bench.space, path)
    numbers = frame.select_dtypes("number").drop(columns=[ID, SEED], errors="ignore").astype(np.float64)
    for name in (each for each in numbers if not each.endswith(SECONDS) and each != "seconds"):
        if "seconds" in numbers and name + SECONDS not in numbers:
            numbers[name + SECONDS] = numbers["seconds"]
    numbers = numbers.drop(columns="seconds", errors="ignore")
    if all(name.endswith(SECONDS) for name in numbers):
        raise BadFile(f"{path}: no column of scores; found: {', '.join(frame)}")
    numbers.insert(0, ID, ids)
    numbers.insert(1, SEED, frame[SEED].to_numpy(np.int64) if SEED in frame else 0)
    if numbers.duplicated([ID, SEED]).any():
        twice = numbers.loc[numbers.duplicated([ID, SEED]), ID].iloc[0]
        raise BadFile(f"{path}: architecture {twice} comes twice; several scores of one need a column {SEED!r}")
    return Given(numbers, _source(path), bench, _datasets(bench, dataset))


def _ids(frame: pd.DataFrame, space: Space, path: Path) -> Ids:
    if ID not in frame and TEXT not in frame:
        raise BadFile(f"{path}: no column {ID!r} or {TEXT!r}; found: {', '.join(frame)}")
    try:
        if ID in frame and not pd.api.types.is_integer_dtype(frame[ID]):
            raise BadFile(f"{path}: column {ID!r} holds other things than whole numbers")
        return space.ids(frame[ID].to_numpy() if ID in frame else [str(text) for text in frame[TEXT]])
    except BadArchitecture as error:
        raise BadFile(f"{path}: {error}") from error


def _of_table(path: Path, table: Benchmark, bench: Benchmark | None, dataset: str | None) -> Given:
    """A table with columns ``proxy:NAME``, as conversion makes them."""
    metrics = [name for name in table.metrics if name.startswith(PROXY)]
    if not metrics:
        raise BadFile(f"{path} holds no scores of proxies; a converted file of NAS-Bench-Suite-Zero does")
    if bench is not None and (bench.space.name, bench.space.size) != (table.space.name, table.space.size):
        raise BadFile(f"{path} scores space {table.space.name!r}; {bench.name!r} is of space {bench.space.name!r}")
    held = [name for name in table.datasets if any(table.index.has(each, name, None) for each in metrics)]
    if dataset is not None and dataset not in held:
        raise UnknownName.of("data set", dataset, held, f"They are those of {path}.")
    chosen = dataset or held[0]
    every = np.arange(table.space.size)
    columns = {}
    for metric in (each for each in metrics if table.index.has(each, chosen, None)):
        name = metric.removeprefix(PROXY)
        columns[name] = table.query(every, metric, dataset=chosen)
        if table.index.has(PROXY_SECONDS + name, chosen, None):
            columns[name + SECONDS] = table.query(every, PROXY_SECONDS + name, dataset=chosen)
    frame = pd.DataFrame({ID: every, SEED: 0, **columns})
    frame = frame[frame[[name for name in columns if not name.endswith(SECONDS)]].notna().any(axis=1)]
    frame = frame.reset_index(drop=True)
    if bench is not None:
        return Given(frame, _source(path), bench, _datasets(bench, chosen))
    recorded = table.query(frame[ID].to_numpy(), RECORDED, dataset=chosen)
    return Given(frame, _source(path), table, (chosen,), pd.DataFrame({ID: frame[ID], f"{RECORDED}@0": recorded}))


def _datasets(bench: Benchmark, dataset: str | None) -> tuple[str, ...]:
    """Data sets whose accuracies the benchmark knows, or the one asked for."""
    known = [
        name for name in bench.datasets
        if any(metric in bench.metrics and bench.index.budgets(metric, name)
               for metric in ("valid_accuracy", "test_accuracy", "valtest_accuracy"))
    ]  # fmt: skip
    if dataset is not None and dataset not in known:
        raise UnknownName.of("data set", dataset, known, f"Accuracies come from {bench.name}.")
    return (dataset,) if dataset else tuple(known)


def _source(path: Path) -> dict[str, str]:
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _written(given: Given, lower: frozenset[str], folder: str | os.PathLike[str] | None) -> ScoreRun:
    """The run folder."""
    frame, space = given.frame, given.bench.space
    ids = np.ascontiguousarray(frame[ID].unique(), dtype="<i8")
    classes = space.canonical(ids)
    seeds = sorted(int(seed) for seed in frame[SEED].unique())
    config: dict[str, Any] = {
        "kind": "score", "benchmark": identity(given.bench), "source": given.source,
        "sample": f"{len(ids):,} architectures that {given.source['name']} holds", "ids": len(ids),
        "classes": len(np.unique(classes)), "ids_sha256": hashlib.sha256(ids.tobytes()).hexdigest(),
        "proxies": [
            {"name": name, "cites": f"read from {given.source['name']}", "kind": "column", "needs": [],
             "direction": "lower" if name in lower else "higher", "per_class": False, "code": ""}
            for name in given.proxies
        ],
        "combinations": [], "images": None, "batch": None, "seeds": len(seeds), "base_seed": seeds[0], "macro": None,
        "law": None, "device": "unknown", "dtype": "scores as recorded", "datasets": list(given.datasets),
        "mirrored": "scores are those of the file, of every architecture in it", **environment(),
    }  # fmt: skip
    if seeds != list(range(seeds[0], seeds[0] + len(seeds))):
        raise BadFile(f"{given.source['name']}: seeds {seeds}; they have to follow each other, as 0, 1, 2")
    if folder is None:
        folder = Path("runs") / f"scores-{zlib.crc32(repr([config[key] for key in ASKED]).encode()):08x}"
    run = ScoreRun.create(folder, config, ASKED)
    write_frame(run.folder / ARCHITECTURES, pd.DataFrame({ID: ids, "class": classes}))
    write_frame(run.folder / COLUMNS, frame)
    for dataset in given.datasets:
        truth = given.truth if given.truth is not None else ground_truth(given.bench, ids, dataset)
        write_frame(run.folder / f"truth-{dataset}.parquet", truth)
    return run
