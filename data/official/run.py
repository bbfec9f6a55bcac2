"""One trial in a table, in the shape of an official trial as far as somebody looks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from .columns import Quantity
from .mapped import Group
from .numbers import METRICS, Info
from .trial import KEYS


class TableRun:
    """One trial in a table, as `ResultsCount` reads it."""

    __slots__ = ("_arch", "_group", "_place", "_small")

    def __init__(self, group: Group, arch: int, place: int, arch_config: Mapping[str, Any]) -> None:
        self._group, self._arch, self._place = group, arch, place
        self._small: dict[str, Any] = {"name": group.dataset, "net_state_dict": None, "arch_config": arch_config}

    def at(self, setname: str, iepoch: int | None) -> Info:
        """The official answer about a set after an epoch."""
        columns: Sequence[Sequence[Any]] = self._group.columns(self._arch, (self._place,), setname, iepoch)
        return {name: column[0] for name, column in zip(METRICS, columns, strict=True)}

    def value(self, name: str) -> Any:
        """A small attribute, or KeyError."""
        group, where = self._group, self._arch * len(self._group.seeds) + self._place
        if name == "epochs":
            return group.length(self._arch, self._place)
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
        """All attributes, in the official order."""
        group = self._group
        small = {name: self.value(name) for name in ("params", "flop", "seed", "epochs")}
        names = group.evaluated(self._arch, self._place)
        train, top5 = self._curves("train"), self._curve(group.top5) if group.top5.there else {}
        seconds = self._seconds("train")
        accuracies: dict[str, float] = {}
        losses: dict[str, float] = {}
        times: dict[str, float] = {}
        for name in names:
            known = self._curves(name)
            accuracies |= {f"{name}@{epoch}": accuracy for epoch, (accuracy, _) in known.items()}
            losses |= {f"{name}@{epoch}": loss for epoch, (_, loss) in known.items()}
            times |= {f"{name}@{epoch}": each for epoch, each in enumerate(self._seconds(name) or ())}
        state = {
            **self._small,
            "train_acc1es": {epoch: accuracy for epoch, (accuracy, _) in train.items()},
            "train_acc5es": {epoch: each for epoch, each in top5.items() if each == each} or None,
            "train_losses": {epoch: loss for epoch, (_, loss) in train.items()},
            "train_times": None if seconds is None else OrderedDict(enumerate(seconds)),
            **small,
            "latency": group.latencies(self._arch, self._place),
            "eval_names": names, "eval_acc1es": accuracies, "eval_times": times, "eval_losses": losses,
        }  # fmt: skip
        return {name: state[name] for name in KEYS}

    def _seconds(self, name: str) -> list[float] | None:
        group = self._group
        length = group.length(self._arch, self._place)
        return group.sets[name].every_epoch(self._arch, self._place, len(group.seeds), group.epochs, length)

    def _curves(self, name: str) -> dict[int, tuple[float, float]]:
        """Epoch -> accuracy and loss, where the set was evaluated (a loss may well be NaN)."""
        found = self._group.sets[name]
        losses = self._curve(found.loss)
        return {
            epoch: (accuracy, losses[epoch])
            for epoch, accuracy in self._curve(found.accuracy).items() if accuracy == accuracy
        }  # fmt: skip

    def _curve(self, quantity: Quantity) -> dict[int, float]:
        length, width = self._group.length(self._arch, self._place), len(self._group.seeds)
        if quantity.curve is None:
            values = {length - 1: quantity.last[self._arch * width + self._place]}
        else:
            view, base = quantity.curve.row(self._arch)
            start = base + self._place * self._group.epochs
            values = dict(enumerate(view[start : start + length].tolist()))
        return values
