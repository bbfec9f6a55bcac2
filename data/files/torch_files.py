"""Files of ``torch.save`` without torch: five pickles in a row (before 1.6), or a zip that holds ``data.pkl``."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...bench.errors import BadFile, MissingFile
from ..safe.machine import Machine
from ..safe.pickles import ADVICE
from ..safe.series import Series

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001


def is_torch(head: bytes) -> bool:
    """Whether a file begins as one of `torch.save`, by its first 16 bytes."""
    return head.startswith((b"\x80\x02\x8a\n" + MAGIC.to_bytes(10, "little"), b"PK\x03\x04"))


@contextmanager
def open_torch(path: str | Path, *, weights: bool = False) -> Iterator[Machine]:
    """A `Machine` whose next pickle is the saved object.

    Args:
        weights: pass over tensors; a file with tensors is refused otherwise.

    Raises:
        BadFile: neither container, a damaged one, or a zip of an unexpected layout.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115
    except OSError as error:
        raise MissingFile(f"{path} cannot be read ({error.strerror or error})") from error
    with file:
        head = file.read(4)
        file.seek(0)
        if head == b"PK\x03\x04":
            with _zip_member(path, file) as read:
                yield Machine(read, str(path), weights=weights)
            return
        machine = Machine(file.read, str(path), weights=weights)
        if machine.load() != MAGIC or machine.load() != VERSION or type(machine.load()) is not dict:
            raise BadFile(f"{path}: not a file of torch.save; {ADVICE}")
        yield machine


@contextmanager
def _zip_member(path: str | Path, file: Any) -> Iterator[Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name:
                    raise BadFile(f"{path}: zip member {name[:100]!r} leads out of the file; {ADVICE}")
            found = [info for info in archive.infolist() if info.filename.split("/")[1:] == ["data.pkl"]]
            if len(found) != 1:
                raise BadFile(f"{path}: a zip with {len(found)} members NAME/data.pkl; one is expected")
            if found[0].compress_type != zipfile.ZIP_STORED or found[0].flag_bits & 1:
                raise BadFile(f"{path}: {found[0].filename!r} is compressed or encrypted; torch.save does neither")
            with archive.open(found[0]) as member:
                yield member.read
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError) as error:
        raise BadFile(f"{path}: not a readable zip ({error}); {ADVICE}") from error


def check_storages(machine: Machine, path: str | Path) -> None:
    """What follows the object in the older container: the list of storages, empty where there are no tensors."""
    keys = machine.load()
    if type(keys) is not list or keys:
        raise BadFile(f"{path}: {len(keys) if type(keys) is list else 'no list of'} storages follow the object")


def read_torch(path: str | Path) -> Any:
    """The saved object as plain dictionaries; weights read as None.

    Raises:
        MissingFile, BadFile: as `open_torch`.
    """
    with open_torch(path, weights=True) as machine:
        return _plain(machine.load())


def _plain(value: Any) -> Any:
    if isinstance(value, Series):
        return value.to_dict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    return value if isinstance(value, (str, int, float, bool, bytes, set)) else None
