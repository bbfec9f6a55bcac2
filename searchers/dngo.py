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
from .unseen import unseen

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
        by_class: ask no two isomorphic architectures (`Space.canonical`). Encodings that say what a cell computes
            (CATE, arch2vec) give twins the same improvement, and asking them teaches nothing new.
        units, epochs, minibatch, rate, weight: of the network, see `Training`.
        variant: "released" does as the authors' code: the improvement is that over an accuracy of 100 %, with the
            variance for the deviation and 1 added, and the model has no intercept (`Dngo`).

    Deviations: nothing is asked twice (the released check compares tensor objects); the bests of a local round may be
    those just asked.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, encoding: str = "adjacency", local: bool = False,
        initial: int = 16, batch: int = 5, patience: int = 20, candidates: int | None = None, by_class: bool = True,
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
        super().__init__(space, rng, initial, by_class=by_class)
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
            return self._draw(self._initial)
        best = max(self._value.values())
        self._stale, self._best = (0, best) if best > self._best else (self._stale + 1, self._best)
        if self._stale >= self._patience:
            self._stale = 0
            return self._draw(self._initial)
        self._rounds += 1
        among = self._among()
        if not len(among):
            return []
        return self._near(among) if self._local and self._rounds % 2 == 0 else self._promising(among)

    def _among(self) -> Ids:
        """Unseen architectures to choose from."""
        if self._candidates is None:
            return unseen(self._space, self._seen)
        return np.array(self._draw(self._candidates), dtype=np.int64)

    def _promising(self, among: Ids) -> list[int]:
        known, values = list(self._value), np.array(list(self._value.values())) / 100
        model = Dngo(self._encoded.rows(known), values, self._training, self._rng, released=self._released)
        promise = []
        for _, rows in self._encoded.chunks(among):
            mean, variance = model.predict(rows)
            if self._released:
                promise.append(released_expected_improvement(mean, variance, 1.0))
            else:
                promise.append(log_expected_improvement(mean, variance, values.max()))
        ranked = among[np.argsort(-np.concatenate(promise), kind="stable")]
        return self._fresh(ranked)[: self._batch].tolist()

    def _near(self, among: Ids) -> list[int]:
        best = sorted(self._value, key=self._value.__getitem__, reverse=True)[: self._batch]
        chosen: list[int] = []
        for arch in best:
            chosen += self._encoded.nearest(arch, among, 1, seen={*self._seen, *chosen}, by_class=self._by_class)
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
