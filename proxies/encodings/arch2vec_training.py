"""Pre-training of arch2vec: draw every cell again from its latent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from ...bench.errors import BadValue
from ...bench.spaces import Cells101, Space
from .arch2vec_network import Arch2vecNetwork
from .cate_tokens import Tokens, population, tokens
from .pretraining import Pretraining, made

HELD_CELLS = 4096
Inputs = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Arch2vecSettings:
    """What decides a pre-training; defaults of the released code. ``divergence`` weighs the KL divergence.

    ``cells``: train on a random subset of so many cells; 0: on all.
    """

    hops: int = 5
    width: int = 128
    latent: int = 16
    dropout: float = 0.3
    divergence: float = 0.005
    held_out: float = 0.1
    cells: int = 0
    batch: int = 32
    epochs: int = 8
    learning_rate: float = 1e-3
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("hops", "width", "latent", "epochs"):
            if getattr(self, name) < 1:
                raise BadValue(f"{name} {getattr(self, name)}; legal: 1 or more")
        if self.batch < 2:
            raise BadValue(f"batch {self.batch}; legal: 2 or more (batch statistics)")
        if not 0 <= self.dropout < 1 or not 0 < self.held_out < 1:
            raise BadValue(f"dropout {self.dropout}, held_out {self.held_out}; legal: shares below 1, held_out above 0")
        for name in ("cells", "divergence", "seed"):
            if getattr(self, name) < 0:
                raise BadValue(f"{name} {getattr(self, name)}; legal: 0 or more")
        if self.learning_rate <= 0:
            raise BadValue(f"learning_rate {self.learning_rate}; legal: above 0")


def settings_for(space: Space, **changed: Any) -> Arch2vecSettings:
    """The settings of the shipped weights of a space, with changes: on topology, whose 6,466 classes make short epochs,
    60 of them; on cells101 50,000 of the 423,624 cells."""
    given = {"cells": 50_000} if isinstance(space, Cells101) else {"epochs": 60}
    return made(Arch2vecSettings, {**given, **changed})


def inputs(cells: Tokens) -> Inputs:
    """One-hot symbols (n, L, symbols), symmetrised adjacency (n, L, L), and which nodes exist (n, L)."""
    real = cells.symbols != cells.pad
    one_hot = cells.symbols[:, :, None] == np.arange(cells.first, cells.vocabulary)
    both = cells.edges | cells.edges.transpose(0, 2, 1)
    return one_hot.astype(np.float32), both.astype(np.float32), real


class Arch2vecPretraining(Pretraining):
    """Reconstruction of operations and edges, plus the divergence of the latent from a standard normal.

    Deviations from the authors' code: nodes that do not exist count neither in the loss nor in batch statistics, nor do
    pairs of a node with itself, whose inner product cannot say "no edge"; what is drawn is the cell after pruning, one
    of each isomorphism class (`cate_tokens.tokens`); kept is the epoch with the least held-out loss.
    """

    encoder: ClassVar[str] = "arch2vec"
    curves: ClassVar[tuple[str, ...]] = (
        "train_loss", "held_loss", "held_symbol_accuracy", "held_edge_accuracy", "train_seconds",
    )  # fmt: skip

    def __init__(self, space: Space, settings: Arch2vecSettings) -> None:
        self.space, self.given = space, settings
        rng = np.random.default_rng(np.random.SeedSequence([settings.seed, 2**31]))
        ids = rng.permutation(population(space))
        ids = ids[: settings.cells or None]
        held = max(1, int(settings.held_out * len(ids)))
        if len(ids) - held < 2:
            raise BadValue(f"{len(ids)} cells are too few to train on; give more")
        self._train = inputs(tokens(space, np.sort(ids[held:])))
        found = tokens(space, np.sort(ids[:held][:HELD_CELLS]))
        self._held = inputs(found)
        self.settings = {**asdict(settings), "steps": self.steps}
        with torch.random.fork_rng([]):
            torch.manual_seed(settings.seed)
            self.network = network_of(found, settings)

    @property
    def steps(self) -> int:
        count = len(self._train[0])
        return count // self.given.batch or 1  # what is left over waits for another epoch: batch statistics

    def batches(self, rng: np.random.Generator, device: torch.device) -> Iterator[tuple[Tensor, ...]]:
        order = rng.permutation(len(self._train[0]))
        for step in range(self.steps):
            rows = order[step * self.given.batch : (step + 1) * self.given.batch]
            yield tuple(torch.from_numpy(each[rows]).to(device, non_blocking=True) for each in self._train)

    def loss(self, *batch: Tensor) -> Tensor:
        """Cross-entropy of operations, of edges, and the weighted divergence, each a mean over what exists."""
        one_hot, adjacency, real = batch
        symbols, edges, mean, log_variance = (each.float() for each in self.network(*batch))
        other = ~torch.eye(real.shape[1], dtype=torch.bool, device=real.device)
        pairs = real[:, :, None] & real[:, None, :] & other
        drawn = cross_entropy(symbols[real], one_hot.argmax(-1)[real])
        drawn = drawn + binary_cross_entropy_with_logits(edges[pairs], adjacency[pairs])
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp())[real].sum(-1).mean()
        return drawn + self.given.divergence * divergence

    def held_out(self, device: torch.device) -> dict[str, float]:
        """The loss; percent of operations and of edges (each pair of nodes once) drawn rightly."""
        batch = tuple(torch.from_numpy(each).to(device) for each in self._held)
        one_hot, adjacency, real = batch
        symbols, edges, _, _ = self.network(*batch)
        pairs = torch.triu(real[:, :, None] & real[:, None, :], diagonal=1)
        right = (symbols.argmax(-1) == one_hot.argmax(-1))[real].double().mean()
        joined = ((edges > 0) == (adjacency > 0))[pairs].double().mean()
        return {
            "held_loss": float(self.loss(*batch)), "held_symbol_accuracy": 100 * float(right),
            "held_edge_accuracy": 100 * float(joined),
        }  # fmt: skip

    def optimizer(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.network.parameters(), lr=self.given.learning_rate)

    def rate(self, step: int) -> float:
        return self.given.learning_rate


def network_of(cells: Tokens, settings: Arch2vecSettings) -> Arch2vecNetwork:
    """The untrained network of these settings."""
    return Arch2vecNetwork(
        cells.vocabulary - cells.first, hops=settings.hops, width=settings.width, latent=settings.latent,
        dropout=settings.dropout,
    )  # fmt: skip
