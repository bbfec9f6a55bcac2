"""CATE-DNGO and CATE-DNGO-LS (Yan et al., ICML 2021), with any encoding of architectures."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from ..bench.errors import BadValue
from ..bench.objective import Evaluation
from ..bench.spaces import Ids, Space
from .dngo_model import Dngo, Training, log_expected_improvement, released_expected_improvement
from .encoded_space import EncodedSpace
from .rounds import Rounds
from .searcher import Recipe
from .unseen import draw_unseen

Variant = Literal["paper", "released"]


class DngoSearch(Rounds):
    """Bayesian optimization with `Dngo` on an encoding: the architectures of largest expected improvement, and near.

    A round fits the model to everything told and asks the ``batch`` unseen architectures of the whole space whose
    expected improvement over the best value so far is largest. With ``local`` every second round asks, for each of the
    ``batch`` best so far, the unseen architecture whose encoding is nearest (Euclidean). After ``patience`` rounds in
    a row without a better value ``initial`` random architectures come.

    Values are percent; the model sees hundredths. NaN is not learned from.

    Args:
        encoding: of `proxies.encodings`, one that answers a row of numbers.
        initial: random distinct architectures that come first.
        candidates: look at so many random unseen architectures in a round instead of all.
        units, epochs, minibatch, rate, weight: of the network, see `Training`.
        variant: "released" does as the authors' code: the improvement is that over an accuracy of 100 %, with the
            variance for the deviation and 1 added, and the model has no intercept (`Dngo`).

    Deviations: nothing is asked twice (the released check compares tensor objects); the bests of a local round may be
    those just asked.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, encoding: str = "adjacency", local: bool = False,
        initial: int = 16, batch: int = 5, patience: int = 20, candidates: int | None = None,
        units: int = 128, epochs: int = 30, minibatch: int = 10, rate: float = 0.01, weight: float = 5.0,
        variant: str = "paper",
    ) -> None:  # fmt: skip
        sizes = {"initial": initial, "batch": batch, "patience": patience, "units": units, "epochs": epochs,
                 "minibatch": minibatch, "candidates": 1 if candidates is None else candidates}  # fmt: skip
        for name, value in sizes.items():
            if value < 1:
                raise BadValue(f"{name}={value} given; legal: at least 1")
        if weight <= 1:
            raise BadValue(f"weight={weight} given; legal: above 1")
        if variant not in get_args(Variant):
            raise BadValue(f"variant={variant!r} given; legal: {', '.join(get_args(Variant))}")
        super().__init__(space, rng, initial)
        self._encoded = EncodedSpace(space, encoding)
        self._local = local
        self._initial = initial
        self._batch = batch
        self._patience = patience
        self._candidates = candidates
        self._training = Training(units, epochs, minibatch, rate, weight)
        self._released = variant == "released"
        self._rounds = 0
        self._stale = 0
        self._best = -np.inf

    def _learn(self, told: Evaluation) -> None:
        if np.isfinite(told.value):
            self._value[told.id] = told.value

    def _next_round(self) -> list[int]:
        if not self._value:
            return draw_unseen(self._space, self._rng, self._seen, self._initial)
        best = max(self._value.values())
        self._stale, self._best = (0, best) if best > self._best else (self._stale + 1, self._best)
        if self._stale >= self._patience:
            self._stale = 0
            return draw_unseen(self._space, self._rng, self._seen, self._initial)
        self._rounds += 1
        unseen = self._unseen()
        if not len(unseen):
            return []
        return self._near(unseen) if self._local and self._rounds % 2 == 0 else self._promising(unseen)

    def _unseen(self) -> Ids:
        if self._candidates is not None:
            drawn = draw_unseen(self._space, self._rng, self._seen, self._candidates)
            return np.array(drawn, dtype=np.int64)
        unseen = np.ones(self._space.size, dtype=bool)
        unseen[list(self._seen)] = False
        return np.flatnonzero(unseen)

    def _promising(self, unseen: Ids) -> list[int]:
        known, values = list(self._value), np.array(list(self._value.values())) / 100
        model = Dngo(self._encoded.rows(known), values, self._training, self._rng, released=self._released)
        promise = []
        for _, rows in self._encoded.chunks(unseen):
            mean, variance = model.predict(rows)
            if self._released:
                promise.append(released_expected_improvement(mean, variance, 1.0))
            else:
                promise.append(log_expected_improvement(mean, variance, values.max()))
        return unseen[np.argsort(-np.concatenate(promise), kind="stable")[: self._batch]].tolist()

    def _near(self, unseen: Ids) -> list[int]:
        best = sorted(self._value, key=self._value.__getitem__, reverse=True)[: self._batch]
        chosen: list[int] = []
        for arch in best:
            near = self._encoded.nearest(arch, unseen, len(chosen) + 1)
            chosen += [found for found in near if found not in chosen][:1]
        return chosen


PRESETS: dict[str, dict[str, Any]] = {"published": {}, "released": {"variant": "released"}}
CATE = {name: {"encoding": "cate", **settings} for name, settings in PRESETS.items()}
CATE_LS = {name: {**settings, "local": True} for name, settings in CATE.items()}


def dngo(preset: str = "published", *, label: str = "", **settings: Any) -> Recipe:
    """DNGO on any encoding (``encoding="path"``; default: adjacency); single settings override those of ``preset``.

    =========  =====================================================================================================
    published  16 random architectures, then 5 a round by expected improvement over the best value so far
    released   the same with model and formula of the authors' code
    =========  =====================================================================================================
    """
    return Recipe.from_preset("dngo", DngoSearch, PRESETS, preset, label, settings)


def cate_dngo(preset: str = "published", *, label: str = "", **settings: Any) -> Recipe:
    """CATE-DNGO: `dngo` on the CATE encoding. The presets are those of `dngo`."""
    return Recipe.from_preset("cate-dngo", DngoSearch, CATE, preset, label, settings)


def cate_dngo_ls(preset: str = "published", *, label: str = "", **settings: Any) -> Recipe:
    """CATE-DNGO-LS: `cate_dngo`, every second round the nearest neighbours of the 5 best (paper: 150 queries)."""
    return Recipe.from_preset("cate-dngo-ls", DngoSearch, CATE_LS, preset, label, settings)
