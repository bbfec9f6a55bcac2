"""The folder of a build: `run.json` says what is trained, immutable parts hold what came out of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from ..environment import environment
from ..errors import BadFile, BadValue, MissingFile
from ..run_folder import RunFolder
from ..spaces import Ids, Space
from ..whole import write_whole
from .images import Images, describe_images
from .protocol import Protocol

ORDER_SEED = 0
ASKED = ("space", "classes", "images", "macro", "recipe", "seeds", "order_seed", "classes_a_part")

Part = dict[str, npt.NDArray[np.generic]]


class BuildFolder(RunFolder):
    """Parts are compressed arrays."""

    format = "nasgauge-build"
    schema = 2
    made_by = "`nasgauge build ... --run`"
    option = "--run"
    suffix = "npz"


@dataclass(frozen=True)
class BuildRun:
    """A build in ``folder``: every isomorphism class of ``space`` once, with every seed, on ``images``.

    Classes are trained in a random order that depends on the space alone, so that any number of finished parts is an
    unbiased sample; part k holds the ``classes_a_part`` classes of that order from k ``classes_a_part`` on, whoever
    trained them.
    """

    folder: Path
    space: Space
    images: Images
    protocol: Protocol
    seeds: tuple[int, ...]
    classes_a_part: int = 8

    @cached_property
    def order(self) -> Ids:
        """The smallest id of every class, in the order of training."""
        classes = np.unique(self.space.canonical(np.arange(self.space.size)))
        return np.random.default_rng(ORDER_SEED).permutation(classes)

    def parts(self, sample: int | None = None) -> list[int]:
        """Numbers of the parts that hold the first ``sample`` classes (all by default)."""
        count = len(self.order) if sample is None else sample
        if not 1 <= count <= len(self.order):
            raise BadValue(f"sample={sample}; the space has 1 to {len(self.order):,} classes to train")
        return list(range(-(-count // self.classes_a_part)))

    def classes_of(self, part: int) -> Ids:
        """The classes of one part."""
        return self.order[part * self.classes_a_part : (part + 1) * self.classes_a_part]

    def path(self, part: int) -> Path:
        """Where a part lies or will lie."""
        return self.folder / f"part-{part:05d}.{BuildFolder.suffix}"

    def missing(self, parts: Sequence[int]) -> list[int]:
        """Those of ``parts`` that are not there yet."""
        return [part for part in parts if not self.path(part).is_file()]

    def start(self) -> None:
        """Make the folder, or go on with the one that is there.

        Raises:
            BadValue: the folder holds another build, or other files.
        """
        BuildFolder.create(self.folder, self._config(), ASKED)

    def made_with(self) -> dict[str, Any]:
        """Versions, commit, host and time of the first start."""
        config = BuildFolder(self.folder).config
        return {key: config.get(key) for key in ("versions", "git", "host", "started")}

    def write(self, part: int, content: Part) -> None:
        """Keep a finished part; it appears whole or not at all."""
        packed = io.BytesIO()
        np.savez_compressed(packed, **content)  # type: ignore[arg-type]
        write_whole(self.path(part), packed.getvalue())

    def read(self, part: int) -> Part:
        """A finished part: arrays with one row a class, in the order of `classes_of`.

        Raises:
            MissingFile: it has not been trained yet.
            BadFile: the file is damaged or holds other classes.
        """
        path = self.path(part)
        if not path.is_file():
            raise MissingFile(f"part {part} of {self.folder} has not been trained yet; start the build again")
        try:
            with np.load(path, allow_pickle=False) as stored:
                content = dict(stored)
        except (OSError, ValueError, BadZipFile) as error:
            raise BadFile(f"{path}: unreadable ({error}); delete it, and the same command trains it again") from error
        if not np.array_equal(content.get("classes", ()), self.classes_of(part)):
            raise BadFile(f"{path}: holds other classes than part {part}; delete it and start the command again")
        return content

    def _config(self) -> dict[str, Any]:
        images = describe_images(self.images)
        source = images.pop("source")  # who describes the same images in other words goes on with the same build
        return {
            "space": self.space.name, "classes": len(self.order), "images": images, "images_source": source,
            **self.protocol.to_json(), "seeds": list(self.seeds), "order_seed": ORDER_SEED,
            "classes_a_part": self.classes_a_part, **environment("torch"),
        }  # fmt: skip
