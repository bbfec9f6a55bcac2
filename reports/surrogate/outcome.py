"""What surrogate fits found, as numbers: each quantity by size with its interval over draws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...bench.errors import BadFile, MissingFile
from ...searchers.runner.run import Run
from ...searchers.runner.stretching import LEVELS, PREDICTIONS, measurements, predictions
from ..statistics import SEED, Summary, summarise

QUANTITIES = ("tau", "tau_top", "rho", "r2", "error")


@dataclass(frozen=True, eq=False)
class Outcome:
    """``fits`` has one row a fit; ``summary`` each quantity over the draws of one size."""

    config: dict[str, Any]
    fits: pd.DataFrame
    predictions: pd.DataFrame
    missing: int  # fits that are not there yet

    @property
    def fit_on(self) -> int:
        """Architectures of the fits looked at closely."""
        return int(self.config["fit_on"])

    @property
    def question(self) -> dict[str, Any]:
        """What was predicted."""
        question: dict[str, Any] = self.config["question"]
        return question

    @property
    def sizes(self) -> list[int]:
        """Sizes that have fits, ascending."""
        return [int(size) for size in np.unique(self.fits["size"])]

    @property
    def ceiling(self) -> float:
        """Tau between two seeds of the table; NaN where it has no single runs."""
        return self._noise("tau")

    @property
    def ceiling_top(self) -> float:
        """The same within the better half."""
        return self._noise("tau_top")

    def summary(self, quantity: str, size: int | None = None) -> Summary:
        """A quantity over the draws of one size (default: that looked at closely); NaN where it was not measured."""
        rows = self.fits[self.fits["size"] == (self.fit_on if size is None else size)]
        values = rows[quantity] if quantity in rows else np.full(len(rows), np.nan)
        return summarise(np.asarray(values, dtype=np.float64), np.random.default_rng(SEED))

    @property
    def gain(self) -> Summary:
        """By how much a surrogate of single runs ranks its own architectures better than those runs do, over draws."""
        rows = self.fits[self.fits["size"] == self.fit_on]
        if not {"one_seed_table", "one_seed_learned"} <= set(rows.columns):
            return summarise(np.empty(0), np.random.default_rng(SEED))
        difference = rows["one_seed_learned"] - rows["one_seed_table"]
        return summarise(difference.to_numpy(np.float64), np.random.default_rng(SEED))

    @property
    def coverage(self) -> pd.DataFrame:
        """Nominal level, mean share within the intervals and its interval over draws [all percent]."""
        found = [(level, self.summary(f"coverage_{level}")) for level in LEVELS]
        return pd.DataFrame(
            {"level": [float(level) for level, _ in found], "covered": [each.mean for _, each in found],
             "low": [each.low for _, each in found], "high": [each.high for _, each in found]}
        )  # fmt: skip

    @property
    def curve(self) -> pd.DataFrame:
        """One row a size and quantity: mean over draws, interval, standard deviation."""
        rows = []
        for size in self.sizes:
            for quantity in QUANTITIES:
                each = self.summary(quantity, size)
                rows.append({"size": size, "quantity": quantity, "mean": each.mean, "low": each.low,
                             "high": each.high, "std": each.std, "draws": each.runs})  # fmt: skip
        return pd.DataFrame(rows)

    def _noise(self, name: str) -> float:
        noise = self.config["noise"]
        return math.nan if noise is None or noise[name] is None else float(noise[name])


def outcome(run: Run) -> Outcome:
    """The numbers of a run of kind "surrogate".

    Raises:
        BadFile: run.json or a part lacks what such a run states.
        MissingFile: no fit is finished yet.
    """
    try:
        total = len(run.config["sizes"]) * int(run.config["repeats"])
        needed = [run.config[key] for key in ("fit_on", "question", "noise", "known", "benchmark", "held")]
    except (KeyError, TypeError, ValueError) as error:
        raise BadFile(f"{run.folder / 'run.json'}: not the statement of a surrogate run ({error!r})") from error
    fits = measurements(run)
    if fits.empty or not len(needed):
        raise MissingFile(f"{run.folder} has no finished fit yet; start the same command again to go on with it")
    lacking = {"size", "repeat", "pairs", *QUANTITIES} - set(fits.columns)
    if lacking:
        raise BadFile(f"{run.folder}: a part without {', '.join(sorted(lacking))}")
    kept = predictions(run) if (run.folder / PREDICTIONS).exists() else pd.DataFrame()
    return Outcome(run.config, fits.sort_values(["size", "repeat"], ignore_index=True), kept, total - len(fits))
