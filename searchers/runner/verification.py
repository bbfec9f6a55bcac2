"""Verification runs: trainings of some architectures in a run folder, beside what the table says about them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...bench.benchmark import Benchmark
from ...bench.describe import origin
from ...bench.environment import environment
from ...bench.errors import BadValue
from ...bench.live import need_torch
from ...bench.live.verify import Plan, plan_of, question, stratified, tabulated, train_one
from ...bench.run_folder import folder_for, read_frame
from ...bench.spaces import Architectures
from .run import Run

if TYPE_CHECKING:
    import pandas as pd

    from ...bench.live.images import Images
    from ...bench.live.training import History

ASKED = ("kind", "benchmark", "plan", "images", "channels_last", "compiled")
"""The keys of run.json that decide the numbers."""


def verify(
    bench: Benchmark,
    archs: Architectures = (),
    folder: str | os.PathLike[str] | None = None,
    *,
    dataset: str | None = None,
    metric: str | None = None,
    budget: int | None = None,
    sample: int = 0,
    seeds: int = 3,
    base_seed: int = 0,
    images: str | os.PathLike[str] | Images | None = None,
    image_folder: str | os.PathLike[str] | None = None,
    validation: float | str | None = None,
    limit: int | None = None,
    recipe: Mapping[str, Any] | None = None,
    device: str = "cpu",
    compiled: bool = False,
    channels_last: bool = True,
    say: Callable[[str], None] | None = None,
    progress: bool = False,
) -> Run:
    """Train architectures with the recipe their table was made with, and keep every epoch in ``folder``.

    The folder may hold an earlier, killed start of the same verification: finished trainings are not done again, the
    one that was interrupted goes on after its last whole epoch.

    Args:
        archs: ids, texts or graphs.
        folder: default: one under ``runs/`` named after what is asked.
        dataset, metric, budget: what is compared; see `bench.live.verify.plan_of`.
        sample: so many further architectures, one from each of as many strata of the tabulated metric.
        seeds: trainings of every architecture, with the seeds ``base_seed``, ``base_seed + 1``, ...
        images: what to train on, an `Images` or what `data.images.load` takes; default: the data set's name.
        image_folder: where the official files lie.
        validation: how training and validation images are told apart; default: as the table's metric was measured.
        limit: train, validate and test on the first so many images only.
        recipe: fields of the recipe that shall differ, such as ``{"epochs": 3, "batch": 64}``.
        device: "cpu", "cuda", "cuda:1".
        compiled: run networks through ``torch.compile``.
        channels_last: keep images in the memory layout NHWC, which convolutions are fastest with.
        say: told, before anything is trained, what is: recipe, images, architectures, device.
        progress: show a progress bar on standard error.

    Raises:
        MissingPackage: PyTorch is not installed.
        MissingFile, BadFile: the images are not there (how to get them is said) or damaged.
        BadValue: unknown device, images that do not fit the network, a folder with something else in it.
    """
    need_torch("verification")
    from ...bench.live.batches import Batches
    from ...bench.live.device import describe, device_of
    from ...bench.live.images import Images, describe_images

    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise BadValue(f"seeds={seeds!r}; legal: a number of trainings of each architecture, at least 1")
    where = device_of(device)
    ids = _chosen(bench, archs, sample, base_seed, question(bench, dataset, metric, budget))
    plan = plan_of(
        bench, ids, dataset=dataset, metric=metric, budget=budget, changes=dict(recipe or {}),
        seeds=range(base_seed, base_seed + seeds),
    )  # fmt: skip
    pictures = _images(plan, bench, images, image_folder, validation, limit)
    _check(bench, plan, pictures)
    config = {
        "kind": "verify", "benchmark": origin(bench), "plan": plan.to_json(), "images": describe_images(pictures),
        "channels_last": channels_last, "compiled": compiled, "tabulated": tabulated(bench, plan),
        "published": _published(plan, bench),
        "given": {
            "images": None if images is None else os.fspath(images) if not isinstance(images, Images) else images.name,
            "validation": validation, "limit": limit, "device": device, "recipe": dict(recipe or {}),
        },
        **environment("torch"),
    }  # fmt: skip
    config["host"]["device"] = describe(where)
    if folder is None:
        folder = folder_for(f"verify-{bench.name}", config, ASKED)
    run = Run.create(folder, config, ASKED)
    if say is not None:
        for line in _words(bench, plan, pictures, config["host"]["device"]):
            say(line)
    left = [(arch, seed) for arch in plan.ids for seed in plan.seeds if not run.part(_name(arch, seed)).exists()]
    if left:
        _train(run, bench, plan, left, Batches(pictures, where, channels_last=channels_last), compiled, progress)
    return run


def trainings(run: Run) -> pd.DataFrame:
    """Every epoch of every finished training of a verification, ordered by architecture, seed and epoch.

    Columns: ``id``, ``seed``, ``epoch`` (from 1), the curves of `bench.live.training.History`, and, the same for all
    epochs of a training, ``images_per_second``, ``peak_memory`` [bytes; NaN on a CPU] and ``resumed_after`` [epochs].
    """
    import pandas as pd

    paths = sorted(run.folder.glob("part-*.parquet"))
    frames = [read_frame(path) for path in paths]
    if not frames:
        return pd.DataFrame()
    return pd.concat(frames, ignore_index=True).sort_values(["id", "seed", "epoch"], ignore_index=True)


def _words(bench: Benchmark, plan: Plan, images: Images, device: str) -> Iterator[str]:
    """What is about to be trained."""
    counts = ", ".join(f"{images.count(split):,} {split}" for split in ("train", "valid", "test"))
    yield f"recipe: {plan.recipe.describe()}"
    yield f"images: {images.name} ({counts})"
    yield f"trainings: {len(plan.ids)} architectures x {len(plan.seeds)} seeds on {device}"
    yield f"compared with: {bench.name}, {plan.metric} on {plan.dataset} after {plan.budget} epochs"


def _train(
    run: Run, bench: Benchmark, plan: Plan, left: Sequence[tuple[int, int]], batches: Any, compiled: bool,
    progress: bool,
) -> None:  # fmt: skip
    from tqdm import tqdm

    with tqdm(total=len(left) * plan.recipe.epochs, unit="epoch", disable=not progress) as bar:
        for arch, seed in left:
            checkpoint = run.folder / f".checkpoint-{_name(arch, seed)}.pt"
            bar.set_description(f"architecture {arch}, seed {seed}")

            def tell(epoch: int, row: Mapping[str, float]) -> None:
                bar.update()
                bar.set_postfix_str(f"train loss {row['train_loss']:.3f}, test {row['test_accuracy']:.2f} %")

            history = train_one(
                plan, bench.space, arch, seed, batches, checkpoint=checkpoint, compiled=compiled, on_epoch=tell
            )
            run.write_part(_name(arch, seed), _frame(arch, seed, history))
            checkpoint.unlink(missing_ok=True)


def _name(arch: int, seed: int) -> str:
    return f"{arch:06d}-{seed:05d}"


def _frame(arch: int, seed: int, history: History) -> pd.DataFrame:
    import pandas as pd

    epochs = len(history["train_loss"])
    return pd.DataFrame({
        "id": np.full(epochs, arch), "seed": np.full(epochs, seed), "epoch": np.arange(1, epochs + 1),
        **history.curves, "images_per_second": history.images_per_second, "peak_memory": history.peak_memory,
        "resumed_after": history.resumed_after,
    })  # fmt: skip


def _chosen(
    bench: Benchmark, archs: Architectures, sample: int, base_seed: int, asked: tuple[str, str, int]
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The architectures named, then those of the stratified sample that are not among them."""
    named = bench.space.ids(archs)
    if not sample:
        return named
    dataset, metric, budget = asked
    values = np.array(bench.query(np.arange(bench.space.size), metric, dataset=dataset, budget=budget))
    values[named] = np.nan
    return np.concatenate([named, stratified(values, sample, np.random.default_rng(base_seed))])


def _images(
    plan: Plan, bench: Benchmark, images: str | os.PathLike[str] | Images | None,
    folder: str | os.PathLike[str] | None, validation: float | str | None, limit: int | None,
) -> Images:  # fmt: skip
    from ...bench.live.images import Images
    from ...data.images import load

    if isinstance(images, Images):
        return images if limit is None else images.first(limit)
    name = plan.dataset.removesuffix("-valid") if images is None else images
    how = _validation(plan, bench.space.name) if validation is None else validation
    return load(name, folder, limit=limit, validation=how)  # type: ignore[arg-type]


def _validation(plan: Plan, space: str) -> float | str:
    """How the table's metric told training and validation images apart.

    NAS-Bench-101 validates on 10,000 of the 50,000 training images, always. In NAS-Bench-201 and NATS-Bench the test
    accuracy of "cifar10" belongs to networks trained on all 50,000 images, its validation accuracy (and all of
    "cifar10-valid") to networks trained on half of them.
    """
    if plan.own:
        return "standard"
    if space == "cells101":
        return 0.2
    halves = plan.dataset == "cifar10-valid" or plan.metric == "valid_accuracy" or plan.dataset != "cifar10"
    return "standard" if halves and plan.metric != "valtest_accuracy" else "none"


def _check(bench: Benchmark, plan: Plan, images: Images) -> None:
    """Images that do not fit the network, or have no split to compare on, are an error before anything is trained."""
    from ...bench.live.macro import Macro, StackMacro

    macro = plan.macro or (StackMacro() if bench.space.name == "cells101" else Macro())
    macro.check_image(images.shape)
    split = "test" if plan.metric == "valtest_accuracy" else plan.metric.removesuffix("_accuracy")
    if not images.count(split):
        raise BadValue(
            f"{plan.metric} is to be verified, but {images.name} has no {split} images as it is divided here"
        )


def _published(plan: Plan, bench: Benchmark) -> dict[str, Any]:
    """The recipe with which the table was made, unchanged."""
    unchanged = plan_of(bench, np.array(plan.ids), dataset=plan.dataset, metric=plan.metric, budget=plan.budget)
    return unchanged.to_json()["recipe"]
