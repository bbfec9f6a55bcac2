"""Architectures asked for without knowing one another's result: how far they lie apart, how many are there twice.

With a barrier these are the batches. Without one they are whatever is in training when an architecture is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ...bench.spaces import Ids, ProductSpace, Space
from ...searchers.bayes.distances import DISTANCES
from ...searchers.bayes.embedding import embed
from ..statistics import SEED, Floats, bootstrap_mean
from .trajectory import Ints, Repetitions

MEASURES = {
    "choices": "choices that differ",
    "tree_wasserstein": "tree-Wasserstein distance",
    "repeated": "asked twice [%]",
    "isomorphic": "asked twice up to isomorphism [%]",
}
DISTANCES_OF = ("choices", "tree_wasserstein")  # those of `MEASURES` that are distances; the others are shares
DRAWN = 20_000  # pairs that stand for all of the space


def measures(space: Space) -> dict[str, str]:
    """Those of `MEASURES` that a space has: choices are counted where each of them can be made freely.

    On cells101 a cell is written as the smallest of its isomorphic matrices, in which one change of the cell may change
    every entry.
    """
    return {name: words for name, words in MEASURES.items() if name != "choices" or isinstance(space, ProductSpace)}


@dataclass(frozen=True, eq=False)
class Places:
    """The architectures ``ids`` (ascending) of a space as points between which distances are sums of differences."""

    ids: Ids
    choices: npt.NDArray[np.int8] | None  # (n, slots)
    points: Floats  # (n, coordinates)
    classes: Ids  # (n,)

    @classmethod
    def of(cls, space: Space, ids: npt.ArrayLike) -> Places:
        """The places of all distinct architectures in ``ids``."""
        distinct = np.unique(np.asarray(ids, dtype=np.int64))
        points = embed(DISTANCES["tree-wasserstein"], space, distinct).values
        choices = space.operations(distinct) if "choices" in measures(space) else None
        return cls(distinct, choices, points, space.canonical(distinct))

    def apart(self, a: npt.ArrayLike, b: npt.ArrayLike) -> dict[str, Floats]:
        """What lies between the architectures of each pair of ids, (n,) each, by the names of `measures`."""
        first, second = (np.searchsorted(self.ids, np.asarray(each, np.int64)) for each in (a, b))
        found: dict[str, Floats] = {}
        if self.choices is not None:
            found["choices"] = (self.choices[first] != self.choices[second]).sum(axis=1).astype(np.float64)
        return found | {
            "tree_wasserstein": np.abs(self.points[first] - self.points[second]).sum(axis=1),
            "repeated": (first == second).astype(np.float64),
            "isomorphic": (self.classes[first] == self.classes[second]).astype(np.float64),
        }


def blind_pairs(known: Floats) -> tuple[Ints, Ints]:
    """Pairs of evaluations of one run that were asked for without knowing each other's result: columns (later, other).

    ``known`` (n,) counts for each evaluation, in the order they ended, those that had ended when it was asked for.
    ``later`` is the one asked for later; of two asked for at the same time, the one that ended later.
    """
    n = len(known)
    since = known.astype(np.int64)
    counts = np.arange(n) - since  # those that ended before it and were not known: all after the first ``since``
    second = np.repeat(np.arange(n), counts)
    first = np.arange(len(second)) - np.repeat(np.cumsum(counts) - counts, counts) + since[second]
    swapped = since[first] > since[second]
    return np.where(swapped, first, second), np.where(swapped, second, first)


def diversity(runs: Repetitions, places: Places) -> dict[str, Floats]:
    """Each of `measures` for each run, (n_run,); NaN for a run in which nothing was asked for together.

    Distances are means over pairs; shares [percent] are of the evaluations that were asked for beside others.
    """
    nothing = places.apart([], [])
    found = {name: np.full(len(runs.seeds), np.nan) for name in nothing}
    for run, length in enumerate(runs.lengths):
        known = runs.numbers["known"][run, :length]
        if np.isnan(known).any():
            continue
        later, other = blind_pairs(known)
        if not len(later):
            continue
        ids = runs.id[run]
        apart = places.apart(ids[later], ids[other])
        beside = len(np.unique(np.concatenate([later, other])))
        for name, values in apart.items():
            twice = 100 * len(np.unique(later[values > 0])) / beside
            found[name][run] = values.mean() if name in DISTANCES_OF else twice
    return found


def batch_rows(space: Space, dataset: str, found: dict[str, Repetitions]) -> Iterator[dict[str, Any]]:
    """One row for each searcher that asked for some together: means over its runs with their bootstrap intervals."""
    asked = [np.unique(runs.id[runs.id >= 0]) for runs in found.values()]
    if not asked:
        return
    places = Places.of(space, np.concatenate(asked))
    for label, runs in found.items():
        row: dict[str, Any] = {"dataset": dataset, "searcher": label}
        for name, values in diversity(runs, places).items():
            known = values[~np.isnan(values)]
            low, high = bootstrap_mean(values, np.random.default_rng(SEED))
            row |= {"runs": known.size, f"{name}_mean": float(known.mean()) if known.size else np.nan,
                    f"{name}_low": float(low), f"{name}_high": float(high)}  # fmt: skip
        if row["runs"]:
            yield row


@lru_cache(maxsize=4)
def at_random(space: Space) -> dict[str, float]:
    """The distances between two independent architectures by the sampling law of the space, over `DRAWN` pairs."""
    rng = np.random.default_rng(SEED)
    a, b = space.sample(DRAWN, rng), space.sample(DRAWN, rng)
    apart = Places.of(space, np.concatenate([a, b])).apart(a, b)
    return {name: float(values.mean()) for name, values in apart.items() if name in DISTANCES_OF}
