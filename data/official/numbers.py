"""From the numbers of every trial to the official answer about one, or about their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .dialect import Dialect
from .stream import choice, randint
from .warn import warn_once

Info = dict[str, Any]
Brief = tuple[float, float, float, Any]
"""Epoch, loss, accuracy [percent], and seconds of all epochs so far or None."""
METRICS = ("iepoch", "loss", "accuracy", "cur_time", "all_time")


class Results(Protocol):
    """What is known of one architecture trained under one hp, from a dict or from a table."""

    def get_dataset_seeds(self, dataset: str) -> list[int]: ...

    def get_metrics(
        self, dataset: str, setname: str, iepoch: int | None = None, is_random: bool | int = False
    ) -> Info: ...

    def brief(self, dataset: str, setname: str, iepoch: int | None, is_random: bool | int) -> Brief: ...

    def lacks(self, dataset: str, setname: str) -> bool: ...

    def get_compute_costs(self, dataset: str) -> Info: ...

    def get_flops_and_params(self, dataset: str) -> Info: ...


def choose(dialect: Dialect, seeds: Sequence[int], columns: Sequence[Sequence[Any]], is_random: bool | int) -> Info:
    """The official answer from one list for each of `METRICS`, of one value for each trial."""
    if isinstance(is_random, bool):
        if not is_random:
            return {
                name: dialect.mean(column) if column[0] is not None else None
                for name, column in zip(METRICS, columns, strict=True)
            }
        index = randint(0, len(seeds) - 1)
    elif isinstance(is_random, int):
        if is_random not in seeds:
            raise ValueError(f"no trial of seed {is_random}; there are {list(seeds)}")
        index = seeds.index(is_random)
    else:
        raise ValueError(f"is_random={is_random!r}; legal: True, False or a seed")
    return {name: column[index] for name, column in zip(METRICS, columns, strict=True)}


@dataclass
class Costs:
    """What one trial says about costs; ``times`` is the answer of `ResultsCount.get_times`."""

    flop: float
    params: float
    latency: float
    times: Mapping[str, float | None]


def compute_costs(dialect: Dialect, seeds: Sequence[int], trials: Sequence[Costs]) -> Info:
    """FLOPs and parameters [millions], seconds per batch, seconds of training and of each evaluated set."""
    info = flops_and_params(dialect, seeds, [trial.flop for trial in trials], [trial.params for trial in trials])
    latencies = [trial.latency for trial in trials if trial.latency > 0]
    info["latency"] = dialect.mean(latencies) if latencies else None
    times: dict[str, list[Any]] = {}
    for trial in trials:
        for name, seconds in trial.times.items():
            times.setdefault(name, []).append(seconds)
    for name, values in times.items():
        info[name] = dialect.mean(values) if values[0] is not None else None
    return info


def flops_and_params(dialect: Dialect, seeds: Sequence[int], flops: Sequence[float], params: Sequence[float]) -> Info:
    """Means over trials, or the run of seed 888 where nats_bench distrusts the others."""
    if dialect.mends:
        flops, params = _mended(seeds, flops), _mended(seeds, params)
    return {"flops": dialect.mean(flops), "params": dialect.mean(params)}


def _mended(seeds: Sequence[int], values: Sequence[float]) -> Sequence[float]:
    if len(values) > 1 and len({f"{value:.5f}" for value in values}) > 1:
        warn_once("costs-of-one-seed")
        return [values[seeds.index(888)]]
    return values


def more_info(
    results: Results, dataset: str, iepoch: int | None, is_random: bool | int, comment: str, timeless: bool
) -> Info:
    """The answer of get_more_info: one trial, drawn first, or the mean, for every set that has this epoch.

    Args:
        comment: what nats_bench adds for cifar10 and cifar10-valid; nothing where empty.
        timeless: whether absent times are answered by None (else they are a TypeError).
    """
    if is_random is True:
        is_random = choice(results.get_dataset_seeds(dataset))
    train = results.brief(dataset, "train", iepoch, is_random)
    epochs = train[0] + 1
    info: Info = {}
    _add(info, "train", train, epochs, timeless)
    if dataset == "cifar10-valid":
        valid: Brief | None = results.brief(dataset, "x-valid", iepoch, is_random)
        test = _known(results, dataset, "ori-test", iepoch, is_random)
        valtest = None
        if test is not None:
            warn_once("cifar10-valid-test")
    else:
        is_cifar10 = dataset == "cifar10"
        test = _known(results, dataset, "ori-test" if is_cifar10 else "x-test", iepoch, is_random)
        valid = _known(results, dataset, "x-valid", iepoch, is_random)
        valtest = None if is_cifar10 else _known(results, dataset, "ori-test", iepoch, is_random)
    if comment:
        info["comment"] = comment
    if valid is not None:
        _add(info, "valid", valid, epochs, timeless)
    if test is not None:
        _add(info, "test", test, epochs, timeless)
    if valtest is not None:
        _add(info, "valtest", valtest, epochs, timeless)
    return info


def _known(results: Results, dataset: str, setname: str, iepoch: int | None, is_random: bool | int) -> Brief | None:
    if results.lacks(dataset, setname):
        return None
    try:
        return results.brief(dataset, setname, iepoch, is_random)
    except (LookupError, ValueError, AssertionError, TypeError):
        return None


def _add(info: Info, name: str, found: Brief, epochs: float, timeless: bool) -> None:
    _, loss, accuracy, seconds = found
    info[f"{name}-loss"] = loss
    info[f"{name}-accuracy"] = accuracy
    info[f"{name}-per-time"] = None if seconds is None and timeless else seconds / epochs
    info[f"{name}-all-time"] = seconds
