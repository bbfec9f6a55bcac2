"""Parameters and multiply-adds counted on the networks equal the formulas and the published columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import nasgauge as ng
from nasgauge.bench.live.counts import count
from nasgauge.bench.live.liveness import live_edges
from nasgauge.bench.live.networks import SIZE_CELL
from nasgauge.bench.spaces import Space, space
from nasgauge.bench.spaces.topology import OPERATIONS

IMAGE = (32, 32, 3)
TSS, SSS, CELLS = space("topology"), space("size"), space("cells101")


def counted(of: Space, arch: int, classes: int = 10, side: int = 32) -> tuple[int, int]:
    return count(of.network(int(arch), classes, prune=False, device="meta"), (side, side, 3))


def stated(of: Space, archs: np.ndarray, classes: int = 10, side: int = 32) -> list[tuple[int, int]]:
    return list(zip(of.params(archs, classes).tolist(), of.flops(archs, classes, side).tolist(), strict=True))


def multisets() -> tuple[np.ndarray, np.ndarray]:
    """One topology cell for each multiset of operations (210), and which of them every cell belongs to."""
    _, first, which = np.unique(
        np.sort(TSS.operations(np.arange(TSS.size)), axis=1), axis=0, return_index=True, return_inverse=True
    )
    return first, which.ravel()


@pytest.mark.real
def test_counts_of_every_topology_cell_by_its_multiset_of_operations(real_home: Path) -> None:
    """An operation costs the same on every edge (next test), so that 210 networks stand for all 15,625."""
    first, which = multisets()
    found = np.array([counted(TSS, arch) for arch in first])[which]
    assert np.array_equal(found, np.array(stated(TSS, np.arange(TSS.size))))
    bench = ng.open("nats-tss", home=real_home)
    for column, metric in enumerate(("params_millions", "flops_millions")):
        published = bench.query(np.arange(TSS.size), metric, dataset="cifar10")
        assert np.allclose(found[:, column] / 1e6, published, rtol=0, atol=1e-9)


def test_an_operation_costs_the_same_on_every_edge() -> None:
    for operation in range(len(OPERATIONS)):
        rows = np.where(np.eye(6, dtype=bool), operation, 0)
        costs = {counted(TSS, arch) for arch in TSS.from_operations(rows)}
        assert len(costs) == 1


@pytest.mark.parametrize(("classes", "side"), [(100, 32), (120, 16)])
def test_counts_with_other_images(classes: int, side: int) -> None:
    archs = TSS.sample(3, np.random.default_rng(0))
    assert [counted(TSS, arch, classes, side) for arch in archs] == stated(TSS, archs, classes, side)
    archs = SSS.sample(3, np.random.default_rng(0))
    assert [counted(SSS, arch, classes, side) for arch in archs] == stated(SSS, archs, classes, side)


def test_counts_of_every_size_by_pairs_of_neighbouring_widths() -> None:
    """No layer depends on more than two neighbouring widths, in the networks as in the formulas.

    Their difference is then a sum of functions of (c1, c2), ..., (c4, c5). Such a sum that is 0 wherever at most two
    neighbours differ from 8 channels is 0 everywhere: 232 networks stand for all 32,768.
    """
    rows = np.array([row for row in np.ndindex(8, 8, 8, 8, 8) if np.ptp(np.flatnonzero(row) if any(row) else 0) <= 1])
    archs = SSS.from_operations(rows)
    assert len(archs) == 232 and len(SIZE_CELL) == 6
    assert [counted(SSS, arch) for arch in archs] == stated(SSS, archs)
    archs = np.r_[SSS.size - 1, SSS.sample(20, np.random.default_rng(1))]
    assert [counted(SSS, arch) for arch in archs] == stated(SSS, archs)


def test_counts_of_cells101() -> None:
    archs = np.r_[0, CELLS.sample(30, np.random.default_rng(1))]
    assert [counted(CELLS, arch) for arch in archs] == stated(CELLS, archs)


@pytest.mark.slow
def test_counts_of_every_topology_cell() -> None:
    archs = np.arange(TSS.size)
    assert [counted(TSS, arch) for arch in archs] == stated(TSS, archs)


@pytest.mark.slow
def test_counts_of_every_size() -> None:
    archs = np.arange(SSS.size)
    assert [counted(SSS, arch) for arch in archs] == stated(SSS, archs)


@pytest.mark.slow
def test_counts_of_two_thousand_cells101() -> None:
    archs = CELLS.sample(2000, np.random.default_rng(101))
    assert [counted(CELLS, arch) for arch in archs] == stated(CELLS, archs)


def test_pruned_network_counts_its_live_edges_only() -> None:
    for arch in TSS.sample(10, np.random.default_rng(5)):
        operations = TSS.operations(int(arch))
        alive = TSS.from_operations(np.where(live_edges(operations), operations, 0)[None])[0]
        pruned = count(TSS.network(int(arch), device="meta"), IMAGE)
        assert pruned == stated(TSS, np.array([alive]))[0]


def test_counting_leaves_the_network_as_it_was() -> None:
    network = TSS.network(6111)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    count(network, IMAGE)
    assert network.training and all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert network(torch.zeros((2, 3, 32, 32))).shape == (2, 10)
    assert not torch.equal(network.state_dict()["stem.1.running_var"], before["stem.1.running_var"])
