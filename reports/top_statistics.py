"""How good a score's first k are: precision, recall, best rank, regret and NDCG, the expected value over random ties.

A score that ties has no first k of its own. Here the order within every tie is a fair draw, and each number below is
its exact expected value over those draws, in closed form; the order in which architectures happen to stand in a file
changes nothing, and a constant score is worth what a random choice is.

Intervals are percentiles over random halves of the architectures, drawn without replacement, with k halved too. A
bootstrap would repeat architectures: the first k of a resample hold only about .63 k different ones, which are worth
less than the first k of a sample. A mean varies over halves as it does over samples: half as many architectures double
its variance, drawing without replacement halves it (Shao & Wu, A general theory for jackknife variance estimation,
Annals of Statistics 1989: as many left out as kept). What depends on the number of architectures itself, as the regret
of a single choice does, stays a little off its middle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from ..bench.errors import BadValue
from .correlation_statistics import CHUNK, LEVEL, RESAMPLES, Draws, Estimate, both_known
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
    scores: npt.ArrayLike, truth: npt.ArrayLike, ks: Sequence[int], rng: np.random.Generator | None = None, *,
    resamples: int = RESAMPLES, level: float = LEVEL,
) -> tuple[Top, ...]:  # fmt: skip
    """What training the first k by ``scores`` would have found, for each of ``ks``.

    ``scores`` and ``truth`` are (n,), larger is better, NaN is left out. Of fewer than k architectures all are chosen.
    ``resamples`` are random halves (see above), of which the first (k + 1) // 2 are chosen.

    Raises:
        BadValue: a k is less than 1; the two differ in length.
    """
    if not ks or min(ks) < 1:
        raise BadValue(f"ks={tuple(ks)}; the numbers of first architectures to look at, each at least 1")
    x, y, missing = both_known(scores, truth)
    n = x.size
    if not n:
        nothing = Estimate(float("nan"), float("nan"), float("nan"))
        return tuple(Top(k, 0, missing, *[nothing] * 5) for k in ks)
    once = np.ones((n, 1), dtype=np.int32)
    ranked = Ranked(x, y)
    found = [ranked(once, [min(k, n) for k in ks])]
    found += [ranked(half, [min((k + 1) // 2, n // 2) for k in ks]) for half in halves(n, resamples, rng)]
    made = []
    for place, k in enumerate(ks):
        values = {name: [each[place][name] for each in found] for name in found[0][place]}
        made.append(Top(k, n, missing, **{
            name: Estimate.of(float(each[0][0]), np.concatenate(each[1:] or [np.empty(0)]), level)
            for name, each in values.items()
        }))  # fmt: skip
    return tuple(made)


def halves(n: int, resamples: int, rng: np.random.Generator | None = None) -> Iterator[Draws]:
    """Random halves of ``n`` architectures, 1 for those inside, in chunks (n, up to `CHUNK`); none of fewer than two.

    Each holds n // 2. Without ``rng`` they are the same every time, and those of the last ``n`` are remembered.
    """
    for chunk in _fixed(n, resamples) if rng is None else _drawn(n, resamples, rng):
        yield chunk.astype(np.int32)


@lru_cache(maxsize=1)
def _fixed(n: int, resamples: int) -> list[npt.NDArray[np.bool_]]:
    return list(_drawn(n, resamples, np.random.default_rng([SEED, 1])))


def _drawn(n: int, resamples: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.bool_]]:
    for first in range(0, resamples if n > 1 else 0, CHUNK):
        inside = np.zeros((min(CHUNK, resamples - first), n), dtype=np.bool_)
        inside[:, : n // 2] = True
        yield np.ascontiguousarray(rng.permuted(inside, axis=1).T)


class Ranked:
    """The numbers of `Top` for any choice of how often each architecture was drawn."""

    def __init__(self, x: Floats, y: Floats) -> None:
        self._by_score = np.lexsort((-y, -x))  # best first, within ties of the score the truly better first
        self._by_truth = np.argsort(-y, kind="stable")
        self._score_starts = _starts(x[self._by_score])
        self._truth_starts = _starts(y[self._by_truth])
        self._place = np.empty(len(x), dtype=np.int64)  # of each architecture in the true order
        self._place[self._by_truth] = np.arange(len(x))
        self._tie = np.repeat(np.arange(len(self._truth_starts)), np.diff(np.r_[self._truth_starts, len(x)]))
        self._truth = y

    def __call__(self, drawn: Draws, ks: Sequence[int]) -> list[dict[str, Floats]]:
        """precision, recall, best_rank, regret and ndcg of each column of ``drawn`` (n, m), for each of ``ks``.

        All columns have one sum, which no k exceeds. What was drawn several times ties, in score as in truth.
        """
        true_copies = drawn[self._by_truth]
        through = np.cumsum(true_copies, axis=0, dtype=np.int32)[np.r_[self._truth_starts[1:], len(drawn)] - 1]
        best = self._truth[self._by_truth][_first_drawn(true_copies)]
        return [self._of(drawn, true_copies, through, best, k) for k in ks]

    def _of(self, drawn: Draws, true_copies: Draws, through: Draws, best: Floats, k: int) -> dict[str, Floats]:
        """The numbers for one k.

        ``through`` (distinct, m) are the copies up to the end of each tie of the truth, ``best`` (m,) the best truth.
        """
        n = int(drawn[:, 0].sum())
        relevant = max(1, int(np.ceil(RELEVANT * n - 1e-9)))
        order, starts = self._first(drawn, k)
        copies = drawn[order]
        chosen = picked(copies, starts, k)  # expected copies among the first k, by score
        tie = self._tie[self._place[order]]
        better = np.where((tie > 0)[:, None], through[np.maximum(tie - 1, 0)], 0)  # copies that are truly better
        equal = through[tie] - better
        found = {}
        for name, many in (("precision", k), ("recall", relevant)):
            share = np.divide(np.clip(many - better, 0, equal), equal, out=np.zeros(equal.shape), where=equal > 0)
            found[name] = (chosen * share).sum(axis=0) / many
        truth = np.broadcast_to(self._truth[order][:, None], copies.shape)
        best_rank = _expected_best(copies, starts, (better + 1).astype(np.float64), k, np.minimum)
        best_truth = _expected_best(copies, starts, truth, k, np.maximum)
        found["best_rank"] = best_rank
        found["regret"] = best - best_truth
        gains = (n - (better + (equal + 1) / 2)) / max(1, n - 1)  # scaled mean rank: 1 for the first, 0 for the last
        found["ndcg"] = _expected_dcg(copies, starts, gains, k) / self._ideal(true_copies, through, k)
        return found

    def _first(self, drawn: Draws, k: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The whole ties, in order of score, that hold the first ``k`` copies in every column; and where they start."""
        ends = np.r_[self._score_starts[1:], len(drawn)]
        rows = 2 * k + 32
        while True:
            ties = min(int(np.searchsorted(ends, rows)) + 1, len(ends))
            order = self._by_score[: ends[ties - 1]]
            if ties == len(ends) or (drawn[order].sum(axis=0) >= k).all():
                return order, self._score_starts[:ties]
            rows *= 2

    def _ideal(self, true_copies: Draws, through: Draws, k: int) -> Floats:
        """The largest DCG@k of each column, NaN where all are equally good."""
        n = int(true_copies[:, 0].sum())
        first = int((through < k).all(axis=1).sum()) + 1  # ties of the truth that hold the first k in some column
        ties = max(first, int((through < k).sum(axis=0).max()) + 1)
        rows = np.r_[self._truth_starts[1:], len(true_copies)][ties - 1]
        starts = self._truth_starts[:ties]
        before = np.vstack([np.zeros((1, through.shape[1]), dtype=np.int32), through[: ties - 1]])
        middle = (before + through[:ties] + 1) / 2
        gains = ((n - middle) / max(1, n - 1))[self._tie[:rows]]
        ideal = _expected_dcg(true_copies[:rows], starts, gains, k)
        return np.where(ideal > 0, ideal, np.nan) if n > 1 else np.full(len(ideal), np.nan)


def _first_drawn(copies: Draws) -> npt.NDArray[np.int64]:
    """Row of the first copy of each column, (m,)."""
    some = copies[:64] > 0
    return np.asarray((some if some.any(axis=0).all() else copies > 0).argmax(axis=0))


def _expected_best(
    copies: Draws, starts: npt.NDArray[np.int64], numbers: Floats, k: int, better: Callable[[Floats, Floats], Floats]
) -> Floats:
    """Expected best of ``numbers`` (n, m) among the first ``k`` copies; a tie of the score stands best first.

    Whole ties are in, but for the last one, of whose g copies a fair draw of j is: the best of the draw is beyond the
    first L copies with probability C(g - L, j) / C(g, j).
    """
    ends = np.r_[starts[1:], len(copies)]
    total = _sums(copies, starts)
    before = np.cumsum(total, axis=0) - total
    worst = np.inf if better is np.minimum else -np.inf
    whole = before + total <= k
    inside = np.where((copies > 0) & np.repeat(whole, ends - starts, axis=0), numbers, worst)
    certain: Floats = inside.min(axis=0) if better is np.minimum else inside.max(axis=0)
    answer = certain.copy()
    split = (before < k) & ~whole
    for tie in np.flatnonzero(split.any(axis=1)):
        columns = np.flatnonzero(split[tie])
        some = copies[starts[tie] : ends[tie], columns]
        mine = better(numbers[starts[tie] : ends[tie], columns], certain[columns])
        if len(some) == 1:
            answer[columns] = mine[0]
            continue
        g, j = total[tie, columns].astype(np.float64), (k - before[tie, columns]).astype(np.float64)
        passed = np.cumsum(some, axis=0, dtype=np.float64)
        beyond = np.vstack([np.ones(len(columns)), _none_of(passed, g, j)])
        answer[columns] = ((beyond[:-1] - beyond[1:]) * np.where(some > 0, mine, 0.0)).sum(axis=0)
    return answer


def _expected_dcg(copies: Draws, starts: npt.NDArray[np.int64], gains: Floats, k: int) -> Floats:
    """Expected DCG of the first ``k``, gains over log2(place + 1); ties share places (McSherry & Najork 2008)."""
    discounts = np.r_[0.0, np.cumsum(1 / np.log2(np.arange(2, k + 2)))]
    total, gained = _sums(copies, starts), _sums(copies * gains, starts)
    reach = np.diff(discounts[np.minimum(np.cumsum(total, axis=0), k)], axis=0, prepend=0.0)
    mean = np.divide(gained, total, out=np.zeros(gained.shape), where=total > 0)
    return np.asarray((mean * reach).sum(axis=0))


def _sums(numbers: npt.NDArray[Any], starts: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Sums over ties, (distinct, m)."""
    return numbers if len(starts) == len(numbers) else np.add.reduceat(numbers, starts, axis=0)


def picked(copies: Draws, starts: npt.NDArray[np.int64], k: int) -> Floats:
    """Expected copies among the first ``k`` of each architecture: ``copies`` (n, m), in order, ties at ``starts``.

    A tie that the k-th place divides gives each of its copies the same chance.
    """
    total = _sums(copies, starts)
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
