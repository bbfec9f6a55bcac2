"""CATE beside its authors' way: a step of pre-training, the batches, the encoding of a whole space."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nasgauge.bench.spaces import space
from nasgauge.proxies.encodings import vectors
from nasgauge.proxies.encodings.cate_pairs import UNSCORED
from nasgauge.proxies.encodings.cate_training import CatePretraining, settings_for

from .conftest import Row

pytestmark = pytest.mark.usefixtures("one_thread")

BATCH = 1024
ROUNDS = 2


class PlainLayer(nn.Module):
    """A transformer layer as tutorials write it: softmax over filled scores, PyTorch's dropout everywhere."""

    def __init__(self, width: int, heads: int, inner: int, rate: float) -> None:
        super().__init__()
        self.heads, self.rate = heads, rate
        self.query, self.key, self.value, self.merge = (nn.Linear(width, width) for _ in range(4))
        self.widen, self.narrow = nn.Linear(width, inner), nn.Linear(inner, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))

    def forward(self, x: Tensor, allowed: Tensor) -> Tensor:
        n, length, width = x.shape
        rest = self.norms[0](x)
        query, key, value = (
            each(rest).view(n, length, self.heads, -1).transpose(1, 2) for each in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(-1, -2) / math.sqrt(width // self.heads)
        weights = functional.dropout(scores.masked_fill(~allowed[:, None], -1e9).softmax(-1), self.rate)
        mixed = (weights @ value).transpose(1, 2).contiguous().view(n, length, width)
        x = x + functional.dropout(self.merge(mixed), self.rate)
        inner = functional.dropout(functional.gelu(self.widen(self.norms[1](x))), self.rate)
        out: Tensor = self.norms[2](x + functional.dropout(self.narrow(inner), self.rate))
        return out


class PlainCate(nn.Module):
    """The authors' sizes: 12 layers for each cell of a pair in turn, 24 across, predictions for every position."""

    def __init__(self, vocabulary: int, width: int = 64, rate: float = 0.1) -> None:
        super().__init__()
        self.symbol, self.segment, self.rate = nn.Embedding(vocabulary, width), nn.Embedding(2, width), rate
        self.cell = nn.ModuleList(PlainLayer(width, 8, 128, rate) for _ in range(12))
        self.across = nn.ModuleList(PlainLayer(width, 8, 256, rate) for _ in range(24))
        self.head = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Dropout(rate), nn.Linear(width, vocabulary))

    def forward(self, symbols: Tensor, reach: Tensor, real: Tensor) -> Tensor:
        parts = []
        for which in range(2):
            x = functional.dropout(self.symbol(symbols[:, which]) * 8.0, self.rate)
            for layer in self.cell:
                x = layer(x, reach[:, which])
            parts.append(x)
        x = torch.cat(parts, 1)
        x = x + self.segment.weight.repeat_interleave(symbols.shape[-1], 0) * 8.0
        counted = real.flatten(1)
        for layer in self.across:
            x = layer(x, counted[:, None, :].expand(-1, x.shape[1], -1))
        scores: Tensor = self.head(x).log_softmax(-1)
        return scores


def seconds(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Smallest processor seconds of a call after a first one."""
    call()
    found = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        found.append(time.process_time() - started)
    return min(found)


@pytest.fixture(scope="module")
def task() -> CatePretraining:
    cells = space("cells101")
    settings = settings_for(cells, layers=12, cross_layers=24, batch=BATCH, cells=5000)
    return CatePretraining(cells, settings)


def test_a_step_of_the_authors_size_on_cells101(task: CatePretraining, row: Row) -> None:
    batch = next(iter(task.batches(np.random.default_rng(0), torch.device("cpu"))))
    optimizer = task.optimizer()
    task.network.train()

    def step() -> None:
        optimizer.zero_grad()
        task.loss(*batch).backward()
        optimizer.step()

    plain = PlainCate(task.tokens.vocabulary)
    plain_optimizer = torch.optim.AdamW(plain.parameters(), lr=1e-3)
    symbols, reach, real, targets = batch

    def plain_step() -> None:
        plain_optimizer.zero_grad()
        scores = plain(symbols, reach, real)
        functional.nll_loss(scores.flatten(0, 1), targets.flatten(), ignore_index=UNSCORED).backward()
        plain_optimizer.step()

    def short_step() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = task.loss(*batch)
        loss.backward()
        optimizer.step()

    ours, short, theirs = seconds(step), seconds(short_step), seconds(plain_step)
    row("CATE step, batch 1024, cells101", ours, "s", 0.8 * theirs, "plain transformer", theirs)
    row("CATE step in bf16, where the processor has it", short, "s", 2 / 3 * theirs, "plain transformer", theirs)
    assert ours < 0.8 * theirs


def test_batches_are_made_for_whole_epochs(task: CatePretraining, row: Row) -> None:
    rng = np.random.default_rng(0)
    symbols, pairs = task.tokens.symbols, task.epoch_pairs(rng).cells

    def one_by_one() -> None:
        for pair in pairs:
            for cell in pair:
                shown, targets = symbols[cell].copy(), np.full(symbols.shape[1], UNSCORED)
                for place, symbol in enumerate(symbols[cell]):
                    if symbol != task.tokens.pad and rng.random() < task.given.masked:
                        targets[place] = symbol
                        other = rng.integers(task.tokens.first, task.tokens.vocabulary)
                        shown[place] = task.tokens.mask if rng.random() < 0.8 else other

    ours, theirs = seconds(lambda: task.epoch_pairs(rng)), seconds(one_by_one, 1)
    row("CATE pairs and masks of an epoch", ours / len(pairs) * 1e6, "us a pair", 10, "token by token",
        theirs / len(pairs) * 1e6)  # fmt: skip
    assert ours < theirs / 10


@pytest.mark.parametrize("encoder", ["cate", "arch2vec"])
def test_encoding_all_of_topology_with_shipped_weights(encoder: str, row: Row) -> None:
    tss = space("topology")
    ours = seconds(lambda: vectors(tss, encoder), 1)
    row(f"{encoder} of 15,625 cells", ours, "s", 20, "20 s", 20)
    assert ours < 20
