"""A converted table as the official packages see their files: hp -> training key -> trials, for any index at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from ...bench.spaces import Space, space
from ...bench.spaces.size import WIDTHS
from ...bench.spaces.topology import OPERATIONS
from ...bench.table import Table
from .dialect import DATASETS, Dialect
from .mapped import Group, MappedResults
from .numbers import Results
from .results import ArchResults
from .run import TableRun

Infos = MutableMapping[int, Mapping[str, ArchResults]]


CELL = "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|"


class TableSource:
    """An open table, read as the dialect of a package."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        self.table, self.dialect = table, dialect
        self.extra: Mapping[str, Any] = table.info.get("extra") or {}
        self.space = space(str(table.info["space"]))
        self.evaluated = {
            entry.metric.split(":", 1)[1]: table.read(entry.path).tobytes()
            for entry in table.entries
            if entry.kind == "static" and entry.metric.startswith("_evaluated:")
        }
        self.entries = {entry.path: entry for entry in table.entries}
        self.hps = [hp for hp in self.extra.get("hps", ()) if hp in self.evaluated] or list(self.evaluated)
        self.meta_archs = texts(self.space, self.extra.get("total_archs", self.space.size))
        self._groups: dict[str, Groups] = {}
        self._marks = {
            entry.metric.split(":", 1)[1]: table.read(entry.path).tobytes()
            for entry in table.entries
            if entry.kind == "static" and entry.metric.startswith("_arch_layout:")
        }

    def __reduce__(self) -> tuple[type[TableSource], tuple[Table, Dialect]]:
        """A copy opens the table itself: views of mapped memory cannot travel."""
        return TableSource, (self.table, self.dialect)

    def indexes(self) -> set[int]:
        """Architectures that the file has results of, under any hp."""
        return {index for there in self.evaluated.values() for index, flag in enumerate(there) if flag}

    def evaluated_indexes(self) -> set[int]:
        """What the file itself calls evaluated."""
        said = self.extra.get("evaluated_indexes", "found")
        return {"none": set(), "found": self.indexes()}[said] if isinstance(said, str) else set(said)

    def hps_of(self, index: int) -> list[str]:
        """The hp keys of an architecture."""
        return [hp for hp in self.hps if 0 <= index < len(self.evaluated[hp]) and self.evaluated[hp][index]]

    def groups(self, hp: str) -> Groups:
        """Training key -> its trials under ``hp``."""
        if hp not in self._groups:
            self._groups[hp] = Groups(self, hp)
        return self._groups[hp]

    def results(self, index: int, hp: str) -> Results:
        """What the table says of one architecture under one hp, without building anything."""
        there = self.evaluated[hp]
        if not (0 <= index < len(there) and there[index]):
            raise KeyError(hp)
        return MappedResults(self.groups(hp), index)

    def build(self, index: int, hp: str, kind: type[ArchResults]) -> ArchResults:
        """The same as an official object, whose trials go on reading from the table."""
        index = int(index)
        built = kind(index, self.meta_archs[index])
        layout = self._layout(index, hp)
        built.clear_net_done = layout["clear_net_done"]
        groups = self.groups(hp)
        for dataset in layout["trainings"]:
            group = groups[dataset]
            places = group.places(index)
            if places:
                built.dataset_seed[dataset] = [group.seeds[place] for place in places]
            for place in places:
                run = TableRun(group, index, place, self.arch_config(index, group, place))
                built.all_results[(dataset, group.seeds[place])] = kind.trial.from_run(run)
        return built

    def _layout(self, index: int, hp: str) -> Mapping[str, Any]:
        """Order of training keys, and what else an architecture says besides its trials."""
        layouts = self.extra.get("arch_layouts", {}).get(hp)
        if not layouts:
            stem = f"{int(hp)}/train_accuracy/runs"
            return {
                "trainings": [name for name in DATASETS if f"{name}/{stem}" in self.entries],
                "clear_net_done": True,
            }
        return layouts[self._marks[hp][index] - 1 if hp in self._marks else 0]

    def arch_config(self, index: int, group: Group, place: int) -> dict[str, Any]:
        """The official description of the trained network."""
        fact, text = group.fact(index, place), self.meta_archs[index]
        return {**fact.get("arch_config", {}), **dict.fromkeys(fact.get("config_texts", ()), text)}


class Groups(dict[str, Group]):
    """Training key -> its trials under one hp, looked up in the table when first asked for."""

    def __init__(self, source: TableSource, hp: str) -> None:
        super().__init__()
        self._source, self._hp = source, hp

    def __missing__(self, dataset: str) -> Group:
        source = self._source
        if f"{dataset}/{int(self._hp)}/train_accuracy/runs" not in source.entries or dataset not in DATASETS:
            raise KeyError(dataset)
        self[dataset] = Group(source.table, source.entries, self._hp, dataset, source.dialect, source.extra)
        return self[dataset]


def texts(of: Space, total: int) -> list[str]:
    """The first texts of a space, all at once."""
    rows = of.operations(np.arange(total)).tolist()
    if of.name == "size":
        return [":".join(map(WIDTHS.__getitem__, row)) for row in rows]
    return [CELL.format(*map(OPERATIONS.__getitem__, row)) for row in rows]


class TableInfos(MutableMapping[int, Mapping[str, ArchResults]]):
    """The attribute arch2infos_dict over a table: objects are made when looked at, and kept, since they may be changed.

    In fast mode it holds only what was loaded, in that order, as the official one does. An index may be any number
    that equals an integer, as the key of a dictionary may.
    """

    def __init__(self, source: TableSource, kind: type[ArchResults], fast: bool) -> None:
        self.source, self.kind = source, kind
        self.known: dict[int, None] = {} if fast else dict.fromkeys(sorted(source.indexes()))
        self.kept: dict[int, Mapping[str, ArchResults]] = {}

    def results(self, index: int, hp: str) -> Results:
        """The object that was looked at, else the table's numbers."""
        return self.kept[index][hp] if index in self.kept else self.source.results(int(index), hp)

    def copy_of(self, index: int, hp: str) -> ArchResults:
        """Results that a caller may change without changing these."""
        import copy

        return copy.deepcopy(self.kept[index][hp]) if index in self.kept else self.source.build(index, hp, self.kind)

    def hps(self, index: int) -> list[str]:
        """The hp keys of an architecture."""
        return list(self.kept[index]) if index in self.kept else self.source.hps_of(int(index))

    def load(self, index: int) -> bool:
        """Whether the file has this architecture; from now on it is known, in its state of the file."""
        if not self.source.hps_of(index):
            return False
        self.known[index] = None
        self.kept.pop(index, None)
        return True

    def __contains__(self, index: object) -> bool:
        return index in self.known

    def __getitem__(self, index: int) -> Mapping[str, ArchResults]:
        if index not in self.known:
            raise KeyError(index)
        if index not in self.kept:
            hps = self.source.hps_of(int(index))
            self.kept[index] = OrderedDict((hp, self.source.build(index, hp, self.kind)) for hp in hps)
        return self.kept[index]

    def __setitem__(self, index: int, value: Mapping[str, ArchResults]) -> None:
        self.known[index] = None
        self.kept[index] = value

    def __delitem__(self, index: int) -> None:
        del self.known[index]
        self.kept.pop(index, None)

    def __iter__(self) -> Iterator[int]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)


class DictInfos(OrderedDict[int, Mapping[str, ArchResults]]):
    """The attribute arch2infos_dict over official dicts."""

    def results(self, index: int, hp: str) -> Results:
        """The object itself."""
        return self[index][hp]

    def copy_of(self, index: int, hp: str) -> ArchResults:
        """Results that a caller may change without changing these."""
        import copy

        return copy.deepcopy(self[index][hp])

    def hps(self, index: int) -> list[str]:
        """The hp keys of an architecture."""
        return list(self[index])

    def load(self, index: int) -> bool:
        """Nothing more can be had than the dict held."""
        return index in self
