"""Zen-score: how strongly a randomly weighted network answers to a small change of its input."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..bench.errors import BadValue
from .initial import generator
from .modules import batch_statistics, laid_out, last_map, normalisations, removing
from .proxy import Proxy, named_by_settings
from .signals import Signals


@named_by_settings
def zen(repeats: int = 1, batch: int = 16, noise: float = 1e-2) -> Proxy:
    """log mean |f(x) - f(x + noise e)| + sum over normalisations of log sqrt(mean batch variance).

    Lin et al., Zen-NAS, ICCV 2021, equation 7 and algorithm 1: weights N(0, 1), x and e N(0, 1), f the feature map
    before global pooling, of which absolute differences are summed over channels and positions and averaged over
    images. Mean of ``repeats`` (published: 32; NASLib: 1, since a run repeats seeds).
    """
    if repeats < 1 or batch < 1 or not noise > 0:
        raise BadValue(f"repeats={repeats}, batch={batch}, noise={noise}; legal: at least 1, at least 1, above 0")

    def score(signals: Signals) -> float:
        return sum(_once(signals, each, batch, noise) for each in range(repeats)) / repeats

    return Proxy("zen", "Lin et al., Zen-NAS, ICCV 2021, algorithm 1", score, frozenset({"normal"}))


def _variance(images: Tensor) -> Tensor:
    """The unbiased variance of each channel, (channels,), as a normalisation works it out: faster than `Tensor.var`."""
    mean, variance = images.new_zeros(2, images.shape[1])
    torch.native_batch_norm(images, None, None, mean, variance, True, 1.0, 1e-5)
    return variance


def _once(signals: Signals, repeat: int, batch: int, noise: float) -> float:
    subject = signals.subject
    network = subject.redrawn("normal", repeat) if repeat else signals.normal
    shape, device = (batch, *subject.batch.images.shape[1:]), subject.batch.images.device
    stream = generator(subject.seed, f"zen:{repeat}")
    x, e = (laid_out(torch.randn(shape, generator=stream).to(device)) for _ in range(2))
    variances: list[Tensor] = []
    maps: list[Tensor] = []

    def variance(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        variances.append(_variance(inputs[0]).mean())

    def keep(_: nn.Module, __: Any, output: Tensor) -> None:
        maps.append(output)

    last = last_map(network)
    with torch.no_grad(), batch_statistics(network), removing([last.register_forward_hook(keep)]):
        with removing([module.register_forward_pre_hook(variance) for module in normalisations(network)]):
            network(x)
        network(x + noise * e)
    difference = (maps[0] - maps[1]).abs().flatten(1).sum(1).mean()
    return float(difference.log() + torch.stack(variances).sqrt().log().sum())
