"""BOHB (Falkner, Klein & Hutter, ICML 2018): Hyperband whose configurations a density model proposes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..bench.errors import BadValue
from ..bench.spaces import Space
from .halving import Hyperband, Law
from .kde import CategoricalKDE, Variant
from .searcher import Recipe
from .slots import Rows, Slots

FLOOR = 1e-32  # densities below are taken for this one (hpbandster)


class BOHB(Hyperband):
    """Hyperband brackets, filled by the ratio of two kernel densities over the slots of the space (`Slots`).

    For every budget with enough results the best ``top_percent`` of them make the density l, the others g (at least
    slots + 1 results each). A proposal draws ``samples`` rows from l of the largest budget that has a model and takes
    the one with the largest l / g. The continuous bandwidth factor of hpbandster does not act on categories. On
    cells101 a row may be illegal: it is told as value 0 at no cost, as nas_benchmarks does.

    Args:
        top_percent: percent of the results that count as good.
        samples: rows drawn for one proposal.
        random_fraction: chance that a proposal is uniform instead.
        min_bandwidth: smallest bandwidth of the densities.
        variant: "paper" keeps the densities proper, "released" is statsmodels', which hpbandster used (`kde`).
        law: sizes of the rungs; the default is hpbandster's.
        one_length: see `Hyperband`.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, budgets: tuple[int, ...], eta: float = 3.0,
        smallest: float | None = None, largest: float | None = None, law: Law = "hpbandster",
        brackets: int | None = None, top_percent: int = 15, samples: int = 64, random_fraction: float = 1 / 3,
        min_bandwidth: float = 1e-3, variant: Variant = "paper", one_length: bool = False,
    ) -> None:  # fmt: skip
        if not 1 <= top_percent <= 99 or samples < 1 or not 0 <= random_fraction <= 1 or min_bandwidth < 0:
            raise BadValue(
                f"top_percent={top_percent}, samples={samples}, random_fraction={random_fraction}, min_bandwidth="
                f"{min_bandwidth} given; legal: 1 to 99, at least 1, 0 to 1, not negative"
            )
        if variant not in ("paper", "released"):
            raise BadValue(f"variant={variant!r} given; legal: 'paper', 'released'")
        self._slots = Slots(space, unpruned_limit=True)
        self._top_percent = top_percent
        self._samples = samples
        self._random_fraction = random_fraction
        self._min_bandwidth = min_bandwidth
        self._variant: Variant = variant
        self._rows: dict[int, list[Rows]] = {}  # configurations and losses of each budget
        self._losses: dict[int, list[float]] = {}
        self._model: tuple[CategoricalKDE, CategoricalKDE] | None = None
        self._model_is_old = False
        super().__init__(
            space, rng, budgets=budgets, eta=eta, smallest=smallest, largest=largest, law=law, brackets=brackets,
            one_length=one_length,
        )  # fmt: skip

    def _id(self, configuration: Any) -> int:
        return self._slots.id(configuration)

    def _configuration(self, arch: int) -> Rows:
        return self._slots.rows([arch])[0]

    def _learn(self, configuration: Any, budget: int, value: float) -> None:
        self._rows.setdefault(budget, []).append(configuration)
        self._losses.setdefault(budget, []).append(-value if math.isfinite(value) else math.inf)
        self._model_is_old = True

    def _propose(self, budget: int) -> Rows:
        model = self._densities()
        if model is None or self._rng.random() < self._random_fraction:
            return self._slots.draw(1, self._rng)[0]
        good, bad = model
        rows = good.sample(self._samples, self._slots.levels, self._rng)
        of_good, of_bad = good.pdf(rows), bad.pdf(rows)
        with np.errstate(invalid="ignore"):
            ratio = np.where(of_bad > FLOOR, of_bad, FLOOR) / np.where(of_good < FLOOR, FLOOR, of_good)
        finite = np.isfinite(ratio)
        # "released" only: an infinite ratio means a category that the bad ones lack, and is taken at once
        if len(at_once := np.flatnonzero(~finite & np.isfinite(of_good))):
            return rows[at_once[0]]
        if not finite.any():
            return self._slots.draw(1, self._rng)[0]
        return rows[np.argmin(np.where(finite, ratio, np.inf))]

    def _densities(self) -> tuple[CategoricalKDE, CategoricalKDE] | None:
        """Densities of good and bad configurations at the largest budget with enough results for both."""
        if self._model_is_old:
            self._model = next(filter(None, map(self._fit, sorted(self._rows, reverse=True))), None)
            self._model_is_old = False
        return self._model

    def _fit(self, budget: int) -> tuple[CategoricalKDE, CategoricalKDE] | None:
        levels, losses = self._slots.levels, self._losses[budget]
        least, count = len(levels) + 1, len(losses)
        n_good = max(least, self._top_percent * count // 100)
        n_bad = max(least, (100 - self._top_percent) * count // 100)
        if count < n_good + least:
            return None
        order = np.argsort(losses, kind="stable")
        rows = np.array(self._rows[budget])
        good, bad = (rows[part] for part in (order[:n_good], order[n_good : n_good + n_bad]))
        return (
            CategoricalKDE(good, levels, self._min_bandwidth, self._variant),
            CategoricalKDE(bad, levels, self._min_bandwidth, self._variant),
        )


SAMPLING: dict[str, Any] = {"samples": 4, "random_fraction": 0.0, "min_bandwidth": 0.3, "variant": "released"}
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "nb201": {"eta": 3.0, "smallest": 12, "largest": 200, "one_length": True, "brackets": 50, **SAMPLING},
    "nats": {"eta": 3.0, "smallest": 1, "largest": 12, "brackets": 300, **SAMPLING},
    "nb101": {
        "eta": 3.0, "smallest": 4, "largest": 108, "samples": 64, "random_fraction": 0.33, "min_bandwidth": 0.3,
        "variant": "released",
    },
}  # fmt: skip


def bohb(preset: str = "default", *, label: str = "", **settings: Any) -> Recipe:
    """BOHB with published settings; single settings override those of ``preset``.

    ========  ==================================================================================================
    default   hpbandster's own defaults on all training lengths of the benchmark, densities as in the paper
    nb201     a ladder of 12 to 200 epochs whose rungs all train for 12, 4 samples, 50 brackets (exps/algos/BOHB.py of
              AutoDL-Projects when NAS-Bench-201 was published: its worker did not look at the budget)
    nats      1 to 12 epochs of the 12-epoch training, 4 samples, 300 brackets (NATS-Bench; exps/NATS-algos/bohb.py)
    nb101     4 to 108 epochs, 64 samples, one proposal in three uniform (nas_benchmarks, run_bohb.py)
    ========  ==================================================================================================

    The published presets use the densities as released (``variant="released"``). Budgets that a table lacks are
    replaced by the nearest it has (`halving.measured`).
    """
    return Recipe.from_preset("bohb", BOHB, PRESETS, preset, label, settings)
