"""Baselines beside counts of the built networks and paths walked one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import nasgauge as ng
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadValue
from nasgauge.bench.spaces import Graph, space
from nasgauge.proxies import Proxy, depth, flops, latency, params, random
from nasgauge.proxies.subject import Asked

TSS = space("topology")


def column(proxy: Proxy, asked: Asked, ids: Sequence[int]) -> np.ndarray:
    assert proxy.column is not None
    return proxy.column(asked, np.asarray(ids, dtype=np.int64))


@pytest.mark.parametrize(("name", "arch"), [("topology", 6111), ("topology", 0), ("size", 5), ("cells101", 77)])
def test_params_are_those_of_the_network_that_is_trained(name: str, arch: int) -> None:
    here = space(name)
    settings = {} if name == "cells101" else {"prune": False}
    network = here.network(arch, 10, device="meta", **settings)
    counted = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    assert column(params(), Asked(here), [arch])[0] == pytest.approx(counted, rel=1e-12)


def test_flops_of_the_stem_cell() -> None:
    """Without any cell operation: stem, two reductions and the linear layer of C = 16, N = 5 on 32 x 32 images."""
    arch = TSS.id("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    kernels = 9 * 3 * 16 * 1024  # stem
    kernels += (9 * 16 * 32 + 9 * 32 * 32 + 16 * 32) * 256 + (9 * 32 * 64 + 9 * 64 * 64 + 32 * 64) * 64 + 64 * 10
    value = column(flops(), Asked(TSS), [arch])[0]
    assert kernels / 1e6 <= value <= 1.1 * kernels / 1e6  # tables add normalisations


def paths(graph: Graph, node: int = 0) -> list[list[tuple[int, int, str]]]:
    """All paths from ``node`` to the last one, edge by edge."""
    if node == len(graph.nodes) - 1:
        return [[]]
    steps = [edge for edge in graph.edges if edge[0] == node and edge[2] != "none"]
    return [[edge, *rest] for edge in steps for rest in paths(graph, edge[1])]


@pytest.mark.parametrize("name", ["topology", "cells101", "size"])
def test_depth_is_the_longest_of_all_paths(name: str) -> None:
    here = space(name)
    ids = np.random.default_rng(0).integers(0, here.size, 60)
    found = column(depth(), Asked(here), ids)
    for arch, value in zip(ids.tolist(), found, strict=True):
        graph = here.graph(arch)
        lengths = [
            sum(("conv" in edge[2]) + ("conv" in graph.nodes[edge[1]]) for edge in path) for path in paths(graph)
        ]
        assert value == max(lengths, default=0)


def test_random_follows_the_seed_and_the_architecture_alone() -> None:
    first = column(random(), Asked(TSS, seed=1), [3, 5, 7])
    assert (column(random(), Asked(TSS, seed=1), [7, 3])[::-1] == first[[0, 2]]).all()
    assert (column(random(), Asked(TSS, seed=2), [3, 5, 7]) != first).all()
    everything = column(random(), Asked(TSS), range(TSS.size))
    assert 0.49 < everything.mean() < 0.51


def test_latency_is_the_table_s_column(toy: Benchmark) -> None:
    asked = Asked(toy.space, bench=toy)
    ids = [0, 10, 15_624]
    found = column(latency("phone"), asked, ids)
    assert (found == toy.query(ids, "latency_ms:phone", dataset="cifar10")).all()
    assert latency("phone").direction == "higher" and latency("phone").name == "latency:phone"
    with pytest.raises(BadValue, match="open benchmark"):
        column(latency("phone"), Asked(TSS), ids)


@pytest.mark.real
def test_params_and_flops_are_those_of_the_table_for_all_cells(real_home: Path) -> None:
    bench = ng.open("nats-tss", home=real_home)
    everything = np.arange(TSS.size)
    for proxy, metric in ((params(), "params_millions"), (flops(), "flops_millions")):
        found = column(proxy, Asked(TSS), everything)
        np.testing.assert_allclose(found, bench.query(everything, metric, dataset="cifar10"), rtol=0, atol=1e-6)
