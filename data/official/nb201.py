"""NAS-Bench-201 as nas_201_api 2.1 offers it: `NASBench201API`."""

from __future__ import annotations

import copy
import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...bench.spaces.topology import OPERATIONS
from . import cells
from .api import OfficialAPI, check_hp
from .dialect import NB201
from .files import open_source, read_archive
from .results import ArchResults201
from .source import DictInfos, TableInfos
from .warn import HP, warn_once
from .words import log, write

FILE = "NAS-Bench-201-v1_1-096897.pth"
ARCHIVE = "NAS-Bench-201-v1_1-archive"
HPS = {"12": "less", "200": "full"}


class NASBench201API(OfficialAPI):
    """The cell space, asked as ``nas_201_api.NASBench201API`` is.

    Args:
        file_path_or_dict: an official .pth file, a converted table, a dict as the official file holds it, or None for
            the v1.1 file under $TORCH_HOME.
        verbose: whether every call prints a line.
    """

    dialect = NB201
    results = ArchResults201

    def __init__(
        self, file_path_or_dict: str | os.PathLike[str] | Mapping[str, Any] | None = None, verbose: bool = True
    ) -> None:
        self.reset_time()
        if file_path_or_dict is None:
            file_path_or_dict = str(Path(os.environ["TORCH_HOME"]) / FILE)
            log(f"NAS-Bench-201 from its default path {file_path_or_dict}")
        self.verbose = verbose
        self._avaliable_hps = set(HPS)
        if isinstance(file_path_or_dict, dict):
            self._from_dict(copy.deepcopy(file_path_or_dict))
        elif isinstance(file_path_or_dict, (str, Path)):
            self._from_path(str(file_path_or_dict))
        else:
            raise ValueError(f"file_path_or_dict of type {type(file_path_or_dict).__name__}; legal: a path or a dict")

    def _from_dict(self, content: Mapping[str, Any]) -> None:
        self._check_content(content)
        self.arch2infos_dict = DictInfos()
        for index in sorted(content["arch2infos"]):
            self._take(index, content["arch2infos"][index])
        self.evaluated_indexes = sorted(content["evaluated_indexes"])
        self._name(content["meta_archs"])

    def _take(self, index: int, parts: Mapping[str, Any]) -> None:
        self.arch2infos_dict[index] = OrderedDict(
            (hp, self.results.create_from_state_dict(parts[part])) for hp, part in HPS.items()
        )

    def _from_path(self, path: str) -> None:
        if not Path(path).is_file():
            raise AssertionError(f"no file {path}")
        self.filename = Path(path).name
        source = open_source(path, self.dialect, "topology", progress=self.verbose)
        self.arch2infos_dict = TableInfos(source, self.results, fast=False)
        self.evaluated_indexes = sorted(source.evaluated_indexes())
        self._name(source.meta_archs)
        if self.verbose:
            log(f"{len(self.evaluated_indexes)} of {len(self)} architectures of NAS-Bench-201 from {path}")

    def __repr__(self) -> str:
        return f"NASBench201API({len(self.evaluated_indexes)}/{len(self)} architectures, file={self.filename})"

    def simulate_train_eval(
        self, arch: Any, dataset: str, hp: str = HP, account_time: bool = True
    ) -> tuple[float, float | None, float, float]:
        """Validation accuracy, latency [s], seconds of training and one validation pass, and the simulated clock.

        One trial is drawn from the global stream; the latency is that of the 12-epoch run.
        """
        index = self.query_index_by_arch(arch)
        self._check_searched(dataset)
        check_hp(hp)
        if str(hp) != "12":
            warn_once("latency-hp")
        info = self._more_info(index, "cifar10-valid" if dataset == "cifar10" else dataset, None, hp, True)
        accuracy, seconds = info["valid-accuracy"], info["train-all-time"] + info["valid-per-time"]
        latency = self.get_latency(index, dataset, "12")
        if account_time:
            self._used_time += seconds
        return accuracy, latency, seconds, self._used_time

    def find_best(
        self,
        dataset: str,
        metric_on_set: str,
        FLOP_max: float | None = None,
        Param_max: float | None = None,
        hp: str = HP,
    ) -> tuple[int, float | None]:
        """Index and accuracy of the best mean over trials at the last epoch; the first of equals.

        Args:
            metric_on_set: "valid", "test", "train", or an official set of the training key.
            FLOP_max, Param_max: limits in millions, inclusive.
        """
        best = self._best(self.evaluated_indexes, dataset, metric_on_set, FLOP_max, Param_max, hp)
        self._say("find_best", dataset=dataset, metric_on_set=metric_on_set, hp=hp, best=best)
        return best

    def statistics(self, dataset: str, hp: str | int) -> dict[int, int]:
        """Number of trials -> number of architectures, over all."""
        return self._statistics(list(range(len(self))), dataset, hp)

    def reload(self, archive_root: str | None = None, index: int | None = None) -> None:
        """Read the results of one architecture, or of all, from a folder of %06d-FULL.pth files."""
        if archive_root is None:
            archive_root = str(Path(os.environ["TORCH_HOME"]) / ARCHIVE)
        if not Path(archive_root).is_dir():
            raise AssertionError(f"no folder {archive_root}")
        for each in range(len(self)) if index is None else (index,):
            if not 0 <= each < len(self):
                raise AssertionError(f"index {each}; legal: 0 to {len(self) - 1}")
            self._take(each, read_archive(archive_root, each))

    @staticmethod
    def str2lists(arch_str: str) -> list[cells.Node]:
        """One tuple of (operation, source node) for each node after the input."""
        return cells.str2lists(arch_str)

    @staticmethod
    def str2matrix(arch_str: str, search_space: Sequence[str] = list(OPERATIONS)) -> npt.NDArray[np.float64]:
        """Entry (i, j) is the number, in ``search_space``, of the operation on the edge from node j to node i."""
        return cells.str2matrix(arch_str, search_space)

    def _key(self, hp: Any) -> Any:
        return hp

    def _not_evaluated(self, index: int) -> None:
        write(f"Find this arch-index : {index}, but this arch is not evaluated.")

    def _nothing_to_clear(self, index: int) -> None:
        raise KeyError(index)

    def _nothing_of(self, index: int) -> Exception:
        return NameError(f"no results of architecture {index!r} (the official package stumbles over its message here)")

    def _no_hp_to_print(self, index: int, hp: object) -> Exception:
        return NameError(f"{self._no_hp(index, hp)} (the official package stumbles over its message here)")
