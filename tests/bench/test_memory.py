"""What a stretch of work takes at its peak, whatever was taken before it."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from nasgauge.bench import memory
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.memory import Memory, resident, since
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import Space
from nasgauge.reports.comparison.outcome import outcome
from nasgauge.searchers import Recipe, random
from nasgauge.searchers.runner.experiment import compare

HEAVY = 200_000_000  # bytes
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can set the mark of a process back")


class Hoarder:
    """Random search that fills memory at the first question and gives it back at once."""

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        self.space, self.rng = space, rng
        np.ones(HEAVY, dtype=np.uint8)

    def ask(self, n: int = 1) -> Sequence[int]:
        return self.space.sample(n, self.rng).tolist()

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        pass


@linux
def test_a_peak_is_told_from_an_earlier_and_higher_one() -> None:
    before = resident()
    np.ones(HEAVY, dtype=np.uint8)
    high = since(before)
    again = resident()
    np.ones(HEAVY // 10, dtype=np.uint8)
    low = since(again)
    assert 0.95 * HEAVY / 1e6 < high.peak - high.before < 1.5 * HEAVY / 1e6
    assert low.peak < high.peak - 0.5 * HEAVY / 1e6 and low.peak >= low.before > 0


def test_what_cannot_be_measured_is_no_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "_RESET", str(tmp_path / "no" / "such"))
    before = resident()
    assert math.isnan(before) and all(math.isnan(each) for each in since(before))
    assert all(math.isnan(each) for each in Memory())


@linux
def test_every_repetition_has_its_own_peak(toy: Benchmark, tmp_path: Path) -> None:
    recipes = [Recipe("hoarder", Hoarder), random()]
    run = compare(toy, recipes, tmp_path / "run", datasets=["cifar10"], queries=20, seeds=3, jobs=1)
    frame = run.records()
    assert (frame.groupby(["searcher", "seed"], observed=True)["memory_peak"].nunique() == 1).all()
    grown = (frame["memory_peak"] - frame["memory_before"]).groupby(frame["searcher"], observed=True)
    assert grown.min()["hoarder"] > 0.95 * HEAVY / 1e6
    assert 0 <= grown.max()["random"] < 0.5 * HEAVY / 1e6
    told = outcome(run).tables["effort"].set_index("searcher")
    assert told.loc["hoarder", "memory_peak_most"] > told.loc["random", "memory_peak_most"] + 0.5 * HEAVY / 1e6
    assert told.loc["hoarder", "memory_growth_most"] == pytest.approx(grown.max()["hoarder"], abs=0.01)
