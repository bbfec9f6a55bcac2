"""Official contents written as the table that the converter makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nasgauge.bench.column import Column
from nasgauge.bench.spaces import space
from nasgauge.bench.table import write_table

SPLITS = {
    "cifar10-valid": {"x-valid": "valid", "ori-test": "test"},
    "cifar10": {"ori-test": "test"},
    "cifar100": {"x-valid": "valid", "x-test": "test", "ori-test": "valtest"},
    "ImageNet16-120": {"x-valid": "valid", "x-test": "test", "ori-test": "valtest"},
}


def write_contract_table(content: Mapping[str, Any], path: Path, space_name: str) -> Path:
    """The content of an official NATS file (hp keys below each index) as a table of its first rows."""
    infos, size = content["arch2infos"], max(content["arch2infos"]) + 1
    hps = list(next(iter(infos.values())))
    extra: dict[str, Any] = {"format": "nats", "hps": hps}
    if len(content["meta_archs"]) != space(space_name).size:
        extra["meta_archs"] = list(content["meta_archs"])
    columns = (column for hp in hps for column in _columns(infos, hp, size))
    return write_table(path, columns, name=path.stem, space=space_name, licence="none", extra=extra, mapped_curves=True)


def _columns(infos: Mapping[int, Any], hp: str, size: int) -> Iterator[Column]:
    there = np.zeros(size, dtype=np.uint8)
    there[[index for index in infos if hp in infos[index]]] = 1
    yield Column(f"evaluated:{hp}", there)
    for dataset, splits in SPLITS.items():
        seeds = sorted({seed for info in infos.values() for seed in info[hp]["dataset_seed"].get(dataset, [])})
        trials = {
            (index, place): info[hp]["all_results"][(dataset, seed)]
            for index, info in infos.items() for place, seed in enumerate(seeds)
            if (dataset, seed) in info[hp]["all_results"]
        }  # fmt: skip
        if not trials:
            continue
        epochs = next(iter(trials.values()))["epochs"]
        curves: dict[str, np.ndarray[Any, Any]] = {}

        for where, trial in trials.items():
            for name, source in (("train_accuracy", "train_acc1es"), ("train_top5_accuracy", "train_acc5es"),
                                 ("train_loss", "train_losses"), ("train_epoch_seconds", "train_times")):  # fmt: skip
                for epoch, value in (trial[source] or {}).items():
                    _put(curves, (size, len(seeds), epochs), name, where, epoch, value)
            for name, source in (("accuracy", "eval_acc1es"), ("loss", "eval_losses"), ("pass_seconds", "eval_times")):
                for key, value in trial[source].items():
                    official, epoch = key.split("@")
                    _put(curves, (size, len(seeds), epochs), f"{splits[official]}_{name}", where, int(epoch), value)
            _put(curves, (size, len(seeds), epochs), "recorded_params_millions", where, epochs - 1, trial["params"])
            _put(curves, (size, len(seeds), epochs), "recorded_flops_millions", where, epochs - 1, trial["flop"])
            if trial["latency"] is not None:
                _put(curves, (size, len(seeds), epochs), "latency_seconds", where, epochs - 1, trial["latency"][0])
        for name, values in curves.items():
            known = ~np.isnan(values)
            constant = name.endswith("_seconds") and not np.any(np.diff(values, axis=2)[known[..., 1:]])
            yield Column(name, values[:, :, -1].copy(), dataset, int(hp), tuple(seeds))
            if known[..., :-1].any() and not constant:
                yield Column(name, values, dataset, int(hp), tuple(seeds))


def _put(
    curves: dict[str, Any], shape: tuple[int, ...], name: str, where: tuple[int, int], epoch: int, value: float
) -> None:
    if name not in curves:
        curves[name] = np.full(shape, np.nan)
    curves[name][(*where, epoch)] = value
