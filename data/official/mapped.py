"""Official answers read from a converted table: single numbers out of memory-mapped columns, nothing rebuilt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, cast

from ...bench.table import Entry, Table
from .columns import NOBODY, EvaluatedSet, Quantity, total
from .dialect import SETS, Dialect
from .numbers import Brief, Costs, Info, choose, compute_costs, flops_and_params

Columns = tuple[list[float], list[float], list[float], list[float | None], list[float | None]]
NAN = float("nan")


class Group:
    """The trials of one training key under one hp, for all architectures."""

    def __init__(
        self,
        table: Table,
        entries: Mapping[str, Entry],
        hp: str,
        dataset: str,
        dialect: Dialect,
        extra: Mapping[str, Any],
    ) -> None:
        self._table, self._entries = table, entries
        self._facts: Sequence[Mapping[str, Any]] = extra.get("layouts", {}).get(hp, {}).get(dataset, ())
        self._several: dict[tuple[int, int], list[float]] = {
            (arch, seed): values
            for arch, of_hp, training, seed, values in extra.get("latencies", ())
            if (of_hp, training) == (hp, dataset)
        }
        self._stem = f"{dataset}/{int(hp)}"
        self.dataset, self.dialect = dataset, dialect
        end = self._entries.get(f"{self._stem}/train_accuracy/runs")
        self.seeds: tuple[int, ...] = (end.seeds if end is not None else None) or ()
        curve = self._entries.get(f"{self._stem}/train_accuracy/curves")
        self.epochs = int(hp) if curve is None else curve.shape[2]
        sets = {name: self._set(split) for name, split in {**SETS[dataset], "train": "train"}.items()}
        self.sets = {name: found for name, found in sets.items() if found is not None}
        self._lengths, self._layout = self.quantity("epochs"), self.quantity("_layout")
        self._latest: tuple[int, tuple[int, ...]] = (NOBODY, ())  # of one piece: threads may ask at once

    def _set(self, split: str) -> EvaluatedSet | None:
        if f"{self._stem}/{split}_accuracy/runs" not in self._entries:
            return None
        seconds = "train_epoch_seconds" if split == "train" else f"{split}_pass_seconds"
        return EvaluatedSet(*(self.quantity(metric) for metric in (f"{split}_accuracy", f"{split}_loss", seconds)))

    def quantity(self, metric: str) -> Quantity:
        return Quantity(self._table, self._stem, metric, self._entries)

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
        latest, places = self._latest
        if latest != arch:
            width = len(self.seeds)
            ends = self.sets["train"].accuracy.last[arch * width : (arch + 1) * width].tolist()
            places = tuple(place for place, end in enumerate(ends) if end == end)
            self._latest = arch, places
        return places

    def length(self, arch: int, place: int) -> int:
        """Epochs of a trial; `epochs` unless trials differ."""
        return int(self._lengths.last[arch * len(self.seeds) + place]) if self._lengths.there else self.epochs

    def fact(self, arch: int, place: int) -> Mapping[str, Any]:
        """What a trial says besides its numbers."""
        number = int(self._layout.last[arch * len(self.seeds) + place]) if self._layout.there else 0
        return self._facts[number] if number < len(self._facts) else {}

    def columns(self, arch: int, places: Sequence[int], setname: str, iepoch: int | None) -> Columns:
        """One list for each of `METRICS`, of one value for each of the trials at ``places``."""
        if self._lengths.there and len(places) > 1:
            parts = [self.columns(arch, (place,), setname, iepoch) for place in places]
            return cast(Columns, tuple([column[0] for column in columns] for columns in zip(*parts, strict=True)))
        length = self.length(arch, places[0])
        epoch = length - 1 if iepoch is None else iepoch
        if epoch < 0 or epoch >= length:
            raise self.dialect.refused(f"iepoch {iepoch} of a run of {length} epochs; legal: 0 to {length - 1}")
        name = "x-valid" if setname == "valid" else setname
        found = self.sets.get(name)
        if found is None:
            raise self._absent(name, epoch, any(self._timed(arch, place) for place in places))
        width, stride = len(self.seeds), self.epochs
        if epoch == length - 1:
            losses = found.loss.last[arch * width : (arch + 1) * width]
            accuracies = found.accuracy.last[arch * width : (arch + 1) * width]
            accuracy = [accuracies[place] for place in places]
            loss = [losses[place] for place in places]
        elif found.accuracy.curve is None or found.loss.curve is None:
            loss = accuracy = [NAN] * len(places)
        else:
            view, base = found.accuracy.curve.row(arch)
            accuracy = [view[base + place * stride + epoch] for place in places]
            view, base = found.loss.curve.row(arch)
            loss = [view[base + place * stride + epoch] for place in places]
        current, total = found.times(arch, places, width, stride, epoch)
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
        if found is None or found.seconds.curve is not None or not found.seconds.there or self._lengths.there:
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
        if type(is_random) is not int or is_random not in self.seeds:
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
            name for name in self.fact(arch, place).get("eval_names") or SETS[self.dataset]
            if name in self.sets and self.sets[name].accuracy.last[where] == self.sets[name].accuracy.last[where]
        ]  # fmt: skip

    def latencies(self, arch: int, place: int) -> list[float] | None:
        """Seconds per batch as the file lists them, None where it has none."""
        if (arch, self.seeds[place]) in self._several:
            return list(self._several[arch, self.seeds[place]])
        value = self.latency.last[arch * len(self.seeds) + place] if self.latency.there else NAN
        if value == value:
            return [value]
        return [] if self.fact(arch, place).get("latency") == "empty" else None

    def trial_costs(self, arch: int, place: int, times: bool = True) -> Costs:
        """FLOPs, parameters, latency and (unless declined) times of one trial."""
        where = arch * len(self.seeds) + place
        latencies = self.latencies(arch, place)
        latency = -1.0 if latencies is None else sum(latencies) / len(latencies)
        seconds: dict[str, float | None] = {}
        for name in ("train", *self.evaluated(arch, place)) if times else ():
            values = self.sets[name].every_epoch(arch, place, len(self.seeds), self.epochs, self.length(arch, place))
            seconds[f"T-{name}@epoch"] = None if values is None else self.dialect.mean(values)
            seconds[f"T-{name}@total"] = None if values is None else self.dialect.total(values)
        return Costs(self.flops.last[where], self.params.last[where], latency, seconds)


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
