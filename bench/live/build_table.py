"""From the parts of a build to a table: one row a class, shared by its members."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..column import Column
from ..spaces import Ids
from ..table import write_table
from .build_run import BuildRun, Part
from .images import SPLITS, describe_images

MEANS = {
    "train": "collected during the epoch, while the weights still move",
    "valid": "never trained on",
    "test": "never trained on, and not for a searcher to see",
}


def write_build(
    build_run: BuildRun, out: Path, *, sample: int | None = None, loss_curves: bool = True, licence: str
) -> Path:
    """Write the table of the first ``sample`` classes to ``out``; a class answers for each of its architectures.

    Raises:
        BadFile: a part is damaged.
        MissingFile: a part has not been trained yet.
    """
    protocol, images = build_run.protocol, build_run.images
    whole = _joined([build_run.read(part) for part in build_run.parts(sample)], build_run.order[:sample])
    share = len(whole["classes"]) / len(build_run.order)
    notes = [
        f"protocol: {protocol.describe()}",
        f"images: {images.source or images.name}; " + ", ".join(f"{images.count(split):,} {split}" for split in SPLITS),
        f"{len(whole['classes']):,} of {len(build_run.order):,} isomorphism classes ({share:.1%}) trained, each with "
        f"seeds {', '.join(map(str, build_run.seeds))}; members of a class share its numbers",
        "a training whose loss is NaN diverged; it is kept, its accuracy is that of a network that answers NaN",
        "losses are rounded to three digits",
    ]
    extra = {
        **protocol.to_json(),
        "images": describe_images(images),
        "seeds": list(build_run.seeds),
        **build_run.made_with(),
    }
    return write_table(
        out, list(_columns(build_run, whole, loss_curves)), name=out.stem, space=build_run.space.name,
        title=f"{build_run.space.name} trained for real on {images.name}, {protocol.recipe.epochs} epochs",
        licence=licence, notes=notes, extra=extra, rows=rows_of(build_run, whole["classes"].astype(np.int64)),
    )  # fmt: skip


def rows_of(build_run: BuildRun, classes: Ids) -> npt.NDArray[np.int64]:
    """The place of every architecture's class in ``classes``, -1 where it is not among them; (architectures,)."""
    place = np.full(build_run.space.size, -1)
    place[classes] = np.arange(len(classes))
    answer: npt.NDArray[np.int64] = place[build_run.space.canonical(np.arange(build_run.space.size))]
    return answer


def _joined(parts: Sequence[Part], classes: Ids) -> Part:
    """What parts say of ``classes``, sorted by class."""
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(whole["classes"])
    order = order[np.isin(whole["classes"][order], classes)]
    return {name: values[order] for name, values in whole.items()}


def _columns(build_run: BuildRun, whole: Part, loss_curves: bool) -> Iterator[Column]:
    images, budget, seeds = build_run.images, build_run.protocol.recipe.epochs, build_run.seeds

    def column(metric: str, values: npt.NDArray[np.generic], split: str = "", out_of: int | None = None) -> Column:
        return Column(
            metric, values, dataset=images.name, budget=budget, seeds=seeds, out_of=out_of,
            trained_on=f"the {images.count('train'):,} training pictures of {images.name}",
            evaluated_on=f"its {images.count(split):,} {split} pictures, {MEANS[split]}" if split else "",
        )  # fmt: skip

    for split in SPLITS:
        count = images.count(split)
        if count:
            correct = whole[f"{split}_correct"].astype(np.int16 if count < 2**15 else np.int32)
            loss = _short(whole[f"{split}_loss"])
            yield column(f"{split}_accuracy", correct[:, :, -1], split, count)
            yield column(f"{split}_accuracy", correct, split, count)
            yield column(f"{split}_loss", loss[:, :, -1], split)
            if loss_curves:
                yield column(f"{split}_loss", loss, split)
    seconds = whole["train_seconds"].astype(np.float32)
    yield column("train_seconds", seconds)
    yield column("search_seconds", seconds + whole["valid_seconds"].astype(np.float32))


def _short(losses: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Losses as float16 where their size allows it: a network whose statistics are off can have one of 100,000."""
    fits = np.nanmax(np.abs(losses), initial=0) < np.finfo(np.float16).max
    return losses.astype(np.float16 if fits else np.float32)
