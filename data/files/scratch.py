"""Numbers on their way into a table: rows of every architecture in one scratch file, so that memory stays small."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from ...bench.whole import is_alive

Floats = npt.NDArray[np.float64]
K = TypeVar("K", bound=Hashable)
PREFIX = ".nasgauge-scratch-"


class Scratch(Generic[K]):
    """Key -> (n_arch, width) array of float64 on disk, with a mask of the rows that were put.

    The file is sparse where the file system allows it: what was never put takes no space.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._file = open(folder / "numbers", "w+b")  # noqa: SIM115
        self._count = count
        self._offsets: dict[K, tuple[int, int]] = {}
        self._there: dict[K, npt.NDArray[np.bool_]] = {}
        self._end = 0

    def put(self, key: K, archs: npt.NDArray[np.int64], rows: Floats) -> None:
        """Write rows (len(archs), width) at the places of their architectures."""
        width = rows.shape[1]
        if key not in self._offsets:
            self._offsets[key] = self._end, width
            self._there[key] = np.zeros(self._count, dtype=bool)
            self._end += self._count * width * 8
        offset = self._offsets[key][0]
        self._there[key][archs] = True
        starts = np.flatnonzero(np.diff(archs, prepend=archs[0] - 2) != 1)
        for start, stop in zip(starts, [*starts[1:], len(archs)], strict=True):
            os.pwrite(self._file.fileno(), rows[start:stop].tobytes(), offset + int(archs[start]) * width * 8)

    def __iter__(self) -> Iterator[K]:
        """All keys, in the order they came."""
        return iter(self._offsets)

    def there(self, key: K) -> npt.NDArray[np.bool_]:
        """Which architectures have a row, (n_arch,)."""
        return self._there[key]

    def get(self, key: K) -> tuple[npt.NDArray[np.int64], Floats]:
        """Architectures that have a row, and their rows (n, width)."""
        offset, width = self._offsets[key]
        archs = np.flatnonzero(self._there[key])
        if not len(archs):
            return archs, np.empty((0, width))
        first, last = int(archs[0]), int(archs[-1]) + 1
        content = os.pread(self._file.fileno(), (last - first) * width * 8, offset + first * width * 8)
        rows = np.frombuffer(content, dtype=np.float64).reshape(last - first, width)
        return archs, rows[archs - first]

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
