"""Official answers read from a converted table: single numbers out of memory-mapped columns, nothing rebuilt."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from ...bench.table import Table
from .dialect import SETS, Dialect
from .numbers import METRICS, Brief, Costs, Info, choose, compute_costs, flops_and_params

Columns = tuple[list[int], list[float], list[float], list[float | None], list[float | None]]
NAN = float("nan")


@lru_cache(maxsize=4096)
def total(seconds: float, epochs: int) -> float:
    """Seconds of so many equal epochs, added one by one as the official packages do."""
    return sum([seconds] * epochs)


class Curve:
    """One metric of every epoch: a flat view of the mapped column, or of the rows of the latest architecture."""

    def __init__(self, table: Table, path: str, shape: Sequence[int]) -> None:
        self._table, self._path = table, path
        self._row = shape[1] * shape[2]
        self._view: memoryview | None = None
        self._arch = -1
        if table._dataset(path).id.get_offset() is not None:
            self._view = _view(table.read(path))

    def row(self, arch: int) -> tuple[memoryview, int]:
        """A view and the place in it where the (seed, epoch) values of an architecture begin."""
        if self._arch == arch and self._rows is not None:
            return self._rows, 0
        if self._view is not None:
            return self._view, arch * self._row
        self._rows = _view(self._table.read_curves(self._path, np.array([arch], dtype=np.int64)))
        self._arch = arch
        return self._rows, 0

    _rows: memoryview | None = None


class Quantity:
    """One column of a data set: ends of runs, and the curve where there is one."""

    def __init__(self, table: Table, stem: str, metric: str, entries: Mapping[str, Any]) -> None:
        path = f"{stem}/{metric}"
        self.there = f"{path}/runs" in entries
        self.last = _view(table.read(f"{path}/runs")) if self.there else memoryview(b"")
        curve = entries.get(f"{path}/curves")
        self.curve = Curve(table, curve.path, curve.shape) if curve is not None else None


class Group:
    """The trials of one training key under one hp, for all architectures."""

    def __init__(self, table: Table, hp: str, dataset: str, dialect: Dialect, order: Sequence[str] = ()) -> None:
        self._table, self._entries = table, {entry.path: entry for entry in table.entries}
        self._stem = f"{dataset}/{int(hp)}"
        self.dataset, self.dialect = dataset, dialect
        end = self._entries.get(f"{self._stem}/train_accuracy/runs")
        self.seeds: tuple[int, ...] = (end.seeds if end is not None else None) or ()
        curve = self._entries.get(f"{self._stem}/train_accuracy/curves")
        self.epochs = int(hp) if curve is None else curve.shape[2]
        self.names = [name for name in order if name in SETS[dataset]] or list(SETS[dataset])
        self.sets = {name: self._set(SETS[dataset][name]) for name in self.names}
        self.sets["train"] = self._set("train")
        self.sets = {name: found for name, found in self.sets.items() if found is not None}
        self._arch, self._places = -1, ()

    def _set(self, split: str) -> EvaluatedSet | None:
        if f"{self._stem}/{split}_accuracy/runs" not in self._entries:
            return None
        seconds = "train_epoch_seconds" if split == "train" else f"{split}_pass_seconds"
        return EvaluatedSet(*(self.quantity(metric) for metric in (f"{split}_accuracy", f"{split}_loss", seconds)))

    def quantity(self, metric: str) -> Quantity:
        return Quantity(self._table, self._stem, metric, self._entries)

    _places: tuple[int, ...]

    @cached_property
    def params(self) -> Quantity:
        return self.quantity("recorded_params_millions")

    @cached_property
    def flops(self) -> Quantity:
        return self.quantity("recorded_flops_millions")

    @cached_property
    def latency(self) -> Quantity:
        return self.quantity("latency_seconds")

    @cached_property
    def top5(self) -> Quantity:
        return self.quantity("train_top5_accuracy")

    def places(self, arch: int) -> tuple[int, ...]:
        """Places on the seed axis of the trials that this architecture has."""
        if self._arch != arch:
            width, end = len(self.seeds), self.sets["train"].accuracy.last if self.seeds else memoryview(b"")
            base = arch * width
            self._places = tuple(place for place in range(width) if end[base + place] == end[base + place])
            self._arch = arch
        return self._places

    def epoch(self, iepoch: int | None) -> int:
        """The epoch meant, checked."""
        epoch = self.epochs - 1 if iepoch is None else iepoch
        if epoch < 0 or epoch >= self.epochs:
            raise self.dialect.refused(
                f"iepoch {iepoch} of a run of {self.epochs} epochs; legal: 0 to {self.epochs - 1}"
            )
        return epoch

    def columns(self, arch: int, places: Sequence[int], setname: str, iepoch: int | None) -> Columns:
        """One list for each of `METRICS`, of one value for each of the trials at ``places``."""
        epoch = self.epoch(iepoch)
        name = "x-valid" if setname == "valid" else setname
        found = self.sets.get(name)
        if found is None:
            raise self._absent(name, epoch, any(self._timed(arch, place) for place in places))
        width, length = len(self.seeds), self.epochs
        if epoch == length - 1:
            losses = found.loss.last[arch * width : (arch + 1) * width]
            accuracies = found.accuracy.last[arch * width : (arch + 1) * width]
            accuracy = [accuracies[place] for place in places]
            loss = [losses[place] for place in places]
        elif found.accuracy.curve is None or found.loss.curve is None:
            loss = accuracy = [NAN] * len(places)
        else:
            view, base = found.accuracy.curve.row(arch)
            accuracy = [view[base + place * length + epoch] for place in places]
            view, base = found.loss.curve.row(arch)
            loss = [view[base + place * length + epoch] for place in places]
        current, total = found.times(arch, places, width, length, epoch)
        if name != "train" and None in current:
            for place, seconds in zip(places, current, strict=True):
                if seconds is None and self._timed(arch, place):
                    raise self._absent(name, epoch, True)
        for value in accuracy:
            if value != value:
                raise self._absent(name, epoch, False)
        return [epoch] * len(places), loss, accuracy, current, total

    def end(self, arch: int, setname: str, is_random: bool | int) -> Brief | None:
        """Epoch, loss, accuracy and seconds at the last epoch; None where `columns` has to look closer."""
        found = self.sets.get(setname)
        if found is None or found.seconds.curve is not None or not found.seconds.there:
            return None
        places, width, epochs = self.places(arch), len(self.seeds), self.epochs
        start = arch * width
        losses = found.loss.last[start : start + width].tolist()
        accuracies = found.accuracy.last[start : start + width].tolist()
        seconds = found.seconds.last[start : start + width].tolist()
        count = len(places)
        if count < width:
            losses, accuracies = [losses[place] for place in places], [accuracies[place] for place in places]
            seconds = [seconds[place] for place in places]
        accuracy = sum(accuracies)
        if not count or accuracy != accuracy or sum(seconds) != sum(seconds):
            return None
        if is_random is False:
            number = self.dialect.number
            first = seconds[0]
            if seconds.count(first) == count:
                whole = sum([total(first, epochs)] * count)
            else:
                whole = sum([total(each, epochs) for each in seconds])
            return number(epochs - 1.0), number(sum(losses) / count), number(accuracy / count), number(whole / count)
        if is_random is True or is_random not in self.seeds:
            return None
        place = self.seeds.index(is_random)
        if place not in places:
            return None
        index = places.index(place)
        return epochs - 1, losses[index], accuracies[index], total(seconds[index], epochs)

    def _absent(self, name: str, epoch: int, timed: bool) -> Exception:
        error = self.dialect.absent if timed else KeyError
        return error(f"{name}@{epoch} of {self.dataset!r} is not in the results; there are {', '.join(self.sets)}")

    def _timed(self, arch: int, place: int) -> bool:
        """Whether any evaluated set of a trial has times."""
        where = arch * len(self.seeds) + place
        return any(
            found.seconds.there and found.seconds.last[where] == found.seconds.last[where]
            for name, found in self.sets.items() if name != "train"
        )  # fmt: skip

    def evaluated(self, arch: int, place: int) -> list[str]:
        """Names of the sets that a trial was evaluated on."""
        where = arch * len(self.seeds) + place
        return [
            name for name in self.names
            if name in self.sets and self.sets[name].accuracy.last[where] == self.sets[name].accuracy.last[where]
        ]  # fmt: skip

    def trial_costs(self, arch: int, place: int, times: bool = True) -> Costs:
        """FLOPs, parameters, latency and (unless declined) times of one trial."""
        where = arch * len(self.seeds) + place
        latency = self.latency.last[where] if self.latency.there else NAN
        seconds: dict[str, float | None] = {}
        for name in ("train", *self.evaluated(arch, place)) if times else ():
            values = self.sets[name].every_epoch(arch, place, len(self.seeds), self.epochs)
            seconds[f"T-{name}@epoch"] = None if values is None else self.dialect.mean(values)
            seconds[f"T-{name}@total"] = None if values is None else self.dialect.total(values)
        return Costs(self.flops.last[where], self.params.last[where], latency if latency == latency else -1.0, seconds)


class EvaluatedSet:
    """Accuracy, loss and seconds of one set."""

    def __init__(self, accuracy: Quantity, loss: Quantity, seconds: Quantity) -> None:
        self.accuracy, self.loss, self.seconds = accuracy, loss, seconds

    def times(
        self, arch: int, places: Sequence[int], width: int, length: int, epoch: int
    ) -> tuple[list[float | None], list[float | None]]:
        """Seconds of an epoch and of all up to it, for each trial; None where not measured."""
        if not self.seconds.there:
            return [None] * len(places), [None] * len(places)
        current: list[float | None] = []
        total: list[float | None] = []
        if self.seconds.curve is not None:
            view, base = self.seconds.curve.row(arch)
            for place in places:
                start = base + place * length
                seconds = view[start + epoch]
                known = seconds == seconds
                current.append(seconds if known else None)
                total.append(sum(view[start : start + epoch + 1].tolist()) if known else None)
            return current, total
        before = whole = None
        for place in places:
            seconds = self.seconds.last[arch * width + place]
            if seconds != before:
                before, whole = (seconds, sum([seconds] * (epoch + 1))) if seconds == seconds else (None, None)
            current.append(before)
            total.append(whole)
        return current, total

    def every_epoch(self, arch: int, place: int, width: int, length: int) -> list[float] | None:
        """Seconds of all epochs of a trial, None if one of them is unknown."""
        if not self.seconds.there:
            return None
        if self.seconds.curve is not None:
            view, base = self.seconds.curve.row(arch)
            values = view[base + place * length : base + (place + 1) * length].tolist()
        else:
            values = [self.seconds.last[arch * width + place]] * length
        return None if any(value != value for value in values) else values


def _view(values: Any) -> memoryview:
    """Flat, of Python numbers when indexed. Through bytes, because a column may lie unaligned in the mapped file."""
    flat = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("=")).reshape(-1)
    return memoryview(flat.view(np.uint8)).cast(flat.dtype.char)


class MappedResults:
    """What the table knows of one architecture under one hp; the same questions as `ArchResults`."""

    __slots__ = ("_arch", "_groups")

    def __init__(self, groups: Mapping[str, Group], arch: int) -> None:
        self._groups, self._arch = groups, arch

    def get_dataset_seeds(self, dataset: str) -> list[int]:
        """Seeds of the trials, ascending; KeyError where there is none."""
        group = self._groups[dataset]
        seeds = [group.seeds[place] for place in group.places(self._arch)]
        if not seeds:
            raise KeyError(dataset)
        return seeds

    def get_metrics(self, dataset: str, setname: str, iepoch: int | None = None, is_random: bool | int = False) -> Info:
        """As `ArchResults.get_metrics`."""
        group, arch = self._groups[dataset], self._arch
        places = group.places(arch)
        if not places:
            raise KeyError(dataset)
        columns = group.columns(arch, places, setname, iepoch)
        return choose(group.dialect, [group.seeds[place] for place in places], columns, is_random)

    def brief(self, dataset: str, setname: str, iepoch: int | None, is_random: bool | int) -> Brief:
        """As `ArchResults.brief`; ends of runs, the common question, take the short way."""
        if iepoch is None:
            found = self._groups[dataset].end(self._arch, setname, is_random)
            if found is not None:
                return found
        info = self.get_metrics(dataset, setname, iepoch, is_random)
        return info["iepoch"], info["loss"], info["accuracy"], info["all_time"]

    def lacks(self, dataset: str, setname: str) -> bool:
        """Whether no architecture has numbers of a set."""
        return setname not in self._groups[dataset].sets

    def get_compute_costs(self, dataset: str) -> Info:
        """As `ArchResults.get_compute_costs`."""
        group, seeds = self._groups[dataset], self.get_dataset_seeds(dataset)
        trials = [group.trial_costs(self._arch, place) for place in group.places(self._arch)]
        return compute_costs(group.dialect, seeds, trials)

    def get_flops_and_params(self, dataset: str) -> Info:
        """As `ArchResults.get_flops_and_params`."""
        group, seeds = self._groups[dataset], self.get_dataset_seeds(dataset)
        places = [self._arch * len(group.seeds) + place for place in group.places(self._arch)]
        flops, params = [group.flops.last[place] for place in places], [group.params.last[place] for place in places]
        return flops_and_params(group.dialect, seeds, flops, params)


class TableRun:
    """One trial in a table, as `ResultsCount` reads it."""

    __slots__ = ("_arch", "_group", "_place", "_small")

    def __init__(self, group: Group, arch: int, place: int, arch_config: Mapping[str, Any]) -> None:
        self._group, self._arch, self._place = group, arch, place
        self._small: dict[str, Any] = {"name": group.dataset, "net_state_dict": None, "arch_config": arch_config}

    def at(self, setname: str, iepoch: int | None) -> Info:
        columns = self._group.columns(self._arch, (self._place,), setname, iepoch)
        return {name: column[0] for name, column in zip(METRICS, columns, strict=True)}

    def value(self, name: str) -> Any:
        group, where = self._group, self._arch * len(self._group.seeds) + self._place
        if name == "epochs":
            return group.epochs
        if name == "seed":
            return f"{group.seeds[self._place]:04d}"
        if name == "params":
            return group.params.last[where]
        if name == "flop":
            return group.flops.last[where]
        if name == "name":
            return group.dataset
        raise KeyError(name)

    def state(self) -> dict[str, Any]:
        group, where = self._group, self._arch * len(self._group.seeds) + self._place
        small = {name: self.value(name) for name in ("params", "flop", "seed", "epochs")}
        latency = group.latency.last[where] if group.latency.there else NAN
        names = group.evaluated(self._arch, self._place)
        train = group.sets["train"]
        seconds = self._seconds("train")
        accuracies: dict[str, float] = {}
        losses: dict[str, float] = {}
        times: dict[str, float] = {}
        for name in names:
            accuracies |= {f"{name}@{epoch}": each for epoch, each in self._curve(group.sets[name].accuracy).items()}
            losses |= {f"{name}@{epoch}": each for epoch, each in self._curve(group.sets[name].loss).items()}
            times |= {f"{name}@{epoch}": each for epoch, each in enumerate(self._seconds(name) or ())}
        return {
            **self._small,
            "train_acc1es": self._curve(train.accuracy),
            "train_acc5es": self._curve(group.top5) or None if group.top5.there else None,
            "train_losses": self._curve(train.loss),
            "train_times": None if seconds is None else OrderedDict(enumerate(seconds)),
            **small,
            "latency": [latency] if latency == latency else None,
            "eval_names": names, "eval_acc1es": accuracies, "eval_times": times, "eval_losses": losses,
        }  # fmt: skip

    def _seconds(self, name: str) -> list[float] | None:
        group = self._group
        return group.sets[name].every_epoch(self._arch, self._place, len(group.seeds), group.epochs)

    def _curve(self, quantity: Quantity) -> dict[int, float]:
        length, width = self._group.epochs, len(self._group.seeds)
        if quantity.curve is None:
            values = {length - 1: quantity.last[self._arch * width + self._place]}
        else:
            view, base = quantity.curve.row(self._arch)
            start = base + self._place * length
            values = dict(enumerate(view[start : start + length].tolist()))
        return {epoch: value for epoch, value in values.items() if value == value}
