"""The search of training-free papers: score many random architectures, train the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..bench.errors import BadValue
from ..bench.objective import Evaluation
from ..bench.spaces import Space
from .scores import Scorer
from .searcher import Recipe
from .warm_start import best_by_proxy


class BestOf:
    """Asks for the best ``kept`` of ``sampled`` random architectures by a proxy, best first; then for nothing more.

    Mellor et al., ICML 2021, section 5 and algorithm 1 (NASWOT): architectures are drawn with replacement, as their
    code does; an undefined score is the lowest, the first drawn wins a tie.

    Args:
        scorer: answers ``scorer(proxy, ids)`` with one score per architecture, higher is better.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, scorer: Scorer, proxy: str = "naswot", sampled: int = 100,
        kept: int = 1,
    ) -> None:  # fmt: skip
        if not 1 <= kept <= sampled:
            raise BadValue(f"kept={kept}, sampled={sampled} given; at least 1 is kept, at most all that are sampled")
        candidates = space.sample(sampled, rng)
        ranked = best_by_proxy(scorer, proxy, candidates, sampled)
        self._left = list(dict.fromkeys(ranked))[:kept]

    def ask(self, n: int = 1) -> Sequence[int]:
        asked, self._left = self._left[:n], self._left[n:]
        return asked

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Nothing is learned."""


PRESETS: dict[str, dict[str, Any]] = {str(n): {"proxy": "naswot", "sampled": n, "kept": 1} for n in (10, 100, 1000)}


def best_of(preset: str = "100", *, label: str = "", **settings: Any) -> Recipe:
    """The best by a proxy of so many random architectures; single settings override those of ``preset``.

    ========  ==================================================================================================
    10        the best of 10 by NASWOT is trained
    100       of 100
    1000      of 1,000: the three searches of Mellor et al., ICML 2021, table 2
    ========  ==================================================================================================

    It needs the scores of the proxy (``scores=``), whose seconds are charged as seconds of a proxy.
    """
    return Recipe.from_preset("best-of", BestOf, PRESETS, preset, label, settings)
