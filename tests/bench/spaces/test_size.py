"""The size space: official order, identity, counts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from nasgauge.bench.errors import BadArchitecture
from nasgauge.bench.spaces import Graph, Size
from nasgauge.testing import SpaceConformance


class TestSize(SpaceConformance):
    def make_space(self) -> Size:
        return Size()


@pytest.fixture(scope="module")
def space() -> Size:
    return Size()


def test_order_is_the_official_one(space: Size) -> None:
    texts = "\n".join(space.text(arch) for arch in range(space.size))
    assert (
        hashlib.sha256(texts.encode()).hexdigest() == "8b99b4c0aabe959924c6fb36c0ee4a3f79362343e36b7752b90deee9409b492f"
    )
    assert (space.text(0), space.text(1), space.text(space.size - 1)) == ("8:8:8:8:8", "8:8:8:8:16", "64:64:64:64:64")


def test_mutation_takes_layers_uniformly_and_may_keep_the_width(space: Size) -> None:
    draws = 50_000
    children = space.mutate(np.full(draws, 777), np.random.default_rng(0))
    changed = space.operations(children) != space.operations(777)
    np.testing.assert_allclose(changed.mean(axis=0), 7 / 40, atol=5 * np.sqrt(0.15 / draws))
    assert abs((children == 777).mean() - 1 / 8) < 5 * np.sqrt(0.11 / draws)


@pytest.mark.parametrize("text", ["8:8:8:8", "8:8:8:8:9", "8:8:8:8:72", "8:8:8:8:8:8", "a:b:c:d:e"])
def test_broken_texts_are_refused_with_the_form_expected(space: Size, text: str) -> None:
    with pytest.raises(BadArchitecture, match="expected five of"):
        space.parse(text)


def test_a_graph_that_is_no_chain_is_refused(space: Size) -> None:
    with pytest.raises(BadArchitecture, match="chain"):
        space.from_graph(Graph(("input", "8"), ((0, 1, ""),)))


@pytest.mark.real
def test_params_and_flops_equal_the_tables_for_every_size(space: Size, shared: Path) -> None:
    table = np.load(shared / "data/tables/sss.npz", allow_pickle=False)
    everything = np.arange(space.size)
    assert [space.text(arch) for arch in range(space.size)] == table["arch_str"].tolist()
    for dataset, classes, side in (("cifar10", 10, 32), ("cifar100", 100, 32), ("ImageNet16-120", 120, 16)):
        np.testing.assert_allclose(space.params(everything, classes) / 1e6, table[f"{dataset}_params_M"], rtol=1e-12)
        np.testing.assert_allclose(
            space.flops(everything, classes, side) / 1e6, table[f"{dataset}_flops_M"], rtol=1e-12
        )
