"""``nasbench.api`` of NAS-Bench-101, served from a converted table: the same calls, the same answers, no TensorFlow.

    from nasgauge.data.official import ModelSpec, NASBench

    nasbench = NASBench("nasbench_only108.tfrecord")
    nasbench.query(ModelSpec(matrix, ops))

The first opening of a ``.tfrecord`` converts it to a table in ``$NASGAUGE_HOME``; later ones take milliseconds.

Differences: ``fixed_statistics`` and ``computed_statistics`` are mappings that make their values when asked, so that
changing a value in place changes nothing; nothing is printed while opening; ``evaluate`` (training with TensorFlow on
TPUs) is not there. As officially, the constructor seeds the global stream of the module ``random`` and every query
draws one repeat from it.
"""

from __future__ import annotations

import os
from collections.abc import KeysView
from pathlib import Path
from typing import Any

import numpy as np

from ...bench.errors import BadFile, MissingFile
from ...bench.table import Table
from ..files.nasbench_columns import OFFICIAL_METRICS
from ..files.nasbench_file import is_nasbench
from .files import converted
from .model_spec import ModelSpec
from .nasbench_records import Info, Records, Statistics
from .stream import randint
from .stream import seed as seed_global_stream
from .warn import warn_once

__all__ = ["ModelSpec", "NASBench", "OutOfDomainError"]

HDF5 = b"\x89HDF\r\n\x1a\n"
CONFIG: Info = {
    "train_data_files": [], "valid_data_file": "", "test_data_file": "", "sample_data_file": "",
    "data_format": "channels_last", "num_labels": 10, "module_vertices": 7, "max_edges": 9,
    "available_ops": ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"],
    "stem_filter_size": 128, "num_stacks": 3, "num_modules_per_stack": 3, "batch_size": 256, "train_epochs": 108,
    "train_seconds": 14400.0, "learning_rate": 0.1, "lr_decay_method": "COSINE_BY_STEP", "momentum": 0.9,
    "weight_decay": 0.0001, "max_attempts": 5, "intermediate_evaluations": ["0.5"], "num_repeats": 3,
    "use_tpu": True, "tpu_iterations_per_loop": 100, "tpu_num_shards": 2,
}  # fmt: skip
"""``config.build_config()``: the settings of the search space and of the trainings."""


class OutOfDomainError(Exception):
    """A cell, or a number of epochs, that the benchmark does not hold."""


class NASBench:
    """The official API object.

    Args:
        dataset_file: an official ``.tfrecord`` (converted once, then cached) or a table converted from one.
        seed: given to the global ``random.seed``, as officially.

    Raises:
        MissingFile, BadFile: no such file, or one that is damaged or something else.
    """

    def __init__(self, dataset_file: str | os.PathLike[str], seed: Any = None) -> None:
        self.config: Info = {name: list(value) if isinstance(value, list) else value for name, value in CONFIG.items()}
        seed_global_stream(seed)
        self._records = Records(open_table(dataset_file))
        self.table = self._records.table
        self.fixed_statistics = Statistics(self._records, self._records.fixed)
        self.computed_statistics = Statistics(self._records, self._records.computed)
        self.valid_epochs: set[int] = set()
        for budget in self._records.budgets:  # the order of the file, which an error message shows
            self.valid_epochs.add(budget)
        self.history: Info = {}
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def query(self, model_spec: ModelSpec, epochs: int = 108, stop_halfway: bool = False) -> Info:
        """One repeat, drawn from the global stream, of a cell trained for ``epochs``; charges the budget counters.

        Raises:
            OutOfDomainError: the cell, or the number of epochs, is not in the search space.
            KeyError: the file lacks the cell (at this budget).
            IndexError: the file lacks the repeat that was drawn.
        """
        if epochs not in self.valid_epochs:
            raise OutOfDomainError(f"invalid number of epochs, must be one of {self.valid_epochs}")
        place = self._place(model_spec)
        repeat = randint(0, self.config["num_repeats"] - 1)
        if repeat >= self._records.repeats(place, epochs):
            raise IndexError("list index out of range")
        data = self._records.fixed(place)
        run = self._records.run(place, epochs, repeat, "halfway" if stop_halfway else "final")
        data.update(zip(OFFICIAL_METRICS, run, strict=True))
        self.training_time_spent += data["training_time"]
        self.total_epochs_spent += epochs // 2 if stop_halfway else epochs
        return data

    def is_valid(self, model_spec: ModelSpec) -> bool:
        """Whether the cell is in the search space; TypeError above 7 vertices, as officially."""
        try:
            self._check_spec(model_spec)
        except OutOfDomainError:
            return False
        return True

    def get_budget_counters(self) -> tuple[float, int]:
        """Seconds of training and epochs that queries have cost so far."""
        return self.training_time_spent, self.total_epochs_spent

    def reset_budget_counters(self) -> None:
        """Start both counters at 0 again."""
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def evaluate(self, model_spec: ModelSpec, model_dir: str) -> Info:
        """Training with TensorFlow, which this package does without: always NotImplementedError."""
        raise NotImplementedError("evaluate() of the official package trains with TensorFlow; it is not offered here")

    def hash_iterator(self) -> KeysView[str]:
        """All module hashes, in the order of the file."""
        return self.fixed_statistics.keys()

    def get_metrics_from_hash(self, module_hash: str) -> tuple[Info, dict[int, list[Info]]]:
        """Fixed and computed statistics of a module hash; KeyError where it is not there. Costs nothing."""
        place = self._records.place(module_hash)
        return self._records.fixed(place), self._records.computed(place)

    def get_metrics_from_spec(self, model_spec: ModelSpec) -> tuple[Info, dict[int, list[Info]]]:
        """Fixed and computed statistics of a cell. Costs nothing."""
        place = self._place(model_spec)
        return self._records.fixed(place), self._records.computed(place)

    def _place(self, model_spec: ModelSpec) -> int:
        self._check_spec(model_spec)
        if self.config["available_ops"] == CONFIG["available_ops"]:  # whose order the hash depends on
            place = self._records.place_of_cell(np.asarray(model_spec.matrix), model_spec.ops)
            if place is not None:
                return place
        module_hash = self._hash_spec(model_spec)
        try:
            return self._records.place(module_hash)
        except KeyError:
            if np.asarray(model_spec.matrix).dtype.kind not in "iub":
                warn_once("float-matrix")
            raise

    def _check_spec(self, model_spec: ModelSpec) -> None:
        if not model_spec.valid_spec:
            raise OutOfDomainError("invalid spec, provided graph is disconnected.")
        edges, operations = np.sum(np.asarray(model_spec.matrix)), self.config["available_ops"]
        if len(model_spec.ops) > self.config["module_vertices"]:
            warn_once("too-many-vertices")
            raise TypeError("'module' object is not subscriptable")
        if edges > self.config["max_edges"]:
            raise OutOfDomainError(f"too many edges, got {edges:.0f} (max edges = {self.config['max_edges']})")
        if model_spec.ops[0] != "input":
            raise OutOfDomainError("first operation should be 'input'")
        if model_spec.ops[-1] != "output":
            raise OutOfDomainError("last operation should be 'output'")
        for operation in model_spec.ops[1:-1]:
            if operation not in operations:
                raise OutOfDomainError(f"unsupported op {operation} (available ops = {operations})")

    def _hash_spec(self, model_spec: ModelSpec) -> str:
        return model_spec.hash_spec(self.config["available_ops"])


def open_table(dataset_file: str | os.PathLike[str]) -> Table:
    """The table behind ``dataset_file``: itself, or the one converted from it, now or earlier."""
    path = Path(dataset_file)
    try:
        with open(path, "rb") as file:
            if file.read(len(HDF5)) == HDF5:
                return Table(path)
    except OSError as error:
        raise MissingFile(f"{path} cannot be read ({error.strerror or error})") from error
    if not is_nasbench(path):
        raise BadFile(f"{path}: neither a .tfrecord of NAS-Bench-101 nor a table made of one")
    return converted(path)
