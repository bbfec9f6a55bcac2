"""From the official dictionaries of some architectures to arrays: every key is known, every number has its place.

An architecture is a dictionary hp -> ArchResults; the layout is that of nats_bench and nas_201_api (`state_dict`).
Curves may be dictionaries, `Series`, or runs that wait to be decoded (`Compact`); equal ones of a block are decoded
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadFile
from ...bench.spaces import Space
from ..safe.opcodes import Refused
from ..safe.series import Layout, Runs, Series
from ..splits import EVALUATIONS

ARCH_KEYS = ("arch_index", "arch_str", "all_results", "dataset_seed", "clear_net_done")
TRIAL_KEYS = (
    "name", "train_acc1es", "train_acc5es", "train_losses", "train_times", "arch_config", "params", "flop", "seed",
    "epochs", "latency", "eval_names", "eval_acc1es", "eval_times", "eval_losses", "net_state_dict",
)  # fmt: skip
_ARCH, _TRIAL = frozenset(ARCH_KEYS), frozenset(TRIAL_KEYS)
TRAIN_CURVES = {"train_acc1es": "train_accuracy", "train_acc5es": "train_top5_accuracy", "train_losses": "train_loss",
                "train_times": "train_epoch_seconds"}  # fmt: skip
EVAL_CURVES = {"eval_acc1es": "accuracy", "eval_losses": "loss", "eval_times": "pass_seconds"}
FORMS = ("curve", "last", "constant", "number")
HPS = ("01", "1", "12", "90", "200")
LONGEST = 10_000  # epochs


class Key(NamedTuple):
    """One row of numbers of every architecture: of one run, one metric, in one of `FORMS`.

    ``curve``: every epoch, NaN where one is absent; ``last``: the run's last epoch only; ``constant``: one value that
    holds for every epoch; ``number``: one value of the run.
    """

    hp: str
    training: str
    seed: int
    metric: str
    form: str
    width: int


class Fact(NamedTuple):
    """What a trial says besides its numbers; nearly the same for every architecture."""

    eval_names: tuple[str, ...]
    arch_config: tuple[tuple[str, Any], ...]  # without the architecture's own text
    config_texts: tuple[str, ...]  # keys of arch_config that hold it
    train_times: bool  # a dictionary, not None
    eval_times: bool
    train_top5: bool
    latency: str  # "none", "empty", "one" or "several"


class ArchFact(NamedTuple):
    """What an architecture says besides its trials."""

    trainings: tuple[str, ...]
    clear_net_done: bool


@dataclass
class Block:
    """Numbers of some architectures; plain arrays, so that it travels between processes."""

    numbers: dict[Key, tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]] = field(default_factory=dict)
    facts: dict[tuple[str, str, Fact], list[tuple[int, int]]] = field(default_factory=dict)  # -> (arch, seed)
    arch_facts: dict[tuple[str, ArchFact], list[int]] = field(default_factory=dict)
    latencies: list[tuple[int, str, str, int, list[float]]] = field(default_factory=list)  # lists of several
    nan: list[tuple[int, str, str, int, str, int]] = field(default_factory=list)  # NaN that the file itself holds
    archs: list[int] = field(default_factory=list)


class NeedsWhole(Exception):
    """A shortened pickle whose curves are not what they were taken for; it must be read in full."""


class BlockMaker:
    """Collects architectures; `finish` gives their `Block`.

    Args:
        space: whose official order and texts the file must have.
    """

    def __init__(self, space: Space, runs: Runs) -> None:
        self.space, self._runs = space, runs
        self._block = Block()
        self._rows: dict[Key, tuple[list[int], list[Any]]] = {}
        self._waiting: dict[Any, list[tuple[Any, ...]]] = {}

    def add(self, arch: int, infos: Mapping[str, Any], where: str) -> None:
        """Take the ``hp -> ArchResults`` of one architecture.

        Raises:
            BadFile: names what is unexpected: the first unknown key, an absent one, a value of another type.
        """
        try:
            if type(infos) is not dict or not infos:
                raise Refused(f"no results by hp, but {_kind(infos)}")
            for hp, found in infos.items():
                if hp not in HPS:
                    raise Refused(f"unexpected key {_short(hp)} where an hp is; known: {', '.join(HPS)}")
                self._arch(arch, hp, found)
        except Refused as refused:
            raise BadFile(f"{where}: architecture {arch}: {refused}; a newer or another layout?") from None
        self._block.archs.append(arch)

    def _arch(self, arch: int, hp: str, found: Any) -> None:
        _check_keys(found, _ARCH, ARCH_KEYS, f"results of hp {hp!r}")
        text = self.space.text(arch)
        if found["arch_index"] != arch or found["arch_str"] != text:
            raise Refused(
                f"it says to be number {_short(found['arch_index'])}, {_short(found['arch_str'])}; "
                f"number {arch} of the official order is {text!r}"
            )
        results, by_training = found["all_results"], found["dataset_seed"]
        if type(results) is not dict or type(by_training) is not dict or type(found["clear_net_done"]) is not bool:
            raise Refused(f"hp {hp!r}: all_results, dataset_seed or clear_net_done of another type")
        seeds: dict[str, list[int]] = {}
        for key, trial in results.items():
            if type(key) is not tuple or len(key) != 2 or type(key[0]) is not str or type(key[1]) is not int:
                raise Refused(f"hp {hp!r}: a trial named otherwise than (data set, seed)")
            training, seed = key
            if training not in EVALUATIONS:
                raise Refused(f"unexpected data set {_short(training)}; known: {', '.join(EVALUATIONS)}")
            if not 0 <= seed < 2**31:
                raise Refused(f"seed {seed}")
            seeds.setdefault(training, []).append(seed)
            try:
                self._trial(arch, hp, training, seed, text, trial)
            except Refused as refused:
                raise Refused(f"hp {hp!r}, {training}, seed {seed}: {refused}") from None
        if {training: sorted(found) for training, found in seeds.items()} != by_training:
            raise Refused(f"hp {hp!r}: dataset_seed does not list the seeds of all_results in ascending order")
        fact = ArchFact(tuple(by_training), found["clear_net_done"])
        self._block.arch_facts.setdefault((hp, fact), []).append(arch)

    def _trial(self, arch: int, hp: str, training: str, seed: int, text: str, trial: Any) -> None:
        _check_keys(trial, _TRIAL, TRIAL_KEYS, "a trial")
        epochs = trial["epochs"]
        if trial["name"] != training or trial["seed"] not in (f"{seed:04d}", seed):
            raise Refused(f"its name and seed are {_short(trial['name'])}, {_short(trial['seed'])}")
        if type(epochs) is not int or not 1 <= epochs <= LONGEST:
            raise Refused(f"epochs is {_short(epochs)}")
        names, config, latency = trial["eval_names"], trial["arch_config"], trial["latency"]
        if type(names) is not list or any(type(name) is not str for name in names):
            raise Refused("eval_names is no list of texts")
        if type(config) is not dict or any(type(value) not in (int, str) for value in config.values()):
            raise Refused("arch_config is no dictionary of texts and integers")
        if latency is not None and type(latency) is not list:
            raise Refused(f"latency is {_kind(latency)}")
        own = tuple(key for key, value in config.items() if value == text)
        if "arch_str" not in own:
            raise Refused(f"arch_config is of {_short(config.get('arch_str'))}")
        train_times, eval_times = trial["train_times"], trial["eval_times"]
        several = "none" if latency is None else ("empty", "one")[len(latency)] if len(latency) < 2 else "several"
        template = tuple(item for item in config.items() if item[0] not in own)
        fact = Fact(tuple(names), template, own, train_times is not None, bool(eval_times) and eval_times is not None,
                    trial["train_acc5es"] is not None, several)  # fmt: skip
        self._block.facts.setdefault((hp, training, fact), []).append((arch, seed))
        numbers = {"recorded_params_millions": trial["params"], "recorded_flops_millions": trial["flop"],
                   "epochs": epochs}  # fmt: skip
        if latency:
            numbers["latency_seconds"] = latency[0]
            if len(latency) > 1:
                values = [_number(value) for value in latency]
                self._block.latencies.append((arch, hp, training, seed, values))
        for metric, value in numbers.items():
            number = _number(value)
            if number != number:
                self._block.nan.append((arch, hp, training, seed, metric, 0))
            self._put(Key(hp, training, seed, metric, "number", 1), arch, number)
        for name, metric in TRAIN_CURVES.items():
            curve = trial[name]
            if curve is not None:
                self._curve(curve, (arch, hp, training, seed), epochs, metric, False)
            elif name in ("train_acc1es", "train_losses"):
                raise Refused(f"{name} is None")
        for name, quantity in EVAL_CURVES.items():
            curve = trial[name]
            if curve is None:
                raise Refused(f"{name} is None")
            if curve:
                self._curve(curve, (arch, hp, training, seed), epochs, quantity, True)

    def _curve(self, curve: Any, trial: tuple[int, str, str, int], epochs: int, what: str, is_eval: bool) -> None:
        """Put a curve to others like it, to be decoded together."""
        kind: tuple[Any, ...]
        if type(curve) is dict and len(curve) == 1:
            ((run, value),) = curve.items()
            if type(run) is bytes:
                if value is not None:  # a key remembered from another curve, which was shortened
                    raise NeedsWhole
                kind = (len(run), run[:12] if is_eval else b"", epochs, is_eval)
                self._waiting.setdefault(kind, []).append((run, trial, what))
                return
        if type(curve) is dict:
            if any(type(key) is bytes for key in curve):
                raise NeedsWhole
            curve = self._runs.of(curve)
        if type(curve) is not Series:
            raise Refused(f"a curve that is {_kind(curve)}")
        kind = (curve.layout.keys, epochs, is_eval)
        self._waiting.setdefault(kind, []).append((curve, trial, what))

    def finish(self) -> Block:
        """Decode what waits; the maker is empty afterwards.

        Raises:
            NeedsWhole: read the architectures again without shortening them.
        """
        for (*_, epochs, is_eval), waiting in self._waiting.items():
            if type(waiting[0][0]) is Series:
                values = np.stack([series.values for series, _, _ in waiting])
                groups = [(waiting[0][0].layout, np.arange(len(waiting)), values)]
            else:
                try:
                    groups = self._runs.many([run for run, _, _ in waiting])
                except Refused as refused:
                    raise NeedsWhole from refused
            for layout, places, values in groups:
                items = [waiting[place][1:] for place in places]
                try:
                    self._place(layout, values, items, epochs, is_eval)
                except Refused as refused:
                    raise BadFile(f"architecture {items[0][0][0]}, {items[0][1]}: {refused}") from None
        for key, (archs, rows) in self._rows.items():
            values = np.array(rows) if key.form == "number" else np.stack(rows)
            self._block.numbers[key] = np.array(archs), values.reshape(len(archs), key.width)
        block, self._block, self._rows, self._waiting = self._block, Block(), {}, {}
        return block

    def _place(
        self, layout: Layout, values: npt.NDArray[np.float64], items: list[Any], epochs: int, is_eval: bool
    ) -> None:
        if is_eval:
            sets = layout.sets
            trainings = {trial[2] for trial, _ in items}
            unknown = next((name for name in sets if any(name not in EVALUATIONS[each] for each in trainings)), None)
            if unknown is not None or "train" in sets:
                raise Refused(f"unexpected set {unknown or 'train'!r} of images")
            for name, (places, known) in sets.items():
                self._rows_of(name, known, values[:, places], items, epochs)
        else:
            self._rows_of("", layout.epochs, values, items, epochs)

    def _rows_of(
        self, name: str, known: npt.NDArray[np.int64], values: npt.NDArray[np.float64], items: list[Any], epochs: int
    ) -> None:
        """Sort rows of one set (``name``, "" for training) to their keys; ``known`` are their epochs."""
        if known.max() >= epochs or len(np.unique(known)) < len(known):
            raise Refused(f"epoch {known.max()} of a run of {epochs}")
        full = len(known) == epochs
        only_last = len(known) == 1 and known[0] == epochs - 1 and not full
        curves = values
        if not only_last and not (full and (np.diff(known) == 1).all()):
            curves = np.full((len(values), epochs), np.nan)
            curves[:, known] = values
        odd = np.isnan(values)
        odd_rows = set(np.flatnonzero(odd.any(axis=1)).tolist())
        constant_rows = set(np.flatnonzero((values == values[:, :1]).all(axis=1)).tolist())
        if not full or epochs == 1:
            constant_rows.clear()
        for row, ((arch, hp, training, seed), what) in enumerate(items):
            metric = what if not name else f"{EVALUATIONS[training][name].split}_{what}"
            if row in odd_rows:
                self._block.nan += [(arch, hp, training, seed, metric, int(at) + 1) for at in known[odd[row]]]
            if row in constant_rows and metric.endswith("seconds"):
                self._put(Key(hp, training, seed, metric, "constant", 1), arch, values[row, :1])
            elif only_last:
                self._put(Key(hp, training, seed, metric, "last", 1), arch, values[row])
            else:
                self._put(Key(hp, training, seed, metric, "curve", epochs), arch, curves[row])

    def _put(self, key: Key, arch: int, row: Any) -> None:
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = ([], [])
        found[0].append(arch)
        found[1].append(row)


def _check_keys(found: Any, known: frozenset[str], order: tuple[str, ...], what: str) -> None:
    if type(found) is not dict:
        raise Refused(f"{what}: {_kind(found)} instead of a dictionary")
    if found.keys() != known:
        unexpected = next((key for key in found if key not in known), None)
        if unexpected is not None:
            raise Refused(f"unexpected key {_short(unexpected)} in {what}; known: {', '.join(order)}")
        raise Refused(f"key {next(key for key in order if key not in found)!r} is absent from {what}")


def _number(value: Any) -> float:
    if type(value) not in (float, int):
        raise Refused(f"{_short(value)} where a number is expected")
    return float(value)


def _short(value: Any) -> str:
    return repr(value)[:80] if type(value) in (str, int, float) else _kind(value)


def _kind(value: Any) -> str:
    return "None" if value is None else f"something of type {type(value).__name__}"
