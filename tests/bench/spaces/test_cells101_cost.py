"""Parameters and multiply-adds of the NAS-Bench-101 network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.spaces.cells101 import SIZE, Cells101

SPACE = Cells101()
#: google-research/nasbench NASBench.ipynb, "Basic usage": an Inception-like cell and what the table says of it.
INCEPTION = "conv1x1~0+conv3x3~0+conv3x3~0+conv3x3~3+maxpool3x3~0+output~1,2,4,5"
INCEPTION_PARAMS = 2_694_282


def naive_counts(matrix: list[list[int]], operations: list[str], classes: int, image: int) -> tuple[int, int]:
    """model_builder.py, layer by layer: trainable parameters and multiply-adds."""
    last = len(matrix) - 1
    layers = [(3, 3, 128, image)]  # kernel, channels in, channels out, side
    side, width = image, 128
    for stack in range(3):
        for module in range(3):
            width_in = width
            if stack and not module:
                side, width = -(-side // 2), 2 * width
            channels = [0] * last
            feeders = [v for v in range(1, last) if matrix[v][last]]
            for place, v in enumerate(feeders):
                channels[v] = width // len(feeders) + (place < width % len(feeders))
            for v in range(last - 1, 0, -1):
                if not matrix[v][last]:
                    channels[v] = max(channels[w] for w in range(v + 1, last) if matrix[v][w])
            layers += [(1, width_in, channels[v], side) for v in range(1, last) if matrix[0][v]]
            if matrix[0][last]:
                layers.append((1, width_in, width, side))
            for v in range(1, last):
                if operations[v] != "maxpool3x3":
                    layers.append((3 if "3x3" in operations[v] else 1, channels[v], channels[v], side))
    params = sum(k * k * a * b + 2 * b for k, a, b, _ in layers) + width * classes + classes
    flops = sum(k * k * a * b * s * s for k, a, b, s in layers) + width * classes + classes
    return params, flops


def test_params_of_the_cell_in_the_official_notebook() -> None:
    assert SPACE.params([SPACE.parse(INCEPTION)]).tolist() == [INCEPTION_PARAMS]


@settings(max_examples=100)
@given(st.integers(0, SIZE - 1), st.sampled_from([1, 10, 120]), st.sampled_from([15, 16, 32]))
def test_params_and_flops_are_those_of_the_layers_one_by_one(arch: int, classes: int, image: int) -> None:
    graph = SPACE.graph(arch)
    matrix = graph.adjacency.astype(int).tolist()
    params, flops = naive_counts(matrix, list(graph.nodes), classes, image)
    assert SPACE.params([arch], classes).tolist() == [params]
    assert SPACE.flops([arch], classes, image).tolist() == [flops]


def test_counts_of_the_smallest_cell() -> None:
    bare = [SPACE.parse("output~0")]
    projections = 3 * 128**2 + 128 * 256 + 2 * 256**2 + 256 * 512 + 2 * 512**2
    norms = 2 * (128 + 3 * 128 + 3 * 256 + 3 * 512)
    assert SPACE.params(bare).tolist() == [27 * 128 + projections + norms + 5130]
    assert SPACE.params([]).shape == SPACE.flops([]).shape == (0,)


@pytest.mark.real
def test_params_equal_the_real_table(shared: Path) -> None:
    with np.load(shared / "data" / "tables" / "nb101.npz", allow_pickle=False) as table:
        np.testing.assert_array_equal(SPACE.params(np.arange(SIZE)), table["params"])
