"""The experiment runner: searchers x data sets x seeds into a run folder, in parallel, killable and resumable."""

from __future__ import annotations

import functools
import itertools
import os
import traceback
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...bench.benchmark import Benchmark
from ...bench.counts import check_jobs
from ...bench.errors import BadValue
from ...bench.memory import Memory, resident, since
from ...bench.objective import Log
from ...bench.parallel import in_parallel
from ...bench.run_folder import folder_for, write_frame
from ...bench.whole import write_whole
from .. import expectation
from ..scores import Scores, files_of
from ..searcher import Recipe
from .live import Live, Training
from .plan import Limit, Plan, Task, Trials, tasks_of
from .run import FAILURE, Run
from .search import Mode, Spending, search_once
from .statement import ASKED, allowed, reported, statement
from .study_text import study_text

if TYPE_CHECKING:
    import pandas as pd

SEEDS_A_PART = 10


@dataclass(frozen=True)
class Piece:
    """Some repetitions of one searcher on one task: what one process does at a time, and one part of the run."""

    task: Task
    recipe: Recipe
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        """Of the part: unique for task, searcher, first and last seed."""
        label = self.recipe.label
        safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in label)
        digest = zlib.crc32(label.encode())
        return f"{self.task.dataset}-{safe}-{digest:08x}-{self.seeds[0]:05d}-{self.seeds[-1]:05d}"


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
    budgets: Sequence[int] | None = None,
    seeds: int = 100,
    base_seed: int = 0,
    trial: Trials = "mean",
    count_last: bool = True,
    workers: int = 1,
    mode: Mode = "async",
    resume: bool = False,
    objective2: str | None = None,
    constraint: Limit | None = None,
    scores: str | os.PathLike[str] | None = None,
    live: bool | Live | Mapping[str, Any] = False,
    jobs: int = -1,
    cluster: str | None = None,
    progress: bool = False,
) -> Run:
    """Run every searcher ``seeds`` times on every data set and keep every evaluation in ``folder``.

    The folder may hold an earlier, killed start of the same comparison: what is finished is not done again. Results
    do not depend on ``jobs`` or ``cluster``, nor on the order in which parts finish. A repetition whose searcher
    raises, asks what is no architecture, or finishes no evaluation is recorded as failed (`Run.failures`), the others
    go on; the same comparison started again tries it again.

    Args:
        folder: default: one under ``runs/`` named after what is asked, so that asking again goes on with it.
        datasets: where to search; default: all that have validation accuracies at the search budget.
        seconds, queries: budget of one repetition, in simulated seconds, evaluations, or both.
        budget: epochs of a training during search; default: the shortest with a known cost (12 on nats-tss).
        report_budget: epochs of the training whose validation and test accuracy are reported; default: the longest.
        budgets: training lengths [epochs] that a multi-fidelity searcher can ask for; default: all that have
            accuracies and costs.
        trial: "mean" tells the searcher the mean over the runs of an architecture, "random" one run drawn anew for
            every evaluation (value and cost of that run).
        count_last: whether the evaluation that crosses the budget counts (the official protocol: it does).
        workers: simulated trainers that run at a time.
        mode: "async" asks as soon as one trainer is free, "sync" asks for as many as there are and waits for all.
        resume: charge a longer training only what it adds to an ended shorter one of the same run; default: in full,
            as the published protocols do.
        objective2: a property recorded as the second objective, better small: ``flops_millions``,
            ``params_millions``, ``latency_ms:DEVICE``, ``energy_mj:DEVICE``.
        constraint: such a property and the largest value allowed; what exceeds it costs 0 s and is told as NaN.
        scores: file or run folder of proxy scores, for searchers that use them (see `Scores.read`).
        live: train for real what searchers ask, and charge the measured seconds: True, a `Live`, or a table of its
            fields. Reported accuracies and the optimum are the table's all the same. Finished trainings are kept in
            ``folder``/live, where repetitions share them.
        jobs: processes; -1 for one per core.
        cluster: address of a Dask scheduler that does the work instead, such as "tcp://host:8786".
        progress: show a progress bar on standard error.

    Raises:
        BadValue: no budget, no searcher, a budget in which nothing fits, a folder with something else in it.
        NotMeasured: the table lacks the validation accuracy, the cost or the property that the search needs.
    """
    check_jobs(jobs)
    tasks = tasks_of(bench, datasets, budget, report_budget, budgets, trial)
    source = None if scores is None else str(Path(scores).resolve())
    how = Live.of(live)
    plan = Plan(
        tasks, tuple(recipes), seconds, queries, seeds, base_seed, trial, count_last, workers, mode, resume,
        objective2, constraint, source, None if how is None else Training.of(bench, tasks, how),
    )  # fmt: skip
    table = _scores(bench, plan)
    plan.check(bench, table)
    config = statement(bench, plan, table)
    if folder is None:
        folder = folder_for(bench.name, config, ASKED)
    run = Run.create(folder, config, ASKED)
    if plan.live is not None:
        plan = replace(plan, live=replace(plan.live, folder=run.folder / "live"))
    if not (run.folder / "study.toml").exists():
        write_whole(run.folder / "study.toml", study_text(bench, plan).encode())
    for task in tasks:
        path = run.folder / f"expectation-{task.dataset}.parquet"
        if not path.exists():
            write_frame(path, expectation.random_search(bench, plan, task))
    left = [piece for whole in _pieces(plan) for piece in _left(run, whole)]
    total = len(tasks) * len(plan.recipes) * seeds
    in_parallel(
        _do, [(bench, plan, run, piece) for piece in left], jobs=jobs, cluster=cluster,
        done=total - sum(len(piece.seeds) for piece in left), total=total, progress=progress,
    )  # fmt: skip
    return run


def repetitions(bench: Benchmark, plan: Plan, task: Task, recipe: Recipe, seeds: Iterable[int]) -> pd.DataFrame:
    """Some repetitions of one searcher on one task, one row per evaluation, columns as `Run` documents them.

    Raises:
        Exception: whatever the searcher raises.
    """
    return _records(bench, plan, task, recipe, [_search(bench, plan, task, recipe, seed) for seed in seeds])


@dataclass(frozen=True)
class _Repetition:
    """What happened in one repetition, and the error it broke off with."""

    seed: int
    log: Log
    spending: Spending
    memory: Memory = field(default_factory=Memory)
    error: Exception | None = None


def _search(bench: Benchmark, plan: Plan, task: Task, recipe: Recipe, seed: int, keep: bool = False) -> _Repetition:
    """One repetition; an error of the searcher is raised, or kept in the answer."""
    before = resident()
    key = (zlib.crc32(task.dataset.encode()), recipe.key, seed)
    for_searcher, for_trials = np.random.SeedSequence(plan.base_seed, spawn_key=key).spawn(2)
    objective = plan.objective(bench, task, np.random.default_rng(for_trials))
    scores = _scores(bench, plan)
    scorer = None if scores is None else scores.count()
    try:
        searcher = recipe.start(
            bench.space, np.random.default_rng(for_searcher), budgets=task.budgets, scorer=scorer
        )  # fmt: skip
        spending = search_once(searcher, objective, workers=plan.workers, mode=plan.mode, scorer=scorer)
        if not objective.ids:
            what = (
                "the first training asked for does not fit into the budget"
                if objective.clock.elapsed
                else "it asked nothing"
            )
            raise BadValue(f"the search ended without one evaluation: {what}")
    except Exception as error:
        if not keep:
            raise
        return _Repetition(seed, objective.log, Spending(), error=error)
    return _Repetition(seed, objective.log, spending, since(before))


def _records(
    bench: Benchmark, plan: Plan, task: Task, recipe: Recipe, repetitions: Sequence[_Repetition]
) -> pd.DataFrame:
    import pandas as pd

    def joined(parts: Iterable[Sequence[float]], kind: str) -> np.ndarray[Any, Any]:
        return np.fromiter(itertools.chain.from_iterable(parts), dtype=kind)

    logs = [each.log for each in repetitions]
    lengths = [len(log.ids) for log in logs]
    ids = joined((log.ids for log in logs), "int32")
    inside = allowed(bench, plan, task)
    frame = pd.DataFrame({
        "dataset": pd.Categorical.from_codes(np.zeros(len(ids), dtype="int8"), [task.dataset]),
        "searcher": pd.Categorical.from_codes(np.zeros(len(ids), dtype="int8"), [recipe.label]),
        "seed": np.repeat([each.seed for each in repetitions], lengths).astype("int32"),
        "query": joined((range(1, length + 1) for length in lengths), "int32"),
        "id": ids,
        "value": joined((log.values for log in logs), "float64"),
        "budget": joined((log.budgets for log in logs), "int16"),
        "cost": np.nan if plan.objective2 is None else bench.static(plan.objective2, task.dataset)[ids],
        "feasible": inside[ids],
        "started": joined((log.started for log in logs), "float64"),
        "seconds": joined((log.ended for log in logs), "float64"),
        "worker": joined((log.workers for log in logs), "int16"),
        "known": joined((log.known for log in logs), "int32"),
        "searcher_seconds": joined((each.spending.searcher for each in repetitions), "float64"),
        "proxy_seconds": joined((each.spending.proxy for each in repetitions), "float64"),
        "memory_before": np.repeat(np.array([each.memory.before for each in repetitions], "float32"), lengths),
        "memory_peak": np.repeat(np.array([each.memory.peak for each in repetitions], "float32"), lengths),
    })  # fmt: skip
    for name in ("valid", "test"):
        frame[name] = reported(bench, task, f"{name}_accuracy")[ids]
    return frame


def _pieces(plan: Plan) -> list[Piece]:
    blocks = [range(first, min(first + SEEDS_A_PART, plan.seeds)) for first in range(0, plan.seeds, SEEDS_A_PART)]
    return [
        Piece(task, recipe, tuple(seeds)) for task, seeds, recipe in itertools.product(plan.tasks, blocks, plan.recipes)
    ]


def _left(run: Run, piece: Piece) -> list[Piece]:
    """What is left to do of a piece: all of it, or its failed repetitions, each as a part of its own."""
    if not run.part(piece.name).exists():
        return [piece]
    alone = [Piece(piece.task, piece.recipe, (seed,)) for seed in piece.seeds]
    return [each for each in alone if run.failed(each.name).exists()]


def _do(bench: Benchmark, plan: Plan, run: Run, piece: Piece) -> int:
    """Do a piece and write its part.

    A kill in between loses nothing and leaves nothing twice: what failed is written before the part, so that a part
    without failures is whole, and old failures of a block go before its part appears, of a repetition alone after.
    """
    _load_what_writes()
    done = [_search(bench, plan, piece.task, piece.recipe, seed, keep=True) for seed in piece.seeds]
    failed = {each.seed: run.failed(Piece(piece.task, piece.recipe, (each.seed,)).name) for each in done}
    for each in done:
        if each.error is not None:
            write_frame(failed[each.seed], _failure(piece, each))
    whole = [each for each in done if each.error is None]
    if len(piece.seeds) > 1:
        for each in whole:
            failed[each.seed].unlink(missing_ok=True)
    if whole or len(piece.seeds) > 1:
        run.write_part(piece.name, _records(bench, plan, piece.task, piece.recipe, whole))
    for each in whole:
        failed[each.seed].unlink(missing_ok=True)
    return len(done)


@functools.lru_cache(maxsize=1)
def _load_what_writes() -> None:
    """Load, before the first search of a process, what its parts are written with: peaks of memory then compare."""
    import pandas as pd

    pd.DataFrame({"seed": [0]}).to_parquet(compression="zstd")


def _failure(piece: Piece, failed: _Repetition) -> pd.DataFrame:
    import pandas as pd

    error = failed.error
    assert error is not None
    row = (
        piece.task.dataset, piece.recipe.label, failed.seed, len(failed.log.ids),
        f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)),
    )  # fmt: skip
    return pd.DataFrame([row], columns=list(FAILURE))


def _scores(bench: Benchmark, plan: Plan) -> Scores | None:
    if plan.scores is None:
        return None
    stamps = tuple((str(file), file.stat().st_mtime_ns) for file in files_of(plan.scores) if file.exists())
    return _read_scores(plan.scores, bench.space.size, stamps)


@functools.lru_cache(maxsize=2)
def _read_scores(path: str, size: int, stamps: tuple[tuple[str, int], ...]) -> Scores:
    """Read once for all repetitions of a process; ``stamps`` tell when the files are others."""
    return Scores.read(path, size)
