"""From the columns of a benchmark to what a search may know: one level for each training length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from .clock import Clock
from .errors import BadValue, NotMeasured
from .index import Index
from .objective import Level, Objective
from .spaces import Space

Floats = npt.NDArray[np.float64]
Seed = int | Literal["mean", "all"] | np.random.Generator
Read = Callable[[str, str | None, int | None, Seed], Floats]
WHOLE = ("static", "mean", "runs")


class Levels:
    """The validation accuracies, costs and properties of one benchmark, ready for objectives.

    Args:
        read: the answer for every architecture by metric, data set, budget and seed (`Benchmark` keeps them).
    """

    def __init__(self, space: Space, index: Index, read: Read) -> None:
        self._space = space
        self._index = index
        self._read = read

    def objective(
        self, dataset: str | None, clock: Clock, budget: int | None, budgets: Iterable[int],
        seed: int | Literal["mean"] | np.random.Generator, resume: bool, cost: str | None,
        limit: tuple[str, float] | None,
    ) -> Objective:  # fmt: skip
        """See `Benchmark.objective`."""
        dataset = self._index.dataset(dataset, "valid_accuracy")
        length = self._index.find("valid_accuracy", dataset, budget, WHOLE).budget or 0
        levels = {each: self.level(dataset, each, seed, clock.limit == np.inf) for each in (*budgets, length)}
        allowed = None if limit is None else self.within(*limit, dataset)
        if not clock.count_last:
            _refuse_too_short(clock, levels, allowed, dataset)
        return Objective(
            self._space, levels[length].values, levels[length].seconds, clock,
            seed if isinstance(seed, np.random.Generator) else None, budget=length, levels=levels, resume=resume,
            costs=None if cost is None else self.static(cost, dataset), allowed=allowed,
        )  # fmt: skip

    def level(self, dataset: str | None, length: int, seed: Seed, free: bool) -> Level:
        """Accuracy and cost of one training length; the cost may be absent where no clock asks for it (``free``)."""
        drawn = isinstance(seed, np.random.Generator)
        if isinstance(seed, str) and seed != "mean":
            raise BadValue(f"seed={seed!r}; a search sees the 'mean', one seed, or runs drawn by a numpy Generator")
        which: Seed = "all" if drawn else seed
        values = self._read("valid_accuracy", dataset, length, which)
        if drawn:
            unknown = np.isnan(values).all(axis=1) & ~np.isnan(self._read("valid_accuracy", dataset, length, "mean"))
            if unknown.any():
                raise NotMeasured(
                    f"{self._index.name} knows only the mean over runs, no single run, of {unknown.sum():,} "
                    f"architectures on {dataset!r} after {length} epochs; search with seed='mean'"
                )
        if free and not self._index.has("search_seconds", dataset, length):
            return Level(values, np.full(self._space.size, np.nan))
        costs = self._index.find("search_seconds", dataset, length, ("runs", "mean"))
        if which != "mean" and costs.kind == "runs":
            if costs.seeds != self._index.find("valid_accuracy", dataset, length, ("runs",)).seeds:
                raise BadValue(
                    f"{self._index.name}: costs and accuracies on {dataset!r} are of runs with different seeds"
                )
            return Level(values, self._read("search_seconds", dataset, length, which))
        return Level(values, self._read("search_seconds", dataset, length, "mean"))

    def static(self, metric: str, dataset: str | None) -> Floats:
        """See `Benchmark.static`."""
        entry = self._index.find(metric, dataset, None, WHOLE)
        if entry.kind != "static":
            legal = [each.metric for each in self._index.entries if each.kind == "static" and each.dataset == dataset]
            raise BadValue(f"{metric!r} comes from training; known before it are {', '.join(legal) or 'none'}")
        return self._read(metric, dataset, None, "mean")

    def within(self, metric: str, most: float, dataset: str | None) -> npt.NDArray[np.bool_]:
        """Which architectures have at most ``most`` of a property, (n_arch,); an unknown value has not."""
        values = self.static(metric, dataset)
        allowed: npt.NDArray[np.bool_] = values <= most
        if not allowed.any():
            smallest = np.nanmin(values)
            raise BadValue(f"{metric}<={most:g} given; no architecture meets it: the smallest has {smallest:.6g}")
        return allowed


def _refuse_too_short(
    clock: Clock, levels: Mapping[int, Level], allowed: npt.NDArray[np.bool_] | None, dataset: str | None
) -> None:
    """BadValue where not one evaluation fits into the clock's seconds; what nobody priced costs nothing and fits."""
    for level in levels.values():
        seconds = level.seconds if allowed is None else level.seconds[allowed]
        if np.isnan(seconds).any() or seconds.min() <= clock.limit:
            return
    cheapest, length = min((float(np.min(level.seconds)), length) for length, level in levels.items())
    raise BadValue(
        f"seconds={clock.limit:g} given; the cheapest evaluation on {dataset!r} takes {cheapest:.6g} s ({length} "
        "epochs), so none fits; give more, or let the last one count (count_last=True)"
    )
