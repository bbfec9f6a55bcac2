"""Replaying recorded official answers, and official contents as the tests hold them."""

from __future__ import annotations

import bz2
import json
import math
import pickle
import random
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasgauge.data.official import warn

REL = 1e-12
DATASETS = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
SETS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}


@pytest.fixture(autouse=True)
def quiet_traps() -> Iterator[None]:
    """Every test starts with nothing said, and does not print the reproduced traps."""
    warn.say_again()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", warn.OfficialTrap)
        yield


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Converted files are kept in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASGAUGE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def mini(shared: Path) -> Path:
    return shared / "fixtures" / "official-mini"


def same(ours: Any, theirs: Any) -> bool:
    """Equal, numbers to a relative 1e-12, tuples as lists, keys as texts (the recording is JSON)."""
    if isinstance(ours, np.ndarray):
        ours = ours.tolist()
    if isinstance(theirs, dict):
        if not isinstance(ours, dict):
            return False
        ours = {str(key): value for key, value in ours.items()}
        theirs = {str(key): value for key, value in theirs.items()}
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, (list, tuple)):
        return (
            isinstance(ours, (list, tuple))
            and len(ours) == len(theirs)
            and all(same(one, other) for one, other in zip(ours, theirs, strict=True))
        )
    if isinstance(theirs, bool) or theirs is None or isinstance(theirs, str):
        return bool(ours == theirs) and (ours is None) == (theirs is None)
    if isinstance(theirs, (int, float)):
        numbers = isinstance(ours, (int, float)) and not isinstance(ours, bool)
        return numbers and (math.isclose(ours, theirs, rel_tol=REL, abs_tol=0) or (ours != ours and theirs != theirs))
    raise AssertionError(f"unexpected {type(theirs)}")


def ask(api: Any, call: str, args: dict[str, Any]) -> Any:
    """The answer of an API to a call as the fixtures name it."""
    args = dict(args)
    if call == "len":
        return len(api)
    if call == "avaliable_hps":
        return sorted(api.avaliable_hps)
    if call == "used_time":
        return api.used_time
    if call == "random":
        return [api.random() for _ in range(5)]
    if call in ("dataset_seeds", "total_epochs", "ArchResults.get_metrics", "ArchResults.get_latency"):
        results = api.query_meta_info_by_index(args.pop("arch_index"), args.pop("hp"))
        if call == "dataset_seeds":
            return results.dataset_seed.get(args["dataset"], [])
        if call == "total_epochs":
            return results.get_total_epoch()
        return getattr(results, call.removeprefix("ArchResults."))(**args)
    return getattr(api, call)(**args)


def outcome(api: Any, call: str, args: dict[str, Any]) -> tuple[str, Any]:
    """("answer", it) or ("error", name of its type)."""
    try:
        return "answer", ask(api, call, args)
    except Exception as error:  # noqa: BLE001 - which one is the answer
        return "error", type(error).__name__


def agrees(found: tuple[str, Any], row: dict[str, Any]) -> bool:
    kind, value = found
    if "error" in row:
        return kind == "error" and value == row["error"]["type"]
    answer = sorted(row["answer"]) if row.get("call") == "avaliable_hps" else row["answer"]
    return kind == "answer" and same(value, answer)


def replay(api: Any, path: Path) -> tuple[int, list[str]]:
    """Number of recorded rows, and those that ours answers differently."""
    rows = json.loads(path.read_text())["rows"]
    differing = []
    for row in rows:
        if "random_seed_before" in row:
            random.seed(row["random_seed_before"])
        if row["call"] == "simulate_train_eval:session":
            api.reset_time()
            for step in row["steps"]:
                found = outcome(api, "simulate_train_eval", step["args"])
                if not agrees(found, step):
                    differing.append(f"{step} -> {found}"[:600])
            if not same(api.used_time, row["used_time_after"]):
                differing.append(f"clock {api.used_time}, recorded {row['used_time_after']}")
            continue
        args = row["args"]
        if "numpy.int64" in row.get("note", ""):
            args = {name: np.int64(value) for name, value in args.items()}
        found = outcome(api, row["call"], args)
        if not agrees(found, row):
            differing.append(f"{row} -> {found}"[:900])
    return len(rows), differing


def nats_content(path: Path) -> dict[str, Any]:
    """What an official NATS folder or file holds, as the dict that the official constructor takes."""
    if path.is_file():
        return dict(pickle.loads(bz2.decompress(path.read_bytes())))
    meta = pickle.loads(bz2.decompress((path / "meta.pickle.pbz2").read_bytes()))
    files = sorted(path.glob("[0-9]*.pickle.pbz2"))
    infos = {int(file.name[:6]): pickle.loads(bz2.decompress(file.read_bytes())) for file in files}
    return {**meta, "arch2infos": infos, "evaluated_indexes": set(infos)}


def write_nats(content: dict[str, Any], folder: Path) -> Path:
    """The content as the official single file."""
    path = folder / "NATS-v1_0.pickle.pbz2"
    path.write_bytes(bz2.compress(pickle.dumps(content, 4)))
    return path


def write_pth(content: dict[str, Any], folder: Path) -> Path:
    """The content, given as that of NATS, as the file of NAS-Bench-201 that PyTorch before 1.6 wrote."""
    import torch

    path = folder / "NAS-Bench-201.pth"
    infos = {index: {"full": by_hp["200"], "less": by_hp["12"]} for index, by_hp in content["arch2infos"].items()}
    whole = {**content, "arch2infos": infos, "evaluated_indexes": sorted(infos)}
    torch.save(whole, path, _use_new_zipfile_serialization=False)
    return path


def pth_content(path: Path) -> dict[str, Any]:
    """The object in a .pth file of PyTorch before 1.6: the fourth of five pickles."""
    with path.open("rb") as file:
        for _ in range(3):
            pickle.load(file)
        return dict(pickle.load(file))


def made_up(texts: list[str], choices: Choices) -> dict[str, Any]:
    """An official NATS content of a few architectures, random numbers, with the irregularities chosen."""
    draw = np.random.default_rng(choices.numbers)
    infos = {}
    for index, text in enumerate(texts):
        by_hp = OrderedDict()
        for hp, epochs in choices.lengths.items():
            chosen = choices.seeds[index % len(choices.seeds)]
            seeds = {name: sorted(chosen[name]) for name in SETS if chosen[name]}
            trials = {(name, seed): trial(text, name, seed, epochs, draw, choices)
                      for name, each in seeds.items() for seed in each}  # fmt: skip
            by_hp[hp] = {"arch_index": index, "arch_str": text, "all_results": trials, "dataset_seed": seeds,
                         "clear_net_done": True}  # fmt: skip
        infos[index] = by_hp
    return {"meta_archs": texts, "total_archs": len(texts), "arch2infos": infos, "evaluated_indexes": set(infos)}


@dataclass(frozen=True)
class Choices:
    """What differs between the files there are: which seeds, which epochs, which times, which costs."""

    numbers: int = 0
    lengths: dict[str, int] = field(default_factory=lambda: {"12": 3, "200": 5})
    seeds: tuple[dict[str, set[int]], ...] = ({name: {777, 888} for name in SETS},)
    train_times: bool = True
    eval_times: str = "vary"  # or "constant" or "none"
    last_only: tuple[str, ...] = ()  # sets that the longer training evaluated at its end alone
    latency: bool = True
    costs_differ: bool = False
    nan_loss: bool = False


def trial(text: str, dataset: str, seed: int, epochs: int, draw: Any, choices: Choices) -> dict[str, Any]:
    """One trial as the official state dict."""
    classes = {"cifar100": 100, "ImageNet16-120": 120}.get(dataset, 10)
    config = {"channel": 16, "num_cells": 5, "arch_str": text, "class_num": classes}
    if "|" not in text:
        cell = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
        config = {"name": "infer.shape.tiny", "channels": text, "arch_str": text, "genotype": cell,
                  "class_num": classes}  # fmt: skip
    timed = [f"{name}@{epoch}" for name in SETS[dataset] for epoch in range(epochs)]
    short = choices.last_only if epochs > 3 else ()
    keys = [key for key in timed if key.split("@")[0] not in short or key.endswith(f"@{epochs - 1}")]
    seconds = {"none": [], "constant": [1.5] * len(timed), "vary": draw.uniform(1, 2, len(timed)).tolist()}
    losses = dict(zip(keys, draw.random(len(keys)).tolist(), strict=True))
    if choices.nan_loss:
        losses[keys[-1]] = float("nan")
    shift = seed / 1e4 if choices.costs_differ else 0.0
    return {
        "name": dataset, "train_acc1es": dict(enumerate(draw.uniform(10, 99, epochs).tolist())), "train_acc5es": None,
        "train_losses": dict(enumerate(draw.random(epochs).tolist())),
        "train_times": OrderedDict.fromkeys(range(epochs), float(draw.uniform(5, 20))) if choices.train_times else None,
        "arch_config": config, "params": 0.8 + shift, "flop": 113.9 + shift, "seed": f"{seed:04d}", "epochs": epochs,
        "latency": [float(draw.uniform(0.01, 0.02))] if choices.latency else None,
        "eval_names": list(SETS[dataset]),
        "eval_acc1es": dict(zip(keys, draw.uniform(10, 95, len(keys)).tolist(), strict=True)),
        "eval_losses": losses, "eval_times": dict(zip(timed, seconds[choices.eval_times], strict=False)),
        "net_state_dict": None,
    }  # fmt: skip
