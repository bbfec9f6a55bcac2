"""What a score costs, and what its first architectures are worth in trainings of random ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..statistics import Floats
from .evidence import Evidence, Scored
from .measures import Measures, first

BEYOND = 10  # times the number of architectures: random search is not followed further


@dataclass(frozen=True)
class Worth:
    """Trainings that the scores of all architectures cost and save; NaN is unknown, inf is more than `most`.

    seconds: of all scores of one seed.
    trainings: full trainings of the same duration: what it must save before it pays for itself.
    trained: architectures that are trained, the first by score.
    accuracy: expected best of them [percent].
    equal: trainings of random architectures with the same expected best.
    """

    seconds: float
    trainings: float
    trained: int
    accuracy: float
    equal: float

    @property
    def saved(self) -> float:
        """Trainings saved, less those that the scores cost."""
        return self.equal - self.trained - (0.0 if np.isnan(self.trainings) else self.trainings)


def worth(found: Evidence, measured: Measures, score: Scored, k: int) -> Worth:
    """The worth of one score on the main truth, when the first ``k`` by score are trained."""
    truth = found.main
    known = np.sort(truth.values[~np.isnan(truth.values)])
    regret = measured.value(score.name, truth, "regret", first(k))
    seeds = max(1, len(score.by_seed))
    seconds = score.seconds * score.networks / seeds
    one = truth.seconds.get(truth.budget, np.nan)
    accuracy = float(known[-1]) - regret
    return Worth(seconds, seconds / one, k, accuracy, equal_trainings(known, accuracy))


def most(found: Evidence) -> int:
    """Random trainings that are looked at."""
    return BEYOND * int((~np.isnan(found.main.values)).sum())


def equal_trainings(known: Floats, accuracy: float) -> float:
    """Smallest number of random trainings, with replacement, whose expected best reaches ``accuracy``.

    ``known`` (n,) ascending: the accuracies drawn from. The expected largest of m draws from n numbers is the sum of
    the i-th smallest times (i / n)^m - ((i - 1) / n)^m.
    """
    if np.isnan(accuracy):
        return float("nan")
    if expected_best(known, 1) >= accuracy:
        return 1.0
    low, high = 1, BEYOND * len(known)
    if expected_best(known, high) < accuracy:
        return float("inf")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if expected_best(known, middle) >= accuracy else (middle, high)
    return float(high)


def expected_best(known: Floats, draws: int) -> float:
    """Expected largest of ``draws`` numbers drawn from ``known`` (n,), ascending, with replacement."""
    reached = (np.arange(len(known) + 1) / len(known)) ** draws
    return float(known @ np.diff(reached))
