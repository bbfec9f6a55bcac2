"""Writing the study that asks for a comparison again: one lies in every run folder."""

from __future__ import annotations

from typing import Any

from ...bench.benchmark import Benchmark
from ...bench.table import Table
from ...data.home import tables_at_hand
from ..searcher import Recipe
from .plan import Plan

HEAD = """\
# A comparison of search algorithms: nasgauge compare study.toml --out FOLDER
"""


def study_text(bench: Benchmark, plan: Plan) -> str:
    """The study that asks for this plan again, whole: every setting stands in it, defaults included."""
    import tomli_w

    content: dict[str, Any] = {
        "benchmark": "+".join(_spelled(table) for table in bench.tables),
        "datasets": [task.dataset for task in plan.tasks],
        "seconds": plan.seconds, "queries": plan.queries, **_lengths(plan),
        "seeds": plan.seeds, "base_seed": plan.base_seed, "trial": plan.trial, "count_last": plan.count_last,
        "workers": plan.workers, "mode": plan.mode, "resume": plan.resume, "objective2": plan.objective2,
        "limit": None if plan.constraint is None else f"{plan.constraint[0]}<={plan.constraint[1]!r}",
        "scores": plan.scores, "live": None if plan.live is None else plan.live.to_toml(),
        "searchers": [_table(recipe) for recipe in plan.recipes],
    }  # fmt: skip
    return HEAD + tomli_w.dumps({key: value for key, value in content.items() if value is not None})


def _lengths(plan: Plan) -> dict[str, Any]:
    """The training lengths that all tasks share; where they differ, they are the defaults of each."""
    found: dict[str, set[Any]] = {
        "budget": {task.budget for task in plan.tasks}, "report_budget": {task.report_budget for task in plan.tasks},
        "budgets": {task.budgets for task in plan.tasks},
    }  # fmt: skip
    alike = {key: next(iter(values)) for key, values in found.items() if len(values) == 1}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in alike.items()}


def _spelled(table: Table) -> str:
    """The name by which this very table is found in the home folder, else its path."""
    name = str(table.info["name"])
    here = tables_at_hand().get(name)
    return name if here is not None and here.resolve() == table.path.resolve() else str(table.path.resolve())


def _table(recipe: Recipe) -> dict[str, Any]:
    """The table [[searchers]] that makes this recipe again."""
    from .. import SEARCHERS
    from .. import recipe as recipe_of

    table, build = recipe.table, recipe.build
    if recipe.name in SEARCHERS:
        again = recipe_of(table)
        if _root(again.build) is _root(build) and dict(again.settings) == dict(recipe.settings):
            return table | {"label": recipe.label}
    spelled = f"{getattr(build, '__module__', '?')}:{getattr(build, '__qualname__', repr(build))}"
    return {"class": spelled, "label": recipe.label, **{key: table[key] for key in ("settings",) if key in table}}


def _root(build: Any) -> Any:
    """The class behind a partial application of it."""
    return getattr(build, "func", build)
