"""How often two images switch the same rectifiers on: the kernel of NASWOT, added up layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

KEPT = 4  # inputs remembered: the nodes of a cell, each read by several of its edges


class Agreement:
    """Forward hooks on rectifiers; afterwards `kernel` and `units`.

    With the codes c_i of image i (1 where a rectifier's input is positive), P = sum over rectifiers of C C^T counts
    the units that two images both switch on. K_ij, the units on which they agree, is then
    N - P_ii - P_jj + 2 P_ij: one matrix product a layer, of which only P (n, n) is kept. Counts stay below 2^24, so
    that float32 holds them exactly. A tensor that several rectifiers read is compared once and counted each time.
    """

    def __init__(self, weight: Callable[[str, nn.Module], int] = lambda name, module: 1) -> None:
        self.units = 0
        self._weight = weight
        self._both: Tensor | None = None
        self._seen: list[tuple[Tensor, Tensor]] = []

    def hooks(self, network: nn.Module) -> list[Any]:
        """Register on every `nn.ReLU`; ``weight(name, module)`` says how often one counts."""
        found = []
        for name, module in network.named_modules():
            times = self._weight(name, module) if isinstance(module, nn.ReLU) else 0
            if times:
                found.append(module.register_forward_pre_hook(partial(self._add, times)))
        return found

    def _add(self, times: int, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        value = inputs[0].detach()
        same = [both for held, both in self._seen if held.data_ptr() == value.data_ptr() and held.shape == value.shape]
        if same:
            both = same[0]
        else:
            codes = (value > 0).flatten(1).to(torch.float32)
            both = codes @ codes.T
            self._seen = [*self._seen[1 - KEPT :], (value, both)]
        self._both = times * both if self._both is None else self._both.add_(both, alpha=times)
        self.units += times * (value.numel() // len(value))

    @property
    def kernel(self) -> Tensor:
        """K (n, n) float64: on how many units two images agree; the diagonal is `units`."""
        assert self._both is not None, "no rectifier ran"
        both = self._both.double()
        alone = both.diagonal()
        return self.units - alone[:, None] - alone[None, :] + 2 * both
