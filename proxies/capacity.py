"""Baselines that need no network: params, flops, depth, latency, random. Every report shows them."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from ..bench.errors import BadValue
from ..bench.spaces import Graph
from .proxy import Proxy
from .subject import Asked

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def params() -> Proxy:
    """Trainable parameters of the benchmark's network, in millions, dead branches included, as tables state them."""
    return Proxy("params", "counted", column=lambda asked, ids: asked.space.params(ids) / 1e6, per_class=False)


def flops() -> Proxy:
    """Multiply-adds of the benchmark's network on one image, in millions, dead branches included."""
    return Proxy("flops", "counted", column=lambda asked, ids: asked.space.flops(ids) / 1e6, per_class=False)


def depth() -> Proxy:
    """Convolutions on the longest path through the cell."""

    def column(asked: Asked, ids: Ids) -> Floats:
        return np.array([longest_path(asked.space.graph(int(arch))) for arch in ids], dtype=np.float64)

    return Proxy("depth", "counted", column=column)


def random() -> Proxy:
    """A number that knows nothing: uniform in [0, 1), by the seed and the architecture."""

    def column(asked: Asked, ids: Ids) -> Floats:
        return np.random.default_rng([asked.seed, 1]).random(asked.space.size)[ids]

    return Proxy("random", "a baseline", column=column, per_class=False)


def latency(device: str, dataset: str = "cifar10") -> Proxy:
    """Latency [ms] measured on ``device``, a column of the table (such as one of HW-NAS-Bench).

    A baseline of size: a larger network is slower, and counts as better.
    """

    def column(asked: Asked, ids: Ids) -> Floats:
        if asked.bench is None:
            raise BadValue("latency is a column of a benchmark; score an open benchmark, not a bare space")
        return np.asarray(asked.bench.query(ids, f"latency_ms:{device}", dataset=dataset), dtype=np.float64)

    return Proxy(f"latency:{device}", "measured; a larger network is slower", column=column, per_class=False)


def longest_path(graph: Graph) -> int:
    """Largest number of convolutions on a path from the first to the last node; 0 where there is none."""
    best: dict[int, float] = defaultdict(lambda: -np.inf)
    best[0] = 0.0
    for source, target, label in sorted(graph.edges, key=lambda edge: edge[1]):
        if label != "none":
            step = ("conv" in label) + ("conv" in graph.nodes[target])
            best[target] = max(best[target], best[source] + step)
    found = best[len(graph.nodes) - 1]
    return int(found) if found > -np.inf else 0
