"""A warm start by a training-free proxy, for any searcher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..bench.errors import BadValue
from ..bench.objective import Evaluation, Trial
from ..bench.spaces import Ids, Space
from .scores import Scorer
from .searcher import Recipe


def best_by_proxy(scorer: Scorer, proxy: str, candidates: Ids, n: int) -> list[int]:
    """The ``n`` candidates with the highest scores, best first; NaN counts as lowest, the first drawn wins a tie."""
    scores = np.asarray(scorer(proxy, candidates.tolist()), dtype=np.float64)
    order = np.argsort(-np.where(np.isnan(scores), -np.inf, scores), kind="stable")
    return candidates[order[:n]].tolist()


class WarmStart:
    """Asks the best ``kept`` of ``sampled`` random architectures by a proxy first, then lets another searcher go on.

    The other searcher is told everything, also what it did not ask: evolution takes such architectures for founders,
    local search starts from the best of them, model-based searchers learn from them.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, inner: Recipe, searcher: Mapping[str, Any] | None = None,
        proxy: str = "synflow", sampled: int = 3000, kept: int = 64, scorer: Scorer,
        budgets: tuple[int, ...] | None = None,
    ) -> None:  # fmt: skip
        if not 1 <= kept <= sampled:
            raise BadValue(f"kept={kept}, sampled={sampled} given; at least 1 is kept, at most all that are sampled")
        candidates = np.unique(space.sample(sampled, rng))
        self._first = best_by_proxy(scorer, proxy, rng.permutation(candidates), kept)
        self._inner = inner.start(space, rng, budgets=budgets or (), scorer=scorer)

    def ask(self, n: int = 1) -> Sequence[int | Trial]:
        if self._first:
            first, self._first = self._first[:n], self._first[n:]
            return first
        return self._inner.ask(n)

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        self._inner.tell(evaluations)


def warm_start(
    searcher: str | Recipe | Mapping[str, Any] = "evolution", *, proxy: str = "synflow", sampled: int = 3000,
    kept: int = 64, label: str = "",
) -> Recipe:  # fmt: skip
    """Any searcher after a warm start: the best ``kept`` of ``sampled`` random architectures by ``proxy`` come first.

    The default numbers are those of zero-cost warm-up (Abdelfattah et al., ICLR 2021).
    """
    from . import recipe

    inner = recipe(searcher)
    settings = {
        "searcher": inner.table,
        "proxy": proxy, "sampled": sampled, "kept": kept,
    }  # fmt: skip
    return Recipe("warm-start", partial(WarmStart, inner=inner), settings, label or f"{inner.label} from {proxy}")
