"""Computation-aware pairs, and the masking of tokens, for whole epochs at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .cate_tokens import Costs, Tokens

Pairs = npt.NDArray[np.int64]
UNSCORED = -100  # where no prediction is asked; PyTorch's ``ignore_index``


def pairs(cost: Costs, threshold: float, per_cell: int, rng: np.random.Generator) -> Pairs:
    """For each cell up to ``per_cell`` others before it in order of cost and within ``threshold``, (m, 2) positions.

    CATE, section 3.2 (Yan et al., ICML 2021): cells of equal cost keep their order, so every unordered pair is possible
    once. Drawn without replacement by Floyd's algorithm, for all cells at once.
    """
    order = np.argsort(cost, kind="stable")
    ascending = cost[order]
    first = np.searchsorted(ascending, ascending - threshold, side="left")
    rank = np.arange(len(cost))
    available = rank - first
    drawn = np.full((len(cost), per_cell), -1, dtype=np.int64)
    for slot in range(per_cell):
        top = available - per_cell + slot  # Floyd: a number up to top, or top itself where that number is taken
        whole = available <= per_cell  # few candidates: all of them, one after the other
        pick = np.where(whole, slot, rng.integers(0, np.maximum(top, 0) + 1))
        taken = (drawn[:, :slot] == pick[:, None]).any(1)
        pick = np.where(taken & ~whole, top, pick)
        drawn[:, slot] = np.where(slot < available, pick, -1)
    cells, slots = np.nonzero(drawn >= 0)
    partners = first[cells] + drawn[cells, slots]
    found: Pairs = np.stack([order[rank[cells]], order[partners]], axis=1)
    return found


@dataclass(frozen=True, eq=False)
class Masked:
    """Pairs of sequences with tokens to predict.

    Fields:
        cells: (m, 2) positions in the `Tokens` they were made from.
        symbols: (m, 2, L) int8, what the network sees.
        targets: (m, 2, L) int64, the true symbol where it is asked, `UNSCORED` elsewhere.
    """

    cells: Pairs
    symbols: npt.NDArray[np.int8]
    targets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.cells)


def mask_tokens(cells: Tokens, of: Pairs, rate: float, rng: np.random.Generator) -> Masked:
    """Hide tokens of both sequences of each pair, (m, 2) -> `Masked`.

    Each token that is no padding is asked with probability ``rate``; of those 80 % show the mask and 20 % a real symbol
    drawn uniformly (which may be the true one). In the released variant the input has the number of padding and is
    never asked.
    """
    true = cells.symbols[of]
    asked = (rng.random(true.shape, dtype=np.float32) < rate) & (true != cells.pad)
    shown = np.where(
        rng.random(true.shape, dtype=np.float32) < 0.8,
        np.int8(cells.mask),
        rng.integers(cells.first, cells.vocabulary, size=true.shape, dtype=np.int8),
    )
    return Masked(of, np.where(asked, shown, true), np.where(asked, true.astype(np.int64), UNSCORED))
