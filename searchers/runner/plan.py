"""What a comparison is asked to do: everything that decides its numbers, checked before work begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...bench.benchmark import Benchmark
from ...bench.clock import Clock
from ...bench.counts import check_count
from ...bench.errors import BadValue, NasgaugeError, NotMeasured, UnknownName
from ...bench.objective import Objective
from ..scores import Scores
from ..searcher import Recipe
from .live import Training
from .search import Mode

Trials = Literal["mean", "random"]
Limit = tuple[str, float]


@dataclass(frozen=True)
class Task:
    """One data set to search on: a bare id is trained for ``budget`` epochs, the answer reported at ``report_budget``.

    ``budgets`` are the training lengths that a multi-fidelity searcher can ask for, ascending.
    """

    dataset: str
    budget: int
    report_budget: int
    budgets: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Everything that decides the numbers of a run; two runs of one plan are equal (but for measured seconds)."""

    tasks: tuple[Task, ...]
    recipes: tuple[Recipe, ...]
    seconds: float | None
    queries: int | None
    seeds: int
    base_seed: int = 0
    trial: Trials = "mean"
    count_last: bool = True
    workers: int = 1
    mode: Mode = "async"
    resume: bool = False
    objective2: str | None = None
    constraint: Limit | None = None
    scores: str | None = None
    live: Training | None = None

    def __post_init__(self) -> None:
        check_count("seeds", self.seeds, "the repetitions of every searcher")
        if not self.recipes or not self.tasks:
            raise BadValue("nothing to compare: give at least one searcher and one data set")
        check_count("base_seed", self.base_seed, "the first seed", least=0)
        labels, datasets = [recipe.label for recipe in self.recipes], [task.dataset for task in self.tasks]
        if len(set(labels)) < len(labels):
            raise BadValue(f"searchers={', '.join(labels)}: two carry one label; give them different label=")
        if len(set(datasets)) < len(datasets):
            raise BadValue(f"datasets={', '.join(datasets)}: one is named twice; name each once")
        if self.trial not in ("mean", "random"):
            raise BadValue(
                f"trial={self.trial!r} given; legal: 'mean' (of all runs), 'random' (one run per evaluation)"
            )
        check_count("workers", self.workers, "the trainers of a search")
        if self.mode not in ("async", "sync"):
            raise BadValue(f"mode={self.mode!r} given; legal: 'async' (nobody waits), 'sync' (batches with a barrier)")
        if self.live is not None and self.trial != "mean":
            raise BadValue("trial='random' draws a run of the table; a live search trains its own: give trial='mean'")
        if self.live is not None and self.resume:
            raise BadValue("resume=True charges only what a longer training adds; a live search trains it in full")

    def objective(self, bench: Benchmark, task: Task, rng: np.random.Generator) -> Objective:
        """What one repetition may know and spend; ``rng`` draws its trials."""
        if self.live is not None:
            return self.live.objective(
                bench, task, Clock(self.seconds, self.queries, count_last=self.count_last),
                costs=None if self.objective2 is None else bench.static(self.objective2, task.dataset),
                allowed=None if self.constraint is None else bench.within(self.constraint, task.dataset),
            )  # fmt: skip
        return bench.objective(
            task.dataset, seconds=self.seconds, queries=self.queries, budget=task.budget, budgets=task.budgets,
            seed=rng if self.trial == "random" else "mean", count_last=self.count_last, resume=self.resume,
            cost=self.objective2, limit=self.constraint,
        )  # fmt: skip

    def check(self, bench: Benchmark, scores: Scores | None) -> None:
        """Refuse what cannot be answered before work begins.

        Raises:
            BadValue: no end of the search, settings that a searcher refuses, a searcher without the scores it needs,
                a class that cannot be built or is no searcher.
            NotMeasured: the tables lack the validation accuracy, the cost or the property that the search needs.
        """
        for task in self.tasks:
            try:
                self.objective(bench, task, np.random.default_rng(0))
            except NotMeasured as error:
                if self.trial == "mean":
                    raise
                raise NotMeasured(f"trial={self.trial!r} given: {error}") from error
            for recipe in self.recipes:
                _try(recipe, bench, task, scores)


def _try(recipe: Recipe, bench: Benchmark, task: Task, scores: Scores | None) -> None:
    """Build a searcher and throw it away."""
    scorer = None if scores is None else scores.count()
    try:
        searcher = recipe.start(bench.space, np.random.default_rng(0), budgets=task.budgets, scorer=scorer)
    except NasgaugeError:
        raise
    except Exception as error:
        raise BadValue(f"searcher {recipe.name!r} cannot be built: {type(error).__name__}: {error}") from error
    for method in ("ask", "tell"):
        if not callable(getattr(searcher, method, None)):
            raise BadValue(f"searcher {recipe.name!r} has no {method}(); a searcher is a class with ask and tell")


def tasks_of(
    bench: Benchmark,
    datasets: Sequence[str],
    budget: int | None,
    report_budget: int | None,
    budgets: Sequence[int] | None,
    trial: Trials,
) -> tuple[Task, ...]:
    """One task for each data set; default: all with validation and test accuracies.

    Raises:
        UnknownName: no such data set.
        NotMeasured: no validation accuracy at one of the training lengths.
    """
    return tuple(_task(bench, name, budget, report_budget, budgets, trial) for name in datasets or _searchable(bench))


def _searchable(bench: Benchmark) -> list[str]:
    having = {entry.dataset for entry in bench.index.entries if entry.metric == "valid_accuracy"}
    reported = {entry.dataset for entry in bench.index.entries if entry.metric == "test_accuracy"}
    return [name for name in bench.datasets if name in having & reported and not name.endswith("-valid")]


def _task(
    bench: Benchmark, dataset: str, budget: int | None, report_budget: int | None, budgets: Sequence[int] | None,
    trial: Trials,
) -> Task:  # fmt: skip
    if dataset not in bench.datasets:
        raise UnknownName.of("data set", dataset, bench.datasets)
    lengths = bench.budgets(dataset, "valid_accuracy")
    if not lengths:
        raise NotMeasured(f"{bench.name} has no validation accuracy on {dataset!r}; nothing to search by")
    priced = [length for length in lengths if _answerable(bench, dataset, length, "mean")]
    search = (priced or list(lengths))[0] if budget is None else budget
    report = lengths[-1] if report_budget is None else report_budget
    for key, length in (("budget", search), ("report_budget", report), *(("budgets", each) for each in budgets or ())):
        try:
            bench.index.find("valid_accuracy", dataset, length, ("mean", "runs"))
        except NotMeasured as error:
            raise NotMeasured(f"{key}={length} given: {error}") from error
    if budgets is None:
        asked = tuple(length for length in lengths if length == search or _answerable(bench, dataset, length, trial))
    else:
        asked = tuple(sorted({*budgets, search}))
    return Task(dataset, search, report, asked)


def _answerable(bench: Benchmark, dataset: str, length: int, trial: Trials) -> bool:
    """Whether a search can train for ``length`` epochs: accuracies as asked for, and their cost."""
    try:
        bench.objective(
            dataset, seconds=1.0, budget=length, seed=np.random.default_rng(0) if trial == "random" else "mean"
        )
    except NasgaugeError:
        return False
    return True
