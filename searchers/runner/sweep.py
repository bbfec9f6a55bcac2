"""A sweep over trainers: the same comparison with 1, 2, 4, ... simulated trainers, as one folder of comparisons."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...bench.benchmark import Benchmark
from ...bench.counts import check_count
from ...bench.describe import origin
from ...bench.environment import environment
from ...bench.errors import BadFile, BadValue, NasgaugeError
from ...bench.run_folder import folder_for
from ..searcher import Recipe
from .experiment import compare
from .run import Run
from .search import Mode

ASKED = ("kind", "benchmark", "trainers", "modes", "batch_of_trainers", "searchers", "datasets", "settings")
"""The keys of run.json that decide what the comparisons are; the rest is in theirs."""


def sweep(
    bench: Benchmark,
    recipes: Sequence[Recipe],
    folder: str | os.PathLike[str] | None = None,
    *,
    workers: Sequence[int],
    mode: Mode | Sequence[Mode] = "async",
    batch_of_trainers: bool = True,
    jobs: int = -1,
    cluster: str | None = None,
    progress: bool = False,
    **settings: Any,
) -> Run:
    """Compare searchers with each number of trainers, in each mode; see `experiment.compare` for all other settings.

    The folder holds one comparison, whole and alike to any other, for each number of trainers and mode; the same call
    again goes on after a kill. One trainer is the same in both modes and runs once. A budget in seconds compares what
    more trainers bring in the same time; in queries, what the same trainings are worth when less is known.

    Args:
        workers: numbers of trainers, each once; the first is what the others are compared with.
        mode: "async", "sync", or both.
        batch_of_trainers: searchers with a setting ``batch`` think of as many architectures at a time as there are
            trainers, whatever their preset says.

    Raises:
        BadValue: no trainers, one number or mode twice, or what `compare` refuses.
    """
    modes = [mode] if isinstance(mode, str) else list(mode)
    for what, given in (("workers", list(workers)), ("mode", modes)):
        if not given or len(set(given)) < len(given):
            raise BadValue(f"{what}={given} given; a sweep has one or more of them, each once")
    for count in workers:
        check_count("workers", count, "the trainers of a search")
    config = {
        "kind": "parallel", "benchmark": origin(bench), "trainers": [int(count) for count in workers],
        "modes": modes, "batch_of_trainers": batch_of_trainers, "searchers": [each.table for each in recipes],
        "datasets": list(settings.get("datasets") or ()),
        "settings": {name: _plain(value) for name, value in sorted(settings.items()) if name != "datasets"},
        **environment(),
    }  # fmt: skip
    if folder is None:
        folder = folder_for(f"{bench.name}-trainers", config, ASKED)
    asked = [(count, each) for count in workers for each in (modes[:1] if count == 1 else modes)]
    fresh = not Path(folder).exists()
    made = Run.create(folder, config, ASKED)
    for count, each in asked:
        thinking = [_with_batch(recipe, count) if batch_of_trainers else recipe for recipe in recipes]
        try:
            compare(
                bench, thinking, made.folder / name_of(count, each), workers=count, mode=each, jobs=jobs,
                cluster=cluster, progress=progress, **settings,
            )  # fmt: skip
        except NasgaugeError:
            if fresh and not comparisons(made):  # refused before anything was done: leave nothing behind
                shutil.rmtree(made.folder)
            raise
    return made


def compare_with(
    bench: Benchmark,
    recipes: Sequence[Recipe],
    folder: str | os.PathLike[str] | None = None,
    *,
    workers: int | Sequence[int] = 1,
    mode: Mode | Sequence[Mode] = "async",
    batch_of_trainers: bool = True,
    **settings: Any,
) -> Run:
    """`experiment.compare`, or `sweep` where several numbers of trainers are given."""
    if isinstance(workers, Sequence) and not isinstance(workers, str):
        return sweep(
            bench, recipes, folder, workers=workers, mode=mode, batch_of_trainers=batch_of_trainers, **settings
        )  # fmt: skip
    if not isinstance(mode, str) or not batch_of_trainers:
        raise BadValue(
            f"workers={workers} given; several modes, and batch_of_trainers=False, are of a sweep: give several numbers"
        )
    return compare(bench, recipes, folder, workers=workers, mode=mode, **settings)


def name_of(workers: int, mode: str) -> str:
    """The folder of one comparison inside the sweep's."""
    return f"trainers-{workers:03d}" if workers == 1 else f"trainers-{workers:03d}-{mode}"


def comparisons(run: Run) -> tuple[Run, ...]:
    """The comparisons of a sweep that have begun, in the order asked; of any other run, the run itself.

    Raises:
        BadFile: run.json of a sweep is damaged, or that of one of its comparisons.
    """
    if run.config.get("kind") != "parallel":
        return (run,)
    try:
        trainers, modes = [int(each) for each in run.config["trainers"]], [str(each) for each in run.config["modes"]]
    except (KeyError, TypeError, ValueError) as error:
        raise BadFile(f"{run.folder / 'run.json'}: not the statement of a sweep over trainers ({error!r})") from error
    names = dict.fromkeys(name_of(count, mode) for count in trainers for mode in modes)
    return tuple(Run(run.folder / name) for name in names if (run.folder / name / "run.json").exists())


def _with_batch(recipe: Recipe, count: int) -> Recipe:
    """The same searcher, thinking of ``count`` architectures at a time, where it has a say in that."""
    if not recipe.takes("batch"):
        return recipe
    return replace(recipe, settings={**recipe.settings, "batch": count})


def _plain(value: Any) -> Any:
    """A setting as JSON has it."""
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else str(value)
