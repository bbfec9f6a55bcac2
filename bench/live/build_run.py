"""The folder of a build: `run.json` says what is trained, immutable parts hold what came out of it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from ..environment import environment
from ..errors import BadFile, BadValue, MissingFile
from ..spaces import Ids, Space
from ..whole import write_whole
from .images import Images, describe_images
from .protocol import Protocol

FORMAT = "nasgauge-build"
SCHEMA = 1
ORDER_SEED = 0
ASKED = ("space", "classes", "images", "macro", "recipe", "seeds", "order_seed", "classes_a_part")

Part = dict[str, npt.NDArray[np.generic]]


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
        return self.folder / f"part-{part:05d}.npz"

    def missing(self, parts: Sequence[int]) -> list[int]:
        """Those of ``parts`` that are not there yet."""
        return [part for part in parts if not self.path(part).is_file()]

    def start(self) -> None:
        """Make the folder, or go on with the one that is there.

        Raises:
            BadValue: the folder holds another build, or other files.
        """
        path = self.folder / "run.json"
        given = json.loads(json.dumps(self._config()))
        if path.exists():
            self._compare(path, given)
            return
        if self.folder.is_dir() and any(entry.name.startswith("part-") for entry in self.folder.iterdir()):
            raise BadValue(f"{self.folder} holds parts of something else; choose another run folder")
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(given, indent=1, sort_keys=True).encode())

    def made_with(self) -> dict[str, Any]:
        """Versions, commit, host and time of the first start."""
        config = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
        return {key: config.get(key) for key in ("versions", "git", "host", "started")}

    def _compare(self, path: Path, given: Mapping[str, Any]) -> None:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise BadFile(f"{path}: not JSON ({error}); delete the folder to build anew") from error
        if not isinstance(found, dict) or found.get("format") != FORMAT or found.get("schema") != SCHEMA:
            raise BadValue(f"{self.folder} is no folder of a build (schema {SCHEMA}); choose another run folder")
        for key in ASKED:
            if _essence(found.get(key)) != _essence(given[key]):
                raise BadValue(
                    f"{self.folder} holds a build with {key}={found.get(key)!r}, now {key}={given[key]!r} is asked; "
                    "choose another run folder, or delete this one"
                )

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
        return {
            "format": FORMAT, "schema": SCHEMA, "space": self.space.name, "classes": len(self.order),
            "images": describe_images(self.images), **self.protocol.to_json(), "seeds": list(self.seeds),
            "order_seed": ORDER_SEED, "classes_a_part": self.classes_a_part,
            **environment("torch"),
        }  # fmt: skip


def _essence(value: Any) -> Any:
    """A value without words: who describes the same images otherwise still goes on with the same build."""
    return {key: each for key, each in value.items() if key != "source"} if isinstance(value, dict) else value
