"""NAS-Bench-Suite-Zero (Krishnakumar et al., NeurIPS 2022): scores of zero-cost proxies, ``zc_nasbench201.json``.

A JSON object {data set: {architecture: {"val_accuracy": percent, proxy: {"score": ..., "time": seconds}}}}, or the same
one level deeper under the search space. Cells are keyed by six operations in NASLib's order (`hw_nas_bench`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...bench.column import Column
from ...bench.errors import BadFile
from ...bench.spaces import Topology
from ..public.hw_nas_bench import key_ids

LARGEST = 1 << 30  # bytes
SPACES = ("nasbench201", "nasbench101", "nasbench301", "transbench101_micro", "transbench101_macro", "darts")
NAMES = {"cifar10": "cifar10", "cifar100": "cifar100", "ImageNet16-120": "ImageNet16-120"}
SMALL = ("idx", "val_accuracy", "id")
NOTES = (
    "Scores of zero-cost proxies as published, higher is not always better; proxy_seconds is the time of one score.",
)


def is_json(path: Path) -> bool:
    """Whether a file begins as a JSON object."""
    with open(path, "rb") as file:
        return file.read(64).lstrip()[:1] == b"{"


def read(path: Path) -> tuple[str, str, list[Column], tuple[str, ...], Mapping[str, Any]]:
    """Space, title, columns, notes and extra of the file's table.

    Raises:
        BadFile: no JSON, another search space than NAS-Bench-201, or an unexpected key, which the message names.
    """
    if path.stat().st_size > LARGEST:
        raise BadFile(f"{path}: {path.stat().st_size:,} bytes, more than any file of NAS-Bench-Suite-Zero")
    try:
        value = json.loads(path.read_bytes(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path}: not a readable JSON file ({error})") from error
    nested = [name for name in SPACES if isinstance(value, dict) and name in value]
    if nested and nested != ["nasbench201"]:
        raise BadFile(f"{path}: scores of the space {nested[0]!r}; only nasbench201 is read")
    by_dataset = value["nasbench201"] if nested else value
    if not isinstance(by_dataset, dict) or not by_dataset:
        raise BadFile(f"{path}: no object of data sets")
    order = Topology()
    columns: list[Column] = []
    found = {}
    for dataset, archs in by_dataset.items():
        if not isinstance(archs, dict) or not archs:
            raise BadFile(f"{path}: unexpected key {dataset[:80]!r}; NAS-Bench-Suite-Zero has data sets there")
        ids = key_ids(list(archs), order, f"{path}, {dataset}")
        if len(np.unique(ids)) < len(ids):
            raise BadFile(f"{path}, {dataset}: a cell comes twice")
        found[dataset] = len(ids)
        columns += _columns(archs, ids, dataset, order.size, path)
    if not columns:
        raise BadFile(f"{path}: no proxy of any data set")
    return "topology", "NAS-Bench-Suite-Zero: scores of zero-cost proxies", columns, NOTES, {
        "format": "NAS-Bench-Suite-Zero JSON", "architectures": found,
    }  # fmt: skip


def _columns(archs: Mapping[str, Any], ids: Any, dataset: str, size: int, path: Path) -> list[Column]:
    columns: dict[str, np.ndarray[Any, np.dtype[np.float64]]] = {}

    def put(metric: str, arch: int, value: Any, key: str) -> None:
        if type(value) not in (int, float):
            raise BadFile(f"{path}, {dataset} {key}: {metric} is no number")
        columns.setdefault(metric, np.full(size, np.nan))[arch] = value

    for (key, entry), arch in zip(archs.items(), ids.tolist(), strict=True):
        if not isinstance(entry, dict):
            raise BadFile(f"{path}, {dataset} {key}: no object of scores")
        for name, score in entry.items():
            if name == "val_accuracy":
                put("recorded_valid_accuracy", arch, score, key)
            elif isinstance(score, dict):
                unexpected = next((part for part in score if part not in ("score", "time")), None)
                if unexpected is not None or "score" not in score:
                    raise BadFile(f"{path}, {dataset} {key}, {name}: unexpected key {str(unexpected)[:80]!r}")
                put(f"proxy:{name}", arch, score["score"], key)
                if "time" in score:
                    put(f"proxy_seconds:{name}", arch, score["time"], key)
            elif name not in SMALL:
                raise BadFile(f"{path}, {dataset} {key}: unexpected key {name[:80]!r}; a proxy is an object")
    return [
        Column(metric, values, NAMES.get(dataset, dataset), provenance="measured", sources=(path.name,))
        for metric, values in columns.items()
    ]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("an object names a key twice")
    return made
