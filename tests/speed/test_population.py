"""Many networks trained as one, beside the same networks trained one at a time by the trainer of `verify`."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from nasgauge.bench.live.batches import Batches
from nasgauge.bench.live.network import cell_network
from nasgauge.bench.live.population_training import train_population
from nasgauge.bench.live.protocol import Protocol
from nasgauge.bench.live.recipe import TrainingRecipe
from nasgauge.bench.live.training import train
from nasgauge.bench.spaces import Topology
from nasgauge.data.images import digits

from .conftest import Row

CELLS = Topology().operations(np.random.default_rng(0).integers(0, 15_625, 64))


def seconds_of_one_training(
    cells: np.ndarray, seeds: int, batches: Batches, recipe: TrainingRecipe, together: bool
) -> float:  # type: ignore[type-arg]
    """Wall seconds of one training of one epoch and its evaluation, averaged over ``cells`` x ``seeds``."""
    macro = Protocol.of(batches.images, recipe.epochs).macro
    started = time.perf_counter()
    members = [(cell.tolist(), seed) for cell in cells for seed in range(seeds)]
    networks = [cell_network(cell, macro, 10, seed=seed, device=batches.device) for cell, seed in members]
    if together:
        train_population(networks, [seed for _, seed in members], batches, recipe)
    else:
        for network, (_, seed) in zip(networks, members, strict=True):
            train(network, batches, recipe, seed)
    return (time.perf_counter() - started) / len(members)


def test_three_seeds_of_a_class_on_a_core(row: Row) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        images = digits.read()
        batches, recipe = Batches(images, channels_last=True), Protocol.of(images, 1).recipe
        measured: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(2):
            for cell in CELLS[:8]:
                for together in (True, False):
                    measured[together].append(seconds_of_one_training(cell[None], 3, batches, recipe, together))
    finally:
        torch.set_num_threads(threads)
    ours, alone = (np.min(np.reshape(measured[key], (2, 8)), axis=0).mean() for key in (True, False))
    row(
        "one epoch of one seed on digits, 3 seeds together", ours * 1e3, "ms", alone * 1e3, "one at a time", alone * 1e3
    )
    assert alone / ours > 1.2


def test_a_population_on_a_gpu(row: Row) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    images = digits.read()
    batches, recipe = Batches(images, "cuda"), Protocol.of(images, 1).recipe
    seconds_of_one_training(CELLS[:2], 1, batches, recipe, True)
    ours = seconds_of_one_training(CELLS, 8, batches, recipe, True)
    alone = seconds_of_one_training(CELLS[:8], 1, batches, recipe, False)
    row("one epoch of one network on digits, 512 together", ours * 1e3, "ms", alone * 50, "one at a time", alone * 1e3)
    assert alone / ours > 20
