"""Every statistic of every score against every truth, each with its interval and its spread over seeds, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ...bench.parallel import answers
from ..correlation_statistics import SHARES, Agreement, Estimate, Resampled, agreement, best, both_known, draws
from ..statistics import Floats
from ..top_statistics import top
from .evidence import Evidence, Scored, Truth

KS = (1, 10, 100)
MANY = 200_000  # architectures, over all pairs of score and truth: beyond, every core takes part
FEWEST = 10  # architectures among the best, for a correlation
CORRELATIONS = ("kendall", "spearman", "weighted")
TOPS = ("precision", "recall", "best_rank", "regret", "ndcg")
CEILING = "two trainings"
AMONG = {share: "all" if share == 1 else f"top {share * 100:g} %" for share in SHARES}

Key = tuple[str, str, str, str]  # score, truth, among, statistic


@dataclass(frozen=True)
class Measure:
    """One statistic: its value with the interval over architectures, and the values of single seeds (n_seed,).

    ``used`` architectures have both score and truth, ``missing`` lack one; ``ties`` share their score with another.
    """

    estimate: Estimate
    seeds: tuple[float, ...]
    used: int
    missing: int
    ties: int


@dataclass(frozen=True, eq=False)
class Measures:
    """All measures by (score, truth's key, among, statistic); ``per_class`` are tau over one architecture a class."""

    found: dict[Key, Measure]
    per_class: dict[tuple[str, str], float]
    taus: dict[str, Floats]  # of each score with the main truth, of every resample
    ks: tuple[int, ...]

    def of(self, score: str, truth: Truth, statistic: str, among: str = "all") -> Measure | None:
        """One measure, None where it makes no sense for that score."""
        return self.found.get((score, truth.key, among, statistic))

    def value(self, score: str, truth: Truth, statistic: str, among: str = "all") -> float:
        """Its value, NaN where there is none."""
        measure = self.of(score, truth, statistic, among)
        return float("nan") if measure is None else measure.estimate.value

    def frame(self, found: Evidence) -> pd.DataFrame:
        """One row a measure."""
        truths = {truth.key: truth for truth in found.truths}
        kinds = {each.name: each.kind for each in found.scored}
        rows = []
        for (score, key, among, statistic), measure in self.found.items():
            known = [value for value in measure.seeds if value == value]
            rows.append({
                "score": score, "kind": kinds.get(score, "ceiling" if score == CEILING else "training"),
                "dataset": truths[key].dataset, "truth": truths[key].metric, "epochs": truths[key].budget,
                "among": among, "statistic": statistic, "value": measure.estimate.value,
                "low": measure.estimate.low, "high": measure.estimate.high, "seeds": len(measure.seeds),
                "seed_lowest": min(known, default=np.nan), "seed_highest": max(known, default=np.nan),
                "seed_std": float(np.std(known, ddof=1)) if len(known) > 1 else np.nan,
                "architectures": measure.used, "missing": measure.missing, "ties": measure.ties,
            })  # fmt: skip
        return pd.DataFrame(rows)


def measures(found: Evidence, resamples: int, elsewhere: int) -> Measures:
    """All statistics of a run; work is spread over the cores where there is much of it.

    Args:
        resamples: of the intervals for the main truth.
        elsewhere: of those for the others.
    """
    ks = tuple(k for k in KS if 4 * k <= len(found.ids)) or (1,)
    pieces: list[tuple[Any, ...]] = []
    for truth in found.truths:
        many = resamples if truth is found.main else elsewhere
        for each in (*found.scored, *truth.trainings()):
            by_seed = each.by_seed if len(each.by_seed) > 1 else each.by_seed[:0]
            pieces.append(((each.name, truth.key), each.values, by_seed, truth.values, ks, many))
        pieces += [((CEILING, truth.key), one, one[None][:0], other, ks, many) for one, other in truth.pairs()]
    jobs = -1 if len(pieces) * len(found.ids) > MANY else 1
    measured: dict[tuple[str, str], list[dict[tuple[str, str], Measure]]] = {}
    taus = {}
    for name, rows, resampled in answers(_measured, pieces, jobs=jobs):
        measured.setdefault(name, []).append(rows)
        if name[1] == found.main.key:
            taus[name[0]] = resampled
    whole: dict[Key, Measure] = {}
    for name in dict.fromkeys(piece[0] for piece in pieces):  # in this order, whichever was ready first
        for key, measure in _together(measured[name]):
            whole[*name, *key] = measure
    return Measures(whole, dict(_per_class(found)), taus, ks)


def _measured(
    name: tuple[str, str], values: Floats, by_seed: Floats, truth: Floats, ks: Sequence[int], resamples: int
) -> tuple[tuple[str, str], dict[tuple[str, str], Measure], Floats]:
    """All statistics of one score against one truth, and the resampled taus."""
    main, taus = _estimates(values, truth, ks, resamples)
    single = [_estimates(each, truth, ks, 0)[0] for each in by_seed]
    rows = {
        key: Measure(estimate, tuple(each[key][0].value for each in single), *counts)
        for key, (estimate, counts) in main.items()
    }
    return name, rows, taus


def _estimates(
    scores: Floats, truth: Floats, ks: Sequence[int], resamples: int
) -> tuple[dict[tuple[str, str], tuple[Estimate, tuple[int, int, int]]], Floats]:
    """Statistics of one score by (among, statistic), with architectures used and missing, and ties; resampled taus."""
    found = {}
    whole, taus = resampled_agreement(scores, truth, resamples)
    for share in SHARES:
        among = best(truth, share)
        if share < 1 and among.sum() < FEWEST:
            continue
        inside = whole if share == 1 else agreement(scores[among], truth[among], resamples=resamples)
        counts = inside.used, inside.missing, inside.score_ties
        for statistic in CORRELATIONS:
            found[AMONG[share], statistic] = getattr(inside, statistic), counts
    for each in top(scores, truth, ks, resamples=resamples):
        for statistic in TOPS:
            found[first(each.k), statistic] = getattr(each, statistic), (each.used, each.missing, whole.score_ties)
    return found, taus


def first(k: int) -> str:
    """What the statistics of the first ``k`` are filed under."""
    return f"first {k}"


def _together(several: Sequence[dict[tuple[str, str], Measure]]) -> Iterator[tuple[tuple[str, str], Measure]]:
    """One measure of several pairs of trainings: the mean of their values and of the ends of their intervals."""
    for key in several[0]:
        same = [each[key] for each in several]
        if len(same) == 1:
            yield key, same[0]
            continue
        known = [each.estimate for each in same if each.estimate.value == each.estimate.value]
        ends = np.array([[each.value, each.low, each.high] for each in known]) if known else np.full((1, 3), np.nan)
        mean = Estimate(*(float(number) for number in ends.mean(axis=0)))
        used = max(each.used for each in same)
        yield key, Measure(mean, (), used, min(each.missing for each in same), max(each.ties for each in same))


def _per_class(found: Evidence) -> Iterator[tuple[tuple[str, str], float]]:
    """Tau over classes: the score of the first member, the truth's mean over the members that were asked for."""
    one = found.first_of_class
    if one.all():
        return
    _, members = np.unique(found.classes, return_inverse=True)
    order = np.argsort(np.unique(found.classes, return_index=True)[1])
    count = np.bincount(members)
    for truth in found.truths:
        known = ~np.isnan(truth.values)
        sums = np.bincount(members[known], truth.values[known], minlength=len(count))
        counts = np.bincount(members[known], minlength=len(count))
        means = np.divide(sums, counts, out=np.full(len(count), np.nan), where=counts > 0)[order]
        for each in (*found.scored, *truth.trainings()):
            yield (each.name, truth.key), agreement(each.values[one], means, resamples=0).kendall.value


def difference(found: Evidence, measured: Measures, one: Scored, other: Scored, resamples: int) -> Estimate:
    """By how much ``one`` has the larger tau with the main truth: both on the architectures that both score.

    Equal numbers of architectures are resampled alike, so that the interval is that of paired differences.
    """
    truth = found.main.values
    scores = one.values, other.values
    known = [~(np.isnan(each) | np.isnan(truth)) for each in scores]
    both = known[0] & known[1]
    taus = []
    for each, mask in zip((one, other), known, strict=True):
        if (mask == both).all() and each.name in measured.taus:
            value = measured.value(each.name, found.main, "kendall")
            taus.append((value, measured.taus[each.name]))
        else:
            whole, resampled = resampled_agreement(each.values[both], truth[both], resamples)
            taus.append((whole.kendall.value, resampled))
    return Estimate.of(taus[0][0] - taus[1][0], taus[0][1] - taus[1][1])


def resampled_agreement(scores: Floats, truth: Floats, resamples: int) -> tuple[Agreement, Floats]:
    """`agreement`, and tau of every resample, (n_resample,)."""
    plain = agreement(scores, truth, resamples=0)
    x, y, _ = both_known(scores, truth)
    if plain.kendall.value != plain.kendall.value or not resamples:
        return plain, np.full(resamples, np.nan)
    resampled = Resampled(x, y)
    parts = [resampled(drawn) for drawn in draws(len(x), resamples)]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in CORRELATIONS}
    kendall, spearman, weighted = (Estimate.of(getattr(plain, name).value, arrays[name]) for name in CORRELATIONS)
    return replace(plain, kendall=kendall, spearman=spearman, weighted=weighted), arrays["kendall"]
