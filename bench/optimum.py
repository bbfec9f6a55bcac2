"""The best architecture of a table, and what it is best by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .column import less_is_better


@dataclass(frozen=True)
class Optimum:
    """The best architecture of a table; ``rule`` says in words what it is best by."""

    id: int
    value: float
    metric: str
    dataset: str
    budget: int | None
    rule: str


def best_of(
    values: npt.NDArray[np.float64], metric: str, dataset: str, budget: int | None, rule: str
) -> Optimum | None:
    """The best of (n_arch,) means, or of (n_arch, n_seed) single runs; None where nothing has a value.

    The best loss, seconds, parameters, FLOPs, latency or energy is the smallest, all else the largest. Ties go to the
    smallest id.
    """
    sign = -1 if less_is_better(metric) else 1
    there = np.where(np.isnan(values), -np.inf, sign * values)
    scores = there if there.ndim == 1 else there.max(axis=1)
    best = int(scores.argmax())
    if scores[best] == -np.inf:
        return None
    of = "value" if budget is None else f"{'mean over runs' if rule == 'mean' else 'single run'} after {budget} epochs"
    words = f"{'largest' if sign > 0 else 'smallest'} {of}"
    return Optimum(best, float(sign * scores[best]), metric, dataset, budget, words)
