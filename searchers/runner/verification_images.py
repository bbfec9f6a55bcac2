"""The pictures of a verification: found, fit for the network, and compared with those that the table was made of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ...bench.benchmark import Benchmark
from ...bench.errors import BadValue
from ...bench.live.images import Images
from ...bench.live.macro import Macro, StackMacro
from ...bench.live.verify import Plan, statement
from ...data.images.published import PUBLISHED
from ...data.images.sets import NAMES, load


def pictures_of(
    plan: Plan, bench: Benchmark, images: str | os.PathLike[str] | Images | None,
    folder: str | os.PathLike[str] | None, validation: float | str | None, limit: int | None, size: int | None,
) -> Images:  # fmt: skip
    """The pictures to train on, divided as those were that the table's metric was measured with.

    Raises:
        BadValue: a table of pictures of one's own, which have to be given; a size for `Images`.
        MissingFile, BadFile, UnknownName: as `data.images.load`.
    """
    if isinstance(images, Images):
        if size is not None:
            raise BadValue(f"size={size!r}; pictures given as Images keep their size")
        return images if limit is None else images.first(limit)
    name = plan.dataset.removesuffix("-valid") if images is None else images
    if images is None and plan.own and name not in NAMES:
        source = statement(bench).get("images", {}).get("source") or name
        raise BadValue(f"{bench.name} was made of pictures of your own ({source}); say where they lie with images=")
    how = _validation(plan, bench.space.name) if validation is None else validation
    return load(name, folder, limit=limit, size=size, validation=how)  # type: ignore[arg-type]


def departures_of(
    plan: Plan, bench: Benchmark, described: Mapping[str, Any], validation: float | str | None, limit: int | None
) -> list[str]:
    """In words, how the pictures differ from those that the table was made of: no values can be compared then.

    A table that was built here holds their checksum. Of a published one, name, number and size of the pictures and the
    way they are divided are known.
    """
    if plan.own:
        made = statement(bench).get("images", {})
        if made.get("sha256") == described["sha256"]:
            return []
        return [f"{bench.name} was made of other pictures: {in_short(made)}, not {in_short(described)}"]
    name = plan.dataset.removesuffix("-valid")
    standard = PUBLISHED.get(name)
    lines = [] if limit is None else [f"at most {limit:,} images of each split"]
    if standard is None or described["name"] != name or described["shape"] != [standard.side, standard.side, 3]:
        lines.append(f"images: {in_short(described)}, in place of {name} as it was published")
    elif limit is None and sum(described["pictures"].values()) != sum(standard.counts):
        lines.append(f"images: {in_short(described)}, {sum(standard.counts):,} in {name} as it was published")
    usual = _validation(plan, bench.space.name)
    if validation not in (None, "nb201", usual):
        lines.append(f"validation: {validation} instead of {usual}")
    return lines


def in_short(described: Mapping[str, Any]) -> str:
    """What `describe_images` says, in short."""
    if not described:
        return "unknown ones"
    counts = ", ".join(f"{described['pictures'][split]:,} {split}" for split in ("train", "valid", "test"))
    height, width, _ = described["shape"]
    return f"{described['name']} of {height} x {width} pixels ({counts})"


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


def check_pictures(bench: Benchmark, plan: Plan, images: Images) -> None:
    """Images that do not fit the network, or have no split to compare on, are an error before anything is trained."""
    macro = plan.macro or (StackMacro() if bench.space.name == "cells101" else Macro())
    macro.check_image(images.shape)
    split = "test" if plan.metric == "valtest_accuracy" else plan.metric.removesuffix("_accuracy")
    if not images.count(split):
        raise BadValue(
            f"{plan.metric} is to be verified, but {images.name} has no {split} images as it is divided here"
        )
