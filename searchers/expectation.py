"""Random search in closed form: what N uniform draws find on average, without drawing any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..bench.benchmark import Benchmark
from .runner.plan import Plan, Task
from .runner.search import Mode
from .runner.statement import allowed, reported

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]


class RandomSearchLaw:
    """The law of the incumbent of random search with replacement.

    Each draw is one of m equally likely outcomes with fitness f (the value search goes by). Of N draws the incumbent
    is the best by f, the first drawn among equals. Sort the outcomes by f; a group of equal outcomes that reaches from
    rank a (exclusive) to rank b holds the incumbent with probability (b/m)^N - (a/m)^N, each member equally likely.
    From this law follow mean and quantiles of any other number of the incumbent, such as its test accuracy.

    Args:
        fitness: value the search goes by, (m,); outcomes with NaN never become incumbent while another is known.
        weights: probability of each outcome, (m,); default uniform.
    """

    def __init__(self, fitness: Floats, weights: Floats | None = None) -> None:
        fitness = np.where(np.isnan(fitness), -np.inf, fitness)
        chance = np.full(len(fitness), 1.0) if weights is None else np.asarray(weights, dtype=np.float64)
        chance = chance / chance.sum()
        self._order = np.argsort(fitness, kind="stable")
        ascending = fitness[self._order]
        starts = np.flatnonzero(np.r_[True, ascending[1:] != ascending[:-1]])
        self._group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(fitness)]))
        in_group = np.add.reduceat(chance[self._order], starts)
        self._share = chance[self._order] / in_group[self._group]
        self._upper = np.minimum(np.cumsum(in_group), 1.0)
        self._upper[-1] = 1.0
        self._lower = np.r_[0.0, self._upper[:-1]]

    def probabilities(self, queries: int) -> Floats:
        """Chance of each outcome (in the order of ``fitness``) to be the incumbent after ``queries`` draws, (m,)."""
        held = self._upper**queries - self._lower**queries
        chances = np.empty(len(self._order))
        chances[self._order] = held[self._group] * self._share
        return chances

    def mean_and_quantiles(
        self, reported: Floats, queries: npt.NDArray[np.int64], levels: tuple[float, ...] = (0.025, 0.975)
    ) -> Floats:
        """Mean and quantiles of ``reported`` (m,) of the incumbent, (len(queries), 1 + len(levels)).

        Outcomes where ``reported`` is NaN are left out, the rest reweighted.
        """
        known = ~np.isnan(reported)
        ascending = np.argsort(reported[known], kind="stable")
        values = reported[known][ascending]
        answer = np.full((len(queries), 1 + len(levels)), np.nan)
        for row, count in enumerate(queries):
            chances = self.probabilities(int(count))[known][ascending]
            total = chances.sum()
            if total > 0:
                below = np.cumsum(chances) / total
                at = np.minimum(np.searchsorted(below, levels), len(values) - 1)
                answer[row] = [chances @ values / total, *values[at]]
        return answer


def thinned(last: int, points: int = 200) -> npt.NDArray[np.int64]:
    """1 .. last, thinned geometrically to about ``points`` distinct counts."""
    return np.unique(np.round(np.geomspace(1, max(last, 1), points)).astype(np.int64))


def seconds_a_query(costs: Floats, workers: int, mode: Mode) -> float:
    """Mean simulated seconds that go by for one of many random evaluations, of ``costs`` (m,), NaN left out.

    Trainers that wait for each other ("sync") take the longest of their trainings for each batch: of W draws it is at
    most the k-th smallest of m costs with probability (k/m)^W.
    """
    known = np.sort(costs[~np.isnan(costs)])
    if mode == "async" or not len(known):
        return float(known.mean()) / workers if len(known) else float("nan")
    share = np.arange(len(known) + 1) / len(known)
    return float(known @ np.diff(share**workers)) / workers


def random_search(bench: Benchmark, plan: Plan, task: Task) -> pd.DataFrame:
    """The line of random search on one task.

    Columns: ``query``; ``seconds``, the mean simulated seconds of so many evaluations (`seconds_a_query`);
    ``valid`` and ``test``, mean accuracy of the incumbent at the report budget [percent], each with the 2.5 % and
    97.5 % quantiles ``_low`` and ``_high``. What the hard limit rules out is drawn, costs nothing
    and is never incumbent.
    """
    import pandas as pd

    everything = np.arange(bench.space.size)
    inside = allowed(bench, plan, task)
    numbers = {name: np.where(inside, reported(bench, task, f"{name}_accuracy"), np.nan) for name in ("valid", "test")}
    weights = None
    if plan.trial == "random":
        runs = bench.query(everything, "valid_accuracy", dataset=task.dataset, budget=task.budget, seed="all")
        there = ~np.isnan(runs)
        arch = np.nonzero(there)[0]
        fitness, weights = np.where(inside[arch], runs[there], np.nan), (1 / there.sum(axis=1))[arch]
        numbers = {name: values[arch] for name, values in numbers.items()}
    else:
        fitness = bench.query(everything, "valid_accuracy", dataset=task.dataset, budget=task.budget)
        fitness = np.where(inside, fitness, np.nan)
    seconds_each = np.nan
    if bench.index.has("search_seconds", task.dataset, task.budget):
        costs = bench.cost(everything, dataset=task.dataset, budget=task.budget).seconds
        seconds_each = seconds_a_query(np.where(inside, costs, 0.0), plan.workers, plan.mode)
    last = plan.queries or 10**6
    if plan.seconds is not None and seconds_each == seconds_each:
        last = min(last, int(np.ceil(plan.seconds / seconds_each)))
    queries = thinned(last)
    law = RandomSearchLaw(fitness, weights)
    columns: dict[str, Any] = {"query": queries, "seconds": queries * seconds_each}
    for name, values in numbers.items():
        columns[name], columns[f"{name}_low"], columns[f"{name}_high"] = law.mean_and_quantiles(values, queries).T
    return pd.DataFrame(columns)
