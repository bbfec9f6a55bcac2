"""What run.json says: the benchmark in words and checksums, what was asked, and by what the answers are judged."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...bench.benchmark import Benchmark
from ...bench.describe import identity
from ...bench.environment import environment
from ...bench.errors import NotMeasured
from ...bench.table import Entry
from ..scores import Scores
from .plan import Plan, Task

ASKED = (
    "kind", "benchmark", "tasks", "searchers", "seconds", "queries", "count_last", "seeds", "base_seed", "trial",
    "workers", "mode", "resume", "objective2", "constraint", "scores_sha256", "live",
)  # fmt: skip
"""The keys of run.json that decide the numbers."""
TOP = (0.01, 0.001)  # shares of what the hard limit leaves of the space that a report counts the time to

Floats = np.ndarray[Any, np.dtype[np.float64]]


def statement(bench: Benchmark, plan: Plan, scores: Scores | None) -> dict[str, Any]:
    """The content of run.json."""
    searchers = [
        {"label": recipe.label, "name": recipe.name, "settings": dict(recipe.settings)} for recipe in plan.recipes
    ]
    return {
        "settings_in_full": {recipe.label: recipe.in_full for recipe in plan.recipes},
        "kind": "compare", "benchmark": identity(bench), "tasks": [_task(bench, plan, task) for task in plan.tasks],
        "searchers": searchers, "seconds": plan.seconds, "queries": plan.queries, "count_last": plan.count_last,
        "seeds": plan.seeds, "base_seed": plan.base_seed, "trial": plan.trial, "workers": plan.workers,
        "mode": plan.mode, "resume": plan.resume, "objective2": plan.objective2,
        "constraint": None if plan.constraint is None else list(plan.constraint), "scores": plan.scores,
        "scores_sha256": None if scores is None else scores.sha256(),
        "live": None if plan.live is None else plan.live.to_json(),
        **environment(*(() if plan.live is None else ("torch",))),
    }  # fmt: skip


def reported(bench: Benchmark, task: Task, metric: str) -> Floats:
    """Mean over runs of ``metric`` at the report budget for every architecture; NaN where the table has none."""
    try:
        return bench.query(np.arange(bench.space.size), metric, dataset=task.dataset, budget=task.report_budget)
    except NotMeasured:
        return np.full(bench.space.size, np.nan)


def allowed(bench: Benchmark, plan: Plan, task: Task) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which architectures the hard limit leaves, (n_arch,); all where there is none."""
    if plan.constraint is None:
        return np.full(bench.space.size, True)
    return bench.within(plan.constraint, task.dataset)


def _task(bench: Benchmark, plan: Plan, task: Task) -> dict[str, Any]:
    optimum: dict[str, Any] = {}
    told = bench.query(np.arange(bench.space.size), "valid_accuracy", dataset=task.dataset, budget=task.budget)
    missing, mean, top = {"search": int(np.isnan(told).sum())}, {}, {}
    inside = allowed(bench, plan, task)
    for name in ("valid", "test"):
        values = reported(bench, task, f"{name}_accuracy")
        known = values[~np.isnan(values)]
        missing[name] = int(len(values) - len(known))
        mean[name] = float(known.mean()) if len(known) else None
        best_first = -np.sort(-values[inside & ~np.isnan(values)])
        top[name] = {
            str(share): float(best_first[int(np.ceil(share * len(best_first))) - 1])
            for share in TOP if len(best_first)
        }  # fmt: skip
        optimum[name] = _optimum(bench, plan, task, values)
    cost = {"words": "unknown", "provenance": "unknown"}
    if bench.index.has("search_seconds", task.dataset, task.budget):
        priced = bench.cost([0], dataset=task.dataset, budget=task.budget)
        cost = {"words": priced.words, "provenance": priced.provenance}
    report = {"budget": task.report_budget, "valid_words": _words(bench, task, "valid_accuracy", task.report_budget),
              "test_words": _words(bench, task, "test_accuracy", task.report_budget)}  # fmt: skip
    search = {"metric": "valid_accuracy", "budget": task.budget,
              "words": _words(bench, task, "valid_accuracy", task.budget)}  # fmt: skip
    return {"dataset": task.dataset, "search": search, "report": report, "cost": cost, "optimum": optimum,
            "missing": missing, "mean_of_space": mean, "top": top, "budgets": list(task.budgets),
            "predicted": _predicted(bench, plan, task),
            "allowed": int(inside.sum()), "reference": _reference(bench, plan, task)}  # fmt: skip


def _predicted(bench: Benchmark, plan: Plan, task: Task) -> list[str]:
    """Which of the accuracies told ("search") and reported ("valid", "test") nobody measured."""
    asked = {"search": ("valid_accuracy", task.budget), "valid": ("valid_accuracy", task.report_budget),
             "test": ("test_accuracy", task.report_budget)}  # fmt: skip
    if plan.live is not None:
        del asked["search"]
    entries = {name: _entry(bench, task, metric, budget) for name, (metric, budget) in asked.items()}
    return [name for name, entry in entries.items() if entry is not None and entry.provenance == "predicted"]


def _words(bench: Benchmark, task: Task, metric: str, budget: int) -> str:
    entry = _entry(bench, task, metric, budget)
    if entry is None:
        return "not measured"
    return "; ".join(part for part in (entry.trained_on, entry.evaluated_on, entry.means_over) if part)


def _entry(bench: Benchmark, task: Task, metric: str, budget: int) -> Entry | None:
    try:
        return bench.index.find(metric, task.dataset, budget, ("mean", "runs"))
    except NotMeasured:
        return None


def _optimum(bench: Benchmark, plan: Plan, task: Task, values: Floats) -> dict[str, Any] | None:
    """The largest of ``values`` that the hard limit leaves; None where none is known."""
    left = np.where(allowed(bench, plan, task), values, np.nan)
    if np.isnan(left).all():
        return None
    best = int(np.nanargmax(left))
    rule = f"largest mean over runs after {task.report_budget} epochs"
    if plan.constraint is not None:
        metric, most = plan.constraint
        rule += f" with {metric}<={most:g}"
    return {"id": best, "value": float(left[best]), "rule": rule}


def _reference(bench: Benchmark, plan: Plan, task: Task) -> dict[str, float] | None:
    """The point from which hypervolume is measured: the worst value told at any length, the largest cost."""
    if plan.objective2 is None:
        return None
    costs = bench.static(plan.objective2, task.dataset)
    seed = "all" if plan.trial == "random" else "mean"
    worst = [
        float(np.nanmin(bench.query(np.arange(bench.space.size), "valid_accuracy", dataset=task.dataset, budget=length,
                                    seed=seed)))  # type: ignore[call-overload]
        for length in {*task.budgets, task.budget}
    ]  # fmt: skip
    return {"value": min(worst), "cost": float(np.nanmax(costs))}
