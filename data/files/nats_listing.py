"""Which files a NATS-Bench directory or tar holds, and where each architecture's lies; nothing is unpacked."""

from __future__ import annotations

import os
import re
import tarfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ...bench.errors import BadFile, MissingFile
from ..safe.pickles import ADVICE

META = "meta.pickle.pbz2"
NAME = re.compile(r"(?P<index>[0-9]{1,6})\.pickle\.pbz2")


@dataclass(frozen=True)
class Entry:
    """Where the compressed pickle of one architecture lies; ``size`` -1 means to the end of the file."""

    index: int
    path: str
    offset: int = 0
    size: int = -1
    name: str = ""

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.path}, member {self.name}" if self.name else self.path

    def bytes_on_disk(self) -> int:
        """Of the compressed pickle."""
        return self.size if self.size >= 0 else Path(self.path).stat().st_size


def list_directory(folder: Path) -> tuple[Entry, list[Entry]]:
    """The meta file and the architectures of a directory, ascending."""
    meta, found = None, []
    try:
        for item in os.scandir(folder):
            match = NAME.fullmatch(item.name)
            if item.name == META:
                meta = Entry(-1, item.path)
            elif match and item.is_file():
                found.append(Entry(int(match["index"]), item.path))
    except OSError as error:
        raise MissingFile(f"{folder} cannot be read ({error.strerror or error})") from error
    return _checked(str(folder), meta, found)


def list_tar(path: Path) -> tuple[Entry, list[Entry]]:
    """The same of a tar, whose members must be plain files ``folder/NAME`` and that one folder.

    Raises:
        BadFile: links, devices, other names, or paths that lead out of the folder.
    """
    meta, found, folders = None, [], set()
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                parts = [part for part in member.name.split("/") if part != "."]
                if member.isdir() and len(parts) <= 1 and ".." not in parts:
                    continue
                match = NAME.fullmatch(parts[-1])
                if not member.isreg() or member.sparse is not None:
                    raise BadFile(f"{path}: member {member.name!r} is no plain file; {ADVICE}")
                if len(parts) != 2 or parts[0] in ("", "..") or not (match or parts[1] == META):
                    raise BadFile(
                        f"{path}: member {member.name!r}, where FOLDER/{META} or FOLDER/000000.pickle.pbz2 "
                        f"is expected; {ADVICE}"
                    )
                folders.add(parts[0])
                entry = Entry(int(match["index"]) if match else -1, str(path), member.offset_data, member.size,
                              member.name)  # fmt: skip
                if match:
                    found.append(entry)
                else:
                    meta = entry
    except OSError as error:
        raise MissingFile(f"{path} cannot be read ({error.strerror or error})") from error
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BadFile(f"{path}: not a readable tar ({error}); {ADVICE}") from error
    if len(folders) > 1:
        raise BadFile(f"{path}: members of several folders ({', '.join(sorted(folders)[:3])}); {ADVICE}")
    return _checked(str(path), meta, found)


def _checked(where: str, meta: Entry | None, found: list[Entry]) -> tuple[Entry, list[Entry]]:
    found.sort(key=lambda entry: entry.index)
    if meta is None:
        raise BadFile(f"{where}: no {META}; every official directory holds one")
    twice = next((one for one, other in pairwise(found) if one.index == other.index), None)
    if twice:
        raise BadFile(f"{where}: two files of architecture {twice.index}")
    return meta, found
