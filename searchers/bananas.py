"""BANANAS (White, Neiswanger & Savani, AAAI 2021): Bayesian optimization with an ensemble of neural predictors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bench.errors import BadValue
from ..bench.objective import Evaluation
from ..bench.spaces import Ids, Space
from .ensemble import Ensemble, Training
from .paths import path_encoding
from .rounds import Rounds
from .searcher import Recipe
from .slots import Rows, Slots, edit_rates, other_choices
from .unseen import draw_unseen


class Bananas(Rounds):
    """Rounds of ``batch`` architectures: train the ensemble, mutate the best, take what a draw from it promises most.

    The ensemble predicts the validation error [percent] from the truncated path encoding (`path_encoding`).
    Candidates are distinct architectures not asked before: up to ``candidates`` mutants of the best architecture, and
    where these are fewer than that, mutants of the next best, up to the ``patience`` best. Independent Thompson
    sampling draws one value per candidate from N(mean, std of the ensemble) and asks the smallest first.

    A round is asked before the next one is thought of; with several trainers it is thought of with the results at
    hand. The last of a round leave `ask` answering less than it is asked for. NaN counts as the worst and is not
    learned from.

    Args:
        initial: random distinct architectures that come first.
        batch: architectures a round.
        candidates: how many candidates are enough.
        patience: how many of the best may be mutated.
        length: positions of the path encoding; None for those naszilla keeps.
        members, layers, width, epochs, minibatch, rate: of the ensemble, see `Training`.

    Deviation: naszilla tells NAS-Bench-101 cells apart by their paths, we by isomorphism; its cells stay unpruned when
    they are mutated again, ours start from the stored cell.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, initial: int = 10, batch: int = 10, candidates: int = 100,
        patience: int = 5, length: int | None = None, members: int = 5, layers: int = 10, width: int = 20,
        epochs: int = 150, minibatch: int = 32, rate: float = 0.01,
    ) -> None:  # fmt: skip
        sizes = {
            "initial": initial, "batch": batch, "candidates": candidates, "patience": patience, "members": members,
            "layers": layers, "width": width, "epochs": epochs, "minibatch": minibatch,
        }  # fmt: skip
        for name, value in sizes.items():
            if value < 1:
                raise BadValue(f"{name}={value} given; legal: at least 1")
        super().__init__(space, rng, initial)
        self._batch = batch
        self._candidates = candidates
        self._patience = patience
        self._length = length
        self._training = Training(members, layers, width, epochs, minibatch, rate)
        self._slots = Slots(space)
        self._rates = edit_rates(space)

    def _learn(self, told: Evaluation) -> None:
        self._value[told.id] = told.value  # NaN included

    def _next_round(self) -> list[int]:
        known = {arch: value for arch, value in self._value.items() if value == value}
        candidates = self._mutants(sorted(known, key=known.__getitem__, reverse=True)[: self._patience])
        if not len(candidates):
            return draw_unseen(self._space, self._rng, self._seen, self._batch)
        predicted = self._predict(np.array(list(known)), np.array(list(known.values())), candidates)
        drawn = self._rng.normal(predicted.mean(axis=0), predicted.std(axis=0))
        return candidates[np.argsort(drawn, kind="stable")[: self._batch]].tolist()

    def _mutants(self, parents: Sequence[int]) -> Ids:
        found: dict[int, None] = {}
        for row in self._slots.rows(list(parents)) if parents else ():
            for arch in self._children(row).tolist():
                if arch not in self._seen:
                    found[arch] = None
            if len(found) >= self._candidates:
                break
        return np.array(list(found), dtype=np.int64)

    def _children(self, row: Rows) -> Ids:
        """``candidates`` mutants of a row; illegal ones are drawn again."""
        legal = np.empty(0, dtype=np.int64)
        while len(legal) < self._candidates:
            rows = np.tile(row, (self._candidates - len(legal), 1))
            changed = self._rng.random(rows.shape) < self._rates
            ids = self._slots.ids(other_choices(rows, changed, self._slots.levels, self._rng))
            legal = np.concatenate([legal, ids[ids >= 0]])
        return legal

    def _predict(self, known: Ids, values: npt.NDArray[np.float64], candidates: Ids) -> npt.NDArray[np.float64]:
        """Validation error [percent] of the candidates by every member, (members, n)."""
        inputs = path_encoding(self._space, known, self._length)
        ensemble = Ensemble(inputs.shape[1], self._training, self._rng)
        ensemble.fit(inputs, (100 - values).astype(np.float32))
        return ensemble.predict(path_encoding(self._space, candidates, self._length)).astype(np.float64)


PRESETS: dict[str, dict[str, Any]] = {"naszilla": {}}


def bananas(preset: str = "naszilla", *, label: str = "", **settings: Any) -> Recipe:
    """BANANAS with the settings of naszilla, published for 150 queries; single settings override them.

    10 random architectures, then 10 a round; 5 perceptrons of 10 layers of 20, 150 epochs of Adam at rate .01 on the
    mean absolute error, batches of 32; independent Thompson sampling over 100 mutants.
    """
    return Recipe.from_preset("bananas", Bananas, PRESETS, preset, label, settings)
