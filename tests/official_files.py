"""Files in the official layouts with random numbers, written by the tests: NATS-Bench directories, tars and single
files, NAS-Bench-201 files in both containers of PyTorch, archive directories.

Shapes follow the published files: which epochs of which set exist at 12 and at 200 epochs, seeds, key order, numpy
scalars at ``params`` and ``latency`` in some architectures, texts of keys not shared between dictionaries.
"""

from __future__ import annotations

import bz2
import pickle
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nasgauge.bench.spaces import Size, Topology

DATASETS = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
CLASSES = {"cifar10-valid": 10, "cifar10": 10, "cifar100": 100, "ImageNet16-120": 120}
IMAGES = {"cifar10-valid": 25_000, "cifar10": 50_000, "cifar100": 50_000, "ImageNet16-120": 151_700}
GENOTYPE = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": VERSION, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
Change = Callable[[dict[str, Any]], None]


@cache
def _texts_of(space: str) -> tuple[str, ...]:
    made = Topology() if space == "topology" else Size()
    return tuple(made.text(arch) for arch in range(made.size))


def texts_of(space: str) -> list[str]:
    """All architecture texts in the official order."""
    return list(_texts_of(space))


def trial(dataset: str, seed: int, epochs: int, text: str, space: str, rng: np.random.Generator, *,
          full: bool = True, timed: bool = True, numpy_scalars: bool = False) -> dict[str, Any]:  # fmt: skip
    """One ResultsCount dict; not ``full``: one set has the whole curve, the others their last epoch, and no top-5."""
    images = IMAGES[dataset]
    sets = {"cifar10-valid": ["x-valid", "ori-test"], "cifar10": ["ori-test"]}.get(
        dataset, ["x-valid", "x-test", "ori-test"] if full else ["ori-test", "x-valid", "x-test"]
    )
    whole = sets if full else sets[:1]
    kept = [(name, epoch) for name in sets for epoch in range(epochs) if name in whole or epoch == epochs - 1]
    per_epoch, per_pass = float(rng.uniform(5, 30)), float(rng.uniform(1, 5))

    def percents() -> dict[int, float]:
        return {epoch: 100 * int(count) / images for epoch, count in enumerate(rng.integers(0, images, epochs))}

    config = (
        {"channel": 16, "num_cells": 5, "arch_str": text, "class_num": CLASSES[dataset]}
        if space == "topology"
        else {"name": "infer.shape.tiny", "channels": text, "arch_str": text, "genotype": GENOTYPE,
              "class_num": CLASSES[dataset]}
    )  # fmt: skip
    size: Any = float(rng.uniform(0.1, 2))
    latency: Any = float(rng.uniform(0.01, 0.03))
    return {
        "name": dataset,
        "train_acc1es": percents(),
        "train_acc5es": percents() if full else None,
        "train_losses": dict(enumerate(rng.random(epochs).tolist())),
        "train_times": OrderedDict((epoch, per_epoch) for epoch in range(epochs)) if timed else None,
        "arch_config": config,
        "params": np.float64(size) if numpy_scalars else size,
        "flop": float(rng.uniform(5, 200)),
        "seed": f"{seed:04d}",
        "epochs": epochs,
        "latency": [np.float64(latency) if numpy_scalars else latency],
        "eval_names": sets,
        "eval_acc1es": {f"{name}@{epoch}": float(rng.integers(0, 5_000)) / 50 for name, epoch in kept},
        "eval_times": {f"{name}@{epoch}": per_pass for name in sets for epoch in range(epochs)} if timed else {},
        "eval_losses": {f"{name}@{epoch}": float(rng.random()) for name, epoch in kept},
        "net_state_dict": None,
    }


def arch_results(arch: int, text: str, space: str, lengths: dict[str, int], rng: np.random.Generator, *,
                 seeds: Callable[[str, str], Iterable[int]] | None = None, timed: Callable[[str], bool] = bool,
                 ) -> dict[str, dict[str, Any]]:  # fmt: skip
    """``hp -> ArchResults dict`` of one architecture; ``lengths`` are the epochs of every hp."""
    many = [777, 888, 999][: 1 + arch % 3]
    infos: dict[str, dict[str, Any]] = OrderedDict()
    for hp, epochs in lengths.items():
        results, by_dataset = {}, {}
        for dataset in DATASETS:
            usual = {"200": many, "full": many, "01": [777], "90": [777]}.get(
                hp, [777, 111] if dataset == "cifar10-valid" else [111]
            )
            chosen = list(seeds(hp, dataset) if seeds else usual)
            for seed in chosen:
                results[dataset, seed] = trial(
                    dataset, seed, epochs, text, space, rng, full=hp not in ("200", "full"),
                    timed=timed(hp), numpy_scalars=arch % 3 == 0,
                )  # fmt: skip
            if chosen:
                by_dataset[dataset] = sorted(chosen)
        infos[hp] = {"arch_index": arch, "arch_str": text, "all_results": results, "dataset_seed": by_dataset,
                     "clear_net_done": True}  # fmt: skip
    return infos


TSS, SSS = {"12": 12, "200": 200}, {"01": 1, "12": 12, "90": 90}


def all_results(archs: Iterable[int], space: str, lengths: dict[str, int] | None = None, seed: int = 0,
                **options: Any) -> dict[int, dict[str, dict[str, Any]]]:  # fmt: skip
    """``arch -> hp -> ArchResults dict``."""
    texts, rng = texts_of(space), np.random.default_rng(seed)
    lengths = lengths or (TSS if space == "topology" else SSS)
    return {arch: arch_results(arch, texts[arch], space, lengths, rng, **options) for arch in archs}


def with_weights(results: dict[int, Any], channels: int = 16, seed: int = 0) -> dict[int, Any]:
    """The same results as ``-full`` files and archives hold them: a state dict of tensors in every trial."""
    import torch

    rng = torch.Generator().manual_seed(seed)

    def state_dict() -> Any:
        layers = torch.nn.Sequential(torch.nn.Conv2d(3, channels, 3), torch.nn.BatchNorm2d(channels),
                                     torch.nn.Linear(channels, channels))  # fmt: skip
        with torch.no_grad():
            for parameter in layers.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=rng))
        return layers.state_dict()

    return {
        arch: OrderedDict(
            (hp, {**found, "clear_net_done": False, "all_results": {
                key: {**each, "net_state_dict": state_dict()} for key, each in found["all_results"].items()}})
            for hp, found in infos.items()
        )
        for arch, infos in results.items()
    }  # fmt: skip


def pack(value: Any) -> bytes:
    """A ``.pickle.pbz2`` file."""
    return bz2.compress(pickle.dumps(value, 4))


def write_directory(folder: Path, results: dict[int, Any], space: str, count: int | None = None) -> Path:
    """The layout of ``NATS-{tss,sss}-v1_0-*-simple``."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = texts_of(space)[:count]
    meta = {"meta_archs": texts, "total_archs": len(texts), "arch2infos": None, "evaluated_indexes": set()}
    (folder / "meta.pickle.pbz2").write_bytes(pack(meta))
    for arch, infos in results.items():
        (folder / f"{arch:06d}.pickle.pbz2").write_bytes(pack(infos))
    return folder


def write_tar(path: Path, folder: Path) -> Path:
    """A tar of a directory, as published."""
    with tarfile.open(path, "w") as tar:
        tar.add(folder, arcname=folder.name)
    return path


def whole(results: dict[int, Any], space: str, count: int | None = None) -> dict[str, Any]:
    """The dictionary of a single file."""
    texts = texts_of(space)[:count]
    return {"meta_archs": texts, "total_archs": len(texts), "arch2infos": results, "evaluated_indexes": set(results)}


def write_single(path: Path, results: dict[int, Any], space: str, count: int | None = None) -> Path:
    """The layout of ``NATS-{tss,sss}-v1_0-*.pickle.pbz2``."""
    path.write_bytes(pack(whole(results, space, count)))
    return path


def write_legacy(path: Path, value: Any, keys: Iterable[str] = ()) -> Path:
    """``torch.save`` before 1.6 without torch: five pickles of protocol 2."""
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in (MAGIC, VERSION, SYSTEM, value, list(keys))))
    return path


def write_zip(path: Path, value: Any) -> Path:
    """``torch.save`` since 1.6 without torch: an uncompressed zip."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{path.stem}/data.pkl", pickle.dumps(value, 2))
        archive.writestr(f"{path.stem}/version", b"3\n")
    return path
