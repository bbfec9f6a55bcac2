"""Surrogate runs: how well a few measured architectures predict the rest of a table, over draws and over sizes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...bench.benchmark import Benchmark
from ...bench.describe import identity
from ...bench.environment import environment
from ...bench.errors import BadValue
from ...bench.parallel import in_parallel
from ...bench.run_folder import folder_for, read_frame, write_frame
from ...bench.surrogate.quality import agreement, coverage, noise_ceiling, tau
from ...bench.surrogate.surrogate import FEWEST, Fitted, Question
from .run import Run

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

ASKED = ("kind", "benchmark", "question", "fit_on", "sizes", "repeats", "base_seed", "held")
"""The keys of run.json that decide the numbers."""
SIZES = (50, 100, 200, 500, 1000)
LEVELS = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95)  # percent
HELD = 20_000  # architectures predicted in each draw
SHOWN = 0.9  # level of the intervals that are kept for the drawing
PREDICTIONS = "predictions.parquet"


@dataclass(frozen=True)
class Draw:
    """One fit: how many architectures are learned from, and which draw of them."""

    size: int
    repeat: int

    @property
    def name(self) -> str:
        """Of the part."""
        return f"{self.size:06d}-{self.repeat:04d}"


def surrogate(
    bench: Benchmark,
    folder: str | os.PathLike[str] | None = None,
    *,
    dataset: str | None = None,
    metric: str | None = None,
    budget: int | None = None,
    fit_on: int = 500,
    sizes: Sequence[int] = SIZES,
    repeats: int = 10,
    base_seed: int = 0,
    held: int = HELD,
    jobs: int = -1,
    cluster: str | None = None,
    progress: bool = False,
) -> Run:
    """Fit surrogates on draws of architectures, predict architectures of held-out classes, and keep what comes out.

    The folder may hold an earlier, killed start of the same: what is finished is not done again. Results depend on
    neither ``jobs`` nor ``cluster``. The draws of one repetition are nested: 100 architectures, the same and 100 more.

    Args:
        folder: default: one under ``runs/`` named after what is asked.
        dataset, metric, budget: what is predicted; default: test accuracy (validation accuracy where there is none),
            after the longest training.
        fit_on: architectures of the fits that are looked at closely: intervals, one seed, drawing.
        sizes: architectures of the other fits, for the learning curve.
        repeats: draws of each size.
        held: at most so many architectures are predicted in each draw, none of them isomorphic to a learned one.
        jobs: processes; -1 for one per core.
        cluster: address of a Dask scheduler that does the work instead.
        progress: show a progress bar on standard error.

    Raises:
        BadValue: a size that is too small, or that leaves nothing to predict.
        UnknownName, NotMeasured: no such column.
    """
    if jobs == 0:
        raise BadValue("jobs=0 given; legal: a number of processes, or -1 for one per core")
    metric = metric or ("test_accuracy" if "test_accuracy" in bench.metrics else "valid_accuracy")
    entry = bench.index.find(metric, dataset, budget, ("runs", "mean"))
    question = Question(metric, entry.dataset, entry.budget)
    _check(fit_on, sizes, repeats, held, base_seed)
    every = sorted({int(size) for size in sizes} | {fit_on})
    known = np.flatnonzero(~np.isnan(_values(bench, question)))
    classes = len(np.unique(bench.space.canonical(known)))
    if every[-1] >= classes:
        raise BadValue(
            f"{every[-1]:,} architectures to learn from leave nothing to predict: {bench.name} has {question.words()} "
            f"of {len(known):,} architectures in {classes:,} isomorphism classes; give a smaller fit_on or sizes"
        )
    config = {
        "kind": "surrogate", "benchmark": identity(bench),
        "question": {**asdict(question), "words": entry.evaluated_on, "runs": entry.kind == "runs"},
        "fit_on": fit_on, "sizes": every, "repeats": repeats, "base_seed": base_seed, "held": held,
        "known": len(known), "noise": _noise(bench, question, known) if entry.kind == "runs" else None,
        **environment("scikit-learn"),
    }  # fmt: skip
    if folder is None:
        folder = folder_for(f"surrogate-{bench.name}", config, ASKED)
    run = Run.create(folder, config, ASKED)
    draws = [Draw(size, repeat) for repeat in range(repeats) for size in reversed(every)]
    left = [draw for draw in draws if not run.part(draw.name).exists()]
    in_parallel(
        _do, [(bench, run, draw) for draw in left], jobs=jobs, cluster=cluster, done=len(draws) - len(left),
        total=len(draws), progress=progress,
    )  # fmt: skip
    return run


def measurements(run: Run) -> pd.DataFrame:
    """One row for each finished fit, ordered by size and repetition: the columns of `measure`."""
    import pandas as pd

    frames = [read_frame(path) for path in sorted(run.folder.glob("part-*.parquet"))]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def predictions(run: Run) -> pd.DataFrame:
    """The first close fit: ``id``, ``measured``, ``predicted``, and the ``low`` and ``high`` ends of 90 % intervals."""
    return read_frame(run.folder / PREDICTIONS)


def measure(bench: Benchmark, config: dict[str, Any], draw: Draw) -> tuple[dict[str, Any], pd.DataFrame | None]:
    """One fit and how well it predicts; for a close fit also the predictions of the first draw.

    Columns: ``size``, ``repeat``, those of `bench.surrogate.quality.Agreement` on held-out classes; of close fits also
    ``coverage_10`` ... (shares of held-out truths in intervals of those levels [percent], ``width`` the mean width at
    90 %), and where single runs are known, with truth = the mean over an architecture's other runs,

    ====================  ===========================================================================================
    one_seed_table        tau of the learned architectures' one run with the truth: a table of one seed
    one_seed_learned      tau of a surrogate fitted on those single runs with the truth, of the same architectures
    one_seed_held         the same, of held-out classes
    ====================  ===========================================================================================
    """
    import pandas as pd

    question = Question(*(config["question"][key] for key in ("metric", "dataset", "budget")))
    values = _values(bench, question)
    learned, others = _split(bench, config, draw, values)
    seed = draw.repeat
    runs = _runs(bench, question) if config["question"]["runs"] else None
    fitted = Fitted(bench.space, question, learned, values[learned], None if runs is None else runs[learned], seed)
    mean, spread = fitted.predict(others)
    row: dict[str, Any] = {"size": draw.size, "repeat": draw.repeat}
    row |= asdict(agreement(values[others], fitted.scale.back(mean)))
    if draw.size != config["fit_on"]:
        return row, None
    for level in LEVELS:
        low, high = fitted.interval(mean, spread, level / 100)
        row[f"coverage_{level}"] = 100 * coverage(values[others], low, high)
    low, high = fitted.interval(mean, spread, SHOWN)
    row["width"] = float(np.mean(high - low))
    if runs is not None:
        row |= _one_seed(bench, question, runs, learned, others, draw.repeat)
    kept = pd.DataFrame(
        {"id": others, "measured": values[others], "predicted": fitted.scale.back(mean), "low": low, "high": high}
    )
    return row, kept if draw.repeat == 0 else None


def _do(bench: Benchmark, run: Run, draw: Draw) -> int:
    """One part of the run; answers 1, the number of fits it was."""
    import pandas as pd

    row, kept = measure(bench, run.config, draw)
    if kept is not None:
        write_frame(run.folder / PREDICTIONS, kept)
    run.write_part(draw.name, pd.DataFrame([row]))
    return 1


def _check(fit_on: int, sizes: Sequence[int], repeats: int, held: int, base_seed: int) -> None:
    for name, value, least in (("repeats", repeats, 1), ("held", held, 2), ("base_seed", base_seed, 0),
                               *(("fit_on", size, FEWEST * 2) for size in (fit_on, *sizes))):  # fmt: skip
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise BadValue(f"{name}={value!r}; give an integer of at least {least}")


def _values(bench: Benchmark, question: Question) -> Floats:
    """The mean over runs of every architecture, (n_arch,)."""
    return bench.query(np.arange(bench.space.size), question.metric, dataset=question.dataset, budget=question.budget)


def _runs(bench: Benchmark, question: Question) -> Floats:
    """Single runs of every architecture, (n_arch, run)."""
    ids = np.arange(bench.space.size)
    return bench.query(ids, question.metric, dataset=question.dataset, budget=question.budget, seed="all")


def _split(bench: Benchmark, config: dict[str, Any], draw: Draw, values: Floats) -> tuple[Ids, Ids]:
    """Architectures to learn from, and those of other classes to predict, in an order of their own."""
    entropy = np.random.SeedSequence([config["base_seed"], draw.repeat])
    order = np.random.default_rng(entropy).permutation(np.flatnonzero(~np.isnan(values)))
    classes = bench.space.canonical(order)
    held = order[~np.isin(classes, classes[: draw.size])]
    return order[: draw.size], np.sort(held[: config["held"]])


def _noise(bench: Benchmark, question: Question, known: Ids) -> dict[str, float | None]:
    """How well two seeds of the table agree on the order of architectures: all of them, and the better half."""
    runs, values = _runs(bench, question)[known], _values(bench, question)[known]
    found = {"tau": noise_ceiling(runs), "tau_top": noise_ceiling(runs[values >= np.median(values)])}
    return {name: None if np.isnan(value) else value for name, value in found.items()}


def _one_seed(
    bench: Benchmark, question: Question, runs: Floats, learned: Ids, others: Ids, repeat: int
) -> dict[str, float]:
    """A table and a surrogate of the same trainings, one run an architecture, against the mean of its other runs."""
    which = repeat % runs.shape[1]
    rest = np.delete(runs, which, axis=1)
    counts = (~np.isnan(rest)).sum(axis=1)
    truth = np.where(counts > 0, np.nansum(rest, axis=1) / np.maximum(counts, 1), np.nan)
    learned = learned[~np.isnan(runs[learned, which])]
    if len(np.unique(bench.space.canonical(learned))) < FEWEST:
        return {}
    single = runs[learned, which]
    fitted = Fitted(bench.space, question, learned, single, None, repeat)
    ours, theirs = (fitted.scale.back(fitted.predict(ids)[0]) for ids in (learned, others))
    return {
        "one_seed_trainings": float(len(learned)),
        "one_seed_table": tau(truth[learned], single),
        "one_seed_learned": tau(truth[learned], ours),
        "one_seed_held": tau(truth[others], theirs),
    }
