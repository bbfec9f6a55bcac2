"""One network as verification trains it, forward and backward, against the same network written plainly in PyTorch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nasgauge.bench.live.batches import Batches
from nasgauge.bench.live.images import Images
from nasgauge.bench.live.recipe import TrainingRecipe
from nasgauge.bench.spaces import space

from .conftest import Row

sys.path.insert(0, str(Path(__file__).parents[1]))
import plain_networks as plain

TSS = space("topology")
BATCH, ROUNDS = 32, 4
CELLS = {
    "the best cell, every edge alive": 6111,
    "the median cell by multiply-adds": int(np.argsort(TSS.flops(np.arange(TSS.size)), kind="stable")[TSS.size // 2]),
}


def pictures() -> Images:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (BATCH, 32, 32, 3)).astype(np.uint8), rng.integers(0, 10, BATCH)
    return Images("noise", x, y, x, y, x, y, 10, (125.0,) * 3, (63.0,) * 3)


@pytest.mark.parametrize("what", CELLS)
def test_forward_and_backward_of_one_network(what: str, row: Row, one_thread: None) -> None:
    arch = CELLS[what]
    ours = TSS.network(arch).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    theirs = plain.plain_topology(TSS.text(arch))
    recipe = TrainingRecipe(1, batch=BATCH)
    batch = next(Batches(pictures(), channels_last=True).epoch(recipe, 0, 0))
    other = next(Batches(pictures()).epoch(recipe, 0, 0))
    seconds: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(ROUNDS):  # in turns, so that both meet the same machine
        seconds["ours"].append(_timed(lambda: _pass(ours, *batch)))
        seconds["plain"].append(_timed(lambda: _pass(theirs, *other)))
    mine, plain_seconds = min(seconds["ours"]) / BATCH, min(seconds["plain"]) / BATCH
    row(f"one image forward and backward, {what}", 1e3 * mine, "ms", 20, "plain PyTorch", 1e3 * plain_seconds)
    assert mine <= plain_seconds


def _pass(network: nn.Module, images: Tensor, labels: Tensor) -> None:
    network.zero_grad()
    cross_entropy(network(images), labels).backward()


def _timed(call: Callable[[], Any]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started
