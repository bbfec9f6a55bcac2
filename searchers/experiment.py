"""The experiment runner: searchers x data sets x seeds into a run folder, in parallel, killable and resumable."""

from __future__ import annotations

import itertools
import json
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..bench.benchmark import Benchmark
from ..bench.errors import BadValue, NotMeasured
from ..bench.objective import Objective
from .environment import environment
from .expectation import RandomSearchLaw, thinned
from .run import Run, write_frame
from .search import search_once
from .searcher import Recipe

if TYPE_CHECKING:
    import pandas as pd

SEEDS_A_PART = 10
TOP = (0.01, 0.001)  # shares of the space that a report counts the time to
ASKED = ("kind", "benchmark", "tasks", "searchers", "seconds", "queries", "count_last", "seeds", "base_seed", "trial")


@dataclass(frozen=True)
class Task:
    """One data set to search on: trained for ``budget`` epochs during search, reported at ``report_budget``."""

    dataset: str
    budget: int
    report_budget: int


@dataclass(frozen=True)
class Plan:
    """Everything that decides the numbers of a run; two runs of one plan are equal (but for measured seconds)."""

    tasks: tuple[Task, ...]
    recipes: tuple[Recipe, ...]
    seconds: float | None
    queries: int | None
    seeds: int
    base_seed: int = 0
    trial: Literal["mean", "random"] = "mean"
    count_last: bool = True

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise BadValue(f"seeds={self.seeds} given; a comparison needs at least 1 repetition")
        if not self.recipes or not self.tasks:
            raise BadValue("nothing to compare: give at least one searcher and one data set")
        labels = [recipe.label for recipe in self.recipes]
        if len(set(labels)) < len(labels):
            raise BadValue(f"searchers {', '.join(labels)}: two carry one label; give them different label=")
        if self.trial not in ("mean", "random"):
            raise BadValue(
                f"trial={self.trial!r} given; legal: 'mean' (of all runs), 'random' (one run per evaluation)"
            )


def compare(
    bench: Benchmark,
    recipes: Sequence[Recipe],
    folder: str | os.PathLike[str] | None = None,
    *,
    datasets: Sequence[str] = (),
    seconds: float | None = None,
    queries: int | None = None,
    budget: int | None = None,
    report_budget: int | None = None,
    seeds: int = 100,
    base_seed: int = 0,
    trial: Literal["mean", "random"] = "mean",
    count_last: bool = True,
    jobs: int = -1,
    progress: bool = False,
) -> Run:
    """Run every searcher ``seeds`` times on every data set and keep every evaluation in ``folder``.

    The folder may hold an earlier, killed start of the same comparison: what is finished is not done again. Results
    do not depend on ``jobs``, nor on the order in which parts finish.

    Args:
        folder: default: one under ``runs/`` named after what is asked, so that asking again goes on with it.
        datasets: where to search; default: all that have validation accuracies at the search budget.
        seconds, queries: budget of one repetition, in simulated seconds, evaluations, or both.
        budget: epochs of a training during search; default: the shortest the table has (12 on nats-tss).
        report_budget: epochs of the training whose validation and test accuracy are reported; default: the longest.
        trial: "mean" tells the searcher the mean over the runs of an architecture, "random" one run drawn anew for
            every evaluation (value and cost of that run).
        count_last: whether the evaluation that crosses the budget counts (the official protocol: it does).
        jobs: processes; -1 for one per core.
        progress: show a progress bar on standard error.

    Raises:
        BadValue: no budget, no searcher, a folder with something else in it.
        NotMeasured: the table lacks the validation accuracy or the cost that the search needs.
    """
    tasks = tuple(_task(bench, name, budget, report_budget) for name in datasets or _searchable(bench))
    plan = Plan(tasks, tuple(recipes), seconds, queries, seeds, base_seed, trial, count_last)
    for task in tasks:
        _objective(bench, plan, task, np.random.default_rng(0))  # refuses what cannot be answered before work begins
    config = _config(bench, plan)
    if folder is None:
        digest = zlib.crc32(json.dumps({key: config[key] for key in ASKED}, sort_keys=True).encode())
        folder = Path("runs") / f"{bench.name}-{digest:08x}"
    run = Run.create(folder, config, ASKED)
    for task in tasks:
        path = run.folder / f"expectation-{task.dataset}.parquet"
        if not path.exists():
            write_frame(path, _expectation(bench, plan, task))
    work = [
        (task, recipe, first, min(first + SEEDS_A_PART, seeds))
        for task, first, recipe in itertools.product(tasks, range(0, seeds, SEEDS_A_PART), plan.recipes)
    ]
    missing = [piece for piece in work if not run.part(_part_name(*piece)).exists()]
    _in_parallel(_do_part, [(bench, plan, run, *piece) for piece in missing], len(work), jobs, progress)
    return run


def _do_part(bench: Benchmark, plan: Plan, run: Run, task: Task, recipe: Recipe, first: int, last: int) -> None:
    run.write_part(_part_name(task, recipe, first, last), repetitions(bench, plan, task, recipe, range(first, last)))


def repetitions(bench: Benchmark, plan: Plan, task: Task, recipe: Recipe, seeds: Iterable[int]) -> pd.DataFrame:
    """Some repetitions of one searcher on one task, one row per evaluation, columns as `Run` documents them."""
    import pandas as pd

    frames = []
    for seed in seeds:
        key = (zlib.crc32(task.dataset.encode()), recipe.key, seed)
        for_searcher, for_trials = np.random.SeedSequence(plan.base_seed, spawn_key=key).spawn(2)
        objective = _objective(bench, plan, task, np.random.default_rng(for_trials))
        searcher = recipe.start(bench.space, np.random.default_rng(for_searcher))
        spending = search_once(searcher, objective)
        log = objective.log
        ids = np.array(log.ids, dtype=np.int64)
        columns = {
            "dataset": task.dataset, "searcher": recipe.label, "seed": seed, "query": np.arange(1, len(ids) + 1),
            "id": ids, "value": log.values, "budget": log.budgets, "cost": np.nan, "feasible": True,
            "started": log.started, "seconds": log.ended, "worker": log.workers,
            "searcher_seconds": spending.searcher, "proxy_seconds": spending.proxy,
        }  # fmt: skip
        frames.append(pd.DataFrame(columns))
    frame = pd.concat(frames, ignore_index=True)
    for name in ("valid", "test"):
        frame[name] = _reported(bench, task, f"{name}_accuracy")[frame["id"].to_numpy()]
    small = {
        "seed": "int32",
        "query": "int32",
        "id": "int32",
        "budget": "int16",
        "worker": "int16",
        "dataset": "category",
        "searcher": "category",
    }
    return frame.astype(small | dict.fromkeys(("dataset", "searcher"), "category"))


def _objective(bench: Benchmark, plan: Plan, task: Task, rng: np.random.Generator) -> Objective:
    return bench.objective(
        task.dataset, seconds=plan.seconds, queries=plan.queries, budget=task.budget,
        seed=rng if plan.trial == "random" else "mean", count_last=plan.count_last,
    )  # fmt: skip


def _searchable(bench: Benchmark) -> list[str]:
    having = {entry.dataset for entry in bench.index.entries if entry.metric == "valid_accuracy"}
    reported = {entry.dataset for entry in bench.index.entries if entry.metric == "test_accuracy"}
    return [name for name in bench.datasets if name in having & reported and not name.endswith("-valid")]


def _task(bench: Benchmark, dataset: str, budget: int | None, report_budget: int | None) -> Task:
    lengths = bench.budgets(dataset, "valid_accuracy")
    if not lengths:
        raise NotMeasured(f"{bench.name} has no validation accuracy on {dataset!r}; nothing to search by")
    search = lengths[0] if budget is None else budget
    report = lengths[-1] if report_budget is None else report_budget
    for length in (search, report):
        bench.index.find("valid_accuracy", dataset, length, ("mean", "runs"))
    return Task(dataset, search, report)


def _reported(bench: Benchmark, task: Task, metric: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Mean over runs of ``metric`` at the report budget for every architecture; NaN where the table has none."""
    try:
        return bench.query(np.arange(bench.space.size), metric, dataset=task.dataset, budget=task.report_budget)
    except NotMeasured:
        return np.full(bench.space.size, np.nan)


def _expectation(bench: Benchmark, plan: Plan, task: Task) -> pd.DataFrame:
    import pandas as pd

    everything = np.arange(bench.space.size)
    reported = {name: _reported(bench, task, f"{name}_accuracy") for name in ("valid", "test")}
    weights = None
    if plan.trial == "random":
        runs = bench.query(everything, "valid_accuracy", dataset=task.dataset, budget=task.budget, seed="all")
        there = ~np.isnan(runs)
        arch = np.nonzero(there)[0]
        fitness, weights = runs[there], (1 / there.sum(axis=1))[arch]
        reported = {name: values[arch] for name, values in reported.items()}
    else:
        fitness = bench.query(everything, "valid_accuracy", dataset=task.dataset, budget=task.budget)
    seconds_each = np.nan
    if bench.index.has("search_seconds", task.dataset, task.budget):
        seconds_each = float(np.nanmean(bench.cost(everything, dataset=task.dataset, budget=task.budget).seconds))
    last = plan.queries or 10**6
    if plan.seconds is not None and seconds_each == seconds_each:
        last = min(last, int(np.ceil(plan.seconds / seconds_each)))
    queries = thinned(last)
    law = RandomSearchLaw(fitness, weights)
    columns: dict[str, Any] = {"query": queries, "seconds": queries * seconds_each}
    for name, values in reported.items():
        columns[name], columns[f"{name}_low"], columns[f"{name}_high"] = law.mean_and_quantiles(values, queries).T
    return pd.DataFrame(columns)


def _config(bench: Benchmark, plan: Plan) -> dict[str, Any]:
    classes = len(np.unique(bench.space.canonical(np.arange(bench.space.size))))
    benchmark = {
        "name": bench.name, "space": bench.space.name, "architectures": bench.space.size, "classes": classes,
        "title": "; ".join(str(table.info["title"]) for table in bench.tables),
        "licence": "; ".join(str(table.info["licence"]) for table in bench.tables),
        "sources": [vars(source) for table in bench.tables for source in table.sources],
        "table_sha256": {str(table.info["name"]): table.sha256() for table in bench.tables},
        "description": bench.describe(), "sampling_law": bench.space.sampling_law,
    }  # fmt: skip
    searchers = [
        {"label": recipe.label, "name": recipe.name, "settings": dict(recipe.settings)} for recipe in plan.recipes
    ]
    return {
        "kind": "compare", "benchmark": benchmark, "tasks": [_describe_task(bench, task) for task in plan.tasks],
        "searchers": searchers, "seconds": plan.seconds, "queries": plan.queries, "count_last": plan.count_last,
        "seeds": plan.seeds, "base_seed": plan.base_seed, "trial": plan.trial, **environment(),
    }  # fmt: skip


def _describe_task(bench: Benchmark, task: Task) -> dict[str, Any]:
    def words(metric: str, budget: int) -> str:
        try:
            entry = bench.index.find(metric, task.dataset, budget, ("mean", "runs"))
        except NotMeasured:
            return "not measured"
        return "; ".join(part for part in (entry.trained_on, entry.evaluated_on, entry.means_over) if part)

    optimum: dict[str, Any] = {}
    told = bench.query(np.arange(bench.space.size), "valid_accuracy", dataset=task.dataset, budget=task.budget)
    missing, mean, top = {"search": int(np.isnan(told).sum())}, {}, {}
    for name in ("valid", "test"):
        values = _reported(bench, task, f"{name}_accuracy")
        known = values[~np.isnan(values)]
        missing[name] = int(len(values) - len(known))
        mean[name] = float(known.mean()) if len(known) else None
        best_first = -np.sort(-known)  # the number that the best 1 % and 0.1 % of the architectures reach
        top[name] = {str(share): float(best_first[int(np.ceil(share * len(known))) - 1]) for share in TOP if len(known)}
        optimum[name] = None
        if len(known):
            best = bench.optimum(task.dataset, f"{name}_accuracy", budget=task.report_budget)
            optimum[name] = {"id": best.id, "value": best.value, "rule": best.rule}
    cost = {"words": "unknown", "provenance": "unknown"}
    if bench.index.has("search_seconds", task.dataset, task.budget):
        priced = bench.cost([0], dataset=task.dataset, budget=task.budget)
        cost = {"words": priced.words, "provenance": priced.provenance}
    report = {"budget": task.report_budget, "valid_words": words("valid_accuracy", task.report_budget),
              "test_words": words("test_accuracy", task.report_budget)}  # fmt: skip
    search = {"metric": "valid_accuracy", "budget": task.budget, "words": words("valid_accuracy", task.budget)}
    return {"dataset": task.dataset, "search": search, "report": report, "cost": cost, "optimum": optimum,
            "missing": missing, "mean_of_space": mean, "top": top}  # fmt: skip


def _part_name(task: Task, recipe: Recipe, first: int, last: int) -> str:
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in recipe.label)
    return f"{task.dataset}-{safe}-{zlib.crc32(recipe.label.encode()):08x}-{first:05d}-{last - 1:05d}"


def _in_parallel(
    function: Callable[..., None], pieces: Sequence[tuple[Any, ...]], total: int, jobs: int, progress: bool
) -> None:
    """Call ``function(*piece)`` for every piece, in up to ``jobs`` processes; the bar counts to ``total``."""
    import joblib
    from tqdm import tqdm

    parallel = joblib.Parallel(n_jobs=jobs if len(pieces) > 1 else 1, return_as="generator_unordered")
    with tqdm(total=total, initial=total - len(pieces), unit="part", disable=not progress) as bar:
        for _ in parallel(joblib.delayed(function)(*piece) for piece in pieces):
            bar.update()
