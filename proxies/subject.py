"""What is scored: one architecture's untrained network, with the variants that some proxies start from."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn

from ..bench.errors import BadValue
from ..bench.live.macro import Macro, StackMacro
from ..bench.live.weights import Law as InitialLaw
from ..bench.spaces import Cells101, Size, Space
from .initial import Law, redraw
from .proxy import Batch

if TYPE_CHECKING:
    from ..bench.benchmark import Benchmark

THIN = Macro(widths=(1,), cells_per_stage=1, image_channels=1)
THIN_STACK = StackMacro(stem_channels=5, stacks=1, cells_per_stack=1, image_channels=1)


@dataclass(frozen=True)
class Asked:
    """What a proxy without a network may read: the space, the seed, and the benchmark (None where only a space is)."""

    space: Space
    seed: int = 0
    bench: Benchmark | None = None


class Subject(Protocol):
    """One architecture's networks, and the batch they see. Every call answers the same weights."""

    batch: Batch
    seed: int

    @property
    def network(self) -> nn.Module:
        """The network with its initial weights; whoever reads it leaves it unchanged."""

    def redrawn(self, law: Law, repeat: int = 0) -> nn.Module:
        """A network of the same shape with weights of another law; yours to change."""

    def unpruned(self) -> nn.Module:
        """The network with its dead branches built too, where the space has such."""

    def thin(self) -> nn.Module:
        """One cell as narrow as the space allows, for images of one channel, weights Kaiming normal."""


class Given:
    """A network that somebody built."""

    def __init__(self, network: nn.Module, batch: Batch, seed: int = 0) -> None:
        self.network = network
        self.batch = batch
        self.seed = seed

    def redrawn(self, law: Law, repeat: int = 0) -> nn.Module:
        """A copy of the network with other weights."""
        return redraw(copy.deepcopy(self.network), law, self.seed, repeat)

    def unpruned(self) -> nn.Module:
        """The network itself, unless it is known to have been pruned."""
        if getattr(self.network, "prune", False):
            raise BadValue("this network was built without its dead branches; build it with prune=False")
        return self.network

    def thin(self) -> nn.Module:
        """Unknown for a network that somebody built."""
        raise BadValue("the thin network of an architecture is built from its space; use nasgauge.score")


class Candidate:
    """An architecture of a space, whose networks are built when asked for."""

    def __init__(
        self,
        space: Space,
        arch: int,
        batch: Batch,
        *,
        seed: int = 0,
        macro: Macro | StackMacro | None = None,
        law: InitialLaw | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.space, self.arch, self.batch, self.seed = space, arch, batch, seed
        self.macro, self.law, self.device = macro, law, device
        self._network: nn.Module | None = None

    @property
    def network(self) -> nn.Module:
        """The network without dead branches, with the space's own initial weights."""
        if self._network is None:
            self._network = self._build(seed=self.seed, law=self.law, device=self.device)
        return self._network

    def redrawn(self, law: Law, repeat: int = 0) -> nn.Module:
        """A fresh network with weights of another law."""
        fresh = self._build(device="meta").to_empty(device=self.device)
        return redraw(fresh, law, self.seed, repeat)

    def unpruned(self) -> nn.Module:
        """The network with its dead branches, as the official implementation builds it."""
        if isinstance(self.space, (Cells101, Size)):
            return self.network
        return self._build(prune=False, seed=self.seed, law=self.law, device=self.device)

    def thin(self) -> nn.Module:
        """One cell on one channel (five on NAS-Bench-101, whose outputs are split over the vertices)."""
        macro = THIN_STACK if isinstance(self.space, Cells101) else THIN
        shape = Macro.size().but(image_channels=1) if isinstance(self.space, Size) else macro
        network = self.space.network(self.arch, 1, macro=shape, device="meta").to_empty(device=self.device)
        return redraw(network, "kaiming", self.seed)

    def _build(self, **settings: Any) -> nn.Module:
        return self.space.network(self.arch, self.batch.classes, macro=self.macro, **settings)
