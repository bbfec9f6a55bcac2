"""``HW-NAS-Bench-v1_0.pickle``, as its authors publish it: hardware costs of every NAS-Bench-201 cell.

A dictionary {"nasbench201": {data set: {metric: values by index, "config": networks}},
"fbnet": {metric: {block: cost}}}.

The first part becomes columns under the names of the table `hw-nas-bench`; networks that are those of the official
index are noted, any others kept as they are. The second part becomes a table of its own: FBNet has 9^22 networks, and
the file holds what each block costs, under the name of the block. A network's cost is the sum over its stem, its
blocks, head, pooling and classifier, which is one query: ``bench.query(blocks, "latency_ms:fpga").sum()``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ...bench.column import Column
from ...bench.errors import BadFile
from ...bench.spaces import Topology
from ..public.assembly import require
from ..public.hw_nas_bench import DATASETS, DID_NOT_COMPILE, ESTIMATED, METRICS, NOTES
from ..safe.pickles import Limits, read_pickle
from .converted import Content

MIB = 2**20
LIMITS = Limits(file=256 * MIB, content=256 * MIB, memory=4096 * MIB)
PARTS = ("nasbench201", "fbnet")
BLOCKS = "fbnet-blocks"
LONGEST = 200  # characters of a block's name
FBNET_NOTES = (
    "The cost of one block of FBNet: latency in milliseconds, energy in millijoules.",
    "A network costs the sum over its stem, blocks, head, pooling and classifier.",
)


def is_pickle(path: Path) -> bool:
    """Whether a file is an uncompressed pickle that names HW-NAS-Bench's parts."""
    with open(path, "rb") as file:
        head = file.read(4096)
    return head[:1] in (b"\x80", b"(", b"}") and b"nasbench201" in head


def read(path: Path) -> tuple[Content, ...]:
    """What the file holds: of the topology space, and, where it has them, of the blocks of FBNet.

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
    configs: dict[str, Any] = {}
    for dataset, metrics in by_dataset.items():
        if not isinstance(metrics, dict):
            raise BadFile(f"{path}: {dataset!r} is no dictionary of metrics")
        _known(path, metrics, (*METRICS, "config"), dataset)
        if "config" in metrics:
            configs[dataset] = _configs(metrics["config"], f"{path}, {dataset} config")
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
    cells = Content(
        "topology", "HW-NAS-Bench 1.0: latency and energy on six devices", columns, NOTES[:2],
        {"format": "HW-NAS-Bench pickle", "configs": configs},
    )  # fmt: skip
    return (cells, _blocks(value["fbnet"], path)) if "fbnet" in value else (cells,)


def _configs(configs: Any, where: str) -> Any:
    """The networks of a data set as JSON: what all have in common, where they are those of the official index."""
    try:
        rows = json.loads(json.dumps(configs, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadFile(f"{where}: it holds more than texts, numbers and lists ({error})") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadFile(f"{where}: no list of networks")
    plain = [{key: value for key, value in row.items() if key != "arch_str"} for row in rows]
    of = Topology()
    alike = len(rows) == of.size and all(row == plain[0] for row in plain)
    if alike and all(row.get("arch_str") == of.text(arch) for arch, row in enumerate(rows)):
        return {"common": plain[0], "arch_str": "the official text of each index"}
    return rows


def _blocks(by_metric: Any, path: Path) -> Content:
    """The look-up tables of FBNet."""
    if not isinstance(by_metric, dict) or not by_metric:
        raise BadFile(f"{path}: {PARTS[1]!r} is no dictionary of metrics")
    _known(path, by_metric, tuple(METRICS), PARTS[1])
    for name, costs in by_metric.items():
        where = f"{path}, fbnet {name}"
        require(isinstance(costs, dict) and bool(costs), where, "no dictionary of blocks")
        for block, cost in costs.items():
            require(
                type(block) is str and 0 < len(block) <= LONGEST, where, f"{str(block)[:80]!r} is no name of a block"
            )
            plain = type(cost) in (int, float) or isinstance(cost, np.generic)
            require(plain and np.isfinite(float(cost)), where, f"the cost of {block[:80]!r} is no number")
    texts = tuple(dict.fromkeys(block for costs in by_metric.values() for block in costs))
    columns = []
    for name, costs in by_metric.items():
        values = np.array([float(costs.get(block, np.nan)) for block in texts])
        provenance = "estimated" if METRICS[name].endswith(ESTIMATED) else "measured"
        columns.append(Column(METRICS[name], values, provenance=provenance, sources=(path.name,)))
    extra = {"format": "HW-NAS-Bench pickle, fbnet"}
    return Content(BLOCKS, "HW-NAS-Bench 1.0: costs of the blocks of FBNet", columns, FBNET_NOTES, extra, texts)


def _known(path: Path, found: dict[Any, Any], known: tuple[str, ...], where: str) -> None:
    unexpected = next((key for key in found if key not in known), None)
    if unexpected is not None:
        inside = f" in {where!r}" if where else ""
        raise BadFile(f"{path}: unexpected key {str(unexpected)[:80]!r}{inside}; known: {', '.join(known)}")
