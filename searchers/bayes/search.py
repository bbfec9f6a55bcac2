"""Bayesian optimisation with the tree-Wasserstein Gaussian process, one at a time or in batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy, deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadValue, UnknownName
from ...bench.objective import Evaluation
from ...bench.spaces import Ids, Space, Topology
from ..rounds import Rounds
from ..searcher import Recipe
from .acquisition import ACQUISITIONS, BETA, acquire
from .batches import BATCHES, choose
from .candidates import POOLS, Candidates
from .distances import DISTANCES, distance_called
from .drawn_matrices import DrawnMatrices
from .embedding import Distance, Points, whole_space
from .fitting import FITS, RELEASED, Scales, Tuning
from .tree_wasserstein import TreeWasserstein
from .trees import Variant
from .warping import TARGETS, normal_scores

if TYPE_CHECKING:
    from .field import Field
    from .gaussian_process import Posterior

FOLLOWED = 1 << 17  # architectures of a space whose marginals are kept up to date one observation at a time

Floats = npt.NDArray[np.float64]


class TreeWassersteinSearch(Rounds):
    """Rounds: a Gaussian process over architectures is updated, and its most promising candidates are asked.

    Nguyen, Le, Yamada & Osborne, ICML 2021. Validation accuracies are standardised and maximised (the paper minimises
    the error: the same). Candidates are `candidates` unseen ones: mutants of the ``parents`` best, ``mutants`` each;
    where there are none, random ones. One of them maximises the acquisition, several are chosen by `choose`.

    A round is asked before the next one is thought of; with several trainers it is thought of with the results at
    hand. The last of a round leave `ask` answering less than it is asked for. What is not finite is not learned from.

    With n observations and m candidates a round costs O(n (n + m)), for the factor grows by rows; a fit costs some 200
    likelihoods (published) of n^3 / 3 multiply-adds, n^3 with the gradient.

    Args:
        initial: random distinct architectures that come first.
        batch: architectures a round.
        refit: rounds after which length scales and noise are fitted again.
        growth: fit again, instead, when there are so many times more observations than at the last fit, as .5: half
            as many again. A fit costs their number cubed; all fits together then cost little more than the last one.
        grams: 1 counts operations, 2 also ordered pairs of them.
        alpha: how near operations of one family are.
        acquisition: "ucb" (``beta`` standard deviations), "ei" or "thompson".
        pool: "mutants", "space" (all that is unseen) or "random".
        candidates: size of a pool of mutants or random draws.
        method: how a batch is chosen, see `choose`; of no matter where ``batch`` is 1.
        fit: "published" bounds of length scales and noise, or "wide" ones.
        target: what the process is of: "accuracy" or "ranks" (their `normal_scores`).
        distance: "tree-wasserstein", which takes ``grams`` and ``alpha``, or another of `DISTANCES`.
        variant: "released" has the slips of the authors' code: `TreeWasserstein`, `Tuning`, the acquisition, the k-DPP;
            and on topology `DrawnMatrices`, so that operations are asked again with other matrices.

    Raises:
        BadValue: a setting without sense.
        UnknownName: no such acquisition, pool, method, fit, target or distance.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, initial: int = 20, batch: int = 1, refit: int = 50,
        growth: float = 0.0, grams: int = 1, alpha: float = 0.1, acquisition: str = "ucb", beta: float = BETA,
        pool: str = "mutants", candidates: int = 100, parents: int = 10, mutants: int = 30, method: str = "k-dpp",
        fit: str = "published", target: str = "accuracy", distance: str = "tree-wasserstein",
        variant: Variant = "paper",
    ) -> None:  # fmt: skip
        sizes = {"initial": initial, "batch": batch, "refit": refit, "candidates": candidates, "parents": parents,
                 "mutants": mutants}  # fmt: skip
        for name, value in sizes.items():
            if value < 1:
                raise BadValue(f"{name}={value} given; legal: at least 1")
        for what, given, legal in (("acquisition", acquisition, ACQUISITIONS), ("pool", pool, POOLS),
                                   ("batch method", method, BATCHES), ("distance", distance, DISTANCES),
                                   ("fit", fit, FITS), ("target", target, TARGETS)):  # fmt: skip
            if given not in legal:
                raise UnknownName.of(what, given, legal)
        if not 0 <= growth < math.inf:
            raise BadValue(f"growth={growth} given; legal: from 0 (every `refit` rounds) up, as .5")
        if not 0 <= beta < math.inf:
            raise BadValue(f"beta={beta} given; legal: a number from 0 up, as 1.0")
        if variant not in get_args(Variant):
            raise BadValue(f"variant={variant!r} given; legal: {', '.join(get_args(Variant))}")
        tree = distance == "tree-wasserstein"
        self._distance: Distance = TreeWasserstein(grams, alpha, variant) if tree else distance_called(distance)
        self._candidates = candidates_of(space, self._distance)
        if pool == "space" and isinstance(self._candidates, DrawnMatrices):
            raise BadValue("pool='space', variant='released' on topology; legal: 'mutants' or 'random', for there are "
                           "2^28 matrices for every cell")  # fmt: skip
        super().__init__(space, rng, initial)
        self._batch = batch
        self._refit = refit
        self._growth = growth
        self._acquisition = acquisition
        self._beta = beta
        self._pool = pool
        self._pool_size = candidates
        self._parents = parents
        self._mutants = mutants
        self._method = method
        self._variant: Variant = variant
        self._tuning: Tuning = RELEASED if variant == "released" else FITS[fit]
        self._target = target
        self._rounds = 0
        self._fitted_on = 0
        self._scales: Scales | None = None
        self._told: Points | None = None
        self._last: Posterior | None = None
        self._field: Field | None = None

    def _draw(self, n: int) -> list[int]:
        return self._candidates.draw(n, self._seen, self._rng).tolist()

    def ask(self, n: int = 1) -> Sequence[int]:
        return self._candidates.asked(super().ask(n))

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        super().tell([self._candidates.told(each) for each in evaluations])

    def _learn(self, told: Evaluation) -> None:
        if np.isfinite(told.value):
            self._value[told.id] = told.value

    def posterior(self) -> Posterior:
        """What the search believes now, of accuracies or of their scores; the scales are those of its last fit.

        Looking changes nothing: where there was no fit yet, the one that is made is forgotten.

        Raises:
            BadValue: nothing has been told yet.
        """
        if not self._value:
            raise BadValue("nothing has been told; a posterior needs at least one finite value")
        looking = copy(self)
        looking._rng = deepcopy(self._rng)
        return looking._believed()

    def _believed(self) -> Posterior:
        from .gaussian_process import Posterior, standard
        from .likelihood import fit_scales

        values = np.array(list(self._value.values()), dtype=np.float64)
        if self._target == "ranks":
            values = normal_scores(values)
        points = self._known_points()
        if self._scales is None:
            mean, spread = standard(values)
            self._scales, self._last = fit_scales(points, (values - mean) / spread, self._tuning, self._rng), None
            self._fitted_on = len(values)
        if self._last is None:
            self._last = Posterior(points, values, self._scales)
        else:
            self._last = self._last.followed_by(points, values)
        return self._last

    def _known_points(self) -> Points:
        """Of all that was told, in its order; each is embedded once."""
        known = list(self._value)
        if self._told is None:
            self._told = self._candidates.embed(np.array(known, dtype=np.int64))
        elif len(known) > len(self._told.values):
            new = self._candidates.embed(np.array(known[len(self._told.values) :], dtype=np.int64))
            self._told = Points(np.concatenate([self._told.values, new.values]), new.sizes)
        return self._told

    def _next_round(self) -> list[int]:
        if not self._value:
            return self._draw(self._batch)
        ids = self._candidate_ids()
        if not len(ids):
            return []
        if self._fit_is_due():
            self._scales = None
        self._rounds += 1
        posterior = self._believed()
        if self._batch == 1 and self._acquisition != "thompson":
            return [int(ids[np.argmax(self._promise(posterior, *self._marginals(posterior, ids)))])]
        if len(ids) > self._pool_size:
            promise = self._promise(posterior, *self._marginals(posterior, ids))
            ids = ids[np.argsort(-promise, kind="stable")[: self._pool_size]]
        return ids[self._chosen(posterior, self._candidates.embed(ids))].tolist()

    def _fit_is_due(self) -> bool:
        if not self._growth:
            return self._rounds % self._refit == 0
        return len(self._value) >= (1 + self._growth) * self._fitted_on

    def _candidate_ids(self) -> Ids:
        if self._pool == "space":
            return self._candidates.unseen(self._seen)
        ids = np.empty(0, dtype=np.int64)
        if self._pool == "mutants":
            best = sorted(self._value, key=self._value.__getitem__, reverse=True)[: self._parents]
            ids = self._candidates.mutants(best, self._seen, self._rng, each=self._mutants, size=self._pool_size)
        return ids if len(ids) else self._candidates.draw(self._pool_size, self._seen, self._rng)

    def _marginals(self, posterior: Posterior, ids: Ids) -> tuple[Floats, Floats]:
        if self._pool != "space" or self._space.size > FOLLOWED:
            return posterior.marginals(self._candidates.embed(ids))
        if self._field is None:
            from .field import Field

            self._field = Field(whole_space(self._distance, self._space))
        mean, variance = self._field.marginals(posterior)
        return mean[ids], variance[ids]

    def _promise(self, posterior: Posterior, mean: Floats, covariance: Floats) -> Floats:
        centre, spread = posterior.standard
        best = (float(posterior.values.max()) - centre) / spread
        return acquire(self._acquisition, mean, covariance, best, self._rng, beta=self._beta, variant=self._variant)

    def _chosen(self, posterior: Posterior, points: Points) -> list[int]:
        mean, covariance = posterior.predict(points)
        promise = partial(self._promise, posterior)
        if self._batch == 1:
            return [int(np.argmax(promise(mean, covariance)))]
        centre, spread = posterior.standard
        best = (float(posterior.values.max()) - centre) / spread
        distances = points.distances().sum(axis=0) if self._method == "local-penalisation" else None
        return choose(self._method, self._batch, mean, covariance, promise, self._rng, noise=posterior.scales.noise,
                      best=best, distances=distances, variant=self._variant)  # fmt: skip


def candidates_of(space: Space, distance: Distance) -> Candidates:
    """What a search with that distance chooses from."""
    if isinstance(space, Topology) and isinstance(distance, TreeWasserstein) and distance.variant == "released":
        return DrawnMatrices(space, distance)
    return Candidates(space, distance)


SEQUENTIAL: dict[str, dict[str, Any]] = {
    "published": {},
    "published-2": {"grams": 2},
    "tuned": {"initial": 10, "growth": 0.5, "grams": 2, "acquisition": "ei", "fit": "wide", "target": "ranks"},
    "released": {"variant": "released"},
    "released-2": {"variant": "released", "grams": 2},
}
IN_BATCHES: dict[str, Any] = {"batch": 5, "initial": 50, "refit": 5}
BATCHED = {name: {**IN_BATCHES, **settings} for name, settings in SEQUENTIAL.items()}
BATCHED["tuned"] = {**BATCHED["tuned"], "method": "kriging-believer"}


def tw_gp(preset: str = "published", *, label: str = "", **settings: Any) -> Recipe:
    """Bayesian optimisation with tree-Wasserstein distances, one at a time; single settings override the preset's.

    ===========  ===================================================================================================
    published    20 random architectures, then one a round (the paper: 180 rounds), scales fitted every 50; the upper
                 confidence bound with beta = 2 log 100 over 100 mutants of the 10 best; operations counted
    published-2  the same with operations and ordered pairs of them
    tuned        10 random architectures, then the expected improvement of ranks under scales from wide bounds, fitted
                 whenever there are half as many observations more; operations and ordered pairs
    released     as published, with the slips of the authors' code (ntienvu/TW_NAS) and, on topology, its random
                 adjacency matrices (`DrawnMatrices`): the published numbers come out of these
    released-2   the same with pairs
    ===========  ===================================================================================================
    """
    return Recipe.from_preset("tw-gp", TreeWassersteinSearch, SEQUENTIAL, preset, label, settings)


def tw_gp_batch(preset: str = "published", *, label: str = "", **settings: Any) -> Recipe:
    """The same in batches: 50 random architectures, then 5 a round (the paper: 50 rounds) drawn from a k-DPP.

    The presets are those of `tw_gp`; where they fit scales by rounds, it is every 5. tuned chooses batches by the
    kriging believer instead of the k-DPP.
    """
    return Recipe.from_preset("tw-gp-batch", TreeWassersteinSearch, BATCHED, preset, label, settings)
