"""SynFlow: how much a network passes on, whatever the data."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from .modules import weighted
from .proxy import Proxy
from .signals import Signals


def synflow(normalised: bool = False) -> Proxy:
    """log of the sum of |W * dR/dW|, R the sum of outputs of the network with |W| on an image of ones.

    Tanaka et al., Pruning neural networks without any data, NeurIPS 2020, equation 2, as in zero-cost-nas: every
    normalisation is left out, every parameter replaced by its absolute value, all in float64. The logarithm is ours:
    it keeps the order and cannot overflow. -inf where nothing passes. ``normalised=True`` keeps the normalisations,
    as the ``synflow_bn`` of zero-cost-nas, but with their initial statistics in place of those of the one image.
    """

    def score(signals: Signals) -> float:
        network = copy.deepcopy(signals.network).double().eval()
        images = torch.ones_like(signals.subject.batch.images[:1], dtype=torch.float64)
        with torch.no_grad():
            for value in network.state_dict().values():
                if value.is_floating_point():
                    value.abs_()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d) and not normalised:
                module.forward = _same  # type: ignore[method-assign]
        weights = [module.weight for _, module in weighted(network)]
        found = torch.autograd.grad(network(images).sum(), weights, allow_unused=True)
        parts = [(w.detach() * g).abs().sum() for w, g in zip(weights, found, strict=True) if g is not None]
        total = float(torch.stack(parts).sum()) if parts else 0.0
        return math.log(total) if total > 0 else -math.inf

    name = "synflow_bn" if normalised else "synflow"
    return Proxy(name, "Tanaka et al., SynFlow, NeurIPS 2020, eq. 2", score, frozenset({"network"}),
                 needs=frozenset({"backward"}))  # fmt: skip


def _same(input: Tensor) -> Tensor:
    return input
