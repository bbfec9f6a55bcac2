"""How often two images switch the same rectifiers on: the kernel of NASWOT, added up layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

KEPT = 4  # inputs remembered: the nodes of a cell, each read by several of its edges
WORD = 8  # bytes compared at once


class Agreement:
    """Forward hooks on rectifiers; afterwards `kernel` and `units`.

    With the codes c_i of image i (1 where a rectifier's input is positive), P = sum over rectifiers of C C^T counts
    the units that two images both switch on. K_ij, the units on which they agree, is then
    N - P_ii - P_jj + 2 P_ij: only P (n, n) is kept from layer to layer. Counts are exact integers. A tensor that
    several rectifiers read is compared once and counted each time.
    """

    def __init__(self, weight: Callable[[str, nn.Module], int] = lambda name, module: 1) -> None:
        self.units = 0
        self._weight = weight
        self._both: Tensor | None = None
        self._seen: list[tuple[Tensor, int, Tensor]] = []

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
        same = [both for held, version, both in self._seen if _unchanged(held, version, value)]
        both = same[0] if same else common(units(value) > 0)
        if not same:
            self._seen = [*self._seen[1 - KEPT :], (value, value._version, both)]
        self._both = times * both if self._both is None else self._both.add_(both, alpha=times)
        self.units += times * (value.numel() // len(value))

    @property
    def kernel(self) -> Tensor:
        """K (n, n) float64: on how many units two images agree; the diagonal is `units`."""
        assert self._both is not None, "no rectifier ran"
        alone = self._both.diagonal()
        return self.units - alone[:, None] - alone[None, :] + 2 * self._both


def units(value: Tensor) -> Tensor:
    """All units of every image in one row, (n, ...) -> (n, units), in the order in which they lie in memory."""
    if value.dim() == 4 and value.is_contiguous(memory_format=torch.channels_last):
        value = value.permute(0, 2, 3, 1)
    return value.flatten(1)


def common(on: Tensor) -> Tensor:
    """How many units two images both switch on: (n, ...) bool -> (n, n) float64.

    On the processor, units are packed to bits, which takes a third of the time of a matrix product; elsewhere float32
    products are exact below 2^24 units.
    """
    codes = on.flatten(1)
    if on.device.type != "cpu":
        numbers = codes.float()
        return (numbers @ numbers.T).double()
    return torch.from_numpy(_common_bits(_packed(codes.numpy())))


def _packed(codes: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """Bits of every row in whole words, (n, units) -> (n, words); the last one is filled with zeros."""
    packed = np.packbits(codes, axis=1)
    filled = np.pad(packed, ((0, 0), (0, -packed.shape[1] % WORD)))
    return filled.view(np.uint64)


def _common_bits(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Ones that two rows share, (n, words) -> (n, n); row by row, so that what is compared stays in the cache."""
    both = np.empty((len(words), len(words)))
    for row, code in enumerate(words):
        both[row, row:] = both[row:, row] = np.bitwise_count(code & words[row:]).sum(axis=1, dtype=np.int64)
    return both


def _unchanged(held: Tensor, version: int, value: Tensor) -> bool:
    """Whether ``value`` is the tensor seen before, with the numbers of then."""
    where = value.data_ptr(), value.shape, value.stride(), value._version
    return where == (held.data_ptr(), held.shape, held.stride(), version)
