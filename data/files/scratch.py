"""Numbers on their way into a table: rows of every architecture in one scratch file, so that memory stays small."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from ...bench.whole import is_alive

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
K = TypeVar("K", bound=Hashable)
PREFIX = ".nasgauge-scratch-"


class Scratch(Generic[K]):
    """Key -> rows (n, width) of float64 of some architectures, one file on disk that only grows.

    What comes together is written together, in one piece; a key's rows are gathered from the pieces when asked for.
    """

    def __init__(self, folder: Path) -> None:
        self._file = open(folder / "numbers", "w+b")  # noqa: SIM115
        self._parts: dict[K, list[tuple[Integers, int]]] = {}  # architectures, offset in the file
        self._widths: dict[K, int] = {}
        self._end = 0

    def put(self, numbers: Mapping[K, tuple[Integers, Floats]]) -> None:
        """Write rows (n, width) of architectures (n,), of any number of keys; each architecture comes once a key."""
        pieces = []
        shared: dict[bytes, Integers] = {}  # most keys are of the same architectures
        for key, (archs, rows) in numbers.items():
            self._widths.setdefault(key, rows.shape[1])
            those = shared.setdefault(archs.tobytes(), archs)
            self._parts.setdefault(key, []).append((those, self._end))
            pieces.append(rows.tobytes())
            self._end += len(pieces[-1])
        self._file.write(b"".join(pieces))
        self._file.flush()

    def __iter__(self) -> Iterator[K]:
        """All keys, in the order they came."""
        return iter(self._parts)

    def get(self, key: K) -> tuple[Integers, Floats]:
        """Architectures that have a row, and their rows (n, width), in the order they came."""
        parts, width = self._parts[key], self._widths[key]
        archs = np.concatenate([those for those, _ in parts])
        rows = np.empty((len(archs), width))
        at = 0
        for those, offset in parts:
            content = os.pread(self._file.fileno(), len(those) * width * 8, offset)
            rows[at : at + len(those)] = np.frombuffer(content, dtype=np.float64).reshape(len(those), width)
            at += len(those)
        return archs, rows

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


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
