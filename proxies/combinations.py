"""Several proxies as one: a function of all the scores of a run, since it compares architectures with each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from ..bench.errors import BadValue, UnknownName

Floats = npt.NDArray[np.float64]
Law = Literal["rank_sum", "rank_product", "vote"]
CHUNK = 512  # architectures compared with all others at once


@dataclass(frozen=True)
class Combination:
    """A score made of the scores of other proxies, over all architectures of a run; higher is better.

    An architecture that one of the parts could not score (NaN) has none, and takes no part in the ranking of the
    others; -inf is the lowest of numbers.

    Args:
        name: what it is called in results.
        cites: paper, equation, and every deviation.
        law: how the parts are put together, see `rank_sum`, `rank_product` and `vote`.
        parts: names of the proxies.
    """

    name: str
    cites: str
    law: Law
    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        if self.law not in get_args(Law):
            raise UnknownName.of("law of combination", self.law, get_args(Law))
        if len(self.parts) < 2 or len(set(self.parts)) < len(self.parts):
            raise BadValue(f"combination {self.name!r} of {self.parts}; legal: at least two different proxies")
        if self.law == "vote" and len(self.parts) % 2 == 0:
            raise BadValue(f"combination {self.name!r}: {len(self.parts)} proxies vote; legal: an odd number")

    def __call__(self, scores: Mapping[str, Floats]) -> Floats:
        """The combined score of every architecture, (n_arch,), from the scores of each part, (n_arch,)."""
        table = np.array([np.asarray(scores[part], dtype=np.float64) for part in self.parts])
        known = ~np.isnan(table).any(axis=0)
        combined = np.full(table.shape[1], np.nan)
        if known.any():
            combined[known] = LAWS[self.law](table[:, known])
        return combined


def _ranks(table: Floats) -> Floats:
    """Ranks 1 (lowest) to n of each row; equal scores share the mean of their ranks."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(table, axis=1), dtype=np.float64)


def _rank_sum(table: Floats) -> Floats:
    return _ranks(table).sum(axis=0) / table.shape[1]


def _rank_product(table: Floats) -> Floats:
    return np.log(_ranks(table) / table.shape[1]).sum(axis=0)


def _vote(table: Floats) -> Floats:
    """Share of the other architectures that each wins against by majority, a draw counting half."""
    n = table.shape[1]
    won = np.zeros(n)
    for first in range(0, n, CHUNK):
        mine = table[:, first : first + CHUNK, None]
        votes = np.zeros((mine.shape[1], n), dtype=np.int8)
        for own, other in zip(mine, table, strict=True):
            votes += own > other
            votes -= own < other
        won[first : first + CHUNK] = (votes > 0).sum(axis=1) + 0.5 * ((votes == 0).sum(axis=1) - 1)
    return won / max(1, n - 1)


LAWS: dict[Law, Callable[[Floats], Floats]] = {"rank_sum": _rank_sum, "rank_product": _rank_product, "vote": _vote}


def rank_sum(parts: Sequence[str], name: str = "") -> Combination:
    """Sum over the parts of rank / n, ranks ascending, ties averaged: every part weighs the same."""
    return Combination(name or f"rank_sum:{'+'.join(parts)}", "sum of ranks", "rank_sum", tuple(parts))


def vote(parts: Sequence[str] = ("synflow", "jacob_cov", "snip"), name: str = "") -> Combination:
    """Majority vote over every pair of architectures (Abdelfattah et al., Zero-Cost Proxies, ICLR 2021).

    The paper ranks the better of two by the majority of synflow, jacob_cov and snip. As majorities can go in circles
    over three architectures, the score is the share of all others that an architecture beats (Copeland's rule), a
    draw counting half.
    """
    own = "vote" if tuple(parts) == ("synflow", "jacob_cov", "snip") else f"vote:{'+'.join(parts)}"
    return Combination(name or own, "Abdelfattah et al., ICLR 2021, vote", "vote", tuple(parts))


def az_nas() -> Combination:
    """Sum over expressivity, progressivity, trainability and FLOPs of log(rank / n), ties averaged.

    Lee & Ham, AZ-NAS, CVPR 2024 (non-linear rank aggregation): the four parts are ranked among the candidates, here
    all architectures of the run.
    """
    parts = ("az_expressivity", "az_progressivity", "az_trainability", "flops")
    return Combination("az_nas", "Lee & Ham, AZ-NAS, CVPR 2024, rank aggregation", "rank_product", parts)
