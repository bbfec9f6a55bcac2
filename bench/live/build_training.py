"""Training the parts of a build: on a core one class after the other, on a GPU as many as its memory holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from ..errors import BadValue
from ..spaces import Ids, Topology
from .batches import Batches
from .build_run import BuildRun, Part
from .images import SPLITS
from .network import CellNetwork
from .networks import network
from .population_training import train_population
from .protocol import SMALL
from .training import train

FILLED = 0.8  # of the free memory of a GPU, by estimate


def train_classes(build_run: BuildRun, classes: Ids, batches: Batches) -> Part:
    """Train every one of ``classes`` with every seed; one row a class."""
    train_members = _together if _is_population(build_run, batches.device) else _one_by_one
    members = train_members(build_run, classes, batches)
    rows = {name: values.reshape(len(classes), -1, *values.shape[1:]) for name, values in members.items()}
    return {"classes": np.asarray(classes), **rows}


def _together(build_run: BuildRun, classes: Ids, batches: Batches) -> Part:
    """All trainings as one population; one row a training."""
    space, macro = build_run.space, build_run.protocol.macro
    networks: list[CellNetwork] = []
    seeds: list[int] = []
    for arch in classes.tolist():
        for seed in build_run.seeds:
            each = network(space, arch, build_run.images.classes, macro=macro, seed=seed)
            assert isinstance(each, CellNetwork)
            networks.append(each)
            seeds.append(seed)
    curves = train_population(networks, seeds, batches, build_run.protocol.recipe)
    members: Part = {}
    for split in SPLITS:
        members[f"{split}_correct"] = curves.correct[split].astype(np.int32)
        members[f"{split}_loss"] = curves.loss[split]
    members["train_seconds"] = np.full(len(seeds), curves.train_seconds)
    members["valid_seconds"] = np.full(len(seeds), curves.valid_seconds)
    return members


def _one_by_one(build_run: BuildRun, classes: Ids, batches: Batches) -> Part:
    """Trainings one after the other; one row a training.

    A diverged training ends early; from there on its losses are NaN and its answers class 0, as those of a network
    whose outputs are no numbers. ``valid_seconds`` is the split's share of the images held out.
    """
    images, recipe = build_run.images, build_run.protocol.recipe
    counts = {split: images.count(split) for split in SPLITS}
    of_zeros = {split: int((images.split(split)[1] == 0).sum()) for split in SPLITS}
    share = counts["valid"] / max(1, counts["valid"] + counts["test"])
    rows: list[dict[str, Any]] = []
    for arch in classes.tolist():
        for seed in build_run.seeds:
            each = build_run.space.network(arch, images.classes, macro=build_run.protocol.macro, seed=seed)
            history = train(each, batches, recipe, seed)
            row: dict[str, Any] = {}
            for split in SPLITS:
                right = history[f"{split}_accuracy"] * counts[split] / 100
                row[f"{split}_correct"] = np.where(np.isnan(right), of_zeros[split], right).round().astype(np.int32)
                row[f"{split}_loss"] = history[f"{split}_loss"]
            row["train_seconds"] = np.nansum(history["train_seconds"])
            row["valid_seconds"] = share * np.nanmean(history["held_seconds"])
            rows.append(row)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def train_part(build_run: BuildRun, part: int) -> tuple[int, Part]:
    """Train the classes of a part on one core, one after the other."""
    with one_thread():
        batches = Batches(build_run.images, "cpu", channels_last=True)
        done = [train_classes(build_run, np.array([each]), batches) for each in build_run.classes_of(part)]
    return part, {name: np.concatenate([each[name] for each in done]) for name in done[0]}


def train_parts_together(
    build_run: BuildRun,
    parts: Sequence[int],
    device: torch.device,
    train: Callable[[BuildRun, Ids, Batches], Part] = train_classes,
) -> Iterator[tuple[int, Part]]:
    """Train the classes of several parts as one population, as many as the memory of a GPU holds.

    The first part trains alone and shows what its classes take; where memory runs out, half as many are tried, and no
    more than that from then on. Networks that cannot be a population train part by part: a kill loses no more.

    Raises:
        BadValue: not even the seeds of one class fit.
    """
    batches = Batches(build_run.images, device)
    left, most, estimated = list(parts), build_run.classes_a_part, not _is_population(build_run, device)
    while left:
        now = left[: max(1, most // build_run.classes_a_part)]
        classes = np.concatenate([build_run.classes_of(part) for part in now])
        done: list[Part] = []
        rest = classes
        while len(rest):
            if device.type == "cuda":
                torch.cuda.empty_cache()  # what the population before, or a failed attempt, has left
            try:
                done.append(train(build_run, rest[:most], batches))
            except torch.OutOfMemoryError as error:
                failed = len(rest[:most])
                if failed == 1:
                    raise BadValue(
                        f"one cell x {len(build_run.seeds)} seeds do not fit in the memory of {device}; give a "
                        "protocol with a smaller batch or skeleton, or device='cpu'"
                    ) from error
                most, estimated = failed // 2, True
                continue
            rest = rest[most:]
        whole = {name: np.concatenate([each[name] for each in done]) for name in done[0]}
        for part in now:
            rows = np.isin(classes, build_run.classes_of(part))
            yield part, {name: values[rows] for name, values in whole.items()}
        left = left[len(now) :]
        if not estimated:
            most, estimated = _capacity(device, len(classes), len(left) * build_run.classes_a_part), True


def _is_population(build_run: BuildRun, device: torch.device) -> bool:
    """Whether networks are trained as one: they share all shapes, and it is the faster way.

    Measured on one core over random cells, three seeds together against one at a time: 1.7 times as fast with the small
    skeleton on pictures of 16 pixels, 0.9 times with the published one on 32, whose features no cache holds.
    """
    faster = device.type == "cuda" or max(build_run.images.shape[:2]) <= SMALL
    return isinstance(build_run.space, Topology) and faster


def _capacity(device: torch.device, trained: int, left: int) -> int:
    """How many classes fit, from the memory that the first ``trained`` took; ``left`` where it cannot be asked for."""
    if device.type != "cuda":
        return max(1, left)
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, trained, min(left, int(FILLED * free / torch.cuda.max_memory_allocated(device)) * trained))


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in one order whatever the machine, and no two processes on one core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
