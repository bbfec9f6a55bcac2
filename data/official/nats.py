"""NATS-Bench as nats_bench 1.8 offers it: `create`, `NATStopology`, `NATSsize`."""

from __future__ import annotations

import copy
import os
import warnings
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...bench.spaces.topology import OPERATIONS
from . import cells
from .api import OfficialAPI, check_hp
from .dialect import SIZE
from .files import is_tar, open_source, read_state
from .packages import SIZES, TOPOLOGIES
from .source import DictInfos, TableInfos
from .warn import HP, warn_once
from .words import log

Where = str | os.PathLike[str] | Mapping[str, Any] | None


def create(file_path_or_dict: Where, search_space: str, fast_mode: bool = False, verbose: bool = True) -> NATSBench:
    """Open NATS-Bench.

    Args:
        file_path_or_dict: an official file (fast_mode=False), folder or tar (fast_mode=True), a converted table
            (either), a dict as the official file holds it, or None for the official default path.
        search_space: "tss" or "topology"; "sss" or "size".
        fast_mode: whether architectures count as loaded only once they were asked about.
        verbose: whether every call prints a line.
    """
    if search_space in TOPOLOGIES:
        return NATStopology(file_path_or_dict, fast_mode, verbose)
    if search_space in SIZES:
        return NATSsize(file_path_or_dict, fast_mode, verbose)
    raise ValueError(f"search space {search_space!r}; legal: {', '.join(TOPOLOGIES + SIZES)}")


class NATSBench(OfficialAPI):
    """What both spaces share."""

    base_name: ClassVar[str]
    space_name: ClassVar[str]
    full_epochs: ClassVar[int]

    def __init__(self, file_path_or_dict: Where = None, fast_mode: bool = False, verbose: bool = True) -> None:
        self._fast_mode, self.verbose = fast_mode, verbose
        self._archive_dir: str | None = None
        self.reset_time()
        if file_path_or_dict is None:
            ending = "-simple" if fast_mode else ".pickle.pbz2"
            file_path_or_dict = str(_torch_home() / (self.base_name + ending))
            log(f"NATS-Bench ({self.space_name}) from its default path {file_path_or_dict}")
        if isinstance(file_path_or_dict, dict):
            self._from_dict(copy.deepcopy(file_path_or_dict))
        elif isinstance(file_path_or_dict, (str, os.PathLike)):
            self._from_path(os.fspath(file_path_or_dict))
        else:
            raise ValueError(f"file_path_or_dict of type {type(file_path_or_dict).__name__}; legal: a path or a dict")
        if verbose:
            log(f"{len(self.evaluated_indexes)} of {len(self)} architectures of NATS-Bench ({self.space_name})")

    def _from_dict(self, content: Mapping[str, Any]) -> None:
        self._check_content(content)
        self.arch2infos_dict = DictInfos()
        self._avaliable_hps = set()
        for index in sorted(content["arch2infos"]):
            self._take(index, content["arch2infos"][index])
        self.evaluated_indexes = set(content["evaluated_indexes"])
        self._name(content["meta_archs"])

    def _take(self, index: int, by_hp: Mapping[str, Any]) -> None:
        self.arch2infos_dict[index] = OrderedDict(
            (hp, self.results.create_from_state_dict(state)) for hp, state in by_hp.items()
        )
        self._avaliable_hps.update(by_hp)

    def _from_path(self, path: str) -> None:
        if not Path(path).exists():
            raise ValueError(f"no file or folder {path}")
        table = path.endswith(".h5")
        if not table and not is_tar(path) and Path(path).is_dir() != self._fast_mode:
            what = "folder" if Path(path).is_dir() else "file"
            raise ValueError(f"{path} is a {what}: open it with fast_mode={not self._fast_mode}")
        self.filename = Path(path).name
        self._archive_dir = path if self._fast_mode else None
        source = open_source(path, self.dialect, self.space_name, progress=self.verbose)
        self.arch2infos_dict = TableInfos(source, self.results, self._fast_mode)
        self.evaluated_indexes = set() if self._fast_mode else source.evaluated_indexes()
        self._avaliable_hps = set() if self._fast_mode else set(source.hps)
        self._name(source.meta_archs)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self.evaluated_indexes)}/{len(self)} architectures, "
            f"fast_mode={self.fast_mode}, file={self.filename})"
        )

    @property
    def search_space_name(self) -> str:
        """ "topology" or "size"."""
        return self.space_name

    @property
    def fast_mode(self) -> bool:
        """Whether architectures are loaded when asked about."""
        return self._fast_mode

    @property
    def archive_dir(self) -> str | None:
        """The folder behind fast mode."""
        return self._archive_dir

    @property
    def full_train_epochs(self) -> int:
        """Epochs of the longest training."""
        return self.full_epochs

    @property
    def full_epochs_in_paper(self) -> int:
        """Epochs of the longest training."""
        return self.full_epochs

    @property
    def is_size(self) -> bool:
        """Whether this is the size space."""
        return self.space_name == "size"

    @property
    def is_topology(self) -> bool:
        """Whether this is the topology space."""
        return self.space_name == "topology"

    def reset_archive_dir(self, archive_dir: str | None) -> None:
        """Set the folder that `reload` falls back to."""
        self._archive_dir = archive_dir

    def reset_fast_mode(self, fast_mode: bool) -> None:
        """Set whether unknown architectures are loaded when asked about."""
        self._fast_mode = fast_mode

    def simulate_train_eval(
        self, arch: Any, dataset: str, iepoch: int | None = None, hp: str = HP, account_time: bool = True
    ) -> tuple[float, float | None, float, float]:
        """Validation accuracy, latency [s], seconds of training and one validation pass, and the simulated clock.

        One trial is drawn from the global stream. Where validation was not measured at ``iepoch``, the accuracy is
        that of ori-test, test images included, and a second trial is drawn for the seconds: a warning says so.
        """
        index = self.query_index_by_arch(arch)
        self._check_searched(dataset)
        check_hp(hp)
        key = "cifar10-valid" if dataset == "cifar10" else dataset
        info = self._more_info(index, key, iepoch, hp, True)
        if "valid-accuracy" in info:
            accuracy, seconds = info["valid-accuracy"], info["train-all-time"] + info["valid-per-time"]
        else:
            accuracy = info["valtest-accuracy"]
            warn_once("valtest-as-valid")
            last = self._more_info(index, dataset, None, hp, True)
            seconds = info["train-all-time"] + last["valid-per-time"]
        latency = self.get_latency(index, dataset, hp=hp)
        if account_time:
            self._used_time += seconds
        return accuracy, latency, seconds, self._used_time

    def find_best(
        self,
        dataset: str,
        metric_on_set: str,
        flop_max: float | None = None,
        param_max: float | None = None,
        hp: str = HP,
        enforce_all: bool | None = None,
    ) -> tuple[int, float | None]:
        """Index and accuracy of the best mean over trials at the last epoch; the first of equals.

        Args:
            metric_on_set: "valid", "test", "train", or an official set of the training key.
            flop_max, param_max: limits in millions, inclusive.
            enforce_all: in fast mode, whether all architectures take part (default) or only those loaded.
        """
        if enforce_all is None:
            enforce_all = bool(self.fast_mode)
        if enforce_all and not self.fast_mode:
            raise AssertionError("enforce_all=True is for fast mode; here all architectures are loaded")
        if self.fast_mode and not enforce_all:
            warn_once("loaded-only")
        indexes = list(range(len(self))) if enforce_all else sorted(self.evaluated_indexes)
        best = self._best(indexes, dataset, metric_on_set, flop_max, param_max, hp)
        self._say("find_best", dataset=dataset, metric_on_set=metric_on_set, hp=hp, best=best)
        return best

    def statistics(self, dataset: str, hp: str | int) -> dict[int, int]:
        """Number of trials -> number of architectures, over those loaded."""
        if self.fast_mode:
            warn_once("loaded-only")
        return self._statistics(self.evaluated_indexes, dataset, hp)

    def reload(self, archive_root: str | None = None, index: int | None = None) -> None:
        """Read the results of one architecture, or of all, again from a folder (default: the -full one, else ours)."""
        if archive_root is None:
            archive_root = str(Path(os.environ["TORCH_HOME"]) / f"{self.base_name}-full")
            if not Path(archive_root).is_dir():
                warnings.warn(f"no folder {archive_root}; taking {self.archive_dir} instead", stacklevel=2)
                archive_root = self.archive_dir
        ours = archive_root is not None and archive_root == self.archive_dir and self._in_table()
        if archive_root is None or not (ours or Path(archive_root).is_dir()):
            raise ValueError(f"no folder {archive_root}")
        for each in range(len(self)) if index is None else (index,):
            if not 0 <= each < len(self):
                raise ValueError(f"index {each}; legal: 0 to {len(self) - 1}")
            if ours:
                self._load(each)
            else:
                self._take(each, read_state(archive_root, each))
                self.evaluated_indexes.add(each)

    def _in_table(self) -> bool:
        return isinstance(self.arch2infos_dict, TableInfos)

    def _load(self, index: int) -> None:
        if not self.arch2infos_dict.load(index):
            raise AssertionError(f"no results of architecture {index} in {self.archive_dir}")
        self.evaluated_indexes.add(index)
        self._avaliable_hps.update(self.arch2infos_dict.hps(index))

    def _prepare_info(self, index: Any) -> None:
        if index in self.arch2infos_dict:
            if index not in self.evaluated_indexes:
                raise ValueError(f"architecture {index} has results but is not among evaluated_indexes")
        elif self._fast_mode:
            if self._archive_dir is None:
                raise ValueError("fast mode without a folder to load from; see reset_archive_dir")
            self.reload(self._archive_dir, index)


class NATStopology(NATSBench):
    """The cell space of 15,625 architectures, asked as ``nats_bench.NATStopology`` is."""

    base_name = "NATS-tss-v1_0-3ffb9"
    space_name = "topology"
    full_epochs = 200

    def get_unique_str(self, arch: Any) -> str:
        """A text that cells computing the same share."""
        return cells.unique_str(self.meta_archs[self.query_index_by_arch(arch)])

    @staticmethod
    def str2lists(arch_str: str) -> list[Any]:
        """One tuple of (operation, source node) for each node after the input."""
        return list(cells.str2lists(arch_str))

    @staticmethod
    def str2matrix(arch_str: str, search_space: Sequence[str] = OPERATIONS) -> npt.NDArray[np.float64]:
        """Entry (i, j) is the number, in ``search_space``, of the operation on the edge from node j to node i."""
        return cells.str2matrix(arch_str, search_space)


class NATSsize(NATSBench):
    """The size space of 32,768 architectures, asked as ``nats_bench.NATSsize`` is."""

    dialect = SIZE
    base_name = "NATS-sss-v1_0-50262"
    space_name = "size"
    full_epochs = 90


def _torch_home() -> Path:
    if "TORCH_HOME" in os.environ:
        return Path(os.environ["TORCH_HOME"])
    if "HOME" in os.environ:
        return Path(os.environ["HOME"]) / ".torch"
    raise ValueError("no default path without $TORCH_HOME or $HOME; give the path of the file")
