"""From an official file to a table: which file is it, is it whole, what does it hold, convert it.

Files are recognised by what is in them, never by their name. A name is only compared with the content: the official
names carry the last digits of the file's md5.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..bench.errors import BadFile, MissingFile
from ..bench.spaces import Space, space
from ..bench.table import Source, write_table
from .files.converted import Content, Converted
from .files.nats_block import Block
from .files.nats_columns import Collected
from .files.nats_files import Meta, blocks_of_files, blocks_of_stream, read_meta, unpacked
from .files.nats_listing import list_directory, list_tar
from .files.nats_store import LICENCE, store
from .files.pth_file import blocks_of_archive, blocks_of_pth, list_archive
from .files.scratch import Scratch, scratch_folder
from .files.torch_files import is_torch
from .home import Folder, table_path
from .safe.machine import Machine

Say = Callable[[str], None]
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
class _Official:
    """A recognised file of NAS-Bench-201 or NATS-Bench."""

    words: str
    name: str
    blocks: Callable[[Path], Generator[Block | Meta]]  # given the folder where they write numbers
    count: int | None  # of architectures, where known beforehand
    checks: tuple[str, ...] = ()


def convert(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    home: Folder = None,
    jobs: int = -1,
    progress: bool = False,
    say: Say | None = None,
) -> Converted:
    """Write the table of an official file; nothing in the file is executed, and the table appears whole or not at all.

    >>> convert("NATS-tss-v1_0-3ffb9-simple.tar").path                                        # doctest: +SKIP
    PosixPath('.../tables/NATS-tss-v1_0-3ffb9-simple.h5')

    Args:
        out: where the table goes; default: below the home folder, under the file's name.
        jobs: processes that read; -1 for one per core. The table does not depend on it.
        progress: show a bar on stderr.
        say: told in one sentence each what was recognised and checked.

    Raises:
        MissingFile: no such file, or the table cannot be written.
        BadFile: not an official file, a newer layout, truncated, damaged, or malicious.
    """
    path = Path(path)
    if not path.exists():
        raise MissingFile(f"no file at {path}")
    target = Path(out) if out is not None else table_path(_plain_name(path), home)
    say = say or (lambda _: None)
    try:
        other = _other(path)
        if other is not None:
            converted = other(path, target, jobs, progress)
            for line in converted.words:
                say(line)
            return converted
        official = _recognise(path, jobs, say)
        converted = _write(official, target, path, progress)
    except OSError as error:
        raise MissingFile(f"{path} cannot be converted to {target} ({error.strerror or error})") from error
    for line in converted.words:
        say(line)
    return converted


def _other(path: Path) -> Callable[[Path, Path, int, bool], Converted] | None:
    """The converter of a file that is not of NAS-Bench-201 or NATS-Bench, None for those."""
    if path.is_dir():
        return None
    from .files import hw_nas_bench_pickle, suite_zero

    if hw_nas_bench_pickle.is_pickle(path):
        return _with_columns(hw_nas_bench_pickle.read)
    if suite_zero.is_json(path):
        return _with_columns(suite_zero.read)
    from .files.nasbench_file import convert_nasbench, is_nasbench

    if not is_nasbench(path):
        return None

    def nasbench(file: Path, target: Path, jobs: int, progress: bool) -> Converted:
        with _Bar(progress, "bytes") as bar:
            return convert_nasbench(file, target, progress=bar.at, jobs=jobs)

    return nasbench


def _with_columns(read: Callable[[Path], Sequence[Content]]) -> Callable[[Path, Path, int, bool], Converted]:
    """The converter of a file whose columns fit into memory: a table for each space, the first one's at the target."""

    def write(path: Path, target: Path, jobs: int, progress: bool) -> Converted:
        contents = read(path)
        source = Source(path.name, "", _sha256(path), LICENCE, path.stat().st_size)
        parts = ["", *(f"-{each.space}" for each in contents[1:])]
        tables = [target.with_name(f"{target.stem}{part}{target.suffix}") for part in parts]
        words: list[str] = []
        for content, part, table in reversed([*zip(contents, parts, tables, strict=True)]):  # the target comes last
            write_table(
                table, content.columns, name=_plain_name(path) + part, space=content.space, title=content.title,
                licence=LICENCE, notes=content.notes, sources=[source], extra=content.all_extra,
            )  # fmt: skip
            size = len(content.columns[0].values)
            found = int(np.any([column.values == column.values for column in content.columns], axis=0).sum())
            of = "texts" if content.texts else f"of {size:,} architectures"
            words = [f"{content.title}: {found:,} {of}, written to {table}", *content.notes, *words]
        name, space_name = _plain_name(path), contents[0].space
        return Converted(target, name, space_name, found, size - found, tuple(words), tuple(tables[1:]))

    return write


def _recognise(path: Path, jobs: int, say: Say) -> _Official:
    name = _plain_name(path)
    if path.is_dir():
        if (path / "meta.pickle.pbz2").is_file():
            return _directory(path, name, "directory", list_directory(path), jobs)
        archive = list_archive(path)
        if archive:
            return _Official("NAS-Bench-201 archive directory (weights passed over)", name,
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
        machine = Machine(unpacked(path), str(path))
        return _Official("NATS-Bench single file", name, lambda _: blocks_of_stream(machine, str(path)), None,
                         _md5_check(path, 5))  # fmt: skip
    if is_torch(head):
        return _Official("NAS-Bench-201 .pth file", name, lambda _: blocks_of_pth(path), None, _md5_check(path, 6))
    raise _unknown(path, f"a file that begins with {head[:12]!r}")


def _directory(path: Path, name: str, kind: str, listed: Any, jobs: int) -> _Official:
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
    return _Official(f"NATS-Bench {kind} of the {meta.space} space", name, blocks, len(entries), checks)


def _unknown(path: Path, what: str) -> BadFile:
    return BadFile(f"{path}: {what}; recognised are: {'; '.join(RECOGNISED)}")


def _write(official: _Official, target: Path, path: Path, progress: bool) -> Converted:
    with (
        scratch_folder(target) as folder,
        closing(official.blocks(folder)) as blocks,  # ends the processes that write to the folder before it goes
        _Bar(progress, "architectures", official.count) as bar,
    ):
        collected: Collected | None = None
        meta: Meta | None = None
        for item in blocks:
            if isinstance(item, Meta):
                meta = item
                continue
            if collected is None:
                of = _space_of(item)
                collected = Collected(of, Scratch(folder))
            collected.add(item, str(path))
            bar.add(len(item.archs))
        if collected is None:
            raise BadFile(f"{path}: it holds no results of any architecture")
        source = _source(path)
        return store(collected, meta, target, official.name, official.words, official.checks, source)


def _space_of(block: Block) -> Space:
    fact = next(iter(block.facts))[1]
    return space("size" if "channels" in fact.config_texts else "topology")


def _plain_name(path: Path) -> str:
    """A table's name: the file's, without what a table's name may not hold."""
    stem = re.sub(r"\.(pickle\.pbz2|tar|pth|pickle|json|tfrecord)$", "", path.resolve().name)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).lstrip("._-") or "converted"


def _md5_check(path: Path, digits: int) -> tuple[str, ...]:
    """What the name's tag says about the file: the last digits of its md5."""
    tag = re.search(rf"-([0-9a-f]{{{digits}}})(?:\.pickle\.pbz2|\.pth)$", path.name)
    if tag is None:
        return ("the name carries no digits of the md5; the file was not compared with a published one",)
    found = _digest(path, "md5")
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


def _source(path: Path) -> Source:
    """The file in the table's words; a directory's digest is that of its names and sizes."""
    if not path.is_dir():
        return Source(path.name, "", _sha256(path), LICENCE, path.stat().st_size)
    sizes = sorted((item.name, item.stat().st_size) for item in path.iterdir())
    listing = "\n".join(f"{size} {name}" for name, size in sizes)
    digest = hashlib.sha256(listing.encode()).hexdigest()
    return Source(f"{path.name}/ (names and sizes)", "", digest, LICENCE, sum(size for _, size in sizes))


def _sha256(path: Path) -> str:
    return _digest(path, "sha256")


def _digest(path: Path, kind: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()


class _Bar:
    """A progress bar on stderr, or none."""

    def __init__(self, shown: bool, unit: str, total: int | None = None) -> None:
        self._bar: Any = None
        if shown:
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit=f" {unit}", unit_scale=unit == "bytes")

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def add(self, count: int) -> None:
        """So many more are done."""
        if self._bar is not None:
            self._bar.update(count)

    def at(self, done: int, total: int) -> None:
        """So many of so many are done."""
        if self._bar is not None:
            self._bar.total = total
            self._bar.update(done - self._bar.n)


__all__ = ["RECOGNISED", "Converted", "convert"]
