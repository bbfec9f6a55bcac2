"""From the official dictionaries of some architectures to arrays: every key is known, every number has its place.

An architecture is a dictionary hp -> ArchResults; the layout is that of nats_bench and nas_201_api (`state_dict`).
Curves may be dictionaries, `Series`, or numbers of runs that wait to be decoded (`Compact`); equal ones of a block are
decoded together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadFile
from ...bench.spaces import Space
from ..safe.compact import Short
from ..safe.opcodes import Refused
from ..safe.parts import Weight
from ..safe.series import Runs, Series
from ..splits import EVALUATIONS
from .nats_rows import CURVES, ENDS, EVALS, Key, Rows, Trial
from .scratch import Kept

ARCH_KEYS = ("arch_index", "arch_str", "all_results", "dataset_seed", "clear_net_done")
TRIAL_KEYS = (
    "name", "train_acc1es", "train_acc5es", "train_losses", "train_times", "arch_config", "params", "flop", "seed",
    "epochs", "latency", "eval_names", "eval_acc1es", "eval_times", "eval_losses", "net_state_dict",
)  # fmt: skip
_ARCH, _TRIAL = frozenset(ARCH_KEYS), frozenset(TRIAL_KEYS)
HPS = ("01", "1", "12", "90", "200")
LONGEST = 10_000  # epochs
HELD = 128 << 20  # bytes of curves that wait to be decoded; those of an official block take 8 MiB


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
    """Numbers of some architectures, as arrays or as where they were written; small, so that it travels."""

    numbers: dict[Key, tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]] | Kept[Key] = field(default_factory=dict)
    facts: dict[tuple[Trial, Fact], list[int]] = field(default_factory=dict)  # -> architectures
    arch_facts: dict[tuple[str, ArchFact], list[int]] = field(default_factory=dict)
    latencies: list[tuple[int, str, str, int, list[float]]] = field(default_factory=list)  # lists of several
    nan: list[tuple[int, str, str, int, str, int]] = field(default_factory=list)  # NaN that the file itself holds
    archs: list[int] = field(default_factory=list)
    weights: int = 0  # trials that came with weights, which are dropped


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
        self._names: dict[Trial, int] = {}
        self._ends: list[
            list[tuple[float | None, ...]]
        ] = []  # of every trial: arch and `ENDS`, one row an architecture
        self._waiting: dict[Any, list[tuple[Any, int, int]]] = {}  # curves by kind: curve, number of its name, arch
        self._held = 0  # bytes of curves that wait
        self._facts: dict[Fact, Fact] = {}  # equal ones as one object, which travels once
        self._shortened: Sequence[bytes] = ()  # runs of the architecture at hand, by number

    def add(self, arch: int, infos: Mapping[str, Any], where: str, runs: Sequence[bytes] = ()) -> None:
        """Take the ``hp -> ArchResults`` of one architecture, whose ``runs`` were taken out (`Short`).

        Raises:
            BadFile: names what is unexpected: the first unknown key, an absent one, a value of another type.
        """
        self._shortened = runs
        try:
            if type(infos) is not dict or not infos:
                raise Refused(f"no results by hp, but {_kind(infos)}")
            text = self.space.text(arch)
            for hp, found in infos.items():
                if hp not in HPS:
                    raise Refused(f"unexpected key {_short(hp)} where an hp is; known: {', '.join(HPS)}")
                self._arch(arch, text, hp, found)
        except Refused as refused:
            raise BadFile(f"{where}: architecture {arch}: {refused}; a newer or another layout?") from None
        self._block.archs.append(arch)

    def _arch(self, arch: int, text: str, hp: str, found: Any) -> None:
        _check_keys(found, _ARCH, ARCH_KEYS, f"results of hp {hp!r}")
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
        if trial["net_state_dict"] is not None:
            if not isinstance(trial["net_state_dict"], (dict, Weight)):
                raise Refused(f"net_state_dict is {_short(trial['net_state_dict'])}")
            self._block.weights += 1
        own = tuple([key for key in config if config[key] == text])
        if "arch_str" not in own:
            raise Refused(f"arch_config is of {_short(config.get('arch_str'))}")
        train_times, eval_times = trial["train_times"], trial["eval_times"]
        several = "none" if latency is None else ("empty", "one")[len(latency)] if len(latency) < 2 else "several"
        template = tuple([item for item in config.items() if item[0] not in own])
        fact = Fact(tuple(names), template, own, train_times is not None, bool(eval_times),
                    trial["train_acc5es"] is not None, several)  # fmt: skip
        fact = self._facts.setdefault(fact, fact)
        self._block.facts.setdefault(((hp, training, seed), fact), []).append(arch)
        if latency and len(latency) > 1:
            self._block.latencies.append((arch, hp, training, seed, [_number(value) for value in latency]))
        ends = (
            _number(trial["params"]),
            _number(trial["flop"]),
            float(epochs),
            _number(latency[0]) if latency else None,
        )
        for metric, number in zip(ENDS, ends, strict=True):
            if number is not None and number != number:
                self._block.nan.append((arch, hp, training, seed, metric, 0))
        name = self._names.setdefault((hp, training, seed), len(self._names))
        if name == len(self._ends):
            self._ends.append([])
        self._ends[name].append((arch, *ends))
        for place, key in enumerate(CURVES):
            curve = trial[key]
            if curve is None and key not in ("train_acc5es", "train_times"):
                raise Refused(f"{key} is None")
            if curve is not None and (curve or place < EVALS or type(curve) is not dict):
                self._curve(curve, len(CURVES) * name + place, arch, epochs)

    def _curve(self, curve: Any, name: int, arch: int, epochs: int) -> None:
        """Put a curve to others like it, to be decoded together; ``name`` numbers its trial and metric."""
        is_eval = name % len(CURVES) >= EVALS
        kind: tuple[Any, ...]
        if type(curve) is dict and len(curve) == 1:
            ((number, value),) = curve.items()
            if type(number) is bytes and self._shortened:
                if value is not None or Short.number(number) >= len(self._shortened):
                    raise NeedsWhole  # a key remembered from another curve, which was shortened, or none of ours
                run = self._shortened[Short.number(number)]
                self._held += len(run)
                if self._held > HELD:
                    raise Refused(f"curves of more than {HELD >> 20} MiB, together with the architectures before it")
                kind = (len(run), run[:12] if is_eval else b"", epochs, is_eval)
                self._waiting.setdefault(kind, []).append((run, name, arch))
                return
        if type(curve) is dict:
            if self._shortened and any(type(key) is bytes for key in curve):
                raise NeedsWhole
            curve = self._runs.of(curve)
        if type(curve) is not Series:
            raise Refused(f"a curve that is {_kind(curve)}")
        kind = (curve.layout.keys, epochs, is_eval)
        self._waiting.setdefault(kind, []).append((curve, name, arch))

    def finish(self) -> Block:
        """Decode what waits; the maker is empty afterwards.

        Raises:
            NeedsWhole: read the architectures again without shortening them.
        """
        trials = list(self._names)
        rows = Rows(self._block.nan)
        for (hp, training, seed), ends in zip(trials, self._ends, strict=True):
            rows.add_ends((hp, training, seed), ends)
        for (*_, epochs, is_eval), waiting in self._waiting.items():
            curves = [each[0] for each in waiting]
            names, archs = (np.array([each[at] for each in waiting]) for at in (1, 2))
            if type(curves[0]) is Series:
                values = np.stack([series.values for series in curves])
                groups = [(curves[0].layout, np.arange(len(waiting)), values)]
            else:
                try:
                    groups = self._runs.many(curves)
                except Refused as refused:
                    raise NeedsWhole from refused
            for layout, places, values in groups:
                order = np.argsort(names[places], kind="stable")
                chosen = places[order]
                try:
                    rows.add(layout, values[order], names[chosen], archs[chosen], trials, epochs, is_eval)
                except Refused as refused:
                    hp, training, seed = trials[names[chosen[0]] // len(CURVES)]
                    what = f"hp {hp!r}, {training}, seed {seed}"
                    raise BadFile(f"architecture {archs[chosen[0]]}, {what}: {refused}") from None
        self._block.numbers = rows.joined()
        block, self._block = self._block, Block()
        self._names, self._ends, self._waiting, self._held = {}, [], {}, 0
        return block


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
