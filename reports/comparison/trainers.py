"""What several trainers at a time did: when the last one finished, and how long they stood still."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..statistics import SEED, Floats, bootstrap_mean
from .asked import Asked
from .trajectory import Repetitions


def idle_share(runs: Repetitions, workers: int) -> Floats:
    """Share of trainer-seconds without work until the last training ended, (n_run,): 1 - busy / (W makespan)."""
    asked = np.arange(runs.id.shape[1]) < runs.lengths[:, None]
    busy = np.where(asked, runs.numbers["seconds"] - runs.numbers["started"], 0.0).sum(axis=1)
    whole = workers * makespan(runs)
    return np.divide(np.maximum(whole - busy, 0.0), whole, out=np.zeros(len(whole)), where=whole > 0)


def makespan(runs: Repetitions) -> Floats:
    """When the last training of each run ended, (n_run,) [simulated seconds]."""
    asked = np.arange(runs.id.shape[1]) < runs.lengths[:, None]
    return np.where(asked, runs.numbers["seconds"], 0.0).max(axis=1)


def trainers(asked: Asked, dataset: str, label: str, runs: Repetitions) -> dict[str, Any]:
    """One row: makespan, idle share with interval, speed-up over the same trainings one after the other."""
    idle = idle_share(runs, asked.workers)
    low, high = bootstrap_mean(idle, np.random.default_rng(SEED))
    return {
        "dataset": dataset, "searcher": label, "workers": asked.workers, "runs": len(idle),
        "makespan_mean": float(makespan(runs).mean()), "queries_mean": float(runs.lengths.mean()),
        "idle_mean": float(idle.mean()), "idle_low": float(low), "idle_high": float(high),
        "speed_up_mean": float((asked.workers * (1 - idle)).mean()),
    }  # fmt: skip


def timetable(runs: Repetitions) -> pd.DataFrame:
    """The trainings of the first run: worker, start and end [simulated seconds], architecture."""
    length = int(runs.lengths[0])
    columns = {name: runs.numbers[name][0, :length] for name in ("worker", "started", "seconds", "value", "budget")}
    return pd.DataFrame({**columns, "id": runs.id[0, :length]})
