"""The one mapping between official results of NAS-Bench-201 and NATS-Bench and the columns of a table.

Data sets of the table are the official training keys (`nasgauge.data.splits`); the budget is the hp as a number, the
seed axis the union of the seeds found. For every data set and budget:

==============================  =========================================================================
``train_*``                     accuracy, loss, top5_accuracy (where recorded), epoch_seconds
``valid_* test_* valtest_*``    accuracy, loss, pass_seconds of each evaluated set, by its split
``train_seconds``               sum over epochs, left to right
``search_seconds``              train_seconds and the last validation pass: what a search is charged
``recorded_*``, latency         parameters and FLOPs [millions] and seconds per batch as the file has them
==============================  =========================================================================

Each as ends of runs, and as curves where more than the last epoch is known; NaN where a trial or an epoch does not
exist. Seconds that are the same at every epoch of every trial are ends of runs only (``constant`` in the table's
extra). What a file holds besides is in the extra and, where architectures differ, in ``_layout`` columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...bench.column import Column
from ...bench.errors import BadFile
from ...bench.spaces import Space
from ..splits import EVALUATIONS, TRAININGS
from .nats_block import ArchFact, Block, Fact
from .nats_rows import Key, Trial
from .scratch import Scratch

Floats = npt.NDArray[np.float64]
NUMBERS = ("recorded_params_millions", "recorded_flops_millions", "latency_seconds")
ODD = 100_000  # NaN or long latency lists that are kept one by one
LAYOUTS = 200  # of one hp and training; their places are kept as bytes
ALIASES = ("valid_accuracy", "valid_loss", "search_seconds")
"""Columns of cifar10-valid that answer for cifar10 too."""


@dataclass
class Collected:
    """Blocks on their way into a table; numbers lie in ``scratch``."""

    space: Space
    scratch: Scratch[Key]
    facts: dict[tuple[str, str], list[Fact]] = field(default_factory=dict)
    layouts: dict[Trial, npt.NDArray[np.uint8]] = field(default_factory=dict)  # 1 + place in facts, 0 for none
    arch_facts: dict[str, list[ArchFact]] = field(default_factory=dict)
    arch_layouts: dict[str, npt.NDArray[np.uint8]] = field(default_factory=dict)
    latencies: list[Any] = field(default_factory=list)
    nan: list[Any] = field(default_factory=list)
    archs: set[int] = field(default_factory=set)
    weights: int = 0  # trials whose weights were dropped

    def add(self, block: Block, where: str) -> None:
        """Take the numbers of a block.

        Raises:
            BadFile: an architecture that came before, or more oddities than an official file has.
        """
        twice = self.archs.intersection(block.archs)
        if twice:
            raise BadFile(f"{where}: architecture {min(twice)} comes twice")
        self.archs.update(block.archs)
        self.weights += block.weights
        self.scratch.put(block.numbers)
        for (trial, fact), those in block.facts.items():
            known = self.facts.setdefault(trial[:2], [])
            if fact not in known:
                known.append(fact)
                self._bounded(known, where)
            marks = self.layouts.setdefault(trial, np.zeros(self.space.size, dtype=np.uint8))
            marks[those] = 1 + known.index(fact)
        for (hp, arch_fact), members in block.arch_facts.items():
            seen = self.arch_facts.setdefault(hp, [])
            if arch_fact not in seen:
                seen.append(arch_fact)
                self._bounded(seen, where)
            marks = self.arch_layouts.setdefault(hp, np.zeros(self.space.size, dtype=np.uint8))
            marks[members] = 1 + seen.index(arch_fact)
        self.latencies += block.latencies
        self.nan += block.nan
        if len(self.latencies) + len(self.nan) > ODD:
            raise BadFile(f"{where}: more NaN or lists of latencies than any official file has")

    def _bounded(self, layouts: list[Any], where: str) -> None:
        if len(layouts) > LAYOUTS:
            raise BadFile(f"{where}: more layouts of trials than any official file has")

    @property
    def hps(self) -> list[str]:
        """The hp keys, by length of training."""
        return sorted(self.arch_layouts, key=int)

    def columns(self, provenance: str, sources: tuple[str, ...]) -> Iterator[Column]:
        """All columns, one at a time; ``provenance`` is that of the seconds."""
        for hp in self.hps:
            marks = self.arch_layouts[hp]
            yield Column(f"_evaluated:{hp}", (marks > 0).astype(np.uint8), provenance="computed", sources=sources)
            if len(self.arch_facts[hp]) > 1:
                yield Column(f"_arch_layout:{hp}", marks, provenance="computed", sources=sources)
        for hp in self.hps:
            for training in TRAININGS:
                if (hp, training) in self.facts:
                    for column in _Group(self, hp, training, provenance, sources).columns():
                        yield column
                        if training == "cifar10-valid" and column.metric in ALIASES and "cifar10" in TRAININGS:
                            yield replace(column, dataset="cifar10", alias_of=column.path)

    def extra(self, provenance: str) -> dict[str, Any]:
        """What the columns do not say, as JSON."""
        groups = [_Group(self, *key, provenance, ()) for key in self.facts]
        longest = {training: self.facts[hp, training][0] for hp in self.hps for training in TRAININGS
                   if (hp, training) in self.facts}  # fmt: skip
        return {
            "hps": self.hps,
            "budgets": {hp: int(hp) for hp in self.hps},
            "eval_names": {training: list(fact.eval_names) for training, fact in longest.items()},
            "layouts": {hp: {training: [_words(fact) for fact in self.facts[hp, training]] for training in TRAININGS
                             if (hp, training) in self.facts} for hp in self.hps},
            "arch_layouts": {hp: [fact._asdict() for fact in self.arch_facts[hp]] for hp in self.hps},
            "times": {hp: {training: any(fact.train_times for fact in self.facts[hp, training])
                           for training in TRAININGS if (hp, training) in self.facts} for hp in self.hps},
            "constant": [path for group in groups for path in group.constant()],
            "latencies": sorted(self.latencies),
            "nan": sorted(self.nan),
        }  # fmt: skip


def _words(fact: Fact) -> dict[str, Any]:
    return {**fact._asdict(), "arch_config": dict(fact.arch_config), "eval_names": list(fact.eval_names)}


class _Group:
    """The columns of one hp and training."""

    def __init__(self, collected: Collected, hp: str, training: str, provenance: str, sources: tuple[str, ...]) -> None:
        self._scratch, self._count = collected.scratch, collected.space.size
        self._training, self._budget = training, int(hp)
        self._provenance, self._sources = provenance, sources
        self._layouts = len(collected.facts[hp, training])
        self._marks = {trial[2]: marks for trial, marks in collected.layouts.items() if trial[:2] == (hp, training)}
        self._metrics: dict[str, list[Key]] = {}
        for key in collected.scratch:
            if key.hp == hp and key.training == training:
                self._metrics.setdefault(key.metric, []).append(key)
        self.seeds = tuple(sorted({key.seed for key in self._metrics["epochs"]}))

    def constant(self) -> list[str]:
        """Paths of the ends of runs that hold for every epoch."""
        stem = f"{self._training}/{self._budget}"
        return [f"{stem}/{metric}/runs" for metric in self._ordered() if self._is_constant(metric)]

    def columns(self) -> Iterator[Column]:
        """One at a time."""
        self._epochs = self._numbers("epochs")
        trained = passed = None
        for metric in self._ordered():
            curves, runs = self._values(metric)
            if metric == "train_epoch_seconds":
                trained = self._sum(curves, runs)
            if metric == "valid_pass_seconds":
                passed = runs
            yield self._column(metric, runs)
            if curves is not None:
                yield self._column(metric, curves)
        if trained is not None:
            yield self._column("train_seconds", trained)
            if passed is not None:
                yield self._column("search_seconds", trained + passed)
        for metric in NUMBERS:
            if metric in self._metrics:
                yield self._column(metric, self._numbers(metric))
        if self._layouts > 1:
            yield self._column("_layout", self._layout_numbers())
        if np.nanmin(self._epochs) != np.nanmax(self._epochs):
            yield self._column("epochs", self._epochs)

    def _ordered(self) -> list[str]:
        splits = ["train", *(evaluation.split for evaluation in EVALUATIONS[self._training].values())]
        names = [
            f"{split}_{quantity}"
            for split in dict.fromkeys(splits)
            for quantity in ("accuracy", "loss", "top5_accuracy", "epoch_seconds", "pass_seconds")
        ]
        return [name for name in names if name in self._metrics]

    def _is_constant(self, metric: str) -> bool:
        return all(key.form == "constant" for key in self._metrics[metric])

    def _numbers(self, metric: str) -> Floats:
        values = np.full((self._count, len(self.seeds)), np.nan)
        for key in self._metrics[metric]:
            archs, rows = self._scratch.get(key)
            values[archs, self.seeds.index(key.seed)] = rows[:, 0]
        return values

    def _layout_numbers(self) -> Floats:
        values = np.full((self._count, len(self.seeds)), np.nan)
        for place, seed in enumerate(self.seeds):
            marks = self._marks[seed]
            values[marks > 0, place] = marks[marks > 0] - 1.0
        return values

    def _values(self, metric: str) -> tuple[Floats | None, Floats]:
        """Curves (arch, seed, epoch), None where only ends are known or all epochs are equal; and ends of runs."""
        keys = self._metrics[metric]
        if all(key.form in ("last", "number") for key in keys) or self._is_constant(metric):
            return None, self._numbers(metric)
        length = int(np.nanmax(self._epochs))
        curves = np.full((self._count, len(self.seeds), length), np.nan)
        for key in keys:
            archs, rows = self._scratch.get(key)
            place = self.seeds.index(key.seed)
            if key.form == "curve":
                curves[archs, place, : key.width] = rows
                continue
            ends = self._epochs[archs, place].astype(int)
            for end in np.unique(ends):
                chosen = ends == end
                first = end - 1 if key.form == "last" else 0
                curves[archs[chosen], place, first:end] = rows[chosen]
        ends = np.nan_to_num(self._epochs, nan=1).astype(np.int64) - 1
        return curves, np.take_along_axis(curves, ends[:, :, None], axis=2)[:, :, 0].copy()

    def _sum(self, curves: Floats | None, runs: Floats) -> Floats:
        """Seconds of all epochs of each run, added one after the other."""
        total = np.zeros_like(runs)
        for epoch in range(int(np.nanmax(self._epochs))):
            there = epoch < self._epochs
            total[there] += (runs if curves is None else curves[:, :, epoch])[there]
        total[np.isnan(self._epochs)] = np.nan
        return total

    def _column(self, metric: str, values: Floats) -> Column:
        split = metric.partition("_")[0]
        words = next((found.words for found in EVALUATIONS[self._training].values() if found.split == split), "")
        if metric in ("search_seconds", "train_seconds"):
            words = "training" if metric == "train_seconds" else "training and one pass over the validation images"
        elif metric in self._metrics and metric.endswith("_seconds") and self._is_constant(metric):
            words = f"{words}, the same at every epoch"
        known = "measured"
        if metric.endswith("_seconds") and metric != "latency_seconds":
            known = self._provenance
        elif metric in ("_layout", "epochs") or metric.startswith("recorded"):
            known = "computed"
        return Column(
            metric, values, self._training, self._budget, self.seeds, TRAININGS[self._training], words,
            provenance=known, sources=self._sources,
        )  # fmt: skip
