"""How good a score's first k are: precision, recall, best rank, regret and NDCG, the expected value over random ties.

A score that ties has no first k of its own. Here the order within every tie is a fair draw, and each number below is
its exact expected value over those draws, in closed form; the order in which architectures happen to stand in a file
changes nothing, and a constant score is worth what a random choice is. Resamples of a bootstrap draw architectures
several times; copies tie, in score as in truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from ..bench.errors import BadValue
from .correlation_statistics import LEVEL, RESAMPLES, Draws, Estimate, both_known, draws
from .statistics import SEED, Floats

RELEVANT = 0.01  # share of the architectures, the best by truth, that recall is about


@dataclass(frozen=True)
class Top:
    """The first ``k`` by score, each number with its interval over architectures.

    precision: share of them that are among the first k by truth.
    recall: share of the best `RELEVANT` architectures by truth that are among them.
    best_rank: one plus how many architectures are truly better than the best of them (BestRanking@k).
    regret: truth of the best architecture minus that of the best of them.
    ndcg: discounted gain of their order over that of the true order; the gain of an architecture is its rank by truth,
    scaled to 0 for the last and 1 for the first, equal ones sharing the mean of theirs.
    """

    k: int
    used: int
    missing: int
    precision: Estimate
    recall: Estimate
    best_rank: Estimate
    regret: Estimate
    ndcg: Estimate


def top(
    scores: npt.ArrayLike, truth: npt.ArrayLike, k: int, rng: np.random.Generator | None = None, *,
    resamples: int = RESAMPLES, level: float = LEVEL,
) -> Top:  # fmt: skip
    """What training the first ``k`` by ``scores`` would have found; both (n,), larger is better, NaN is left out.

    Raises:
        BadValue: k is less than 1; the two differ in length.
    """
    if k < 1:
        raise BadValue(f"k={k}; the first k by score, k at least 1")
    x, y, missing = both_known(scores, truth)
    n = x.size
    if not n:
        nothing = Estimate(float("nan"), float("nan"), float("nan"))
        return Top(k, 0, missing, *[nothing] * 5)
    k_of = min(k, n)
    once = np.ones((n, 1), dtype=np.int32)
    chunks = [once, *draws(n, resamples, np.random.default_rng(SEED) if rng is None else rng)]
    ranked = Ranked(x, y)
    found: dict[str, list[Floats]] = {}
    for drawn in chunks:
        for name, values in ranked(drawn, k_of).items():
            found.setdefault(name, []).append(values)
    made = {
        name: Estimate.of(float(values[0][0]), np.concatenate(values[1:] or [np.empty(0)]), level)
        for name, values in found.items()
    }
    return Top(k, n, missing, **made)


class Ranked:
    """The numbers of `Top` for any choice of how often each architecture was drawn."""

    def __init__(self, x: Floats, y: Floats) -> None:
        self._by_score = np.lexsort((-y, -x))  # best first, within ties of the score the truly better first
        self._by_truth = np.argsort(-y, kind="stable")
        self._score_starts = _starts(x[self._by_score])
        self._truth_starts = _starts(y[self._by_truth])
        self._place = np.empty(len(x), dtype=np.int64)  # of each architecture in the true order
        self._place[self._by_truth] = np.arange(len(x))
        self._truth = y

    def __call__(self, drawn: Draws, k: int) -> dict[str, Floats]:
        """precision, recall, best_rank, regret and ndcg of each column of ``drawn`` (n, m); each column sums to n."""
        n = drawn.shape[0]
        relevant = max(1, int(np.ceil(RELEVANT * n - 1e-9)))
        order = self._by_score
        copies = drawn[order]
        chosen = picked(copies, self._score_starts, k)  # expected copies among the first k, by score
        true_copies = drawn[self._by_truth]
        rows = np.flatnonzero(chosen.any(axis=1))
        place = self._place[order[rows]]
        found = {}
        for name, many in (("precision", k), ("recall", relevant)):
            expected = picked(true_copies, self._truth_starts, many)[place]
            share = np.divide(expected, copies[rows], out=np.zeros(expected.shape), where=copies[rows] > 0)
            found[name] = (chosen[rows] * share).sum(axis=0) / many
        above = np.cumsum(true_copies, axis=0)
        group = np.repeat(np.arange(len(self._truth_starts)), np.diff(np.r_[self._truth_starts, n]))
        better = np.vstack([np.zeros((1, drawn.shape[1]), dtype=above.dtype), above])[self._truth_starts][group]
        rank = (better[self._place[order]] + 1).astype(np.float64)  # one plus the copies that are truly better
        truth = np.broadcast_to(self._truth[order][:, None], copies.shape)
        best_truth = np.where(true_copies > 0, self._truth[self._by_truth][:, None], -np.inf).max(axis=0)
        found["best_rank"] = self._expected_best(copies, rank, k, np.minimum)
        found["regret"] = best_truth - self._expected_best(copies, truth, k, np.maximum)
        found["ndcg"] = self._ndcg(copies, true_copies, k)
        return found

    def _expected_best(
        self, copies: Draws, numbers: Floats, k: int, better: Callable[[Floats, Floats], Floats]
    ) -> Floats:
        """Expected best of ``numbers`` (n, m) among the first ``k``; within a tie of the score they stand best first.

        Whole ties are in, but for the last one, of whose g copies a fair draw of j is: the best of the draw is beyond
        the first L copies with probability C(g - L, j) / C(g, j).
        """
        starts = self._score_starts
        ends = np.r_[starts[1:], len(copies)]
        total = np.add.reduceat(copies, starts, axis=0)
        before = np.cumsum(total, axis=0) - total
        worst = np.inf if better is np.minimum else -np.inf
        inside = np.where((copies > 0) & (np.repeat(before + total, ends - starts, axis=0) <= k), numbers, worst)
        certain: Floats = inside.min(axis=0) if better is np.minimum else inside.max(axis=0)
        answer = certain.copy()
        split = (before < k) & (before + total > k)
        for tie in np.flatnonzero(split.any(axis=1)):
            columns = np.flatnonzero(split[tie])
            some = copies[starts[tie] : ends[tie], columns]
            mine = better(numbers[starts[tie] : ends[tie], columns], certain[columns])
            g, j = total[tie, columns].astype(np.float64), (k - before[tie, columns]).astype(np.float64)
            passed = np.cumsum(some, axis=0, dtype=np.float64)
            beyond = np.vstack([np.ones(len(columns)), _none_of(passed, g, j)])
            answer[columns] = ((beyond[:-1] - beyond[1:]) * np.where(some > 0, mine, 0.0)).sum(axis=0)
        return answer

    def _ndcg(self, copies: Draws, true_copies: Draws, k: int) -> Floats:
        """Expected DCG@k over the largest one; a tie's places are shared (McSherry & Najork 2008)."""
        n = len(copies)
        discounts = np.r_[0.0, np.cumsum(1 / np.log2(np.arange(2, k + 2)))]
        gains = self._gains(true_copies)
        first = discounts[np.minimum(np.cumsum(true_copies, axis=0), k)]
        ideal = (gains * np.diff(first, axis=0, prepend=0.0)).sum(axis=0)
        starts = self._score_starts
        total = np.add.reduceat(copies, starts, axis=0)
        gained = np.add.reduceat(copies * gains[self._place[self._by_score]], starts, axis=0)
        reach = np.diff(discounts[np.minimum(np.cumsum(total, axis=0), k)], axis=0, prepend=0.0)
        mean = np.divide(gained, total, out=np.zeros(gained.shape), where=total > 0)
        whole = (mean * reach).sum(axis=0)
        return np.divide(whole, ideal, out=np.full(whole.shape, np.nan), where=ideal > 0) if n > 1 else whole * np.nan

    def _gains(self, true_copies: Draws) -> Floats:
        """Scaled mean rank of each architecture, in the true order: 1 for the first, 0 for the last."""
        n = len(true_copies)
        total = np.add.reduceat(true_copies, self._truth_starts, axis=0)
        ranks = np.cumsum(total, axis=0) - (total - 1) / 2
        group = np.repeat(np.arange(len(total)), np.diff(np.r_[self._truth_starts, n]))
        return np.asarray(((n - ranks) / max(1, n - 1))[group])


def picked(copies: Draws, starts: npt.NDArray[np.int64], k: int) -> Floats:
    """Expected copies among the first ``k`` of each architecture: ``copies`` (n, m), in order, ties at ``starts``.

    A tie that the k-th place divides gives each of its copies the same chance.
    """
    total = np.add.reduceat(copies, starts, axis=0)
    before = np.cumsum(total, axis=0) - total
    share = np.divide(np.clip(k - before, 0, total), total, out=np.zeros(total.shape), where=total > 0)
    return np.asarray(copies * np.repeat(share, np.diff(np.r_[starts, len(copies)]), axis=0))


def _none_of(passed: Floats, g: Floats, j: Floats) -> Floats:
    """C(g - L, j) / C(g, j) for L = ``passed`` (n, m): chance that a draw of j of g holds none of the first L."""
    left = g - passed
    possible = left >= j
    safe = np.where(possible, left, j)
    logs = gammaln(safe + 1) - gammaln(safe - j + 1) - gammaln(g + 1) + gammaln(g - j + 1)
    return np.where(possible, np.exp(logs), 0.0)


def _starts(ordered: Floats) -> npt.NDArray[np.int64]:
    """Where each tie of an ordered array begins."""
    return np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
