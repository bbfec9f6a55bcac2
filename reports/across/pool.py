"""Several comparisons as one: the data sets of all of them, and runs that differ in the number of trainers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ...bench.errors import BadValue
from ...searchers.runner.run import Run
from ..comparison.asked import Asked
from ..comparison.outcome import Outcome, outcome


@dataclass(frozen=True)
class Place:
    """A data set of a benchmark: what a test over tasks counts as one."""

    benchmark: str
    dataset: str

    def __str__(self) -> str:
        return f"{self.benchmark} {self.dataset}"


@dataclass(frozen=True, eq=False)
class Pool:
    """Outcomes in the order given; ``labels`` are the searchers that all of them have."""

    outcomes: tuple[Outcome, ...]
    names: tuple[str, ...]  # of the outcomes: what sets each apart
    labels: tuple[str, ...]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Pool:
        """Read the runs.

        Raises:
            BadValue: fewer than two runs, one of another kind, or no searcher in common.
            BadFile, MissingFile: as for a single one.
        """
        if len(runs) < 2:
            raise BadValue(f"{len(runs)} runs given; several comparisons are two or more")
        for run in runs:
            if run.config.get("kind") != "compare":
                raise BadValue(
                    f"{run.folder} is a run of kind {run.config.get('kind')!r}; only comparisons have a report together"
                )
        outcomes = tuple(outcome(run) for run in runs)
        first, *rest = (found.asked.labels for found in outcomes)
        labels = tuple(label for label in first if all(label in other for other in rest))
        if not labels:
            listed = "; ".join(", ".join(found.asked.labels) for found in outcomes)
            raise BadValue(f"the runs have no searcher in common: {listed}")
        return cls(outcomes, _names([found.asked for found in outcomes]), labels)

    def places(self) -> dict[Place, int]:
        """The first outcome that has each data set with all common searchers, in the order given."""
        found: dict[Place, int] = {}
        for index, each in enumerate(self.outcomes):
            for task in each.tasks:
                place = Place(each.asked.benchmark.name, task.dataset)
                if all((task.dataset, label) in each.repetitions for label in self.labels):
                    found.setdefault(place, index)
        return found

    def accuracies(self) -> pd.DataFrame:
        """Mean final test accuracy [percent], a row for each place, a column for each common searcher."""
        rows = {}
        for place, index in self.places().items():
            final = self.outcomes[index].rows("final", place.dataset, split="test").set_index("searcher")
            rows[str(place)] = {label: float(final.loc[label, "mean"]) for label in self.labels}
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(self.labels))

    def verdicts(self) -> pd.DataFrame:
        """Rows of the table of pairs, test, common searchers, one place once; with the column ``place``."""
        frames = []
        for place, index in self.places().items():
            pairs = self.outcomes[index].rows("pairs", place.dataset, split="test")
            if len(pairs):
                kept = pairs[pairs["searcher"].isin(self.labels) & pairs["reference"].isin(self.labels)]
                frames.append(kept.assign(place=str(place)))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def sweeps(self) -> dict[Place, tuple[int, ...]]:
        """Places that were searched with different numbers of trainers, all else equal: outcomes by trainers."""
        groups: dict[tuple[Place, object], dict[int, int]] = {}
        for index, each in enumerate(self.outcomes):
            for task in each.tasks:
                key = Place(each.asked.benchmark.name, task.dataset), _but_for_trainers(each.asked)
                groups.setdefault(key, {}).setdefault(each.asked.workers, index)
        return {
            place: tuple(index for _, index in sorted(found.items()))
            for (place, _), found in groups.items()
            if len(found) > 1
        }


def _but_for_trainers(asked: Asked) -> object:
    """What two runs share that differ in the number of trainers only; budgets may differ, as more trainers do more."""
    return asked.trial, asked.mode, asked.resume, asked.objective2, asked.constraint, asked.scores


def _names(asked: Sequence[Asked]) -> tuple[str, ...]:
    """The benchmark and what differs, numbered where nothing does."""
    told = [
        {
            "": each.benchmark.name,
            "trainers": each.workers,
            "seconds": each.seconds,
            "queries": each.queries,
            "seeds": each.seeds,
            "base seed": each.base_seed,
            "trial": each.trial,
            "mode": each.mode,
        }
        for each in asked
    ]
    differing = [key for key in told[0] if key and len({str(each[key]) for each in told}) > 1]
    names: list[str] = []
    for each in told:
        name = ", ".join([str(each[""]), *(f"{key} {each[key]}" for key in differing)])
        names.append(name if name not in names else f"{name} ({len(names) + 1})")
    return tuple(names)
