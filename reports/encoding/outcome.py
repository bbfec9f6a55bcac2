"""What an encoding run found, as numbers with their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri
from scipy.stats import spearmanr

from ...bench.errors import BadFile, MissingFile
from ...searchers.runner.encoding_parts import PLAIN, frames
from ...searchers.runner.encoding_study import PREDICTORS, SEARCHES
from ...searchers.runner.run import Run
from ..significance import holm, signed_rank
from ..statistics import LEVEL, SEED, Summary, bootstrap_mean, summarise
from ..surrogate import outcome as predictors_outcome

NEEDED = ("questions", "encodings", "heads", "fit_on", "sizes", "draws", "neighbours", "benchmark", "searchers")
GAPS = {"gap": "difference", "rank_gap": "difference in percentile"}


@dataclass(frozen=True)
class Correlation:
    """Spearman's rho of ``pairs`` independent pairs with its interval; NaN where a side is constant."""

    value: float
    low: float
    high: float
    pairs: int


def spearman(one: npt.ArrayLike, other: npt.ArrayLike, level: float = LEVEL) -> Correlation:
    """Spearman's rho of two arrays (n,); pairs with a NaN are left out.

    The interval is Fisher's, with the variance of Bonett & Wright (Psychometrika 2000, equation 3):
    (1 + rho^2 / 2) / (n - 3) for the inverse hyperbolic tangent of rho.
    """
    x, y = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    known = ~(np.isnan(x) | np.isnan(y))
    x, y, n = x[known], y[known], int(known.sum())
    if n < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(math.nan, math.nan, math.nan, n)
    rho = float(spearmanr(x, y).statistic)
    if abs(rho) > 1 - 1e-12:
        return Correlation(rho, rho, rho, n)
    half = float(ndtri((1 + level) / 2)) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    return Correlation(rho, math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half), n)


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything is computed from the parts of the run, as frames; see `encoding_study` for their columns."""

    run: Run
    archs: pd.DataFrame
    neighbours: pd.DataFrame
    nearest: pd.DataFrame
    differences: pd.DataFrame  # of the pairs: flops, params, accuracy:DATASET
    distances: pd.DataFrame
    maps: pd.DataFrame
    transfer: pd.DataFrame
    predictors: predictors_outcome.Outcome | None
    searches: Run | None

    @property
    def config(self) -> dict[str, Any]:
        """What was asked."""
        return self.run.config

    @property
    def encodings(self) -> tuple[str, ...]:
        """In the order asked; the first is what others are compared with."""
        return tuple(self.config["encodings"])

    @property
    def datasets(self) -> tuple[str, ...]:
        """In the order asked."""
        return tuple(str(each["dataset"]) for each in self.config["questions"])

    @property
    def metric(self) -> str:
        """Whose values were predicted and compared."""
        return str(self.config["questions"][0]["metric"])

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of neighbours: the encodings, those of the space itself, and everything else."""
        there = set(self.neighbours["neighbours"]) if len(self.neighbours) else set()
        return tuple(name for name in (*self.encodings, *reversed(PLAIN)) if name in there)

    def gap(self, dataset: str, kind: str, column: str) -> Summary:
        """How much neighbours differ from their centre, over centres."""
        return summarise(self._gaps(dataset, kind, column).to_numpy(), np.random.default_rng(SEED))

    def smoother(self, dataset: str, kind: str, against: str, column: str) -> tuple[float, float, float]:
        """Difference of two kinds of neighbours, centre by centre: mean with its interval."""
        difference = (self._gaps(dataset, kind, column) - self._gaps(dataset, against, column)).dropna().to_numpy()
        low, high = bootstrap_mean(difference, np.random.default_rng(SEED))
        return (float(difference.mean()) if difference.size else math.nan), float(low), float(high)

    def _gaps(self, dataset: str, kind: str, column: str) -> pd.Series:
        rows = self.neighbours
        rows = rows[(rows["dataset"] == dataset) & (rows["neighbours"] == kind)]
        return rows.set_index("id")[column].sort_index()

    @cached_property
    def correlations(self) -> pd.DataFrame:
        """Spearman's rho of distance with every difference: ``encoding``, ``of``, ``rho``, ``low``, ``high``."""
        rows = []
        for encoding in self.encodings:
            distance = self.distances.loc[self.distances["encoding"] == encoding, "distance"].to_numpy()
            for of in (column for column in self.differences if column not in ("one", "other")):
                found = spearman(distance, self.differences[of].to_numpy())
                rows.append({"encoding": encoding, "of": of, "rho": found.value, "low": found.low, "high": found.high,
                             "pairs": found.pairs})  # fmt: skip
        return pd.DataFrame(rows)

    @cached_property
    def transfers(self) -> pd.DataFrame:
        """Tau over draws: one row a data set, crossing, side learned from, size and model, with its interval.

        ``lost`` (``lost_low``, ``lost_high``): draw by draw, tau from the target minus tau from the source.
        ``against``: tau minus that of the first encoding with the same head; ``p_holm`` of the signed-rank test over
        draws, adjusted over the other encodings.
        """
        rows: list[dict[str, Any]] = []
        keys = ["dataset", "crossing", "learned", "size", "model"]
        if not len(self.transfer):
            return pd.DataFrame()
        taus = {key: rows.set_index("draw")["tau"] for key, rows in self.transfer.groupby(keys, sort=False)}
        for (dataset, crossing, learned, size, model), tau in taus.items():
            each = summarise(tau.to_numpy(), np.random.default_rng(SEED))
            row = {"dataset": dataset, "crossing": crossing, "learned": learned, "size": size, "model": model,
                   "tau": each.mean, "low": each.low, "high": each.high, "draws": each.runs}  # fmt: skip
            row |= dict(zip(("lost", "lost_low", "lost_high"), _paired(
                taus.get((dataset, crossing, "target", size, model)), tau), strict=True))  # fmt: skip
            first = f"{self.encodings[0]}+{model.rpartition('+')[2]}"
            theirs = taus.get((dataset, crossing, learned, size, first))
            row["against"] = _paired(tau, theirs)[0]
            row["p"] = math.nan if theirs is None or model == first else signed_rank((tau - theirs).dropna().to_numpy())
            rows.append(row)
        table = pd.DataFrame(rows)
        table["head"] = table["model"].str.rpartition("+")[2]
        table["p_holm"] = np.nan
        for _, group in table.groupby(["dataset", "crossing", "learned", "size", "head"], sort=False):
            table.loc[group.index, "p_holm"] = holm(group["p"].tolist())
        return table.drop(columns="head")

    def of_head(self, head: str) -> predictors_outcome.Outcome | None:
        """The fits of predictors with one head, as if they had been all: tests are adjusted over its encodings."""
        if self.predictors is None:
            return None
        models = [name for name in self.predictors.config["models"] if name.rpartition("+")[2] == head]
        fits = self.predictors.fits
        some = fits[fits["model"].isin(models)]
        return replace(self.predictors, config={**self.predictors.config, "models": models}, fits=some)


def _paired(ours: pd.Series | None, theirs: pd.Series | None) -> tuple[float, float, float]:
    """Mean of ours - theirs over shared draws, with its interval; NaN where one side is absent."""
    if ours is None or theirs is None:
        return math.nan, math.nan, math.nan
    difference = (ours - theirs).dropna().to_numpy()
    low, high = bootstrap_mean(difference, np.random.default_rng(SEED))
    return (float(difference.mean()) if difference.size else math.nan), float(low), float(high)


def outcome(run: Run) -> Outcome:
    """The numbers of a run of kind "encodings".

    Raises:
        BadFile: run.json or a part lacks what such a run states.
        MissingFile: a part that every page shows is not there yet.
    """
    absent = [key for key in NEEDED if not isinstance(run.config.get(key), (list, dict, int))]
    if absent:
        raise BadFile(f"{run.folder / 'run.json'}: not the statement of an encoding run; {', '.join(absent)} missing")
    pairs = frames(run, "pairs")
    parts = {kind: frames(run, kind) for kind in ("archs", "neighbours", "nearest", "map", "transfer")}
    late = [kind for kind in ("archs", "neighbours", "nearest", "map") if not len(parts[kind])]
    if late or not len(pairs) or "distance" not in pairs or "one" not in pairs:
        raise MissingFile(f"{run.folder} is not finished; start the same command again to go on with it")
    plain = pairs["one"].notna()
    try:
        predictors = predictors_outcome.outcome(Run(run.folder / PREDICTORS))
    except MissingFile:
        predictors = None
    searched = run.folder / SEARCHES
    return Outcome(
        run, parts["archs"], parts["neighbours"], parts["nearest"],
        pairs[plain].drop(columns=["encoding", "distance"]), pairs.loc[~plain, ["encoding", "distance"]],
        parts["map"], parts["transfer"], predictors, Run(searched) if (searched / "run.json").is_file() else None,
    )  # fmt: skip
