"""NAS-Bench-201 as published: one .pth file (release 1.0 or 1.1), or a directory of one .pth for each architecture.

``full`` is the training of 200 epochs, ``less`` that of 12. The directories hold weights, which are passed over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from ...bench.errors import BadFile, MissingFile
from ...bench.spaces import space
from ..safe.series import Runs
from .nats_block import Block, BlockMaker
from .nats_files import Meta, blocks_of_stream, in_blocks
from .nats_listing import Entry
from .torch_files import check_storages, open_torch

HPS = {"less": "12", "full": "200"}
NAME = re.compile(r"(?P<index>[0-9]{6})-FULL\.pth")


def blocks_of_pth(path: Path) -> Generator[Block | Meta]:
    """Blocks of one .pth file, then its `Meta`."""
    with open_torch(path) as machine:
        yield from blocks_of_stream(machine, str(path), HPS)
        with open(path, "rb") as file:
            is_zip = file.read(2) == b"PK"
        if not is_zip:
            check_storages(machine, path)
        machine.check_end()


def list_archive(folder: Path) -> list[Entry]:
    """The architectures of an archive directory, ascending."""
    try:
        found = [
            Entry(int(match["index"]), item.path)
            for item in os.scandir(folder)
            if (match := NAME.fullmatch(item.name)) and item.is_file()
        ]
    except OSError as error:
        raise MissingFile(f"{folder} cannot be read ({error.strerror or error})") from error
    found.sort(key=lambda entry: entry.index)
    twice = next((one for one, other in pairwise(found) if one.index == other.index), None)
    if twice:
        raise BadFile(f"{folder}: two files of architecture {twice.index}")
    return found


def blocks_of_archive(entries: Sequence[Entry], folder: Path, jobs: int = -1) -> Generator[Block]:
    """Blocks of an archive directory, in order; numbers lie in ``folder``."""
    return in_blocks(read_archive_block, entries, "topology", folder, jobs)


@cache
def _kept() -> Runs:
    return Runs()


def read_archive_block(entries: Sequence[Entry], space_name: str) -> Block:
    """The numbers of some architectures' .pth files."""
    maker = BlockMaker(space(space_name), _kept())
    for entry in entries:
        with open_torch(entry.path, weights=True) as machine:
            value: Any = machine.load()
        if type(value) is not dict or not value or not value.keys() <= HPS.keys():
            unexpected = next((key for key in value if key not in HPS), None) if type(value) is dict else None
            raise BadFile(f"{entry.path}: unexpected key {str(unexpected)[:80]!r}; known: {', '.join(HPS)}")
        maker.add(entry.index, {hp: value[name] for name, hp in HPS.items() if name in value}, entry.path)
    try:
        return maker.finish()
    except BadFile as error:
        raise BadFile(f"{entries[0].path} and the {len(entries) - 1} files after it: {error}") from None
