"""ResultsCount, one trial of one architecture, with the attributes and methods of nats_bench and nas_201_api."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

from .dialect import NATS, NB201, Dialect

KEYS = (
    "name", "net_state_dict", "train_acc1es", "train_acc5es", "train_losses", "train_times", "arch_config", "params",
    "flop", "seed", "epochs", "latency", "eval_names", "eval_acc1es", "eval_times", "eval_losses",
)  # fmt: skip
"""Attributes of a trial, in the official order."""


class Run(Protocol):
    """A trial that lies in a table."""

    def state(self) -> dict[str, Any]:
        """The whole trial as `KEYS` -> value."""

    def value(self, name: str) -> Any:
        """One of the small attributes, or KeyError."""

    def at(self, setname: str, iepoch: int | None) -> dict[str, Any]:
        """The official answer about a set ("train" or an evaluated one) after an epoch."""


class ResultsCount:
    """One trial. Made from the official arguments, from an official dict, or from a table (`from_run`).

    A trial of a table reads single numbers from it; it becomes a trial of its own, with the official dictionaries,
    as soon as one of these is asked for or anything is set or deleted.
    """

    dialect: ClassVar[Dialect] = NATS

    def __init__(
        self,
        name: Any,
        state_dict: Any,
        train_accs: Any,
        train_losses: Any,
        params: Any,
        flop: Any,
        arch_config: Any,
        seed: Any,
        epochs: Any,
        latency: Any,
    ) -> None:
        self.name = name
        self.net_state_dict = state_dict
        self.train_acc1es = copy.deepcopy(train_accs)
        self.train_acc5es = None
        self.train_losses = copy.deepcopy(train_losses)
        self.train_times: Any = None
        self.arch_config = copy.deepcopy(arch_config)
        self.params = params
        self.flop = flop
        self.seed = seed
        self.epochs = epochs
        self.latency = latency
        self.reset_eval()

    @classmethod
    def from_run(cls, run: Run) -> ResultsCount:
        """A trial that reads its numbers from a table."""
        self = object.__new__(cls)
        self.__dict__["_run"] = run
        return self

    def __getattr__(self, name: str) -> Any:
        run = self.__dict__.get("_run")
        if run is None or name not in KEYS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        try:
            return run.value(name)
        except KeyError:
            self._own()
            return self.__dict__[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self._own()
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        self._own()
        super().__delattr__(name)

    def __getstate__(self) -> dict[str, Any]:
        return self.state_dict()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def _own(self) -> None:
        run = self.__dict__.pop("_run", None)
        if run is not None:
            self.__dict__.update(run.state())

    def update_train_info(self, train_acc1es: Any, train_acc5es: Any, train_losses: Any, train_times: Any) -> None:
        """Replace the curves of the training set."""
        self.train_acc1es = train_acc1es
        self.train_acc5es = train_acc5es
        self.train_losses = train_losses
        self.train_times = train_times

    def reset_pseudo_train_times(self, estimated_per_epoch_time: float) -> None:
        """Give every epoch the same training seconds."""
        self.train_times = OrderedDict.fromkeys(range(self.epochs), estimated_per_epoch_time)

    def reset_pseudo_eval_times(self, eval_name: str, estimated_per_epoch_time: float) -> None:
        """Give every pass over a set the same seconds."""
        self._own()
        if eval_name not in self.eval_names:
            raise ValueError(f"set {eval_name!r} was not evaluated; there are {self.eval_names}")
        for epoch in range(self.epochs):
            self.eval_times[f"{eval_name}@{epoch}"] = estimated_per_epoch_time

    def reset_eval(self) -> None:
        """Forget every evaluated set."""
        self.eval_names: list[str] = []
        self.eval_acc1es: dict[str, float] = {}
        self.eval_times: dict[str, float] = {}
        self.eval_losses: dict[str, float] = {}

    def update_latency(self, latency: Any) -> None:
        """Replace the list of seconds per batch."""
        self.latency = copy.deepcopy(latency)

    def update_eval(self, accs: Mapping[str, float], losses: Mapping[str, float], times: Mapping[str, float]) -> None:
        """Add sets under ``set@epoch`` keys; each must have every epoch and be new."""
        self._own()
        for name in dict.fromkeys(key.split("@")[0] for key in accs):
            self._add(name)
            for epoch in range(self.epochs):
                key = f"{name}@{epoch}"
                self.eval_acc1es[key], self.eval_losses[key] = accs[key], losses[key]
                self.eval_times[key] = times[key]

    def update_OLD_eval(self, name: str, accs: Mapping[int, float], losses: Mapping[int, float]) -> None:
        """Add a set by epoch numbers, as the first files of NAS-Bench-201 had it: without times, epochs may lack."""
        self._own()
        self._add(name)
        for epoch in range(self.epochs):
            if epoch in accs:
                self.eval_acc1es[f"{name}@{epoch}"] = accs[epoch]
                self.eval_losses[f"{name}@{epoch}"] = losses[epoch]

    def _add(self, name: str) -> None:
        if name in self.eval_names:
            raise AssertionError(f"set {name!r} is there already")
        self.eval_names.append(name)

    def get_latency(self) -> float:
        """Mean seconds per batch of 256 images; -1.0 where not measured."""
        latency = self.latency
        return -1.0 if latency is None else sum(latency) / len(latency)

    def get_total_epoch(self) -> int:
        """Length of the training in epochs."""
        return copy.deepcopy(self.epochs)

    def get_times(self) -> dict[str, float | None]:
        """Mean and total seconds of training and of the passes over each evaluated set, None where unknown."""
        seconds = list(self.train_times.values()) if isinstance(self.train_times, dict) else None
        times: dict[str, float | None] = {}
        self._time(times, "train", seconds)
        passes = self.eval_times
        for name in self.eval_names:
            try:
                seconds = [passes[f"{name}@{epoch}"] for epoch in range(self.epochs)]
            except (KeyError, TypeError):
                seconds = None
            self._time(times, name, seconds)
        return times

    def _time(self, times: dict[str, float | None], name: str, seconds: list[float] | None) -> None:
        times[f"T-{name}@epoch"] = None if seconds is None else self.dialect.mean(seconds)
        times[f"T-{name}@total"] = None if seconds is None else self.dialect.total(seconds)

    def get_eval_set(self) -> list[str]:
        """Names of the evaluated sets."""
        return self.eval_names

    def judge_valid(self, iepoch: int) -> None:
        """Refuse an epoch outside the run."""
        if iepoch < 0 or iepoch >= self.epochs:
            raise self.dialect.refused(
                f"iepoch {iepoch} of a run of {self.epochs} epochs; legal: 0 to {self.epochs - 1}"
            )

    def get_train(self, iepoch: int | None = None) -> dict[str, Any]:
        """Loss, accuracy [percent] and seconds on the training set; ``iepoch`` counts from 0, None is the last."""
        run: Run | None = self.__dict__.get("_run")
        if run is not None:
            return run.at("train", iepoch)
        epoch = self.epochs - 1 if iepoch is None else iepoch
        self.judge_valid(epoch)
        times = self.train_times
        return {
            "iepoch": epoch,
            "loss": self.train_losses[epoch],
            "accuracy": self.train_acc1es[epoch],
            "cur_time": None if times is None else times[epoch],
            "all_time": None if times is None else sum([times[each] for each in range(epoch + 1)]),
        }

    def get_eval(self, name: str, iepoch: int | None = None) -> dict[str, Any]:
        """Loss, accuracy [percent] and seconds on an evaluated set ("valid" means "x-valid")."""
        run: Run | None = self.__dict__.get("_run")
        if run is not None:
            return run.at(name, iepoch)
        epoch = self.epochs - 1 if iepoch is None else iepoch
        self.judge_valid(epoch)
        name = "x-valid" if name == "valid" else name
        key, times = f"{name}@{epoch}", self.eval_times
        timed = isinstance(times, dict) and len(times) > 0
        if timed and key not in times:
            raise self.dialect.absent(f"{key} was not timed; there are {', '.join(times)}")
        return {
            "iepoch": epoch,
            "loss": self.eval_losses[key],
            "accuracy": self.eval_acc1es[key],
            "cur_time": times[key] if timed else None,
            "all_time": sum([times[f"{name}@{each}"] for each in range(epoch + 1)]) if timed else None,
        }

    def get_net_param(self, clone: bool = False) -> Any:
        """The trained weights, None in files without weights."""
        return copy.deepcopy(self.net_state_dict) if clone else self.net_state_dict

    def get_config(self, str2structure: Callable[[str], Any] | None) -> dict[str, Any]:
        """What a builder of networks wants to know; ``str2structure`` turns the cell's text into an object."""
        config = self.arch_config
        if config.get("name") == "infer.shape.tiny":
            cell = config["genotype"]
            head = {"name": "infer.shape.tiny", "channels": config["channels"]}
            tail = {"genotype": cell if str2structure is None else str2structure(cell)}
        else:
            cell = config["arch_str"]
            head = {"name": "infer.tiny", "C": config["channel"], "N": config["num_cells"]}
            tail = {"arch_str": cell} if str2structure is None else {"genotype": str2structure(cell)}
        return {**head, **tail, "num_classes": config["class_num"]}

    def state_dict(self) -> dict[str, Any]:
        """The trial as an official dict."""
        self._own()
        return dict(self.__dict__)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over an official dict."""
        self._own()
        self.__dict__.update(state_dict)

    @classmethod
    def create_from_state_dict(cls, state_dict: Mapping[str, Any]) -> ResultsCount:
        """The trial that an official dict describes."""
        self = object.__new__(cls)
        self.__dict__.update(state_dict)
        return self

    def __repr__(self) -> str:
        sets = ", ".join(self.eval_names)
        return (
            f"ResultsCount({self.name}, arch={self.arch_config['arch_str']}, FLOP={self.flop:.2f}M, "
            f"Param={self.params:.3f}MB, seed={self.seed}, {len(self.eval_names)} eval-sets: [{sets}])"
        )


class ResultsCount201(ResultsCount):
    """A trial as nas_201_api answers about it."""

    dialect = NB201
