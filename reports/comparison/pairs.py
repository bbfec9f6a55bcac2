"""Every searcher against every other one, seed by seed: test, effect size, what could have been seen at all."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from ..significance import detectable, effect, holm, signed_rank, verdict
from ..statistics import SEED, Floats, bootstrap_mean
from .asked import SPLITS, Asked
from .trajectory import Repetitions


def pairs(asked: Asked, found: Mapping[tuple[str, str], Repetitions]) -> pd.DataFrame:
    """One row for each ordered pair of searchers on each data set and split, at the end of the budget [points].

    Differences are ``searcher - reference`` of runs with the same seed. ``p_holm`` is the signed-rank test's p,
    adjusted over all pairs of one data set and split; `verdict` is 1, -1 or 0.
    """
    rows: list[dict[str, Any]] = []
    for task in asked.tasks:
        there = [label for label in asked.labels if (task.dataset, label) in found]
        for split in SPLITS:
            ends = by_seed({label: found[task.dataset, label] for label in there}, split)
            mine = _pairs(ends)
            mirrored = {(second, first): _mirrored(row) for (first, second), row in mine.items()}
            for (first, second), row in sorted({**mine, **mirrored}.items()):
                keys = {"dataset": task.dataset, "searcher": there[first], "reference": there[second], "split": split}
                rows.append({**keys, **row})
    return pd.DataFrame(rows)


def by_seed(runs: Mapping[str, Repetitions], name: str) -> Floats:
    """Number ``name`` of the last incumbents, (n_seed, n_searcher): a row for each seed, NaN where a run is missing."""
    seeds = np.unique(np.concatenate([each.seeds for each in runs.values()] or [np.empty(0, np.int64)]))
    table = np.full((len(seeds), len(runs)), np.nan)
    for column, each in enumerate(runs.values()):
        table[np.searchsorted(seeds, each.seeds), column] = each.final(name)
    return table


def _pairs(ends: Floats) -> dict[tuple[int, int], dict[str, Any]]:
    """The statistics of each unordered pair of columns of ``ends`` (n_seed, n_searcher)."""
    both = list(combinations(range(ends.shape[1]), 2))
    if not both:
        return {}
    first, second = np.array(both).T
    difference = ends[:, first] - ends[:, second]
    low, high = bootstrap_mean(difference, np.random.default_rng(SEED))
    p = np.array([signed_rank(column) for column in difference.T])
    adjusted = holm(p)
    rows = {}
    for place, (i, j) in enumerate(both):
        known = difference[~np.isnan(difference[:, place]), place]
        size = effect(ends[:, i], ends[:, j])
        mean = float(known.mean()) if known.size else np.nan
        rows[i, j] = {
            "pairs": known.size,
            "mean": mean, "low": float(low[place]), "high": float(high[place]),
            "wins": int((known > 0).sum()), "ties": int((known == 0).sum()), "losses": int((known < 0).sum()),
            "p": float(p[place]), "p_holm": float(adjusted[place]),
            "verdict": verdict(known, float(adjusted[place])),
            "a12": size.a12, "a12_low": size.low, "a12_high": size.high, "detectable": detectable(known),
        }  # fmt: skip
    return rows


def _mirrored(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same pair, seen from the other side."""
    turned = {"mean": -row["mean"], "low": -row["high"], "high": -row["low"], "verdict": -row["verdict"]}
    turned |= {"wins": row["losses"], "losses": row["wins"]}
    turned |= {"a12": 1 - row["a12"], "a12_low": 1 - row["a12_high"], "a12_high": 1 - row["a12_low"]}
    return {**row, **turned}
