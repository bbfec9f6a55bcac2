"""Everything the correlation report computes, once: measures, differences to a baseline, biases, costs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..correlation_statistics import RESAMPLES, Estimate
from .biases import between_scores, partial, tau, within_bands
from .evidence import Evidence, Scored, Truth
from .measures import Measures, difference, measures
from .plots import found_k
from .worth import Worth, worth

ELSEWHERE = 200  # resamples of what is not about the main truth's correlations
YARDSTICKS = ("params", "flops", "random")


@dataclass(frozen=True, eq=False)
class Analysis:
    """The numbers of one report."""

    found: Evidence
    measured: Measures
    resamples: int

    @classmethod
    def of(cls, found: Evidence, resamples: int = RESAMPLES) -> Analysis:
        """All correlations; the rest is computed when asked for."""
        return cls(found, measures(found, resamples, min(resamples, ELSEWHERE)), resamples)

    @cached_property
    def yardstick(self) -> Scored:
        """What a proxy has to beat: the number of parameters, else random numbers."""
        known = [each for name in YARDSTICKS if (each := self.found.named(name)) is not None]
        return known[0]

    @cached_property
    def gains(self) -> dict[str, Estimate]:
        """By how much each score's tau with the main truth exceeds that of the yardstick."""
        return {
            each.name: difference(self.found, self.measured, each, self.yardstick, self.resamples)
            for each in self.found.scored if each is not self.yardstick
        }  # fmt: skip

    @cached_property
    def cheapest(self) -> Scored | None:
        """The shortest training of the main truth."""
        trainings = self.found.main.trainings()
        return trainings[0] if trainings else None

    @cached_property
    def partials(self) -> dict[str, Estimate]:
        """Spearman's partial correlation of each score with the main truth given parameters and FLOPs."""
        sizes = [each.values for each in self.found.sizes()]
        if not sizes:
            return {}
        resamples = min(self.resamples, ELSEWHERE)
        return {
            each.name: partial(each.values, self.found.main.values, sizes, resamples)
            for each in self.found.scored
            if each.name not in ("params", "flops")
        }

    @cached_property
    def worths(self) -> dict[str, Worth]:
        """What each score and each shorter training costs and is worth."""
        every = (*self.found.scored, *self.found.main.trainings())
        return {each.name: worth(self.found, self.measured, each, found_k(self.measured)) for each in every}

    def beaten(self, sign: int) -> list[str]:
        """Proxies better (1) or worse (-1) than the yardstick by their interval, or not told apart from it (0)."""
        proxies = [each.name for each in self.found.scored if not each.reference]
        gains = ((name, self.gains[name]) for name in proxies)
        return [name for name, gain in gains if int(gain.low > 0) - int(gain.high < 0) == sign and gain.low == gain.low]

    def tables(self) -> dict[str, pd.DataFrame]:
        """What becomes CSV files."""
        found = self.found
        names = [each.name for each in found.scored]
        bands = []
        for truth in found.firsts.values():
            for size in found.sizes():
                taus, edges = within_bands(found, truth, size)
                bands.append(pd.DataFrame(taus, columns=[f"band_{place + 1}" for place in range(taus.shape[1])]).assign(
                    score=names, truth=truth.key, by=size.name))  # fmt: skip
                last = {f"band_{place + 1}": edge for place, edge in enumerate(edges)}
                bands.append(
                    pd.DataFrame([{**last, "score": "largest of the band", "truth": truth.key, "by": size.name}])
                )
        between = pd.DataFrame(between_scores(found.scored), columns=names)
        between.insert(0, "score", names)
        made = {
            "correlations": self.measured.frame(found), "against-size": self._against_size(), "between": between,
            "costs": self._costs(), "scores": self._scores(),
        }  # fmt: skip
        return made | ({"bands": pd.concat(bands, ignore_index=True)} if bands else {})

    def _against_size(self) -> pd.DataFrame:
        rows = []
        for each in self.found.scored:
            gain = self.gains.get(each.name, Estimate(np.nan, np.nan, np.nan))
            part = self.partials.get(each.name, Estimate(np.nan, np.nan, np.nan))
            rows.append({
                "score": each.name, "gain_over": self.yardstick.name, "gain": gain.value, "gain_low": gain.low,
                "gain_high": gain.high, "partial": part.value, "partial_low": part.low, "partial_high": part.high,
                **{f"tau_{size.name}": tau(each.values, size.values) for size in self.found.sizes()},
            })  # fmt: skip
        return pd.DataFrame(rows)

    def _costs(self) -> pd.DataFrame:
        main: Truth = self.found.main
        rows = []
        for each in (*self.found.scored, *main.trainings()):
            value = self.worths[each.name]
            rows.append({
                "score": each.name, "seconds": each.seconds, "own_seconds": each.own_seconds,
                "networks": each.networks, "failed": each.failed, "all_seconds": value.seconds,
                "trainings": value.trainings, "trained": value.trained, "best_of_trained": value.accuracy,
                "equal_random_trainings": value.equal, "saved": value.saved,
            })  # fmt: skip
        return pd.DataFrame(rows)

    def _scores(self) -> pd.DataFrame:
        """Scores and truth of every architecture."""
        found = self.found
        columns: dict[str, Any] = {"id": found.ids, "class": found.classes}
        if any(found.texts):
            columns["architecture"] = np.array(found.texts)
        columns |= {each.name: each.values for each in found.scored}
        return pd.DataFrame(columns | {truth.key: truth.values for truth in found.truths})
