"""Which column answers a question; and if none does, an error that says what exists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .column import INTERNAL
from .errors import NotMeasured, UnknownName
from .table import Entry


class Store(Protocol):
    """Anything that lists columns and reads them: a table, or formulas."""

    entries: tuple[Entry, ...]

    def read(self, path: str) -> npt.NDArray[np.generic]:
        """The numbers of one column."""


class Index:
    """All columns of several stores but bookkeeping; where several can answer a question, the first store does."""

    def __init__(self, name: str, stores: Sequence[Store]) -> None:
        self.name = name
        self._stores: dict[str, tuple[Store, Entry]] = {}
        for store in stores:
            for entry in store.entries:
                if not entry.metric.startswith(INTERNAL):
                    self._stores.setdefault(entry.path, (store, entry))
        self.entries = tuple(entry for _, entry in self._stores.values())
        self.datasets = tuple(dict.fromkeys(entry.dataset for entry in self.entries if entry.dataset))
        self.metrics = tuple(dict.fromkeys(entry.metric for entry in self.entries))

    def store(self, entry: Entry) -> Store:
        """The store that holds a column."""
        return self._stores[entry.path][0]

    def dataset(self, name: str | None, metric: str) -> str | None:
        """``name`` if it exists; the only data set that has ``metric`` where no name is given."""
        if metric not in self.metrics:
            raise UnknownName.of("metric", metric, self.metrics)
        if name is not None:
            if name not in self.datasets:
                raise UnknownName.of("data set", name, self.datasets)
            return name
        names = list(dict.fromkeys(entry.dataset for entry in self.entries if entry.metric == metric))
        if len(names) > 1:
            shown = ", ".join(str(each) for each in names)
            raise NotMeasured(f"{metric!r} exists for several data sets; give dataset= one of {shown}")
        return names[0]

    def budgets(self, metric: str, dataset: str | None) -> tuple[int, ...]:
        """Training lengths [epochs] for which ``metric`` exists, ascending; empty for a static metric."""
        name = self.dataset(dataset, metric)
        return tuple(sorted({entry.budget for entry in self._having(metric, name) if entry.budget is not None}))

    def has(self, metric: str, dataset: str | None, budget: int | None) -> bool:
        """Whether some column holds ``metric`` of runs of exactly this length (None: of the architecture)."""
        return any(entry.budget == budget for entry in self._having(metric, dataset))

    def find(self, metric: str, dataset: str | None, budget: int | None, kinds: Sequence[str]) -> Entry:
        """The column of one of ``kinds`` that answers; ``budget`` None means the longest.

        The first store that has one answers, so that a table beside it changes no answer; of its columns, the one of
        the kind named earliest.

        Raises:
            UnknownName: the metric or the data set exists nowhere here.
            NotMeasured: both do, but not together, not at this budget or not as one of ``kinds``.
        """
        dataset = self.dataset(dataset, metric)
        entries = self._having(metric, dataset)
        if not entries:
            raise NotMeasured(self._absent(metric, dataset))
        lengths = self.budgets(metric, dataset)
        if budget is not None and not lengths:
            raise NotMeasured(f"{metric!r} is a property of the architecture and takes no budget; {budget} given")
        wanted = lengths[-1] if lengths and budget is None else budget
        entries = [entry for entry in entries if entry.budget == wanted]
        if not entries:
            raise NotMeasured(
                f"{self.name} has no {metric!r} on {dataset!r} from runs of {budget!r} epochs; budgets: "
                f"{', '.join(map(str, lengths))}. A checkpoint inside a longer run is epoch=, not budget="
            )
        fitting = [entry for entry in entries if entry.kind in kinds]
        if fitting:
            first = self.store(fitting[0])
            return min((each for each in fitting if self.store(each) is first), key=lambda each: kinds.index(each.kind))
        if not lengths:
            raise NotMeasured(f"{metric!r} is a property of the architecture, not of a run; ask with seed='mean'")
        words = "; ".join(f"{entry.kind} {entry.means_over}".strip() for entry in entries)
        raise NotMeasured(
            f"{self.name} has {metric!r} on {dataset!r} after {wanted} epochs only as: {words}; ask with seed='mean'"
        )

    def curve(self, end: Entry) -> Entry | None:
        """The column of the checkpoints inside the runs that ``end`` is about; None where nobody kept any."""
        _, found = self._stores.get(f"{end.path.rpartition('/')[0]}/curves", (None, None))
        return found

    def _having(self, metric: str, dataset: str | None) -> list[Entry]:
        return [entry for entry in self.entries if entry.metric == metric and entry.dataset in (dataset, None)]

    def _absent(self, metric: str, dataset: str | None) -> str:
        elsewhere = dict.fromkeys(str(entry.dataset) for entry in self.entries if entry.metric == metric)
        here = dict.fromkeys(entry.metric for entry in self.entries if entry.dataset == dataset)
        return (
            f"{self.name} has no {metric!r} on {dataset!r}; it has it on {', '.join(elsewhere)}, "
            f"and on {dataset!r} it has {', '.join(here)}"
        )
