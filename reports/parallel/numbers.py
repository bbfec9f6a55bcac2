"""What trainers are judged by: regret at equal queries and at equal time, speed-up, idleness, diversity of batches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from ...bench.spaces import SPACES, Space, space
from ...searchers.bayes.embedding import embed
from ...searchers.bayes.tree_wasserstein import TreeWasserstein
from ..comparison.batches import Places, diversity
from ..comparison.trainers import idle_share
from ..comparison.trajectory import Repetitions
from ..significance import holm, signed_rank, verdict
from ..statistics import LEVEL, SEED, Floats, bootstrap_mean
from .fleet import Fleet, Setting
from .volume import volumes

POINTS = 300  # of a curve over time
RESAMPLES = 1000


@dataclass(frozen=True)
class Measure:
    """One number of a repetition; ``better`` is 1 where larger is better, -1 where smaller is, 0 where it depends."""

    name: str
    words: str
    title: str
    better: int
    digits: int = 2


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("queries", "at equal queries", "test {what} after {queries:,.0f} queries [{unit}]", -1, 3),
        Measure("seconds", "at equal time", "test {what} after {seconds:,.4g} s [{unit}]", -1, 3),
        Measure("speed_up", "speed-up", "times faster than {first}, to {queries:,.0f} queries", 1),
        Measure("sooner", "sooner as good", "times sooner at the mean {what} that {first} ends with", 1),
        Measure("idle", "without work", "trainers without work [%]", -1, 1),
        Measure("tree_wasserstein", "distance in batches", "tree-Wasserstein distance inside batches", 0, 3),
        Measure("choices", "choices in batches", "choices that differ inside batches", 0),
        Measure("volume", "volume of batches", "log det of the kernel of a batch, per architecture", 0, 3),
        Measure("isomorphic", "twins in batches", "asked for beside an isomorphic one [%]", -1, 1),
    )
}
BATCHES = ("tree_wasserstein", "choices", "volume", "isomorphic")
COMPARED = ("queries", "seconds", "tree_wasserstein")
"""Measures whose differences between searchers are tested."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """All measures of a fleet, computed when they are first asked for."""

    fleet: Fleet

    @property
    def measures(self) -> tuple[str, ...]:
        """Those of `MEASURES` that the space has."""
        missing = set()
        if self.known_space is None:
            missing = set(BATCHES)
        elif "choices" not in self._apart_names:
            missing = {"choices"}
        return tuple(name for name in MEASURES if name not in missing)

    def title(self, measure: str, dataset: str) -> str:
        """What the axis of a measure says."""
        regret = self.fleet.best(dataset) is not None
        return MEASURES[measure].title.format(
            what="regret" if regret else "error", unit="points", queries=self.fleet.queries[dataset],
            seconds=self.fleet.seconds[dataset], first=str(self.fleet.first),
        )  # fmt: skip

    def regret(self, dataset: str, accuracy: Floats) -> Floats:
        """What is missing to the table's best test accuracy, or to 100 % where that is unknown [points]."""
        best = self.fleet.best(dataset)
        return (100.0 if best is None else best) - accuracy

    def values(self, setting: Setting, dataset: str, label: str, measure: str) -> Floats:
        """One number for each seed, (seeds,); NaN where there is none. Not for "sooner", which has one for all."""
        key = (setting, dataset, label, measure)
        if key not in self._known:
            runs = self.fleet.repetitions(setting, dataset, label)
            nothing = np.full(self.fleet.asked.seeds, np.nan)
            self._known[key] = nothing if runs is None else self.fleet.by_seed(runs, self._of(key, runs))
        return self._known[key]

    @cached_property
    def _known(self) -> dict[tuple[Setting, str, str, str], Floats]:
        return {}

    def _of(self, key: tuple[Setting, str, str, str], runs: Repetitions) -> Floats:
        setting, dataset, label, measure = key
        if measure == "idle":
            return 100 * idle_share(runs, setting.workers)
        if measure == "speed_up":
            mine = self._makespan(runs, dataset)
            first = self.fleet.repetitions(self.fleet.first, dataset, label)
            theirs = np.full(self.fleet.asked.seeds, np.nan)
            if first is not None:
                theirs = self.fleet.by_seed(first, self._makespan(first, dataset))
            return theirs[runs.seeds] / mine
        if measure in BATCHES:
            return self._batches(setting, dataset, label, runs)[measure]
        end = float(self.fleet.queries[dataset] if measure == "queries" else self.fleet.seconds[dataset])
        accuracy = runs.at("test", runs.finished(measure, np.array([end])))[:, 0]
        return self.regret(dataset, accuracy)

    def _makespan(self, runs: Repetitions, dataset: str) -> Floats:
        """When the common number of queries was finished, (n_run,) [simulated seconds]."""
        return np.asarray(runs.numbers["seconds"][:, self.fleet.queries[dataset] - 1], dtype=np.float64)

    @cached_property
    def known_space(self) -> Space | None:
        """The space; None where it is unknown here, or the ids are none of it."""
        name = self.fleet.asked.benchmark.space
        return space(name) if name in SPACES else None

    @property
    def space(self) -> Space:
        """The space, where it is known."""
        assert self.known_space is not None
        return self.known_space

    @cached_property
    def _apart_names(self) -> tuple[str, ...]:
        return tuple(Places.of(self.space, [0]).apart([], []))

    @cached_property
    def _diversities(self) -> dict[tuple[Setting, str, str], dict[str, Floats]]:
        return {}

    def _batches(self, setting: Setting, dataset: str, label: str, runs: Repetitions) -> dict[str, Floats]:
        key = (setting, dataset, label)
        if key not in self._diversities:
            distinct = np.unique(runs.id[runs.id >= 0])
            found = diversity(runs, Places.of(self.space, distinct))
            points = embed(TreeWasserstein(), self.space, distinct)
            self._diversities[key] = found | {"volume": volumes(runs, distinct, points)}
        return self._diversities[key]

    def curve(self, setting: Setting, dataset: str, label: str, x: Floats, axis: str) -> Floats:
        """Regret of the incumbent of each run at points of an axis, (n_run, n); NaN before its first evaluation."""
        runs = self.fleet.repetitions(setting, dataset, label)
        if runs is None:
            return np.full((0, len(x)), np.nan)
        ended = runs.ends(axis)[:, None] < x[None, :]
        return np.where(ended, np.nan, self.regret(dataset, runs.at("test", runs.finished(axis, x))))

    def sooner(self, setting: Setting, dataset: str, label: str) -> tuple[float, float, float]:
        """How many times sooner the mean regret is down at what the fewest trainers end with: value, interval.

        Both curves are means over the same seeds; the interval resamples seeds (percentiles). NaN where it is never
        reached in the common time; then the interval is one-sided or absent.
        """
        x = np.linspace(0, self.fleet.seconds[dataset], POINTS + 1)[1:]
        curves = []
        for each in (self.fleet.first, setting):
            runs = self.fleet.repetitions(each, dataset, label)
            whole = np.full((self.fleet.asked.seeds, len(x)), np.nan)
            if runs is not None:
                whole[runs.seeds] = self.regret(dataset, runs.at("test", runs.finished("seconds", x)))
            curves.append(whole)
        both = ~np.isnan(curves[0][:, -1]) & ~np.isnan(curves[1][:, -1])
        if not both.any():
            return math.nan, math.nan, math.nan
        one, mine = (curve[both] for curve in curves)
        counts = np.random.default_rng(SEED).multinomial(len(one), np.full(len(one), 1 / len(one)), RESAMPLES)
        ratios = [_sooner(x, weights @ one, weights @ mine) for weights in (np.ones(len(one)), *counts)]
        known = np.array([ratio for ratio in ratios[1:] if not math.isnan(ratio)])
        if len(known) < RESAMPLES * LEVEL or len(one) < 2:
            return ratios[0], math.nan, math.nan
        low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return ratios[0], float(low), float(high)

    def summary(self, setting: Setting, dataset: str, label: str, measure: str) -> tuple[float, float, float]:
        """Mean over seeds and its bootstrap interval; remembered."""
        key = (setting, dataset, label, measure)
        if key not in self._summaries:
            if measure == "sooner":
                self._summaries[key] = self.sooner(setting, dataset, label)
            else:
                values = self.values(setting, dataset, label, measure)
                known = values[~np.isnan(values)]
                low, high = bootstrap_mean(known, np.random.default_rng(SEED))
                self._summaries[key] = (float(known.mean()) if known.size else math.nan, float(low), float(high))
        return self._summaries[key]

    @cached_property
    def _summaries(self) -> dict[tuple[Setting, str, str, str], tuple[float, float, float]]:
        return {}

    @cached_property
    def rows(self) -> pd.DataFrame:
        """One row a data set, searcher, setting and measure."""
        rows = []
        for dataset in self.fleet.datasets:
            at = {"queries": self.fleet.queries[dataset], "seconds": self.fleet.seconds[dataset]}
            for label in self.fleet.labels:
                for setting in sorted(self.fleet.runs):
                    for measure in self.measures:
                        mean, low, high = self.summary(setting, dataset, label, measure)
                        keys = {"dataset": dataset, "searcher": label, "workers": setting.workers, "mode": setting.mode}
                        rows.append({**keys, "measure": measure, **at, "mean": mean, "low": low, "high": high})
        return pd.DataFrame(rows)

    @cached_property
    def modes(self) -> pd.DataFrame:
        """Nobody waits minus all wait, seed by seed: regret at equal time and queries, by searcher and trainers.

        ``p_holm`` is adjusted over the searchers and numbers of trainers of one data set and measure.
        """
        rows = []
        for dataset in self.fleet.datasets:
            for measure in ("seconds", "queries"):
                family: list[tuple[dict[str, Any], Floats]] = []
                for label in self.fleet.labels:
                    for count in sorted({each.workers for each in self.fleet.runs if each.workers > 1}):
                        pair = [Setting(count, mode) for mode in ("async", "sync")]
                        if all(each in self.fleet.runs for each in pair):
                            free, barrier = (self.values(each, dataset, label, measure) for each in pair)
                            keys = {"dataset": dataset, "measure": measure, "searcher": label, "workers": count}
                            family.append((keys, free - barrier))
                rows += _adjusted(family)
        return pd.DataFrame(rows)

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Every searcher minus every later one, seed by seed, for each setting and each of `COMPARED`.

        ``p_holm`` is adjusted over the pairs of searchers of one data set, setting and measure.
        """
        rows = []
        for dataset in self.fleet.datasets:
            for setting in sorted(self.fleet.runs):
                for measure in (name for name in COMPARED if name in self.measures):
                    family: list[tuple[dict[str, Any], Floats]] = []
                    for one, other in combinations(self.fleet.labels, 2):
                        mine, theirs = (self.values(setting, dataset, each, measure) for each in (one, other))
                        keys = {"dataset": dataset, "workers": setting.workers, "mode": setting.mode,
                                "measure": measure, "searcher": one, "reference": other}  # fmt: skip
                        family.append((keys, mine - theirs))
                    rows += _adjusted(family)
        return pd.DataFrame(rows)


def _sooner(x: Floats, one: Floats, mine: Floats) -> float:
    """Ratio of the times at which two curves first are down at where the first one ends; NaN where one never is."""
    target = one[-1] + 1e-9 * abs(one[-1])
    times = [x[int(np.argmax(curve <= target))] if (curve <= target).any() else math.nan for curve in (one, mine)]
    return float(times[0] / times[1])


def _difference(difference: Floats) -> dict[str, Any]:
    known = difference[~np.isnan(difference)]
    low, high = bootstrap_mean(known, np.random.default_rng(SEED))
    mean = float(known.mean()) if known.size else math.nan
    return {"pairs": known.size, "mean": mean, "low": float(low), "high": float(high), "p": signed_rank(known)}


def _adjusted(family: list[tuple[dict[str, Any], Floats]]) -> list[dict[str, Any]]:
    rows = [keys | _difference(difference) for keys, difference in family]
    return [
        {**row, "p_holm": float(p), "verdict": verdict(difference, float(p))}
        for row, p, (_, difference) in zip(rows, holm([row["p"] for row in rows]), family, strict=True)
    ]
