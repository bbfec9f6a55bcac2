"""What fits of predictors found, as numbers: each measure by data set, model and size with its interval over draws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ...bench.errors import BadFile, MissingFile
from ...searchers.runner.judging import LEVELS
from ...searchers.runner.run import Run
from ...searchers.runner.stretching import failures, measurements, predictions
from ..significance import holm, signed_rank, verdict
from ..statistics import SEED, Floats, Summary, bootstrap_mean, summarise
from .measures import COMPARED, MEASURES

NEEDED = ("questions", "models", "scale", "fit_on", "sizes", "draws", "held", "benchmark", "base_seed")


@dataclass(frozen=True, eq=False)
class Outcome:
    """``fits`` has one row a fit; everything else is computed from it. The first model is the reference."""

    config: dict[str, Any]
    fits: pd.DataFrame
    predictions: pd.DataFrame
    failures: pd.DataFrame
    missing: int  # fits that are not there yet

    @property
    def fit_on(self) -> int:
        """Architectures of the fits looked at closely."""
        return int(self.config["fit_on"])

    @cached_property
    def questions(self) -> dict[str, dict[str, Any]]:
        """What was predicted, by data set, of those that have fits."""
        there = set(self.fits["dataset"])
        return {str(each["dataset"]): each for each in self.config["questions"] if each["dataset"] in there}

    @property
    def datasets(self) -> tuple[str, ...]:
        """Data sets that have fits, in the order asked."""
        return tuple(self.questions)

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Models that have fits, in the order asked."""
        there = set(self.fits["model"])
        return tuple(name for name in self.config["models"] if name in there)

    @property
    def reference(self) -> str:
        """The model that the others are compared with: the first that was asked for."""
        return str(self.config["models"][0])

    @property
    def metric(self) -> str:
        """What was predicted."""
        return str(self.config["questions"][0]["metric"])

    @property
    def sizes(self) -> list[int]:
        """Sizes that have fits, ascending."""
        return [int(size) for size in np.unique(self.fits["size"])]

    @property
    def close(self) -> int:
        """The size that is looked at closely: `fit_on`, or the largest there is while that is missing."""
        return self.fit_on if self.fit_on in self.sizes else self.sizes[-1]

    def ceiling(self, dataset: str, which: str = "tau") -> float:
        """Tau between two seeds of the table ("tau_top": within the better half); NaN where it has no single runs."""
        noise = self.questions[dataset]["noise"]
        return math.nan if noise is None or noise[which] is None else float(noise[which])

    def values(self, dataset: str, model: str, size: int, column: str) -> Floats:
        """A measure of every draw, (draws asked for,); NaN where it was not measured."""
        found = np.full(int(self.config["draws"]), np.nan)
        rows = self._groups.get((dataset, model, size))
        if rows is not None and column in rows:
            found[rows["draw"].to_numpy()] = rows[column].to_numpy(np.float64)
        return found

    def summary(self, dataset: str, model: str, size: int, column: str) -> Summary:
        """A measure over the draws; remembered."""
        key = (dataset, model, size, column)
        if key not in self._summaries:
            values = self.values(dataset, model, size, column)
            self._summaries[key] = summarise(values[~np.isnan(values)], np.random.default_rng(SEED))
        return self._summaries[key]

    @cached_property
    def _summaries(self) -> dict[tuple[str, str, int, str], Summary]:
        return {}

    @cached_property
    def curve(self) -> pd.DataFrame:
        """One row a data set, model, size and measure: mean over draws, interval, standard deviation."""
        rows = []
        for dataset, model, size in self._groups:
            for measure in (*(each.column for each in MEASURES), *(f"coverage_{level}" for level in LEVELS)):
                each = self.summary(dataset, model, size, measure)
                rows.append({
                    "dataset": dataset, "model": model, "size": size, "measure": measure, "mean": each.mean,
                    "low": each.low, "high": each.high, "std": each.std, "draws": each.runs,
                })  # fmt: skip
        return pd.DataFrame(rows)

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Every other model minus the reference, draw by draw, at every size.

        ``p_holm`` is the signed-rank test's p, adjusted over all models of one data set, size and measure; ``verdict``
        is 1 where the model is better, -1 where it is worse, and 0 where p is not below .05.
        """
        rows: list[dict[str, Any]] = []
        for dataset in self.datasets:
            for size in self.sizes:
                for measure in (each for each in MEASURES if each.column in COMPARED):
                    rows += self._against_reference(dataset, size, measure.column, measure.better)
        return pd.DataFrame(rows)

    def _against_reference(self, dataset: str, size: int, column: str, better: int) -> list[dict[str, Any]]:
        theirs = self.values(dataset, self.reference, size, column)
        others = [model for model in self.models if model != self.reference]
        differences = [self.values(dataset, model, size, column) - theirs for model in others]
        p = [signed_rank(each) for each in differences]
        rows = []
        for model, difference, plain, adjusted in zip(others, differences, p, holm(p), strict=True):
            known = difference[~np.isnan(difference)]
            low, high = bootstrap_mean(known, np.random.default_rng(SEED))
            mean = float(known.mean()) if known.size else math.nan
            rows.append({
                "dataset": dataset, "model": model, "reference": self.reference, "size": size, "measure": column,
                "pairs": known.size, "mean": mean, "low": float(low), "high": float(high), "p": plain,
                "p_holm": float(adjusted),
                "verdict": better * verdict(known, float(adjusted)),
            })  # fmt: skip
        return rows

    def difference(self, dataset: str, model: str, size: int, column: str) -> pd.Series | None:
        """One row of `differences`; None where there is none."""
        table = self.differences
        if not len(table):
            return None
        rows = table[(table["dataset"] == dataset) & (table["model"] == model) & (table["size"] == size)
                     & (table["measure"] == column) & (table["pairs"] > 0)]  # fmt: skip
        return rows.iloc[0] if len(rows) else None

    def gain(self, dataset: str, model: str) -> Summary:
        """By how much a predictor of single runs ranks its own architectures better than those runs do, over draws."""
        learned = self.values(dataset, model, self.fit_on, "one_seed_learned")
        gain = learned - self.values(dataset, model, self.fit_on, "one_seed_table")
        return summarise(gain[~np.isnan(gain)], np.random.default_rng(SEED))

    @cached_property
    def _groups(self) -> dict[tuple[str, str, int], pd.DataFrame]:
        groups = self.fits.groupby(["dataset", "model", "size"], sort=False)
        found = {(str(dataset), str(model), int(size)): rows for (dataset, model, size), rows in groups}
        return {
            (dataset, model, size): found[dataset, model, size]
            for dataset in self.datasets for model in self.models for size in self.sizes
            if (dataset, model, size) in found
        }  # fmt: skip


def outcome(run: Run) -> Outcome:
    """The numbers of a run of kind "surrogate".

    Raises:
        BadFile: run.json or a part lacks what such a run states.
        MissingFile: no fit is finished yet.
    """
    absent = [key for key in NEEDED if not isinstance(run.config.get(key), (list, dict, int, str))]
    if absent:
        raise BadFile(f"{run.folder / 'run.json'}: not the statement of a surrogate run; {', '.join(absent)} missing")
    asked = [len(run.config[key]) for key in ("questions", "models", "sizes")]
    total = math.prod(asked) * int(run.config["draws"])
    fits = measurements(run)
    if fits.empty:
        raise MissingFile(f"{run.folder} has no finished fit yet; start the same command again to go on with it")
    lacking = {"dataset", "model", "size", "draw", "pairs", *(each.column for each in MEASURES)} - set(fits.columns)
    if lacking:
        raise BadFile(f"{run.folder}: a part without {', '.join(sorted(lacking))}")
    if fits["draw"].max() >= run.config["draws"] or fits.duplicated(["dataset", "model", "size", "draw"]).any():
        raise BadFile(f"{run.folder}: a part with draws that run.json never asked for, or that is there twice")
    return Outcome(run.config, fits, predictions(run), failures(run), total - len(fits))
