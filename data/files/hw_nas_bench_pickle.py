"""``HW-NAS-Bench-v1_0.pickle``, as its authors publish it: hardware costs of every NAS-Bench-201 cell.

A dictionary {"nasbench201": {data set: {metric: values by index, "config": networks}}, "fbnet": {...}}. The first part
becomes columns under the names of the table `hw-nas-bench`; the second is of another space and left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...bench.column import Column
from ...bench.errors import BadFile
from ...bench.spaces import Topology
from ..public.assembly import require
from ..public.hw_nas_bench import DATASETS, DID_NOT_COMPILE, ESTIMATED, METRICS, NOTES
from ..safe.pickles import Limits, read_pickle

MIB = 2**20
LIMITS = Limits(file=256 * MIB, content=256 * MIB, memory=4096 * MIB)
PARTS = ("nasbench201", "fbnet")


def is_pickle(path: Path) -> bool:
    """Whether a file is an uncompressed pickle that names HW-NAS-Bench's parts."""
    with open(path, "rb") as file:
        head = file.read(4096)
    return head[:1] in (b"\x80", b"(", b"}") and b"nasbench201" in head


def read(path: Path) -> tuple[str, str, list[Column], tuple[str, ...], Mapping[str, Any]]:
    """Space, title, columns, notes and extra of the file's table.

    Raises:
        BadFile: another layout (names the first unexpected key), or values that are no positive numbers.
    """
    value = read_pickle(path, LIMITS)
    size = Topology().size
    if not isinstance(value, dict) or "nasbench201" not in value:
        raise BadFile(f"{path}: no dictionary with {PARTS[0]!r}")
    _known(path, value, PARTS, "")
    by_dataset = value["nasbench201"]
    if not isinstance(by_dataset, dict):
        raise BadFile(f"{path}: {PARTS[0]!r} is no dictionary of data sets")
    _known(path, by_dataset, DATASETS, PARTS[0])
    columns = []
    for dataset, metrics in by_dataset.items():
        if not isinstance(metrics, dict):
            raise BadFile(f"{path}: {dataset!r} is no dictionary of metrics")
        _known(path, metrics, (*METRICS, "config"), dataset)
        for name, metric in METRICS.items():
            if name not in metrics:
                continue
            where = f"{path}, {dataset} {name}"
            try:
                values = np.array(metrics[name], dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise BadFile(f"{where}: no list of numbers ({error})") from error
            require(values.shape == (size,), where, f"shape {values.shape} instead of {size} values")
            values[values == DID_NOT_COMPILE] = np.nan
            require((np.isnan(values) | (values > 0)).all(), where, "values that are not positive")
            provenance = "estimated" if metric.endswith(ESTIMATED) else "measured"
            columns.append(Column(metric, values, dataset, provenance=provenance, sources=(path.name,)))
    require(bool(columns), str(path), "no metric of any data set")
    return "topology", "HW-NAS-Bench 1.0: latency and energy on six devices", columns, NOTES[:2], {
        "format": "HW-NAS-Bench pickle", "left_out": [part for part in ("fbnet",) if part in value],
    }  # fmt: skip


def _known(path: Path, found: dict[Any, Any], known: tuple[str, ...], where: str) -> None:
    unexpected = next((key for key in found if key not in known), None)
    if unexpected is not None:
        inside = f" in {where!r}" if where else ""
        raise BadFile(f"{path}: unexpected key {str(unexpected)[:80]!r}{inside}; known: {', '.join(known)}")
