"""What the three official benchmark objects share: looking up, costs, the simulated clock, printing."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

from .dialect import DATASETS, NATS, Dialect, remapped
from .numbers import Info, Results, more_info
from .results import ArchResults
from .source import DictInfos, TableInfos
from .stream import randint
from .warn import HP, DefaultHp, warn_once
from .words import END, comment, information, log, sheet, write

KEYS = ("meta_archs", "arch2infos", "evaluated_indexes")
SEARCHED = ("cifar10", "cifar100", "ImageNet16-120")
UNKNOWN = -1


class OfficialAPI:
    """A benchmark of cells or sizes, asked as the official packages are.

    Draws of trials and architectures come from the global stream of `random`, as there.
    """

    dialect: ClassVar[Dialect] = NATS
    results: ClassVar[type[ArchResults]] = ArchResults
    verbose: bool = False
    filename: str | None = None
    meta_archs: list[str]
    evaluated_indexes: Any
    arch2infos_dict: DictInfos | TableInfos
    archstr2index: dict[str, int]
    _avaliable_hps: set[str]
    _used_time: float = 0

    def _check_content(self, content: Mapping[str, Any]) -> None:
        """What an official dict must hold."""
        for key in KEYS:
            if key not in content:
                raise self.dialect.refused(f"no key {key!r} in the dict; it needs {', '.join(KEYS)}")

    def _name(self, meta_archs: list[str]) -> None:
        self.meta_archs = list(meta_archs)
        self.archstr2index = {}
        for index, arch in enumerate(self.meta_archs):
            if arch in self.archstr2index:
                raise self.dialect.refused(
                    f"architecture {arch!r} has two indexes, {self.archstr2index[arch]} and {index}"
                )
            self.archstr2index[arch] = index

    def __getitem__(self, index: int) -> str:
        return self.meta_archs[index]

    def __len__(self) -> int:
        return len(self.meta_archs)

    def arch(self, index: int) -> str:
        """The official string of an index."""
        self._say("arch", index=index)
        if index < 0 or index >= len(self.meta_archs):
            raise self.dialect.refused(f"index {index}; legal: 0 to {len(self.meta_archs) - 1}")
        return self.meta_archs[index]

    @property
    def avaliable_hps(self) -> list[str]:
        """The hp keys that were seen (spelled as in the official packages)."""
        return list(self._avaliable_hps)

    @property
    def used_time(self) -> float:
        """Simulated seconds since `reset_time`."""
        return self._used_time

    def reset_time(self) -> None:
        """Set the simulated clock to 0."""
        self._used_time = 0

    def random(self) -> int:
        """An index drawn from the global stream."""
        return randint(0, len(self.meta_archs) - 1)

    def query_index_by_arch(self, arch: Any) -> int:
        """Index of an index, a string or an object with ``tostr``; -1 for any other, also for integers of numpy."""
        self._say("query_index_by_arch", arch=arch)
        if isinstance(arch, int):
            if 0 <= arch < len(self.meta_archs):
                return arch
            raise ValueError(f"architecture index {arch}; legal: 0 to {len(self.meta_archs) - 1}")
        if isinstance(arch, str):
            return self.archstr2index.get(arch, UNKNOWN)
        if hasattr(arch, "tostr"):
            return self.archstr2index.get(arch.tostr(), UNKNOWN)
        return UNKNOWN

    def query_by_arch(self, arch: Any, hp: str) -> str | None:
        """The same as `query_info_str_by_arch`, under its older name."""
        return self.query_info_str_by_arch(arch, hp)

    def query_info_str_by_arch(self, arch: Any, hp: str = HP) -> str | None:
        """Lines that sum up an architecture; ``hp`` must be a string."""
        self._say("query_info_str_by_arch", arch=arch, hp=hp)
        index = self.query_index_by_arch(arch)
        self._prepare_info(index)
        if index not in self.arch2infos_dict:
            self._not_evaluated(index)
            return None
        if hp not in self.arch2infos_dict.hps(index):
            raise self._no_hp_to_print(index, hp)
        return "\n".join(information(self.arch2infos_dict.copy_of(index, hp), self.dialect, f"arch-index={index}"))

    def query_meta_info_by_index(self, arch_index: int, hp: str = HP) -> ArchResults:
        """A copy of the results of an architecture."""
        self._say("query_meta_info_by_index", arch_index=arch_index, hp=hp)
        check_hp(hp)
        self._prepare_info(arch_index)
        if arch_index not in self.arch2infos_dict:
            raise ValueError(f"no results of architecture {arch_index!r}")
        if self._key(hp) not in self.arch2infos_dict.hps(arch_index):
            raise self._no_hp(arch_index, hp)
        return self.arch2infos_dict.copy_of(arch_index, self._key(hp))

    def query_by_index(self, arch_index: int, dataname: str | None = None, hp: str = HP) -> Any:
        """A copy of the results of an architecture, or seed -> trial of one training key."""
        self._say("query_by_index", arch_index=arch_index, dataname=dataname, hp=hp)
        results = self.query_meta_info_by_index(arch_index, hp)
        if dataname is None:
            return results
        if dataname not in results.get_dataset_names():
            raise ValueError(f"no training key {dataname!r}; there are {results.get_dataset_names()}")
        return results.query(dataname)

    def get_net_param(self, index: int, dataset: str, seed: int | None, hp: str = HP) -> Any:
        """Weights: None, or seed -> None, since tables hold no weights."""
        return self.query_meta_info_by_index(index, hp).get_net_param(dataset, seed)

    def get_net_config(self, index: int, dataset: str) -> dict[str, Any]:
        """What a builder of networks wants to know."""
        self._say("get_net_config", index=index, dataset=dataset)
        self._prepare_info(index)
        if index not in self.arch2infos_dict:
            raise self._nothing_of(index)
        first = self.arch2infos_dict.copy_of(index, self.arch2infos_dict.hps(index)[0])
        trials = first.query(dataset)
        return next(iter(trials.values())).get_config(None)

    def get_more_info(
        self, index: Any, dataset: str, iepoch: int | None = None, hp: str = HP, is_random: bool | int = True
    ) -> Info:
        """Loss, accuracy [percent] and seconds of an architecture on every set that has this epoch.

        Args:
            index: index, string, or object with ``tostr``.
            dataset: "cifar10-valid" (25k images), "cifar10" (50k), "cifar100", "ImageNet16-120".
            iepoch: counts from 0; None is the last.
            hp: the training: "12", "200" (topology), "01", "12", "90" (size).
            is_random: True draws one trial from the global stream, False takes the mean, an integer names a seed.
        """
        if self.verbose:
            self._say("get_more_info", index=index, dataset=dataset, iepoch=iepoch, hp=hp, is_random=is_random)
        check_hp(hp)
        if is_random is True:
            warn_once("one-trial")
        return self._more_info(index, dataset, iepoch, hp, is_random)

    def _more_info(self, index: Any, dataset: str, iepoch: int | None, hp: str, is_random: bool | int) -> Info:
        index = self.query_index_by_arch(index)
        self._prepare_info(index)
        if index not in self.arch2infos_dict:
            raise ValueError(f"no results of architecture {index}")
        results = self.arch2infos_dict.results(index, str(hp))
        words = comment(dataset, hp) if self.dialect.comments else ""
        return more_info(results, dataset, iepoch, is_random, words, self.dialect.timeless)

    def _check_searched(self, dataset: str) -> None:
        """What simulate_train_eval takes."""
        if dataset not in SEARCHED:
            raise self.dialect.refused(f"dataset {dataset!r}; legal: {', '.join(SEARCHED)}")

    def get_cost_info(self, index: int, dataset: str, hp: str = HP) -> Info:
        """flops, params [millions], latency [s] and the seconds of training and evaluation, means over trials."""
        self._say("get_cost_info", index=index, dataset=dataset, hp=hp)
        return self._results_by_index(index, hp).get_compute_costs(dataset)

    def get_latency(self, index: int, dataset: str, hp: str = HP) -> float | None:
        """Seconds per batch of 256 images, None where not measured."""
        self._say("get_latency", index=index, dataset=dataset, hp=hp)
        return self._results_by_index(index, hp).get_compute_costs(dataset)["latency"]

    def _results_by_index(self, index: int, hp: str) -> Results:
        check_hp(hp)
        self._prepare_info(index)
        if index not in self.arch2infos_dict:
            raise ValueError(f"no results of architecture {index!r}")
        if self._key(hp) not in self.arch2infos_dict.hps(index):
            raise self._no_hp(index, hp)
        return self.arch2infos_dict.results(index, self._key(hp))

    def _best(
        self, indexes: list[int], dataset: str, metric_on_set: str, flops: float | None, params: float | None, hp: str
    ) -> tuple[int, float | None]:
        """First index of the highest accuracy at the last epoch among those within the limits."""
        check_hp(hp)
        dataset, setname = remapped(dataset, metric_on_set)
        best, highest = UNKNOWN, None
        for index in indexes:
            self._prepare_info(index)
            if index not in self.arch2infos_dict:
                raise KeyError(index)
            results = self.arch2infos_dict.results(index, hp)
            costs = results.get_flops_and_params(dataset)
            if (flops is not None and costs["flops"] > flops) or (params is not None and costs["params"] > params):
                continue
            accuracy = results.get_metrics(dataset, setname)["accuracy"]
            if best == UNKNOWN or highest < accuracy:
                best, highest = index, accuracy
        return best, highest

    def _statistics(self, indexes: list[int], dataset: str, hp: str | int) -> dict[int, int]:
        if dataset not in DATASETS:
            raise ValueError(f"training key {dataset!r}; legal: {', '.join(DATASETS)}")
        counts: dict[int, int] = {}
        for index in indexes:
            if index not in self.arch2infos_dict:
                raise KeyError(index)
            results = self.arch2infos_dict.results(index, str(hp))
            try:
                trials = len(results.get_dataset_seeds(dataset))
            except KeyError:
                trials = 0
            counts[trials] = counts.get(trials, 0) + 1
        return counts

    def clear_params(self, index: int, hp: str | None = None) -> None:
        """Forget the weights of an architecture; tables hold none."""
        self._say("clear_params", index=index, hp=hp)
        if index not in self.arch2infos_dict:
            self._nothing_to_clear(index)
            return
        if hp is not None and str(hp) not in self.arch2infos_dict.hps(index):
            raise self._no_hp(index, hp)
        for key, results in self.arch2infos_dict[index].items():
            if hp is None or key == str(hp):
                results.clear_params()

    def show(self, index: int = -1) -> None:
        """Print an architecture under every hp."""
        if index < 0:
            write(repr(self))
            indexes = sorted(self.evaluated_indexes)
            if indexes:
                warn_once("show-all")
                rule = "-" * 10
                write(f"\n{rule} The ({0:5d}/{len(indexes):5d}) {indexes[0]:06d}-th architecture! {rule}")
                write(f"arch : {self.meta_archs[indexes[0]]}")
                raise KeyError(index)
            return
        if index >= len(self.meta_archs):
            write(f"This index ({index}) is out of range (0~{len(self.meta_archs)}).")
            return
        self._prepare_info(index)
        if index not in self.evaluated_indexes:
            write(f"The {index}-th architecture has not been evaluated or not saved.")
            return
        for hp in self.arch2infos_dict.hps(index):
            write(sheet(self.arch2infos_dict.copy_of(index, hp), self.dialect))
        write(END)

    def _prepare_info(self, index: Any) -> None:
        """Load an architecture, where that happens one at a time."""

    def _key(self, hp: Any) -> str:
        """The hp that `query_meta_info_by_index` looks for."""
        return str(hp)

    def _not_evaluated(self, index: int) -> None:
        warnings.warn(f"architecture {index} was not evaluated", stacklevel=3)

    def _nothing_to_clear(self, index: int) -> None:
        warnings.warn(f"architecture {index} has no results yet, so no weights to clear", stacklevel=3)

    def _nothing_of(self, index: int) -> Exception:
        return ValueError(f"no results of architecture {index!r}")

    def _no_hp(self, index: int, hp: object) -> Exception:
        return ValueError(f"architecture {index} has hp {self.arch2infos_dict.hps(index)}, not {hp!r}")

    def _no_hp_to_print(self, index: int, hp: object) -> Exception:
        return self._no_hp(index, hp)

    def _say(self, call: str, **arguments: Any) -> None:
        if self.verbose:
            log(f"{call}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})")


def check_hp(hp: object) -> None:
    if isinstance(hp, DefaultHp):
        warn_once("default-hp")
