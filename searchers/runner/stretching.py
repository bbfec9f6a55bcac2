"""Surrogate runs: how well a few measured architectures predict the rest of a table.

Predictors x data sets x draws x sizes into a run folder, in parallel, killable and resumable.
"""

from __future__ import annotations

import os
import traceback
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...bench.benchmark import Benchmark
from ...bench.counts import check_jobs
from ...bench.describe import identity
from ...bench.environment import environment
from ...bench.errors import BadValue, UnknownName
from ...bench.parallel import answers, counted
from ...bench.run_folder import folder_for, read_frame, write_frame
from ...bench.spaces import Ids
from ...bench.surrogate.surrogate import RESULTS, Question
from ..predictors import Predictor, predictor
from ..threads import one_thread_learning
from .judging import SCALES, SHOWN, fit_and_predict, judged, one_seed, scale_of
from .questions import (
    check_left,
    check_whole,
    default_metric,
    has_runs,
    questions_of,
    runs_of,
    statement_of,
    values_of,
)  # fmt: skip
from .run import Run

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

ASKED = ("kind", "benchmark", "questions", "models", "scale", "fit_on", "sizes", "draws", "base_seed", "held")
"""The keys of run.json that decide the numbers."""
SIZES = (50, 100, 200, 500, 1000)
FEWEST = 10  # architectures to learn from
HELD = 5_000  # architectures predicted in each draw
FAILURE = ("dataset", "model", "size", "draw", "error", "traceback")
MEASURED = ("fit_seconds", "predict_seconds")
"""Columns that were measured on the host; all others are equal in every run of one plan."""


class FailedFits(UserWarning):
    """Some fits of a run broke off with an error; `failures` lists them."""


@dataclass(frozen=True)
class Piece:
    """What one process does at a time and one part of the run: all sizes of one predictor, data set and draw."""

    question: Question
    model: Predictor
    draw: int

    @property
    def name(self) -> str:
        """Of the part."""
        return f"{_safe(self.question.dataset or 'any')}-{_safe(self.model.name)}-{self.draw:04d}"


def surrogate(
    bench: Benchmark,
    folder: str | os.PathLike[str] | None = None,
    *,
    models: Sequence[str | Predictor] = ("surrogate",),
    datasets: Sequence[str] = (),
    metric: str | None = None,
    budget: int | None = None,
    scale: str = "log-error",
    fit_on: int = 500,
    sizes: Sequence[int] = SIZES,
    draws: int = 10,
    base_seed: int = 0,
    held: int = HELD,
    jobs: int = -1,
    cluster: str | None = None,
    progress: bool = False,
) -> Run:
    """Fit predictors on draws of architectures, predict architectures of held-out classes, and keep what comes out.

    Every predictor learns from the same draws and is judged on the same architectures (`held_out`). The folder may
    hold an earlier, killed start of the same: what is finished is not done again. Results depend on neither ``jobs``
    nor ``cluster``. A fit that raises is recorded (`failures`), the others go on; the same command tries it again.

    Args:
        folder: default: one under ``runs/`` named after what is asked.
        models: predictors, or their names (`searchers.predictors.predictor`); the first one is what the report
            compares the others with.
        datasets, metric, budget: what is predicted; default: test accuracy (validation accuracy where there is none),
            after the longest training, on every data set that has it.
        scale: "log-error" learns -log(101 - accuracy), "plain" the accuracy itself; measures are of the accuracy.
        fit_on: architectures of the fits that are looked at closely: one seed, drawing.
        sizes: architectures of the other fits, for the learning curve.
        draws: of each size.
        held: at most so many architectures are predicted in each draw, none of them isomorphic to a learned one.
        jobs: processes; -1 for one per core.
        cluster: address of a Dask scheduler that does the work instead.
        progress: show a progress bar on standard error.

    Raises:
        BadValue: a size that is too small, or that leaves nothing to predict; nothing to fit, or something twice.
        UnknownName, NotMeasured: no such column, scale or predictor.
    """
    check_jobs(jobs)
    if scale not in SCALES:
        raise UnknownName.of("scale", scale, SCALES)
    metric = metric or default_metric(bench)
    fitted = tuple(predictor(each, bench.space, timed=not metric.endswith(RESULTS)) for each in models)
    _distinct("models", [each.name for each in fitted])
    _distinct("datasets", list(datasets), least=0)
    _check(fit_on, sizes, draws, held, base_seed)
    every = sorted({int(size) for size in sizes} | {int(fit_on)})
    questions = questions_of(bench, metric, datasets, budget)
    for question in questions:
        check_left(bench, question, every[-1])
    config = {
        "kind": "surrogate", "benchmark": identity(bench),
        "questions": [statement_of(bench, each) for each in questions],
        "models": [each.name for each in fitted], "scale": scale, "fit_on": int(fit_on), "sizes": every,
        "draws": int(draws), "base_seed": int(base_seed), "held": int(held), **environment("scikit-learn"),
    }  # fmt: skip
    if folder is None:
        folder = folder_for(f"surrogate-{bench.name}", config, ASKED)
    run = Run.create(folder, config, ASKED)
    pieces = [Piece(question, model, draw) for draw in range(draws) for question in questions for model in fitted]
    left = [piece for piece in pieces if not run.part(piece.name).exists() or run.failed(piece.name).exists()]
    found = answers(_do, [(bench, run, piece) for piece in left], jobs=jobs, cluster=cluster)
    done, total = ((len(pieces) - len(left)) * len(every), len(pieces) * len(every))
    for _ in counted(found, done=done, total=total, progress=progress, unit="fit", size=int):
        pass
    return run


def measurements(run: Run) -> pd.DataFrame:
    """One row for each finished fit: ``dataset``, ``model``, ``size``, ``draw`` and the columns of `judging`."""
    import pandas as pd

    frames = [frame for path in run.parts() if len(frame := read_frame(path))]
    if not frames:
        return pd.DataFrame()
    whole = pd.concat(frames, ignore_index=True)
    return whole.sort_values(["dataset", "model", "size", "draw"], kind="stable", ignore_index=True)


def predictions(run: Run) -> pd.DataFrame:
    """The close fits of the first draw: ``dataset``, ``model``, ``id``, ``measured``, ``predicted``, ``low``, ``high``.

    ``low`` and ``high`` are the ends of 90 % intervals.
    """
    import pandas as pd

    frames = [read_frame(path) for path in sorted(run.folder.glob("predictions-*.parquet"))]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def failures(run: Run) -> pd.DataFrame:
    """The fits that broke off with an error, one row each: the columns `FAILURE`."""
    import pandas as pd

    frames = [read_frame(path) for path in sorted(run.folder.glob("failed-*.parquet"))]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(FAILURE))


def failed_words(run: Run) -> str:
    """How many fits failed and the first error, in one sentence; empty where none did."""
    found = failures(run)
    if not len(found):
        return ""
    first = found.sort_values(["dataset", "model", "size", "draw"]).iloc[0]
    total = len(run.config["questions"]) * len(run.config["models"]) * len(run.config["sizes"]) * run.config["draws"]
    return (
        f"{len(found)} of {total} fits failed; the first is {first['model']!r} on {first['dataset']}, {first['size']} "
        f"architectures, draw {first['draw']}: {first['error']}. The others are in {run.folder}; start the same "
        "command again to repeat the failed ones"
    )


def held_out(bench: Benchmark, config: dict[str, Any], draw: int, values: Floats) -> tuple[Ids, Ids]:
    """Architectures to learn from, the largest size, and those to predict, in every fit of a draw the same.

    Smaller sizes learn from the first ones. None of those to predict is isomorphic to one that any size learns from.

    Args:
        values: the number of every architecture, NaN where nobody measured it, (n_arch,).
    """
    order = np.random.default_rng([config["base_seed"], draw]).permutation(np.flatnonzero(~np.isnan(values)))
    classes = bench.space.canonical(order)
    largest = config["sizes"][-1]
    others = order[~np.isin(classes, classes[:largest])]
    return order[:largest], np.sort(others[: config["held"]])


def _do(bench: Benchmark, run: Run, piece: Piece) -> int:
    """One part of the run; answers the number of fits it was. What failed is written first, as in a comparison."""
    import pandas as pd

    config, question = run.config, piece.question
    values = values_of(bench, question)
    learned, others = held_out(bench, config, piece.draw, values)
    rows, failed = [], []
    with one_thread_learning():
        for size in config["sizes"]:
            try:
                rows.append(_fit(bench, run, piece, values, learned[:size], others))
            except Exception as error:  # noqa: BLE001 - whatever a predictor raises is recorded, and the run goes on
                words = f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error))
                failed.append((question.dataset, piece.model.name, size, piece.draw, *words))
    if failed:
        write_frame(run.failed(piece.name), pd.DataFrame(failed, columns=list(FAILURE)))
    run.write_part(piece.name, pd.DataFrame(rows))
    if not failed:
        run.failed(piece.name).unlink(missing_ok=True)
    return len(config["sizes"])


def _fit(bench: Benchmark, run: Run, piece: Piece, values: Floats, learned: Ids, others: Ids) -> dict[str, Any]:
    """One row; of a close fit also what single runs teach, and of its first draw the predictions."""
    import pandas as pd

    config, question, model, draw = run.config, piece.question, piece.model, piece.draw
    scale = scale_of(config["scale"], question)
    key = (zlib.crc32(str(question.dataset).encode()), zlib.crc32(model.name.encode()), draw, len(learned))
    rng = np.random.default_rng(np.random.SeedSequence(config["base_seed"], spawn_key=key))
    _, forecast, spent = fit_and_predict(bench, model, scale, learned, values[learned], others, rng)
    row: dict[str, Any] = {"dataset": question.dataset, "model": model.name, "size": len(learned), "draw": draw}
    row |= judged(scale, values[others], forecast) | spent
    if len(learned) != config["fit_on"]:
        return row
    if has_runs(bench, question):
        row |= one_seed(bench, model, scale, runs_of(bench, question), learned, others, draw, rng)
    if draw == 0:
        low, high = (scale.back(end) for end in forecast.interval(SHOWN))
        kept = {"id": others, "measured": values[others], "predicted": scale.back(forecast.mean), "low": low,
                "high": high}  # fmt: skip
        frame = pd.DataFrame({"dataset": question.dataset, "model": model.name, **kept})
        write_frame(run.folder / f"predictions-{piece.name}.parquet", frame)
    return row


def _check(fit_on: int, sizes: Sequence[int], draws: int, held: int, base_seed: int) -> None:
    for name, value, least in (("draws", draws, 1), ("held", held, 2), ("base_seed", base_seed, 0),
                               ("fit_on", fit_on, FEWEST), *(("sizes", size, FEWEST) for size in sizes)):  # fmt: skip
        check_whole(name, value, least)


def _distinct(what: str, names: Sequence[str], least: int = 1) -> None:
    if len(names) < least or len(set(names)) < len(names):
        raise BadValue(f"{what} {', '.join(names) or 'none'} given; give at least {least}, each once")


def _safe(text: str) -> str:
    """A name as part of a file's: what is no letter is a stroke, a checksum keeps names apart."""
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in text)
    return safe if safe == text else f"{safe}-{zlib.crc32(text.encode()):08x}"
