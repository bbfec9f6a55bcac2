"""Evolution whose children are chosen by a predictor (NPENAS; Wei et al., IEEE TNNLS 2022), on any encoding."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..bench.errors import BadValue, UnknownName
from ..bench.objective import Evaluation
from ..bench.spaces import Ids, Space
from .encoded_space import EncodedSpace
from .predictors.encoded import Encoded
from .predictors.heads import HEADS
from .rounds import Rounds
from .searcher import Recipe

TRIES = 8  # times that parents are mutated before fewer candidates are enough


class PredictedEvolution(Rounds):
    """Generations of ``batch``: mutate parents from tournaments, ask the mutants that a predictor puts first.

    The predictor is fitted to everything told; ``candidates`` distinct unseen mutants of parents that win tournaments
    of ``tournament`` among the ``population`` best are ranked by its mean (exploration "mean"), or by one draw from
    its forecast of each ("thompson"). With ``by_class`` no two isomorphic architectures are asked (`Space.canonical`).

    Deviations from NPENAS-NP: any encoding with any head of `predictors.heads` for its graph network; the space's own
    mutation. NaN counts as the worst and is not learned from.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, encoding: str = "path-features", head: str = "ridge",
        initial: int = 20, batch: int = 10, candidates: int = 100, population: int = 20, tournament: int = 5,
        exploration: str = "mean", by_class: bool = True,
    ) -> None:  # fmt: skip
        sizes = {"initial": initial, "batch": batch, "candidates": candidates, "population": population,
                 "tournament": tournament}  # fmt: skip
        for name, value in sizes.items():
            if value < 1:
                raise BadValue(f"{name}={value} given; legal: at least 1")
        if head not in HEADS:
            raise UnknownName.of("head", head, HEADS)
        if exploration not in ("mean", "thompson"):
            raise BadValue(f"exploration={exploration!r} given; legal: mean, thompson")
        super().__init__(space, rng, initial, by_class=by_class)
        self._predictor = Encoded(EncodedSpace(space, encoding).encoding, head)
        self._batch = batch
        self._candidates = candidates
        self._population = population
        self._tournament = tournament
        self._thompson = exploration == "thompson"

    def _learn(self, told: Evaluation) -> None:
        if np.isfinite(told.value):
            self._value[told.id] = told.value

    def _next_round(self) -> list[int]:
        mutants = self._mutants()
        if not len(mutants):
            return self._draw(self._batch)
        known, values = np.array(list(self._value)), np.array(list(self._value.values()))
        forecast = self._predictor.fit(self._space, known, values, self._rng).predict(mutants)
        promise = self._rng.normal(forecast.mean, forecast.deviation) if self._thompson else forecast.mean
        return mutants[np.argsort(-promise, kind="stable")[: self._batch]].tolist()

    def _mutants(self) -> Ids:
        """Distinct unseen children, none before anything was told."""
        best = sorted(self._value, key=self._value.__getitem__, reverse=True)[: self._population]
        found = np.empty(0, dtype=np.int64)
        for _ in range(TRIES if best else 0):
            ranks = self._rng.integers(len(best), size=(self._candidates, self._tournament)).min(axis=1)
            found = self._fresh(np.append(found, self._space.mutate(np.array(best)[ranks], self._rng)))
            if len(found) >= self._candidates:
                break
        return found[: self._candidates]


PRESETS: dict[str, dict[str, Any]] = {"npenas": {}, "thompson": {"exploration": "thompson"}}


def predicted_evolution(preset: str = "npenas", *, label: str = "", **settings: Any) -> Recipe:
    """Evolution with a predictor on any encoding (``encoding="path"``); single settings override those of ``preset``.

    ========  ==================================================================================================
    npenas    20 random architectures, then 10 a generation, the first of 100 mutants by the predicted value
    thompson  by a draw from the forecast of each mutant
    ========  ==================================================================================================
    """
    return Recipe.from_preset("predicted-evolution", PredictedEvolution, PRESETS, preset, label, settings)
