"""Zen-score beside its algorithm in numpy on recorded maps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from nasgauge.bench.errors import BadValue
from nasgauge.proxies import zen
from nasgauge.proxies.signals import Signals

from .plain_scores import CELLS, NO_PATH, batch, candidate, watch


@pytest.mark.parametrize("name", CELLS)
def test_zen_by_its_algorithm(name: str) -> None:
    subject = candidate(CELLS[name], batch(4), seed=7)
    inputs: list[torch.Tensor] = []
    made = subject.redrawn

    def redrawn(law: str, repeat: int = 0) -> nn.Module:
        network = made(law, repeat)  # type: ignore[arg-type]
        network.register_forward_pre_hook(lambda _, given: inputs.append(given[0].clone()))
        return network

    subject.redrawn = redrawn  # type: ignore[method-assign, assignment]
    score = zen(repeats=2, batch=5, noise=0.1).score
    assert score is not None
    value = score(Signals(subject))
    assert [tuple(each.shape) for each in inputs] == [(5, 1, 8, 8)] * 4
    expected = []
    for repeat in range(2):
        network = made("normal", repeat).double().train()
        before, after = (each.double() for each in inputs[2 * repeat : 2 * repeat + 2])
        assert float((after - before).std()) == pytest.approx(0.1, rel=0.2)
        with torch.no_grad():
            variances = watch(
                network, nn.BatchNorm2d, before,
                lambda _, given, __: np.mean([np.var(given[:, c].numpy(), ddof=1) for c in range(given.shape[1])]),
            )  # fmt: skip
            kept = [_last_map(network, each) for each in (before, after)]
        change = np.mean([np.abs(kept[0][i] - kept[1][i]).sum() for i in range(5)])
        expected.append(math.log(change) + sum(math.log(math.sqrt(each)) for each in variances))
    assert value == pytest.approx(np.mean(expected), rel=1e-4)


def _last_map(network: nn.Module, images: torch.Tensor) -> np.ndarray:
    """What the last rectifier answers, before global pooling."""
    answers = watch(network, nn.ReLU, images, lambda _, __, output: output.numpy().copy())
    return answers[-1]


def test_a_network_that_passes_nothing_is_minus_infinity() -> None:
    score = zen().score
    assert score is not None and score(Signals(candidate(NO_PATH, batch(4)))) == -math.inf


def test_settings_outside_their_range_are_refused() -> None:
    for make in (lambda: zen(repeats=0), lambda: zen(batch=0), lambda: zen(noise=0)):
        with pytest.raises(BadValue, match="legal"):
            make()
