"""From a path to numbers: a converted table, or an official file that is converted once and kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...bench.errors import BadFile, MissingFile
from ...bench.table import Table
from ..home import home
from ..safe.pickles import read_pickle
from .dialect import Dialect
from .source import TableSource

SUFFIX = "pickle.pbz2"


def is_tar(path: str) -> bool:
    """Whether a path is a tar of a folder with one file for each architecture; the official packages take none."""
    return path.endswith(".tar") and Path(path).is_file()


def open_source(path: str, dialect: Dialect, space_name: str, progress: bool = False) -> TableSource:
    """The table at ``path``, or the table of the official file there.

    Raises:
        BadFile: a file of another space than ``space_name``, or a table that was made of other files.
    """
    source = TableSource(Table(path) if path.endswith(".h5") else converted(path, progress), dialect)
    if not source.hps:
        raise BadFile(f"{path}: a table without the trials of an official file; `nasgauge convert` makes one of those")
    if source.space.name != space_name:
        raise BadFile(f"{path}: results of the space {source.space.name!r}, opened as {space_name!r}")
    return source


def converted(path: str | os.PathLike[str], progress: bool = False) -> Table:
    """The table of an official file, made by the first call and kept.

    It is made anew of a file that changed, and where the kept one is damaged or of an older layout.
    """
    from ..convert import convert

    whole = Path(path).resolve()
    target = home() / "converted" / f"{whole.name.split('.')[0]}-{fingerprint(whole)}.h5"
    try:
        return Table(target)
    except (MissingFile, BadFile):
        if target.is_file():
            target.unlink()
        return Table(convert(whole, target, progress=progress).path)


def fingerprint(path: Path) -> str:
    """12 digits that change with the place, the sizes and the times of a file or of a folder's files."""
    files = sorted(os.scandir(path), key=lambda entry: entry.name) if path.is_dir() else [path]
    lines = [str(path)]
    for file in files:
        status = file.stat()
        lines.append(f"{file.name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def read_state(folder: str, index: int) -> Mapping[str, Any]:
    """hp -> state of one architecture from an official NATS folder, read without executing anything."""
    for name in (f"{index:06d}.{SUFFIX}", f"{index}.{SUFFIX}"):
        path = Path(folder) / name
        if path.is_file():
            state = read_pickle(path, flat=True)
            if not isinstance(state, dict):
                raise AssertionError(f"{path} holds a {type(state).__name__}, not results by hp")
            return state
    raise AssertionError(f"no results of architecture {index} in {folder}")


def read_archive(folder: str, index: int) -> Mapping[str, Any]:
    """The "full" and "less" states of one architecture from a folder of .pth files."""
    path = Path(folder) / f"{index:06d}-FULL.pth"
    if not path.is_file():
        raise AssertionError(f"no file {path}")
    from ..files.torch_files import read_torch

    state = read_torch(path)
    if not isinstance(state, dict) or not {"full", "less"} <= state.keys():
        raise AssertionError(f"{path} does not hold results under 'full' and 'less'")
    return state
