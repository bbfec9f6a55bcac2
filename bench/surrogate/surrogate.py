"""A surrogate of a benchmark: the same questions, answered for the whole space, every answer a prediction."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ..column import Column
from ..errors import BadValue, NotMeasured
from ..spaces import Architecture, Architectures, Graph, Ids, Space
from .encoding import Rows, encode
from .model import Calibration, Ensemble, Scale, cross_fit, seed_noise

if TYPE_CHECKING:
    from ..benchmark import Benchmark

Floats = npt.NDArray[np.float64]
FEWEST = 20  # isomorphism classes that can be learned from
TOGETHER = 16_384  # architectures predicted at a time
ONE = (str, Graph, int, np.integer)
RESULTS = ("_accuracy", "_loss")  # endings of metrics that depend on what a network computes alone


@dataclass(frozen=True)
class Question:
    """What a number is of: the column of a table, or a checkpoint of one."""

    metric: str
    dataset: str | None
    budget: int | None
    epoch: int | None = None

    def words(self) -> str:
        """The question as a phrase."""
        parts = [self.metric, self.dataset and f"on {self.dataset}", self.budget and f"after {self.budget} epochs",
                 self.epoch and f"at epoch {self.epoch}"]  # fmt: skip
        return " ".join(part for part in parts if part)


class Fitted:
    """The answer to one question, learned from the architectures that have it.

    ``ids`` are the architectures learned from, ``values`` their numbers (n,), ``runs`` their single runs (n, run) where
    the table has them.
    """

    def __init__(
        self, space: Space, question: Question, ids: Ids, values: Floats, runs: Floats | None, seed: int
    ) -> None:
        self.space, self.question, self.ids, self.seed = space, question, ids, seed
        self.scale = Scale(question.metric.endswith("_accuracy"))
        self.z = self.scale.learned(values)
        self.timed = not question.metric.endswith(RESULTS)
        self.rows: Rows = encode(space, ids, dead=self.timed)
        self.ensemble = Ensemble.fit(self.rows, self.z, seed)
        self.noise, self.runs = (float("nan"), float("nan")) if runs is None else seed_noise(self.scale.learned(runs))

    @cached_property
    def calibration(self) -> Calibration:
        """How far predictions for other architectures are off; takes five more fits."""
        return cross_fit(self.rows, self.z, self.space.canonical(self.ids), self.seed)

    def predict(self, ids: Ids) -> tuple[Floats, Floats]:
        """Mean and variance over trees on the learned scale, each (n,)."""
        parts = [self.ensemble.predict(encode(self.space, ids[first : first + TOGETHER], dead=self.timed))
                 for first in range(0, len(ids), TOGETHER)]  # fmt: skip
        if not parts:
            return np.empty(0), np.empty(0)
        return np.concatenate([mean for mean, _ in parts]), np.concatenate([spread for _, spread in parts])

    @property
    def run_noise(self) -> float:
        """Variance by which a single run differs more from the truth than the means learned from; 0 where unknown."""
        return 0.0 if np.isnan(self.noise) else self.noise * (1 - 1 / self.runs)

    def interval(
        self, mean: Floats, spread: Floats, level: float, of: Literal["mean", "run"] = "mean"
    ) -> tuple[Floats, Floats]:
        """Ends between which the truth of architectures that were not learned lies with probability ``level``.

        Args:
            mean, spread: as `predict` gives them.
        """
        held = self.calibration
        wide = np.sqrt(held.deviation(spread) ** 2 + (self.run_noise if of == "run" else 0.0))
        low, high = (mean + held.quantile(end) * wide for end in ((1 - level) / 2, (1 + level) / 2))
        return self.scale.back(low), self.scale.back(high)


class Surrogate:
    """Predictions in place of measurements, for every architecture of a benchmark's space.

    Whatever the benchmark measured of the architectures ``fit_on``, and nothing else, is learned, each column when it
    is first asked for. Answers are predictions even for the architectures learned from. What is known by formula or
    measured for the whole space and is no result of training (parameters, multiply-adds, latencies) is answered as is.

    >>> surrogate = bench.surrogate(fit_on=bench.space.sample(500, rng))              # doctest: +SKIP
    >>> surrogate.query(bench.space.ids(range(15_625)), "test_accuracy", dataset="cifar10")  # doctest: +SKIP

    Args:
        bench: where the measurements are.
        fit_on: architectures to learn from; default: all that have the number asked for.
        seed: of the ensembles and their folds; the same seed gives the same answers.
    """

    provenance = "predicted"

    def __init__(self, bench: Benchmark, fit_on: Architectures | None = None, *, seed: int = 0) -> None:
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
            raise BadValue(f"seed={seed!r}; give an integer from 0 to 2**32 - 1")
        self.bench, self.space, self.seed = bench, bench.space, int(seed)
        self.fit_on = np.unique(self.space.ids(range(self.space.size) if fit_on is None else fit_on))
        self.name = f"surrogate of {bench.name}"
        self._fitted: dict[Question, Fitted] = {}

    def query(
        self,
        archs: Architectures,
        metric: str,
        *,
        dataset: str | None = None,
        budget: int | None = None,
        epoch: int | None = None,
        seed: int | Literal["mean", "all"] | np.random.Generator = "mean",
    ) -> float | Floats:
        """Predictions of ``metric``: a number for one architecture, an array (n,) for several.

        The arguments are those of `Benchmark.query`. With ``seed="mean"`` they predict the mean over runs; with a
        Generator, one run of each architecture is drawn from the predictive distribution.

        Raises:
            UnknownName, BadArchitecture: as `Benchmark.query`.
            NotMeasured: the benchmark has no such column, too few of ``fit_on`` have it, or a single run is asked for.
        """
        if not isinstance(seed, np.random.Generator) and seed != "mean":
            raise NotMeasured(
                f"seed={seed!r}: a surrogate predicts no run of a given seed; ask for 'mean', or give a Generator to "
                "draw runs from its predictive distribution"
            )
        ids = self.space.ids(archs)
        if self._is_known(metric, dataset, budget, epoch):
            values = np.asarray(self.bench.query(ids, metric, dataset=dataset), dtype=np.float64)
        else:
            fitted = self.fitted(metric, dataset=dataset, budget=budget, epoch=epoch)
            mean, spread = fitted.predict(ids)
            if isinstance(seed, np.random.Generator):
                held = fitted.calibration
                mean = mean + held.deviation(spread) * seed.choice(held.e, len(ids))
                mean = mean + np.sqrt(fitted.run_noise) * seed.standard_normal(len(ids))
            values = fitted.scale.back(mean)
        return float(values[0]) if isinstance(archs, ONE) else values

    def interval(
        self,
        archs: Architecture | Architectures,
        metric: str,
        *,
        dataset: str | None = None,
        budget: int | None = None,
        epoch: int | None = None,
        level: float = 0.9,
        of: Literal["mean", "run"] = "mean",
    ) -> tuple[Floats, Floats]:
        """Lower and upper ends, each (n,), between which the truth lies with probability ``level``.

        Args:
            of: whether the truth is the mean over an architecture's runs, or a single run (wider by the seed noise).
        """
        if not 0 < level < 1:
            raise BadValue(f"level={level!r}; give a probability between 0 and 1, e.g. 0.9")
        if of not in ("mean", "run"):
            raise BadValue(f"of={of!r}; legal: 'mean', 'run'")
        fitted = self.fitted(metric, dataset=dataset, budget=budget, epoch=epoch)
        return fitted.interval(*fitted.predict(self.space.ids(archs)), level, of)

    def fitted(
        self, metric: str, *, dataset: str | None = None, budget: int | None = None, epoch: int | None = None
    ) -> Fitted:
        """What was learned for one question; learned now if it was not asked before."""
        entry = self.bench.index.find(metric, dataset, budget, ("runs", "mean", "static"))
        question = Question(metric, entry.dataset, entry.budget, None if epoch == entry.budget else epoch)
        if question not in self._fitted:
            self._fitted[question] = self._fit(question, has_runs=entry.kind == "runs")
        return self._fitted[question]

    def _fit(self, question: Question, *, has_runs: bool) -> Fitted:
        values = self._measured(self.fit_on, question, "mean")
        known = ~np.isnan(values)
        ids = self.fit_on[known]
        classes = len(np.unique(self.space.canonical(ids)))
        if classes < FEWEST:
            raise NotMeasured(
                f"{self.name}: {known.sum():,} of the {len(self.fit_on):,} architectures to learn from have "
                f"{question.words()}, of {classes} isomorphism classes; at least {FEWEST} are needed"
            )
        runs = self._measured(ids, question, "all") if has_runs else None
        return Fitted(self.space, question, ids, values[known], runs, self.seed)

    def _measured(self, ids: Ids, question: Question, seed: Literal["mean", "all"]) -> Floats:
        return self.bench.query(
            ids, question.metric, dataset=question.dataset, budget=question.budget, epoch=question.epoch, seed=seed
        )

    def _is_known(self, metric: str, dataset: str | None, budget: int | None, epoch: int | None) -> bool:
        """Whether a number is no result of training and known of every architecture."""
        entry = self.bench.index.find(metric, dataset, budget, ("runs", "mean", "static"))
        return entry.kind == "static" and not entry.missing and epoch is None

    def describe(self) -> str:
        """In words: what was learned from what, and how well it predicts architectures that were held out."""
        from .quality import agreement

        lines = [
            f"{self.name}: every answer is predicted, from {self._learned():,} of {self.space.size:,} architectures "
            f"(seed {self.seed})",
            "randomised trees and gradient boosting on counts of paths; by question, with held-out classes:",
        ]
        for question, fitted in self._fitted.items():
            held = fitted.calibration
            found = agreement(fitted.scale.back(held.z), fitted.scale.back(held.mu))
            lines.append(
                f"  {question.words()}: {len(fitted.ids):,} architectures, Kendall tau {found.tau:.3f}, R2 "
                f"{found.r2:.3f}, mean error {found.error:.3f} (provenance: predicted)"
            )
        return "\n".join(lines if self._fitted else [*lines, "  nothing asked yet"])

    def _learned(self) -> int:
        """How many architectures were learned from; before anything is asked, how many may be."""
        known = [fitted.ids for fitted in self._fitted.values()] or [self.fit_on]
        return len(np.unique(np.concatenate(known)))

    def columns(self, questions: Iterable[tuple[str, str, int | None]]) -> list[Column]:
        """Predictions of the whole space as columns of a table, by (metric, data set, budget)."""
        made = []
        for metric, dataset, budget in questions:
            fitted = self.fitted(metric, dataset=dataset, budget=budget)
            entry = self.bench.index.find(metric, dataset, budget, ("runs", "mean", "static"))
            words = f"predicted from {len(fitted.ids):,} architectures"
            values = np.asarray(self.query(np.arange(self.space.size), metric, dataset=dataset, budget=budget))
            made.append(
                Column(
                    metric, values, entry.dataset, entry.budget, trained_on=entry.trained_on,
                    evaluated_on=entry.evaluated_on, means_over=words, provenance=self.provenance,
                )
            )  # fmt: skip
        return made

    def save(
        self, path: str | os.PathLike[str], questions: Sequence[tuple[str, str, int | None]] | None = None
    ) -> Path:
        """Write predictions of the whole space as a table, which `nasgauge.open` opens like any other.

        Args:
            questions: (metric, data set, budget) of each column; default: validation and test accuracy and the cost of
                a search, after the longest training, of every data set that has them.
        """
        from ..table import write_table

        if questions is None:
            questions = [
                (metric, dataset, max(self.bench.index.budgets(metric, dataset)))
                for dataset in self.bench.datasets
                for metric in ("valid_accuracy", "test_accuracy", "search_seconds")
                if metric in self.bench.metrics and self.bench.index.budgets(metric, dataset)
            ]
        tables, columns = self.bench.tables, self.columns(questions)
        return write_table(
            path,
            columns,
            name=Path(path).stem,
            space=self.space.name,
            title=f"Predictions for {self.bench.name} from {self._learned():,} architectures",
            licence=" and ".join(sorted({str(table.info["licence"]) for table in tables})),
            sources=list({source.name: source for table in tables for source in table.sources}.values()),
            notes=["Every number is predicted by a surrogate (nasgauge.bench.surrogate); none is measured."],
        )

    def __repr__(self) -> str:
        return f"<{self.name}: {self.space.size:,} architectures predicted from {self._learned():,}>"
