"""NAS-Bench-Suite-Zero (Krishnakumar et al., NeurIPS 2022): scores of zero-cost proxies, ``zc_*.json``.

A JSON object {data set: {architecture: {"val_accuracy": percent, proxy: {"score": ..., "time": seconds}}}}, or the same
one level deeper under the search space. Architectures are keyed by ``str`` of NASLib's own encoding:

======================  ============================================  =======================================
file                    key                                           becomes
======================  ============================================  =======================================
``zc_nasbench201``      six operations in NASLib's order              ids of the space topology
``zc_nasbench101``      the V x V adjacency row by row and then V     ids of the space cells101
                        places in `VERTICES`, or a module hash
any other               as it stands                                  a list of texts (`Listing`), queried by text
======================  ============================================  =======================================

The others (``nasbench301``, ``transbench101_micro``, ``transbench101_macro``) are spaces that nasgauge does not model.
Where a file does not name its space, keys and data sets tell: six operations are of the topology space on its own data
sets, or where an operation 4 occurs (TransNAS-Bench-101 has four, 0 to 3); on the tasks of TransNAS-Bench-101 they are
texts; on any other data set they might be either, and the file is refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...bench.column import Column
from ...bench.errors import BadArchitecture, BadFile
from ...bench.spaces import Graph, Ids, Space, space
from ...bench.spaces.cells101_hash import INPUT, OUTPUT
from ...bench.spaces.listing import Listing
from ..public.hw_nas_bench import DATASETS, key_ids
from .converted import Content

LARGEST = 96 << 20  # bytes; the largest file of the release has half
MOST = {b",": 3_000_000, b"{": 2_000_000}
"""How often a file may hold what costs memory; the release's three data sets of 15,625 cells have half."""
MOST_NUMBERS = 1 << 25  # of all columns; a quarter of a gigabyte
SPACES = ("nasbench201", "nasbench101", "nasbench301", "transbench101_micro", "transbench101_macro", "darts")
TASKS = ("class_scene", "class_object", "room_layout", "jigsaw", "segmentsemantic", "normal", "autoencoder")
"""Data sets of TransNAS-Bench-101."""
OURS = {"nasbench201": "topology", "nasbench101": "cells101"}
VERTICES = (INPUT, OUTPUT, "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu")
"""NASLib's numbers of the operations of a NAS-Bench-101 cell."""
TITLE = "NAS-Bench-Suite-Zero: scores of zero-cost proxies"
NOTES = (
    "Scores of zero-cost proxies as published, higher is not always better; proxy_seconds is the time of one score.",
)
_SIX = re.compile(r"\(\d+(, \d+){5}\)")
_CELL = re.compile(r"\([0-4](, [0-4])*\)|[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:-]{0,79}")
_INDEX = ("idx", "id")
_EXACT = 2**53


def is_json(path: Path) -> bool:
    """Whether a file begins as a JSON object."""
    with open(path, "rb") as file:
        return file.read(64).lstrip()[:1] == b"{"


def read(path: Path) -> tuple[Content, ...]:
    """What the file holds, by search space.

    Raises:
        BadFile: no JSON, keys of another form than their space's, or an unexpected key, which the message names.
    """
    if path.stat().st_size > LARGEST:
        raise BadFile(f"{path}: {path.stat().st_size:,} bytes, more than any file of NAS-Bench-Suite-Zero")
    text = path.read_bytes()
    for mark, most in MOST.items():
        if text.count(mark) > most:
            raise BadFile(f"{path}: more than {most:,} {mark.decode()!r}, more than any file of NAS-Bench-Suite-Zero")
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path}: not a readable JSON file ({error})") from error
    if not isinstance(value, dict) or not value:
        raise BadFile(f"{path}: no object of data sets")
    if not value.keys() & set(SPACES):
        datasets = _datasets(value, str(path))
        name = _unnamed(datasets, path)
        return (_content(name, datasets, path),)
    unexpected = next((name for name in value if name not in SPACES), None)
    if unexpected is not None:
        raise BadFile(f"{path}: unexpected key {unexpected[:80]!r} beside search spaces; known: {', '.join(SPACES)}")
    return tuple(_content(name, _datasets(found, f"{path}, {name}"), path) for name, found in value.items())


def _datasets(value: Any, where: str) -> dict[str, dict[str, Any]]:
    """Data set -> architecture -> entry, checked so far."""
    if not isinstance(value, dict) or not value:
        raise BadFile(f"{where}: no object of data sets")
    for dataset, archs in value.items():
        if not _NAME.fullmatch(dataset) or not isinstance(archs, dict) or not archs:
            raise BadFile(f"{where}: unexpected key {dataset[:80]!r}; NAS-Bench-Suite-Zero has data sets there")
        unexpected = next((key for key, entry in archs.items() if not isinstance(entry, dict)), None)
        if unexpected is not None:
            raise BadFile(f"{where}, {dataset} {unexpected[:80]}: no object of scores")
    return value


def _unnamed(datasets: Mapping[str, Mapping[str, Any]], path: Path) -> str:
    """The search space of a file that does not say."""
    keys = {key for archs in datasets.values() for key in archs}
    if all(map(_SIX.fullmatch, keys)):
        if set(datasets) <= set(TASKS):
            return "transbench101"
        if set(datasets) & set(DATASETS) or any("4" in key for key in keys):
            return "nasbench201"
        raise BadFile(
            f"{path}: six operations on {', '.join(datasets)} may be of nasbench201 or of transbench101_micro; put "
            'them under the name of the search space, as in {"nasbench201": {data set: ...}}'
        )
    if all(map(_CELL.fullmatch, keys)) and any(len(key) > len("(0, 1, 2, 3, 4, 5)") for key in keys):
        return "nasbench101"
    if set(datasets) <= set(TASKS):
        return "transbench101"
    named = re.search("|".join(SPACES), path.name)  # nothing depends on it but what the list of texts is called
    return named[0] if named and named[0] not in OURS else "suite-zero"


def _content(name: str, datasets: Mapping[str, Mapping[str, Any]], path: Path) -> Content:
    texts = list(dict.fromkeys(key for archs in datasets.values() for key in archs))
    of: Space = space(OURS[name]) if name in OURS else Listing(name, texts)
    columns: list[Column] = []
    found = {}
    for dataset, archs in datasets.items():
        where = f"{path}, {dataset}"
        ids = _ids(name, list(archs), of, where)
        if len(np.unique(ids)) < len(ids):
            raise BadFile(f"{where}: an architecture comes twice")
        found[dataset] = len(ids)
        columns += _columns(archs, ids, dataset, of.size, MOST_NUMBERS // of.size - len(columns), path)
    if not any(column.metric.startswith("proxy:") for column in columns):
        raise BadFile(f"{path}: no proxy of any data set")
    extra = {"format": "NAS-Bench-Suite-Zero JSON", "search_space": name, "architectures": found}
    return Content(of.name, f"{TITLE} ({name})", columns, NOTES, extra, () if name in OURS else tuple(texts))


def _ids(name: str, keys: list[str], of: Space, where: str) -> Ids:
    if name == "nasbench201":
        return key_ids(keys, of, where)  # type: ignore[arg-type]  # the topology space
    if name == "nasbench101":
        return np.array([_cell(key, of, where) for key in keys], dtype=np.int64)
    return np.array([of.parse(key) for key in keys], dtype=np.int64)


def _cell(key: str, of: Space, where: str) -> int:
    """The id of a NAS-Bench-101 cell by NASLib's tuple or by its module hash."""
    try:
        if re.fullmatch("[0-9a-f]{32}", key):
            return of.parse(key)
        numbers = [int(each) for each in key[1:-1].split(", ")] if _CELL.fullmatch(key) else []
        vertices = (math.isqrt(4 * len(numbers) + 1) - 1) // 2
        if vertices < 2 or vertices * (vertices + 1) != len(numbers) or max(numbers[: vertices**2]) > 1:
            raise BadFile(
                f"{where}: {key[:80]!r} is no NAS-Bench-101 cell: V x V zeros and ones and V operations 0 to 4, or "
                "its module hash"
            )
        edges = [(*divmod(place, vertices), "") for place, there in enumerate(numbers[: vertices**2]) if there]
        return of.from_graph(Graph(tuple(VERTICES[number] for number in numbers[vertices**2 :]), tuple(edges)))
    except BadArchitecture as error:
        raise BadFile(f"{where}: {key[:200]!r}: {error}") from error


def _columns(archs: Mapping[str, Any], ids: Ids, dataset: str, size: int, most: int, path: Path) -> Iterable[Column]:
    columns: dict[str, npt.NDArray[np.float64]] = {}

    def put(metric: str, arch: int, value: Any, key: str) -> None:
        if type(value) not in (int, float) or (type(value) is int and abs(value) > _EXACT):
            raise BadFile(f"{path}, {dataset} {key[:80]}: {metric} is no number that a table holds")
        if metric not in columns:
            if len(columns) == most:
                raise BadFile(f"{path}, {dataset} {key[:80]}, {metric}: more proxies than NAS-Bench-Suite-Zero has")
            columns[metric] = np.full(size, np.nan)
        columns[metric][arch] = value

    for (key, entry), arch in zip(archs.items(), ids.tolist(), strict=True):
        for name, score in entry.items():
            if name == "val_accuracy":
                put("recorded_valid_accuracy", arch, score, key)
            elif isinstance(score, dict) and _NAME.fullmatch(name):
                unexpected = next((part for part in score if part not in ("score", "time")), None)
                if unexpected is not None:
                    raise BadFile(f"{path}, {dataset} {key[:80]}, {name}: unexpected key {unexpected[:80]!r}")
                if "score" not in score:
                    raise BadFile(f"{path}, {dataset} {key[:80]}, {name}: it has no score")
                put(f"proxy:{name}", arch, score["score"], key)
                if "time" in score:
                    put(f"proxy_seconds:{name}", arch, score["time"], key)
            elif name in _INDEX:
                put(f"_{name}", arch, score, key)
            else:
                raise BadFile(f"{path}, {dataset} {key[:80]}: unexpected key {name[:80]!r}; a proxy is an object")
    return [
        Column(metric, values, dataset, provenance="measured", sources=(path.name,))
        for metric, values in columns.items()
    ]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("an object names a key twice")
    return made
