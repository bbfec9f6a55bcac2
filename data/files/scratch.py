"""Numbers on their way into a table: rows of every architecture in scratch files, so that memory stays small."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from ...bench.whole import is_alive

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
K = TypeVar("K", bound=Hashable)
PREFIX = ".nasgauge-scratch-"


@dataclass(frozen=True)
class Kept(Generic[K]):
    """Where rows lie that a process wrote: a few numbers, in place of the rows, for whoever gathers them."""

    file: str
    archs: tuple[Integers, ...]  # most keys are of the same architectures
    pieces: tuple[tuple[K, int, int, int], ...]  # key, place in ``archs``, width of the rows, offset in the file


def keep(folder: Path, numbers: Mapping[K, tuple[Integers, Floats]] | Kept[K]) -> Kept[K]:
    """Append rows (n, width) of architectures (n,) to this process's file in ``folder``, in one piece."""
    if isinstance(numbers, Kept):
        return numbers
    archs: dict[bytes, tuple[int, Integers]] = {}
    pieces, contents = [], []
    path = folder / f"numbers-{os.getpid()}"
    with open(path, "ab") as file:
        end = file.tell()
        for key, (those, rows) in numbers.items():
            place, _ = archs.setdefault(those.tobytes(), (len(archs), those))
            pieces.append((key, place, rows.shape[1], end))
            contents.append(rows.tobytes())
            end += len(contents[-1])
        file.write(b"".join(contents))
    return Kept(str(path), tuple(those for _, those in archs.values()), tuple(pieces))


class Scratch(Generic[K]):
    """Key -> rows (n, width) of float64 of some architectures, in files on disk that only grow.

    Who makes rows writes them, here or in another process (`keep`); a key's rows are gathered when asked for.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, int] = {}  # path -> descriptor, once read from
        self._parts: dict[K, list[tuple[Integers, str, int]]] = {}  # architectures, file, offset
        self._widths: dict[K, int] = {}

    def put(self, numbers: Mapping[K, tuple[Integers, Floats]] | Kept[K]) -> None:
        """Take rows (n, width) of architectures (n,), of any number of keys; each architecture comes once a key."""
        kept = keep(self._folder, numbers)
        for key, place, width, offset in kept.pieces:
            self._widths.setdefault(key, width)
            self._parts.setdefault(key, []).append((kept.archs[place], kept.file, offset))

    def __iter__(self) -> Iterator[K]:
        """All keys, in the order they came."""
        return iter(self._parts)

    def get(self, key: K) -> tuple[Integers, Floats]:
        """Architectures that have a row, and their rows (n, width), in the order they came."""
        parts, width = self._parts[key], self._widths[key]
        archs = np.concatenate([those for those, _, _ in parts])
        rows = np.empty((len(archs), width))
        at = 0
        for those, path, offset in parts:
            content = os.pread(self._opened(path), len(those) * width * 8, offset)
            rows[at : at + len(those)] = np.frombuffer(content, dtype=np.float64).reshape(len(those), width)
            at += len(those)
        return archs, rows

    def _opened(self, path: str) -> int:
        if path not in self._files:
            self._files[path] = os.open(path, os.O_RDONLY)
        return self._files[path]

    def close(self) -> None:
        """Give the files back."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()


@contextmanager
def scratch_folder(beside: Path) -> Iterator[Path]:
    """A folder next to the file ``beside`` that goes in any case; one of a process that was killed goes now."""
    beside.parent.mkdir(parents=True, exist_ok=True)
    for left in beside.parent.glob(f"{PREFIX}*"):
        found = re.fullmatch(re.escape(PREFIX) + r"([0-9]+)-.*", left.name)
        if found and not is_alive(int(found[1])):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=beside.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
