"""CATE's network: a transformer for each cell, a cross-encoder over both cells of a pair, a head that names tokens.

Yan et al., "CATE: Computation-aware Neural Architecture Encoding with Transformers" (ICML 2021), section 3. Settings of
the released code: 64 wide, 8 heads, 12 layers (feed-forward 128) for a cell, 24 layers (256) across, dropout .1, no
positions. Layers are pre-norm and each closes with a norm of its own, as released.

Sequences here are 7 to 16 long. PyTorch's softmax along so short a last axis and its dropout take most of a plain
layer's time on a processor; both are written out for that case.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCKED = -1e9
_LEVELS = 256  # of the random bytes that dropout compares


def allowed_bias(reach: Tensor, real: Tensor, heads: int) -> Tensor:
    """What is added to attention scores, (n * heads, L, L): 0 where node i attends to j, `BLOCKED` elsewhere.

    Beside `BLOCKED` a score is below the precision of a float: where all are blocked, all weigh the same, as released.

    Args:
        reach: (n, L, L) bool.
        real: (n, L) bool; a node that reaches nothing attends to all of these, each with the same weight.
    """
    stuck = ~reach.any(-1, keepdim=True)
    bias = torch.zeros(reach.shape, device=reach.device).masked_fill_(~reach, BLOCKED)
    return bias.masked_fill_(stuck & ~real[:, None, :], 2 * BLOCKED).repeat_interleave(heads, 0)


class _NarrowSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor) -> Tensor:
        weights = (scores - scores.amax(-1, keepdim=True)).exp_()
        weights /= weights.sum(-1, keepdim=True)
        ctx.save_for_backward(weights)
        return weights

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (weights,) = ctx.saved_tensors
        pulled = gradients[0] * weights
        return pulled.addcmul_(weights, pulled.sum(-1, keepdim=True), value=-1)


def narrow_softmax(scores: Tensor) -> Tensor:
    """Softmax along a short last axis."""
    if scores.device.type != "cpu" or torch.compiler.is_compiling():
        return scores.softmax(-1)
    weights: Tensor = _NarrowSoftmax.apply(scores)
    return weights


class Dropout(nn.Module):
    """Dropout whose rate is a multiple of 1/256, from random bytes (on a processor eight of them for one draw)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate, self.dropped = rate, round(rate * _LEVELS)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.dropped:
            return x
        if x.device.type != "cpu" or torch.compiler.is_compiling():
            return functional.dropout(x, self.rate)
        draws = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)  # all 64 bits
        kept = draws.view(torch.uint8)[: x.numel()].view(x.shape) >= self.dropped
        return x * (kept * (_LEVELS / (_LEVELS - self.dropped))).to(x.dtype)


class Layer(nn.Module):
    """One transformer layer on (n, L, width)."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_inner, self.norm_out = (nn.LayerNorm(width) for _ in range(3))
        self.projections = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, inner), nn.Linear(inner, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.norm_attention(x), bias))
        x = x + self.dropout(self.narrow(self.dropout(functional.gelu(self.widen(self.norm_inner(x))))))
        out: Tensor = self.norm_out(x)
        return out

    def attention(self, x: Tensor, bias: Tensor) -> Tensor:
        """Multi-head attention with ``bias`` (n * heads, L, L) on the scores."""
        n, length, width = x.shape
        size = width // self.heads
        split = self.projections(x).view(n, length, 3, self.heads, size).permute(2, 0, 3, 1, 4)
        query, key, value = split.reshape(3, n * self.heads, length, size)
        scores = torch.baddbmm(bias.to(query.dtype), query, key.transpose(1, 2), alpha=size**-0.5)
        weights: Tensor = self.dropout(narrow_softmax(scores.float()))
        mixed = (weights.to(value.dtype) @ value).view(n, self.heads, length, size)
        merged: Tensor = self.merge(mixed.transpose(1, 2).reshape(n, length, width))
        return merged


class CateNetwork(nn.Module):
    """`forward` predicts the hidden tokens of pairs, `encode` is what stays after training."""

    def __init__(
        self, vocabulary: int, *, width: int = 64, heads: int = 8, layers: int = 12, inner: int = 128,
        cross_layers: int = 24, cross_inner: int = 256, dropout: float = 0.1,
    ) -> None:  # fmt: skip
        super().__init__()
        self.scale, self.heads = math.sqrt(width), heads
        self.symbol = nn.Embedding(vocabulary, width)
        self.segment = nn.Embedding(2, width)
        self.dropout = Dropout(dropout)
        self.cell = nn.ModuleList(Layer(width, heads, inner, dropout) for _ in range(layers))
        self.across = nn.ModuleList(Layer(width, heads, cross_inner, dropout) for _ in range(cross_layers))
        self.dense, self.name = nn.Linear(width, width), nn.Linear(width, vocabulary)

    def encode(self, symbols: Tensor, reach: Tensor, real: Tensor) -> Tensor:
        """Vectors of all nodes, (n, L, width), of cells (n, L) with (n, L, L) of who attends to whom."""
        x = self.dropout(self.symbol(symbols) * self.scale)
        bias = allowed_bias(reach, real, self.heads)
        for layer in self.cell:
            x = layer(x, bias)
        return x

    def forward(self, symbols: Tensor, reach: Tensor, real: Tensor, asked: Tensor) -> Tensor:
        """Scores of the vocabulary for the asked tokens of pairs, (number asked, vocabulary), in their order.

        Args:
            symbols: (m, 2, L); ``reach``: (m, 2, L, L); ``real``: (m, 2, L), false where there is padding.
            asked: (m, 2, L) bool.
        """
        m, _, length = symbols.shape
        x = self.encode(symbols.flatten(0, 1), reach.flatten(0, 1), real.flatten(0, 1))
        x = x.view(m, 2 * length, -1)
        x = x + self.dropout(self.segment.weight * self.scale).repeat_interleave(length, 0)
        bias = allowed_bias(
            real.view(m, 1, 2 * length).expand(-1, 2 * length, -1), real.view(m, 2 * length), self.heads
        )
        for layer in self.across:
            x = layer(x, bias)
        x = x[asked.view(m, 2 * length)]
        scores: Tensor = self.name(self.dropout(torch.tanh(self.dense(x))))
        return scores
