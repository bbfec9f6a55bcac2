"""Where the numbers of a curve belong: sorted to one array of rows for every run, metric and form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..safe.opcodes import Refused
from ..safe.series import Layout
from ..splits import EVALUATIONS

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Trial = tuple[str, str, int]  # hp, training, seed
_TRAIN = {"train_acc1es": "train_accuracy", "train_acc5es": "train_top5_accuracy", "train_losses": "train_loss",
          "train_times": "train_epoch_seconds"}  # fmt: skip
_EVAL = {"eval_acc1es": "accuracy", "eval_losses": "loss", "eval_times": "pass_seconds"}
CURVES, QUANTITIES = (*_TRAIN, *_EVAL), (*_TRAIN.values(), *_EVAL.values())
"""The curves of a trial, in the order in which they are numbered, and what they are called here."""
EVALS = len(_TRAIN)  # the first of the curves by set of images
ENDS = ("recorded_params_millions", "recorded_flops_millions", "epochs", "latency_seconds")
FORMS = ("curve", "last", "constant", "number")


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


class Rows:
    """Rows by their key, of the architectures of one block.

    Args:
        nan: told (arch, hp, training, seed, metric, epoch) of every NaN that the file itself holds.
    """

    def __init__(self, nan: list[tuple[int, str, str, int, str, int]]) -> None:
        self._nan = nan
        self._parts: dict[Key, list[tuple[Integers, Floats]]] = {}

    def add_ends(self, trial: Trial, ends: Sequence[tuple[float | None, ...]]) -> None:
        """What a run has one value of: (arch, then each of `ENDS`), None where there is none."""
        archs = np.array([row[0] for row in ends], dtype=np.int64)
        for place, metric in enumerate(ENDS, 1):
            column = [row[place] for row in ends]
            there = [at for at, value in enumerate(column) if value is not None]
            if there:
                values = np.array([column[at] for at in there], dtype=np.float64)
                self._put(Key(*trial, metric, "number", 1), archs if len(there) == len(column) else archs[there],
                          values[:, None])  # fmt: skip

    def add(
        self, layout: Layout, values: Floats, names: Integers, archs: Integers, trials: Sequence[Trial], epochs: int,
        is_eval: bool,
    ) -> None:  # fmt: skip
        """Curves (n, keys) of equal layout; equal ``names`` (trial and curve, by number) lie together.

        Raises:
            Refused: a set of images or an epoch that the training does not have.
        """
        starts = np.flatnonzero(np.diff(names, prepend=-1)).tolist()
        whose = [(trials[name // len(CURVES)], QUANTITIES[name % len(CURVES)]) for name in names[starts].tolist()]
        segments = list(zip(starts, [*starts[1:], len(names)], whose, strict=True))
        if not is_eval:
            self._add_set("", layout.epochs, values, archs, segments, epochs)
            return
        trainings = {trial[1] for trial, _ in whose}
        unknown = next((name for name in layout.sets if any(name not in EVALUATIONS[each] for each in trainings)), None)
        if unknown is not None or "train" in layout.sets:
            raise Refused(f"unexpected set {unknown or 'train'!r} of images")
        for name, (places, known) in layout.sets.items():
            self._add_set(name, known, values[:, places], archs, segments, epochs)

    def _add_set(
        self, name: str, known: Integers, values: Floats, archs: Integers,
        segments: Sequence[tuple[int, int, tuple[Trial, str]]], epochs: int,
    ) -> None:  # fmt: skip
        """Rows of one set (``name``, "" for training) whose epochs are ``known``."""
        if not len(known) or known.max() >= epochs or len(set(known.tolist())) < len(known):
            raise Refused(f"epoch {max(known, default=None)} of a run of {epochs}")
        full = len(known) == epochs
        only_last = len(known) == 1 and known[0] == epochs - 1 and not full
        curves = values
        if not only_last and not (full and (np.diff(known) == 1).all()):
            curves = np.full((len(values), epochs), np.nan)
            curves[:, known] = values
        odd = np.isnan(values)
        any_odd = bool(odd.any())
        form, width = ("last", 1) if only_last else ("curve", epochs)
        for start, stop, (trial, quantity) in segments:
            metric = quantity if not name else f"{EVALUATIONS[trial[1]][name].split}_{quantity}"
            if any_odd:
                for row, at in np.argwhere(odd[start:stop]).tolist():
                    self._nan.append((int(archs[start + row]), *trial, metric, int(known[at]) + 1))
            those, rows = archs[start:stop], curves[start:stop]
            if full and epochs > 1 and metric.endswith("seconds"):
                constant = (rows == rows[:, :1]).all(axis=1)
                if constant.any():
                    self._put(Key(*trial, metric, "constant", 1), those[constant], rows[constant, :1])
                    if constant.all():
                        continue
                    those, rows = those[~constant], rows[~constant]
            self._put(Key(*trial, metric, form, width), those, rows)

    def _put(self, key: Key, archs: Integers, rows: Floats) -> None:
        self._parts.setdefault(key, []).append((archs, rows))

    def joined(self) -> dict[Key, tuple[Integers, Floats]]:
        """Architectures (n,) and rows (n, width) of every key."""
        return {key: joined(parts) for key, parts in self._parts.items()}


def joined(parts: Sequence[tuple[Integers, Floats]]) -> tuple[Integers, Floats]:
    """Architectures and rows of several parts as one."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([archs for archs, _ in parts]), np.concatenate([rows for _, rows in parts])
