"""Verification runs: trainings of some architectures in a run folder, beside what the table says about them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...bench.benchmark import Benchmark
from ...bench.counts import check_count
from ...bench.describe import origin
from ...bench.environment import environment
from ...bench.errors import BadValue
from ...bench.live import need_torch
from ...bench.live.verify import Plan, plan_of, question, statement, stratified, tabulated, train_one
from ...bench.run_folder import folder_for, read_frame
from ...bench.spaces import Architectures
from .run import Run
from .verification_images import check_pictures, departures_of, pictures_of

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
    base_seed: int | None = None,
    images: str | os.PathLike[str] | Images | None = None,
    image_folder: str | os.PathLike[str] | None = None,
    validation: float | str | None = None,
    limit: int | None = None,
    size: int | None = None,
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
        base_seed: default: 0; for a table that was built here the first above all of its own, so that no training of
            it is merely repeated.
        images: what to train on, an `Images` or what `data.images.load` takes; default: the data set's name, whose
            pictures must then be those that a table built here was made of.
        image_folder: where the official files lie.
        validation: how training and validation images are told apart; default: as the table's metric was measured.
        limit: train, validate and test on the first so many images only.
        size: make images smaller, to this side in pixels.
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

    check_count("seeds", seeds, "the trainings of each architecture")
    if base_seed is None:
        base_seed = _first_seed(bench)
    check_count("base_seed", base_seed, "the first seed", least=0)
    where = device_of(device)
    ids = _chosen(bench, archs, sample, base_seed, question(bench, dataset, metric, budget))
    plan = plan_of(
        bench, ids, dataset=dataset, metric=metric, budget=budget, changes=dict(recipe or {}),
        seeds=range(base_seed, base_seed + seeds),
    )  # fmt: skip
    pictures = pictures_of(plan, bench, images, image_folder, validation, limit, size)
    described = describe_images(pictures)
    departures = departures_of(plan, bench, described, validation, limit)
    if departures and plan.own and (images, limit, size) == (None, None, None):
        raise BadValue(f"{departures[0]}; give them with images=, limit= and size=, or say which others to train on")
    check_pictures(bench, plan, pictures)
    config = {
        "kind": "verify", "benchmark": origin(bench), "plan": plan.to_json(), "images": described,
        "departures": departures,
        "channels_last": channels_last, "compiled": compiled, "tabulated": tabulated(bench, plan),
        "published": _published(plan, bench),
        "given": {
            "images": None if images is None else os.fspath(images) if not isinstance(images, Images) else images.name,
            "validation": validation, "limit": limit, "size": size, "device": device, "recipe": dict(recipe or {}),
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


def _first_seed(bench: Benchmark) -> int:
    """0, or the first seed above those of a table built here: with one of them its very training would be repeated."""
    known = [seed for entry in bench.index.entries for seed in entry.seeds or ()] if statement(bench) else []
    return max(known, default=-1) + 1


def _published(plan: Plan, bench: Benchmark) -> dict[str, Any]:
    """The recipe with which the table was made, unchanged."""
    unchanged = plan_of(bench, np.array(plan.ids), dataset=plan.dataset, metric=plan.metric, budget=plan.budget)
    return unchanged.to_json()["recipe"]
