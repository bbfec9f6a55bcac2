"""Which official file of NAS-Bench-201 or NATS-Bench is this, and is it the one that its name says?

Files are recognised by what is in them, never by their name. A name is only compared with the content: the official
names carry the last digits of the file's md5.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..bench.errors import BadFile, MissingFile
from .files.nats_block import Block
from .files.nats_files import Meta, blocks_of_files, blocks_of_single, read_meta
from .files.nats_listing import list_directory, list_tar
from .files.pth_file import blocks_of_archive, blocks_of_pth, list_archive
from .files.torch_files import is_torch

RECOGNISED = (
    "NATS-Bench: a directory or tar of meta.pickle.pbz2 and 000000.pickle.pbz2, or one .pickle.pbz2 with everything",
    "NAS-Bench-201: a .pth file of release 1.0 or 1.1, or an archive directory of 000000-FULL.pth",
    "NAS-Bench-101: a .tfrecord file",
    "HW-NAS-Bench: HW-NAS-Bench-v1_0.pickle",
    "NAS-Bench-Suite-Zero: a zc_*.json file",
)

PUBLISHED_TAGS = {"topology": "3ffb9", "size": "50262"}
"""The last digits of the md5 of NATS-Bench's single files, which the directories and tars carry too."""


@dataclass(frozen=True)
class Official:
    """A recognised file of NAS-Bench-201 or NATS-Bench."""

    words: str
    name: str
    blocks: Callable[[Path], Generator[Block | Meta]]  # given the folder where they write numbers
    count: int | None  # of architectures, where known beforehand
    checks: tuple[str, ...] = ()


def recognise(path: Path, jobs: int) -> Official:
    """What a file or directory is, and how its results are read, by ``jobs`` processes (-1: one per core).

    Raises:
        MissingFile: it cannot be read.
        BadFile: none of `RECOGNISED`, or its name says something else than its content.
    """
    name = plain_name(path)
    if path.is_dir():
        if (path / "meta.pickle.pbz2").is_file():
            return _directory(path, name, "directory", list_directory(path), jobs)
        archive = list_archive(path)
        if archive:
            return Official("NAS-Bench-201 archive directory (weights passed over)", name,
                            lambda folder: blocks_of_archive(archive, folder, jobs), len(archive))  # fmt: skip
        raise _unknown(path, "a directory without meta.pickle.pbz2 and without 000000-FULL.pth")
    try:
        with open(path, "rb") as file:
            head = file.read(512)
    except OSError as error:
        raise MissingFile(f"{path} cannot be read ({error.strerror or error})") from error
    if head[257:262] == b"ustar":
        return _directory(path, name, "tar", list_tar(path), jobs)
    if head.startswith(b"BZh"):
        return Official("NATS-Bench single file", name, lambda _: blocks_of_single(path), None, _md5_check(path, 5))
    if is_torch(head):
        return Official("NAS-Bench-201 .pth file", name, lambda _: blocks_of_pth(path), None, _md5_check(path, 6))
    raise _unknown(path, f"a file that begins with {head[:12]!r}")


def _directory(path: Path, name: str, kind: str, listed: Any, jobs: int) -> Official:
    entry, entries = listed
    meta = read_meta(entry)
    late = [item.index for item in entries if item.index >= len(meta.texts)]
    if late:
        raise BadFile(f"{path}: a file of architecture {late[0]}, but meta_archs has {len(meta.texts):,}")
    if not entries:
        raise BadFile(f"{path}: a NATS-Bench {kind} without any architecture")

    def blocks(folder: Path) -> Generator[Block | Meta]:
        yield from blocks_of_files(entries, meta.space, folder, jobs)
        yield meta

    checks = _tag_check(path, name, kind, meta.space)
    return Official(f"NATS-Bench {kind} of the {meta.space} space", name, blocks, len(entries), checks)


def _unknown(path: Path, what: str) -> BadFile:
    return BadFile(f"{path}: {what}; recognised are: {'; '.join(RECOGNISED)}")


def plain_name(path: Path) -> str:
    """A table's name: the file's, without what a table's name may not hold."""
    stem = re.sub(r"\.(pickle\.pbz2|tar|pth|pickle|json|tfrecord)$", "", path.resolve().name)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).lstrip("._-") or "converted"


def _md5_check(path: Path, digits: int) -> tuple[str, ...]:
    """What the name's tag says about the file: the last digits of its md5."""
    tag = re.search(rf"-([0-9a-f]{{{digits}}})(?:\.pickle\.pbz2|\.pth)$", path.name)
    if tag is None:
        return ("the name carries no digits of the md5; the file was not compared with a published one",)
    found = digest(path, "md5")
    if found.endswith(tag[1]):
        return (f"md5 ends in {tag[1]}, as the name says",)
    raise BadFile(
        f"{path}: its md5 {found} does not end in {tag[1]}, as the name says; it is damaged or not the official file: "
        "get it again, or rename it if it is meant to differ"
    )


def _tag_check(path: Path, name: str, kind: str, found: str) -> tuple[str, ...]:
    """What the name of a directory or tar says; its tag is the md5 of the single file, so there is none to compare."""
    named = re.match(r"NATS-(tss|sss)-v\d+_\d+(?:-([0-9a-f]{5}))?(?:-|$)", name)
    if named is None:
        return ("the name carries no tag of a release",)
    of = {"tss": "topology", "sss": "size"}[named[1]]
    if of != found:
        raise BadFile(f"{path}: it is named NATS-{named[1]}, the {of} space, and holds the {found} space; rename it")
    if named[2] is None:
        return ("the name carries no tag of a release",)
    known = "that of" if named[2] == PUBLISHED_TAGS[found] else f"not {PUBLISHED_TAGS[found]}, that of"
    return (f"the name's tag {named[2]} is {known} the published release; a {kind} has no md5 of its own to compare",)


def digest(path: Path, kind: str) -> str:
    """The "md5" or "sha256" of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
