"""ArchResults, all trials of one architecture under one hp, as nats_bench and nas_201_api offer it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

from .dialect import DATASETS, NATS, NB201, Dialect
from .numbers import METRICS, Brief, Costs, Info, choose, compute_costs, flops_and_params
from .trial import ResultsCount, ResultsCount201
from .words import information, write


class ArchResults:
    """Trials under (data set, seed), and the sorted seeds of every data set."""

    dialect: ClassVar[Dialect] = NATS
    trial: ClassVar[type[ResultsCount]] = ResultsCount

    def __init__(self, arch_index: int, arch_str: str) -> None:
        self.arch_index = int(arch_index)
        self.arch_str = copy.deepcopy(arch_str)
        self.all_results: dict[tuple[str, int], ResultsCount] = {}
        self.dataset_seed: dict[str, list[int]] = {}
        self.clear_net_done = False

    def _trials(self, dataset: str) -> list[ResultsCount]:
        return [self.all_results[(dataset, seed)] for seed in self.dataset_seed[dataset]]

    def get_compute_costs(self, dataset: str) -> Info:
        """flops, params [millions], latency [s] and T-<set>@epoch, T-<set>@total [s], means over trials."""
        trials = [
            Costs(trial.flop, trial.params, trial.get_latency(), trial.get_times()) for trial in self._trials(dataset)
        ]
        return compute_costs(self.dialect, self.dataset_seed[dataset], trials)

    def get_flops_and_params(self, dataset: str) -> Info:
        """flops and params [millions] as in `get_compute_costs`, without the rest."""
        trials = self._trials(dataset)
        flops, params = [trial.flop for trial in trials], [trial.params for trial in trials]
        return flops_and_params(self.dialect, self.dataset_seed[dataset], flops, params)

    def get_metrics(self, dataset: str, setname: str, iepoch: int | None = None, is_random: bool | int = False) -> Info:
        """iepoch, loss, accuracy, cur_time and all_time of a training key on one of its sets.

        Args:
            setname: "train", "x-valid" (or "valid"), "x-test", "ori-test".
            iepoch: counts from 0; None is the last.
            is_random: False for the mean over trials, a seed for its trial, True for one drawn from the global stream.
        """
        trials = self._trials(dataset)
        found = [trial.get_train(iepoch) if setname == "train" else trial.get_eval(setname, iepoch) for trial in trials]
        columns = [[one[name] for one in found] for name in METRICS]
        return choose(self.dialect, self.dataset_seed[dataset], columns, is_random)

    def brief(self, dataset: str, setname: str, iepoch: int | None, is_random: bool | int) -> Brief:
        """The part of `get_metrics` that get_more_info needs."""
        info = self.get_metrics(dataset, setname, iepoch, is_random)
        return info["iepoch"], info["loss"], info["accuracy"], info["all_time"]

    def lacks(self, dataset: str, setname: str) -> bool:
        """Whether a set is known to be absent without asking for it; here one has to ask."""
        return False

    def get_dataset_names(self) -> list[str]:
        """Training keys that have trials."""
        return list(self.dataset_seed)

    def get_dataset_seeds(self, dataset: str) -> list[int]:
        """Seeds of the trials of a training key, ascending."""
        return list(self.dataset_seed[dataset])

    def get_net_param(self, dataset: str, seed: int | None = None) -> Any:
        """Weights of one trial, or seed -> weights; None in files without weights."""
        if seed is None:
            return {each: self.all_results[(dataset, each)].get_net_param() for each in self.dataset_seed[dataset]}
        if (dataset, seed) not in self.all_results:
            raise ValueError(f"no trial {(dataset, seed)}; there are {list(self.all_results)}")
        return self.all_results[(dataset, seed)].get_net_param()

    def _some(self, dataset: str, seed: int | None) -> list[ResultsCount]:
        return self._trials(dataset) if seed is None else [self.all_results[(dataset, seed)]]

    def reset_latency(self, dataset: str, seed: int | None, latency: float) -> None:
        """Set the seconds per batch of one trial, or of all."""
        for trial in self._some(dataset, seed):
            trial.update_latency([latency])

    def reset_pseudo_train_times(self, dataset: str, seed: int | None, estimated_per_epoch_time: float) -> None:
        """Set the training seconds of every epoch of one trial, or of all."""
        for trial in self._some(dataset, seed):
            trial.reset_pseudo_train_times(estimated_per_epoch_time)

    def reset_pseudo_eval_times(
        self, dataset: str, seed: int | None, eval_name: str, estimated_per_epoch_time: float
    ) -> None:
        """Set the seconds of every pass over a set, of one trial or of all."""
        for trial in self._some(dataset, seed):
            trial.reset_pseudo_eval_times(eval_name, estimated_per_epoch_time)

    def get_latency(self, dataset: str) -> float:
        """Mean seconds per batch of 256 images; ValueError if a trial has none."""
        latencies = []
        for seed, trial in zip(self.dataset_seed[dataset], self._trials(dataset), strict=True):
            latency = trial.get_latency()
            if not isinstance(latency, float) or latency <= 0:
                raise ValueError(f"latency {latency} of the trial {(dataset, seed)}: it was not measured")
            latencies.append(latency)
        return sum(latencies) / len(latencies)

    def get_total_epoch(self, dataset: str | None = None) -> int:
        """Length of the training of a training key, or of all of them."""
        if dataset is not None and not isinstance(dataset, str):
            raise ValueError(f"dataset={dataset!r}; legal: a training key or None")
        names = self.dataset_seed if dataset is None else (dataset,)
        lengths = [trial.get_total_epoch() for name in names for trial in self._trials(name)]
        if len(set(lengths)) > 1:
            raise ValueError(f"trials of different length: {lengths} epochs")
        return lengths[-1]

    def query(self, dataset: str, seed: int | None = None) -> Any:
        """The trial of a seed, or seed -> trial."""
        if seed is None:
            return {each: self.all_results[(dataset, each)] for each in self.dataset_seed[dataset]}
        return self.all_results[(dataset, seed)]

    def arch_idx_str(self) -> str:
        """The index in six digits, as in the names of files."""
        return f"{self.arch_index:06d}"

    def update(self, dataset_name: str, seed: int, result: ResultsCount) -> None:
        """Add a trial."""
        seeds = self.dataset_seed.setdefault(dataset_name, [])
        if seed in seeds:
            raise self.dialect.refused(f"architecture {self.arch_index} has a trial {(dataset_name, seed)} already")
        seeds.append(seed)
        seeds.sort()
        self.all_results[(dataset_name, seed)] = result
        self.clear_net_done = False

    def state_dict(self) -> dict[str, Any]:
        """The results as an official dict."""
        state = dict(self.__dict__)
        state["all_results"] = {key: trial.state_dict() for key, trial in self.all_results.items()}
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over an official dict."""
        state = dict(state_dict)
        if "all_results" in state:
            if not isinstance(state["all_results"], dict):
                raise ValueError(f"all_results is of type {type(state['all_results']).__name__}; it must be a dict")
            state["all_results"] = {
                key: self.trial.create_from_state_dict(trial) for key, trial in state["all_results"].items()
            }
        self.__dict__.update(state)

    @classmethod
    def create_from_state_dict(cls, state_dict_or_file: Mapping[str, Any] | str) -> ArchResults:
        """The results that an official dict, or a pickle of one, describes."""
        if isinstance(state_dict_or_file, str):
            from ..safe.pickles import read_pickle

            state_dict_or_file = read_pickle(state_dict_or_file)
        if not isinstance(state_dict_or_file, dict):
            raise ValueError(f"results of type {type(state_dict_or_file).__name__}; legal: a dict or the path of one")
        self = cls(-1, "")
        self.load_state_dict(state_dict_or_file)
        return self

    def clear_params(self) -> None:
        """Forget the weights."""
        for trial in self.all_results.values():
            trial.net_state_dict = None
        self.clear_net_done = True

    def debug_test(self) -> None:
        """Write the latency and every trial of the four training keys to standard output."""
        for dataset in DATASETS:
            write(f"---->>>> {dataset}")
            write(f"The latency on {dataset} is {self.get_latency(dataset)} s")
            for trial in self._trials(dataset):
                write(f"  ==>> result = {trial}")
                write(f"  ==>> cost = {trial.get_times()}")

    def __repr__(self) -> str:
        return (
            f"ArchResults(arch-index={self.arch_index}, arch={self.arch_str}, {len(self.all_results)} runs, "
            f"clear={self.clear_net_done})"
        )


class ArchResults201(ArchResults):
    """Results as nas_201_api answers about them."""

    dialect = NB201
    trial = ResultsCount201

    def show(self, is_print: bool = False) -> list[str]:
        """Lines that sum up the results; ``is_print`` writes them to standard output too."""
        return information(self, NB201, None, is_print)
