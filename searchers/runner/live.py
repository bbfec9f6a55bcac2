"""Live search: what a searcher is told is trained for real, and only what it found is looked up."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...bench.benchmark import Benchmark
from ...bench.clock import Clock
from ...bench.counts import check_count
from ...bench.errors import BadValue, UnknownName
from ...bench.live import need_torch
from ...bench.live.images import Images
from ...bench.live.macro import macro_of
from ...bench.live.protocol import Protocol
from ...bench.live.recipe import TrainingRecipe
from ...bench.objective import Objective

if TYPE_CHECKING:
    from .plan import Task

WHOLE = ("mean", "runs")


@dataclass(frozen=True)
class Live:
    """How the evaluations of a live search are trained.

    Args:
        images: what to train on, an `Images` or what `data.images.load` takes; default: the set that the data set is
            named after, which must be what the table was made of, where the table says so.
        image_folder: where the official files lie.
        limit, size: at most so many pictures of every split; their side in pixels.
        seeds: trainings of every isomorphism class; a searcher is told their mean and charged their sum.
        device: "cpu", "cuda", "cuda:1".
        sha256: refuse pictures with another checksum; None takes any.

    Raises:
        BadValue: an argument of another kind, or seeds below 1.
    """

    images: str | os.PathLike[str] | Images | None = None
    image_folder: str | os.PathLike[str] | None = None
    limit: int | None = None
    size: int | None = None
    seeds: int = 1
    device: str = "cpu"
    sha256: str | None = None

    def __post_init__(self) -> None:
        check_count("seeds", self.seeds, "the trainings of every class")
        for key, kinds in (("image_folder", (str, os.PathLike)), ("device", (str,)), ("sha256", (str,))):
            value = getattr(self, key)
            if not (isinstance(value, kinds) or (value is None and key != "device")):
                raise BadValue(f"{key}={value!r}; it is a text")
        if not (self.images is None or isinstance(self.images, (str, os.PathLike, Images))):
            raise BadValue(f"images={self.images!r}; give the name of a set, a path, or an Images")

    @classmethod
    def of(cls, given: bool | Live | Mapping[str, Any]) -> Live | None:
        """From True (as is), False (none), or a table of the fields; UnknownName lists them."""
        if isinstance(given, Mapping):
            names = [field.name for field in fields(cls)]
            for key in given:
                if key not in names:
                    raise UnknownName.of("key of live", key, names)
            return cls(**given)
        if isinstance(given, Live):
            return given
        if not isinstance(given, bool):
            raise BadValue(f"live={given!r}; legal: True, False or Live(...)")
        return cls() if given else None

    def load(self, dataset: str) -> Images:
        """The pictures, by default those that ``dataset`` is named after; errors are those of `data.images.load`."""
        from ...data.images import load

        if not isinstance(self.images, Images):
            name = dataset.removesuffix("-valid") if self.images is None else self.images
            return load(name, self.image_folder, limit=self.limit, size=self.size)
        if self.size is not None:
            raise BadValue(f"size={self.size!r}; pictures given as Images keep their size")
        return self.images if self.limit is None else self.images.first(self.limit)


@dataclass(frozen=True, eq=False)
class Training:
    """Everything that decides what a training gives: `Live` with the pictures read and the table's protocol.

    ``pictures`` describes the images with their checksum; ``tabulated`` is whether the table was made of the same ones
    (None where it does not say). Finished trainings are kept in ``folder``: repetitions share them, and a killed run
    goes on with the same numbers. Where two processes train one class at a time, the first to finish is believed.
    """

    asked: Live
    images: Images
    pictures: Mapping[str, Any]
    protocol: Protocol
    seeds: range
    tabulated: bool | None
    folder: Path | None = None

    @classmethod
    def of(cls, bench: Benchmark, tasks: tuple[Task, ...], live: Live) -> Training:
        """The training that a live search on the one task does.

        Skeleton and recipe are the table's own where it was built here, those of the space's benchmark on the set that
        the data set is named after, else those of `Protocol.of` the images. Seeds count up from the first above all
        seeds of the table, so that no tabulated training is repeated.

        Raises:
            MissingPackage: PyTorch is not installed.
            MissingFile, BadFile: the images are not there (how to get them is said) or damaged.
            BadValue: several data sets, a space that cannot be trained, other pictures than expected.
        """
        need_torch("live search")
        from ...bench.live.images import describe_images

        if len(tasks) > 1:
            names = ", ".join(task.dataset for task in tasks)
            raise BadValue(f"a live search trains on one set of images; give one of the data sets {names}")
        (task,) = tasks
        entry = bench.index.find("valid_accuracy", task.dataset, task.budget, WHOLE)
        extra: dict[str, Any] = next((each.info["extra"] for each in bench.tables if entry in each.entries), {})
        images = live.load(task.dataset)
        pictures = describe_images(images)
        expected = extra.get("images", {}).get("sha256")
        tabulated = None if expected is None else bool(expected == pictures["sha256"])
        if live.images is None and tabulated is False:
            raise BadValue(
                f"{bench.name} was made of other pictures than the set {images.name!r} holds here; say which to train "
                "on with images=, or make them the table's with limit= and size="
            )
        if live.sha256 not in (None, pictures["sha256"]):
            raise BadValue(f"sha256={live.sha256!r} asked, but the pictures of {images.name!r} have another checksum")
        named = live.images is None and live.size is None
        protocol = (Protocol.published if named else Protocol.of)(images, task.budget, bench.space)
        if "recipe" in extra:
            protocol = Protocol(macro_of(extra["macro"]), TrainingRecipe(**extra["recipe"])).but(epochs=task.budget)
        known = {seed for each in bench.index.entries for seed in each.seeds or ()}
        first = max(known, default=-1) + 1
        return cls(live, images, pictures, protocol, range(first, first + live.seeds), tabulated)

    def objective(
        self, bench: Benchmark, task: Task, clock: Clock, costs: npt.NDArray[np.float64] | None,
        allowed: npt.NDArray[np.bool_] | None,
    ) -> Objective:  # fmt: skip
        """What one repetition may know and spend; see `LiveObjective`."""
        from ...bench.live.objective import LiveObjective

        return LiveObjective(
            bench.space, self.images, clock, budget=task.budget, budgets=task.budgets, protocol=self.protocol,
            seeds=len(self.seeds), base_seed=self.seeds[0], device=self.asked.device, folder=self.folder, costs=costs,
            allowed=allowed,
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """What run.json says under ``live``."""
        return {
            "images": dict(self.pictures), "as_tabulated": self.tabulated, **self.protocol.to_json(),
            "protocol": self.protocol.describe(), "seeds": list(self.seeds), "device": self.asked.device,
        }  # fmt: skip

    def to_toml(self) -> dict[str, Any]:
        """The table [live] of a study that trains on these very pictures; those given as `Images` by their name."""
        from ...data.images.sets import NAMES

        live = self.asked
        name: Any = live.images.name if isinstance(live.images, Images) else live.images
        if name is not None and not isinstance(live.images, Images) and name not in NAMES:
            name = str(Path(name).expanduser().resolve())
        where = None if live.image_folder is None else str(Path(live.image_folder).expanduser().resolve())
        content = {
            "images": name, "image_folder": where, "limit": live.limit, "size": live.size, "seeds": live.seeds,
            "device": live.device, "sha256": self.pictures["sha256"],
        }  # fmt: skip
        return {key: value for key, value in content.items() if value is not None}


def beside(live: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A table [live] whose paths count from ``folder``; what is not there stays as it is written."""
    from ...data.images.sets import NAMES

    given = {key: live[key] for key in ("images", "image_folder") if isinstance(live.get(key), str)}
    there = {key: folder / Path(name).expanduser() for key, name in given.items() if name not in NAMES}
    return {**live, **{key: str(path) for key, path in there.items() if path.exists()}}
