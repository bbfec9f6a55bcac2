"""A benchmark of one's own: every class of a space trained for real, into a table."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..errors import BadValue
from ..parallel import in_parallel
from ..spaces import Ids, Space, Topology
from .batches import Batches
from .build_run import CLASSES_A_PART, BuildRun, Part
from .build_table import write_build
from .device import device_of
from .images import SPLITS, Images
from .network import CellNetwork
from .networks import network
from .population_training import Curves, train_population
from .protocol import Protocol


def build(
    space: Space,
    images: Images,
    *,
    out: str | os.PathLike[str],
    budget: int = 12,
    seeds: int = 3,
    sample: int | None = None,
    protocol: Protocol | None = None,
    run: str | os.PathLike[str] | None = None,
    device: str = "cpu",
    jobs: int = -1,
    cluster: str | None = None,
    licence: str = "not stated",
    progress: bool = False,
) -> Path:
    """Train one architecture of every isomorphism class with every seed, and write the table; answers its path.

    Killed at any moment, the same call goes on where it was: what is trained lies in the run folder, in parts that
    appear whole. The numbers depend on space, images, protocol and seeds, not on jobs, kills or the order of work
    (measured seconds aside; a GPU adds up in an order of its own, so its last digits differ from a CPU's).

    Args:
        out: path of the table; its stem becomes the table's name.
        budget: epochs of every training.
        seeds: trainings of every class, with the seeds 0, 1, ...
        sample: train only so many classes, drawn at random; the others are unknown to the table. A later call with a
            larger sample trains the difference.
        protocol: skeleton and recipe; default: `Protocol.of` the images.
        run: the run folder; default: ``runs/NAME``.
        device: "cpu", "cuda" or "cuda:N". A CPU trains the seeds of a class together (measured to be the fastest), a
            GPU as many classes as its memory holds.
        jobs: processes on a CPU; -1: one per core.
        cluster: address of a Dask scheduler whose workers train instead.
        licence: of the table.

    Raises:
        BadValue: an illegal argument, or a run folder that holds another build.
    """
    out = Path(out)
    if not isinstance(space, Topology):
        raise BadValue(f"build trains cells of the space 'topology'; space {space.name!r} given")
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise BadValue(f"seeds={seeds!r}; give the number of trainings of every class, at least 1")
    protocol = protocol or Protocol.of(images, budget)
    if protocol.recipe.epochs != budget:
        raise BadValue(f"budget={budget}, but the protocol's recipe trains {protocol.recipe.epochs} epochs")
    protocol.macro.check_image(images.shape)
    target = device_of(device)
    folder = Path(run) if run is not None else Path("runs") / out.stem
    build_run = BuildRun(folder, space, images, protocol, tuple(range(seeds)))
    parts = build_run.parts(sample)
    build_run.start()
    missing = build_run.missing(parts)
    if target.type == "cpu":
        pieces = [(build_run, part) for part in missing]
        for part, content in in_parallel(
            train_part, pieces, jobs=jobs, cluster=cluster, total=len(parts), progress=progress
        ):
            build_run.write(part, content)
    else:
        _train_on_gpu(build_run, missing, target, len(parts), progress)
    return write_build(build_run, parts, out, licence=licence)


def train_part(build_run: BuildRun, part: int) -> tuple[int, Part]:
    """Train the classes of a part on one core, one after the other, all seeds of a class together."""
    with _one_thread():
        batches = Batches(build_run.images, "cpu", channels_last=True)
        classes = build_run.classes_of(part)
        done = [_train(build_run, classes[row : row + 1], batches) for row in range(len(classes))]
    return part, _part(classes, done)


def _train_on_gpu(
    build_run: BuildRun, missing: Sequence[int], device: torch.device, total: int, progress: bool
) -> None:
    """Train as many parts together as fit: half as many after running out of memory, for good."""
    from tqdm import tqdm

    batches = Batches(build_run.images, device)
    together, left = max(1, len(missing)), list(missing)
    with tqdm(total=total, initial=total - len(missing), unit="part", disable=not progress) as bar:
        while left:
            now = left[:together]
            try:
                done = _train(build_run, np.concatenate([build_run.classes_of(part) for part in now]), batches)
            except torch.OutOfMemoryError:
                if together == 1:
                    raise BadValue(
                        f"{CLASSES_A_PART * len(build_run.seeds)} networks do not fit the memory of {device}; choose "
                        "a smaller batch or skeleton, or device='cpu'"
                    ) from None
                together = max(1, min(together, len(left)) // 2)
                torch.cuda.empty_cache()
                continue
            for number, part in enumerate(now):
                build_run.write(part, _part(build_run.classes_of(part), [done], number * CLASSES_A_PART))
            left = left[len(now) :]
            bar.update(len(now))


@dataclass(frozen=True)
class _Trained:
    """The curves of some classes, members in the order class, seed."""

    curves: Curves
    seeds: int


def _train(build_run: BuildRun, classes: Ids, batches: Batches) -> _Trained:
    """Train classes x seeds as one population."""
    networks: list[CellNetwork] = []
    seeds: list[int] = []
    for arch in classes.tolist():
        for seed in build_run.seeds:
            each = network(
                build_run.space, arch, build_run.images.classes, macro=build_run.protocol.macro, seed=seed,
                device=batches.device,
            )  # fmt: skip
            assert isinstance(each, CellNetwork)
            networks.append(each)
            seeds.append(seed)
    return _Trained(train_population(networks, seeds, batches, build_run.protocol.recipe), len(build_run.seeds))


def _part(classes: Ids, done: Sequence[_Trained], first: int = 0) -> Part:
    """What a part keeps: one row for each of ``classes``, which begin at row ``first`` of what was trained."""

    def rows(values: list[np.ndarray]) -> np.ndarray:  # type: ignore[type-arg]
        whole = np.concatenate([each.reshape(-1, done[0].seeds, *each.shape[1:]) for each in values])
        return whole[first : first + len(classes)]

    part: Part = {"classes": np.asarray(classes)}
    for split in SPLITS:
        part[f"{split}_correct"] = rows([each.curves.correct[split].astype(np.int32) for each in done])
        part[f"{split}_loss"] = rows([each.curves.loss[split] for each in done])
    for name in ("train_seconds", "valid_seconds"):
        values = [np.full(len(each.curves.correct["train"]), getattr(each.curves, name)) for each in done]
        part[name] = rows(values)
    return part


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums in one order whatever the machine, and no two processes on one core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
