"""Pre-training of CATE: which pairs, which tokens to predict, which loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ...bench.errors import BadValue
from ...bench.spaces import Cells101, Space
from .cate_network import CateNetwork
from .cate_pairs import UNSCORED, Masked, mask_tokens, pairs
from .cate_tokens import VARIANTS, Tokens, Variant, closure, costs, default_cost, population, tokens
from .pretraining import Pretraining, made

HELD_PAIRS = 4096


@dataclass(frozen=True)
class CateSettings:
    """What decides a pre-training; the defaults are the released code's but for the size of the network.

    Args:
        variant: "paper" (numbers of their own for padding and mask, the output node's vector, what a cell computes)
            or "released" (see `cate_tokens.tokens`; the vector of the last position, held-out pairs are the last
            twentieth of a fixed list).
        attends: a node looks at its "ancestors", on which it depends, or at its "descendants", as released (there the
            output looks at everything alike).
        cost, threshold: pairs differ by at most ``threshold`` in "flops" [multiply-adds] or "params".
        per_cell: pairs that each cell starts.
        layers, inner, cross_layers, cross_inner: of the network; 12, 128, 24, 256 released.
        masked: probability of a token to be asked.
        smoothing: of the labels.
        cells: train on a random subset of so many cells; 0: on all.
        warmup: steps in which the rate rises; afterwards it falls to 0 linearly.
    """

    variant: Variant = "paper"
    attends: Literal["ancestors", "descendants"] = "ancestors"
    cost: str = ""
    threshold: float = 0.0
    per_cell: int = 2
    width: int = 64
    heads: int = 8
    layers: int = 12
    inner: int = 128
    cross_layers: int = 24
    cross_inner: int = 256
    dropout: float = 0.1
    masked: float = 0.2
    smoothing: float = 0.1
    held_out: float = 0.05
    cells: int = 0
    batch: int = 1024
    epochs: int = 10
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: int = 100
    seed: int = 4

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise BadValue(f"variant {self.variant!r}; legal: {', '.join(VARIANTS)}")
        if self.attends not in ("ancestors", "descendants"):
            raise BadValue(f"attends {self.attends!r}; legal: ancestors, descendants")
        if self.width < 1 or self.heads < 1 or self.width % self.heads:
            raise BadValue(f"width {self.width} and {self.heads} heads; the width is a multiple of the heads")
        for name in ("per_cell", "layers", "inner", "cross_inner", "batch", "epochs"):
            if getattr(self, name) < 1:
                raise BadValue(f"{name} {getattr(self, name)}; legal: 1 or more")
        for name in ("dropout", "masked", "smoothing", "held_out"):
            if not 0 <= getattr(self, name) < 1:
                raise BadValue(f"{name} {getattr(self, name)}; legal: 0 to below 1")
        if not self.masked or not self.held_out:
            raise BadValue("masked and held_out are above 0: without them there is nothing to learn or to check")
        for name in ("cross_layers", "cells", "warmup", "threshold", "seed", "weight_decay"):
            if getattr(self, name) < 0:
                raise BadValue(f"{name} {getattr(self, name)}; legal: 0 or more")
        if self.learning_rate <= 0:
            raise BadValue(f"learning_rate {self.learning_rate}; legal: above 0")


def settings_for(space: Space, **changed: Any) -> CateSettings:
    """The settings of the shipped weights of a space, with changes.

    A smaller network than the authors', which one core trains in minutes, and a quarter of the batch. On topology: 16
    epochs, since its 6,466 classes give only a few thousand pairs; threshold 5e6 multiply-adds (the authors' for
    NAS-Bench-301). On cells101: 10,000 of the 423,624 cells, 2e6 parameters (theirs for NAS-Bench-101).
    """
    small: dict[str, Any] = {"layers": 4, "cross_layers": 4, "batch": 256}
    if isinstance(space, Cells101):
        small |= {"threshold": 2e6, "cells": 10_000}
    else:
        small |= {"threshold": 5e6, "epochs": 16}
    return made(CateSettings, {"cost": default_cost(space), **small, **changed})


class CatePretraining(Pretraining):
    """Masked prediction on computation-aware pairs.

    Deviations from the authors' code in the paper's variant: pairs and masks are drawn anew in every epoch; cells
    (not pairs) are held out, so that no held-out cell is seen in training; each isomorphism class counts once.
    """

    encoder: ClassVar[str] = "cate"
    curves: ClassVar[tuple[str, ...]] = (
        "train_loss", "held_loss", "held_cross_entropy", "held_accuracy", "train_seconds",
    )  # fmt: skip

    def __init__(self, space: Space, settings: CateSettings) -> None:
        self.space, self.given = space, settings
        rng = np.random.default_rng(np.random.SeedSequence([settings.seed, 2**31]))
        ids = population(space, settings.variant)
        if 0 < settings.cells < len(ids):
            ids = np.sort(rng.choice(ids, settings.cells, replace=False))
        self.tokens = tokens(space, ids, settings.variant)
        self.cost = costs(space, ids, settings.cost)
        self.reach, self.real = attention_of(self.tokens, settings)
        self._split(rng)
        self.settings = {**asdict(settings), "steps": self.steps}
        with torch.random.fork_rng([]):
            torch.manual_seed(settings.seed)
            self.network = network_of(self.tokens.vocabulary, settings)

    def _split(self, rng: np.random.Generator) -> None:
        """Which cells (released: which pairs) are held out; their pairs and masks stay the same throughout."""
        settings = self.given
        if settings.variant == "released":
            fixed = pairs(self.cost, settings.threshold, settings.per_cell, rng)
            last = len(fixed) - int(settings.held_out * len(fixed))
            self._fixed, held = fixed[:last], fixed[last:]
        else:
            order = rng.permutation(len(self.tokens))
            held_cells = np.sort(order[: max(2, int(settings.held_out * len(order)))])
            self._cells = np.sort(order[len(held_cells) :])
            held = self._pairs_of(held_cells, rng)
        if not len(held) or not self.steps:
            raise BadValue(
                f"threshold {settings.threshold:g} of {settings.cost} leaves no pairs to train on or to hold out; "
                "give a larger one, or more cells"
            )
        held = rng.permutation(held)[:HELD_PAIRS]
        self.held = mask_tokens(self.tokens, held, settings.masked, rng)

    def _pairs_of(self, cells: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
        return cells[pairs(self.cost[cells], self.given.threshold, self.given.per_cell, rng)]

    @property
    def steps(self) -> int:
        """The same in every epoch: how many pairs there are follows from the costs."""
        if self.given.variant == "released":
            count = len(self._fixed)
        else:
            ascending = np.sort(self.cost[self._cells])
            before = np.arange(len(ascending)) - np.searchsorted(ascending, ascending - self.given.threshold)
            count = int(np.minimum(before, self.given.per_cell).sum())
        return -(-count // self.given.batch)

    def epoch_pairs(self, rng: np.random.Generator) -> Masked:
        """All pairs of one epoch, shuffled and masked."""
        found = self._fixed if self.given.variant == "released" else self._pairs_of(self._cells, rng)
        return mask_tokens(self.tokens, rng.permutation(found), self.given.masked, rng)

    def batches(self, rng: np.random.Generator, device: torch.device) -> Iterator[tuple[Tensor, ...]]:
        return self._batches(self.epoch_pairs(rng), device)

    def _batches(self, masked: Masked, device: torch.device) -> Iterator[tuple[Tensor, ...]]:
        for start in range(0, len(masked), self.given.batch):
            part = slice(start, start + self.given.batch)
            cells = masked.cells[part]
            arrays = (masked.symbols[part].astype(np.int64), self.reach[cells], self.real[cells], masked.targets[part])
            yield tuple(torch.from_numpy(each).to(device, non_blocking=True) for each in arrays)

    def held_batches(self, device: torch.device) -> Iterator[tuple[Tensor, ...]]:
        """The held-out pairs, whose masks never change, as the arguments of `loss`."""
        return self._batches(self.held, device)

    def loss(self, *batch: Tensor) -> Tensor:
        """Cross-entropy with smoothed labels, mean over the asked tokens (the released KL but for a constant)."""
        symbols, reach, real, targets = batch
        asked = targets != UNSCORED
        scores = self.network(symbols, reach, real, asked)
        return cross_entropy(scores.float(), targets[asked], label_smoothing=self.given.smoothing)

    def held_out(self, device: torch.device) -> dict[str, float]:
        """The same loss; cross-entropy [nats] without smoothing; percent of tokens named rightly."""
        sums, count = np.zeros(3), 0
        for batch in self.held_batches(device):
            symbols, reach, real, targets = batch
            asked = targets != UNSCORED
            scores, true = self.network(symbols, reach, real, asked).float(), targets[asked]
            smooth = cross_entropy(scores, true, label_smoothing=self.given.smoothing, reduction="sum")
            plain = cross_entropy(scores, true, reduction="sum")
            sums += [float(smooth), float(plain), 100.0 * float((scores.argmax(1) == true).sum())]
            count += len(true)
        return dict(zip(("held_loss", "held_cross_entropy", "held_accuracy"), sums / max(count, 1), strict=True))

    def unigram_entropy(self) -> float:
        """Entropy [nats] of the tokens asked of held-out pairs: what guessing by frequency alone would cost."""
        asked = self.held.targets[self.held.targets != UNSCORED]
        share = np.bincount(asked) / len(asked)
        return float(-(share[share > 0] * np.log(share[share > 0])).sum())

    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW; no decay on biases and norms."""
        decayed = [each for each in self.network.parameters() if each.ndim > 1]
        others = [each for each in self.network.parameters() if each.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": self.given.weight_decay}, {"params": others, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=self.given.learning_rate, eps=1e-8)

    def rate(self, step: int) -> float:
        total, warmup = self.given.epochs * self.steps, self.given.warmup
        share = (step + 1) / warmup if step < warmup else (total - step) / max(1, total - warmup)
        return self.given.learning_rate * min(1.0, share)


def network_of(vocabulary: int, settings: CateSettings) -> CateNetwork:
    """The untrained network of these settings."""
    return CateNetwork(
        vocabulary, width=settings.width, heads=settings.heads, layers=settings.layers, inner=settings.inner,
        cross_layers=settings.cross_layers, cross_inner=settings.cross_inner, dropout=settings.dropout,
    )  # fmt: skip


def attention_of(cells: Tokens, settings: CateSettings) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Who attends to whom, (n, L, L) bool, and which positions count, (n, L) bool.

    Released: no node attends to itself, and padding takes part where a node attends to everything. Paper: with
    ancestors, a node also attends to itself, so that the input has something to look at.
    """
    reach = closure(cells.edges)
    real = cells.symbols != cells.pad
    if settings.variant == "released":
        return reach, np.ones_like(real)
    if settings.attends == "ancestors":
        reach = reach.transpose(0, 2, 1) | (np.eye(reach.shape[1], dtype=bool) & real[:, :, None])
    return np.ascontiguousarray(reach), real
