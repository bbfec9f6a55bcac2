"""What a surrogate run asks of a table: which columns, how much of them is known, how noisy single runs are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from ...bench.benchmark import Benchmark
from ...bench.errors import BadValue
from ...bench.surrogate.quality import noise_ceiling
from ...bench.surrogate.surrogate import Question
from ...bench.table import Entry

Floats = npt.NDArray[np.float64]
KINDS = ("runs", "mean")


def having(bench: Benchmark, metric: str) -> list[str | None]:
    """The data sets that have a metric; none named where it does not depend on one, or nobody has it.

    As in a comparison, "cifar10-valid" (the trainings on half of CIFAR-10) has to be asked for.
    """
    every = [entry.dataset for entry in bench.index.entries if entry.metric == metric]
    found = [name for name in every if name is None or not name.endswith("-valid")]
    return list(dict.fromkeys(found)) or [None]


def default_metric(bench: Benchmark) -> str:
    """What is predicted where nobody says: test accuracy, or validation accuracy where there is none."""
    return "test_accuracy" if "test_accuracy" in bench.metrics else "valid_accuracy"


def questions_of(bench: Benchmark, metric: str, datasets: Sequence[str], budget: int | None) -> list[Question]:
    """The columns that are asked about; default: of all data sets that have the metric, after the longest training.

    Raises:
        UnknownName, NotMeasured: no such column.
    """
    entries = [bench.index.find(metric, name, budget, KINDS) for name in datasets or having(bench, metric)]
    return [Question(metric, entry.dataset, entry.budget) for entry in entries]


def check_whole(name: str, value: object, least: int) -> None:
    """BadValue unless ``value`` is an integer, of numpy too, of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise BadValue(f"{name}={value!r}; give an integer of at least {least}")


def check_left(bench: Benchmark, question: Question, largest: int) -> None:
    """BadValue where learning from ``largest`` architectures would leave nothing to predict."""
    known = np.flatnonzero(~np.isnan(values_of(bench, question)))
    classes = len(np.unique(bench.space.canonical(known)))
    if largest >= classes:
        raise BadValue(
            f"{largest:,} architectures to learn from leave nothing to predict: {bench.name} has {question.words()} "
            f"of {len(known):,} architectures in {classes:,} isomorphism classes; give a smaller fit_on or sizes"
        )


def statement_of(bench: Benchmark, question: Question) -> dict[str, Any]:
    """A question as run.json keeps it."""
    values, single = values_of(bench, question), has_runs(bench, question)
    known = np.flatnonzero(~np.isnan(values))
    noise = _noise(runs_of(bench, question)[known], values[known]) if single else None
    words = _entry(bench, question).evaluated_on
    return {**asdict(question), "words": words, "runs": single, "known": len(known), "noise": noise}


def _noise(runs: Floats, values: Floats) -> dict[str, float | None]:
    """How well two seeds of the table agree on the order of architectures: all of them, and the better half."""
    found = {"tau": noise_ceiling(runs), "tau_top": noise_ceiling(runs[values >= np.median(values)])}
    return {name: None if np.isnan(value) else value for name, value in found.items()}


def has_runs(bench: Benchmark, question: Question) -> bool:
    """Whether the table knows single runs, not means alone."""
    return _entry(bench, question).kind == "runs"


def _entry(bench: Benchmark, question: Question) -> Entry:
    return bench.index.find(question.metric, question.dataset, question.budget, KINDS)


def values_of(bench: Benchmark, question: Question) -> Floats:
    """The mean over runs of every architecture, (n_arch,)."""
    return bench.query(np.arange(bench.space.size), question.metric, dataset=question.dataset, budget=question.budget)


def runs_of(bench: Benchmark, question: Question) -> Floats:
    """Single runs of every architecture, (n_arch, run)."""
    ids = np.arange(bench.space.size)
    return bench.query(ids, question.metric, dataset=question.dataset, budget=question.budget, seed="all")
