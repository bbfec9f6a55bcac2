"""arch2vec's network: a graph isomorphism network that says where a cell lies, a decoder that draws it again.

Yan et al., "Does Unsupervised Architecture Representation Learning Help Neural Architecture Search?" (NeurIPS 2020),
section 3: a variational autoencoder on symmetrised adjacency and operations; settings of the released code: 5 hops, 128
wide, multilayer perceptrons of 2 layers, 16 numbers a node, dropout .3 in the decoder.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu


class Hop(nn.Module):
    """One round of messages: h <- relu(norm(mlp((1 + eps) h + sum over neighbours))), on nodes that exist."""

    def __init__(self, given: int, width: int) -> None:
        super().__init__()
        self.eps = nn.Parameter(torch.zeros(()))
        self.mlp = nn.Sequential(nn.Linear(given, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width))
        self.norm = nn.BatchNorm1d(width)

    def forward(self, nodes: Tensor, adjacency: Tensor, real: Tensor) -> Tensor:
        gathered = (1 + self.eps) * nodes + adjacency @ nodes
        rows = relu(self.norm(self.mlp(gathered[real])))
        answer = rows.new_zeros(*real.shape, rows.shape[-1])
        answer[real] = rows
        return answer


class Arch2vecNetwork(nn.Module):
    """`encode` answers mean and logarithm of the variance of every node's latent, `decode` operations and edges."""

    def __init__(
        self, symbols: int, *, hops: int = 5, width: int = 128, latent: int = 16, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.symbols = symbols
        self.hops = nn.ModuleList(Hop(symbols if hop == 0 else width, width) for hop in range(hops))
        self.mean, self.log_variance = nn.Linear(width, latent), nn.Linear(width, latent)
        self.dropout = nn.Dropout(dropout)
        self.name = nn.Linear(latent, symbols)

    def encode(self, one_hot: Tensor, adjacency: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """(n, L, symbols), (n, L, L) symmetric float, (n, L) bool -> two of (n, L, latent)."""
        nodes = one_hot
        for hop in self.hops:
            nodes = hop(nodes, adjacency, real)
        return self.mean(nodes), self.log_variance(nodes)

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """(n, L, latent) -> logits of symbols (n, L, symbols) and of edges (n, L, L), which are inner products."""
        latent = self.dropout(latent)
        return self.name(latent), latent @ latent.transpose(1, 2)

    def forward(self, one_hot: Tensor, adjacency: Tensor, real: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits of symbols and edges from a drawn latent (in evaluation: its mean), mean, logarithm of variance."""
        mean, log_variance = self.encode(one_hot, adjacency, real)
        drawn = mean + torch.randn_like(mean) * (log_variance / 2).exp() if self.training else mean
        symbols, edges = self.decode(drawn)
        return symbols, edges, mean, log_variance
