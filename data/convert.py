"""From an official file to a table. Which file it is: `data.recognise`; how each layout is read: `data.files`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from ..bench.counts import check_jobs
from ..bench.errors import BadFile, MissingFile
from ..bench.spaces import Space, space
from ..bench.table import Source, write_table
from .files.converted import Content, Converted, check_target
from .files.nats_block import Block
from .files.nats_columns import Collected
from .files.nats_files import Meta
from .files.nats_store import LICENCE, store
from .files.scratch import Scratch, scratch_folder
from .home import VARIABLE, Folder, table_path
from .recognise import Official, digest, plain_name, recognise

Say = Callable[[str], None]


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
        BadValue: ``out`` is something else than a table, or ``jobs`` is 0.
        BadFile: not an official file, a newer layout, truncated, damaged, or malicious.
    """
    path = Path(path)
    if not path.exists():
        raise MissingFile(f"no file at {path}")
    target = Path(out) if out is not None else table_path(plain_name(path), home)
    check_target(target)
    check_jobs(jobs)
    try:
        other = _other(path)
        if other is not None:
            converted = other(path, target, jobs, progress)
        else:
            converted = _write(recognise(path, jobs), target, path, progress)
    except OSError as error:
        raise MissingFile(
            f"{path} cannot be converted to {target} ({error.strerror or error}); tables go where --out or out= says, "
            f"else below ${VARIABLE}"
        ) from error
    if say is not None:
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
        source = Source(path.name, "", digest(path, "sha256"), LICENCE, path.stat().st_size)
        parts = ["", *(f"-{each.space}" for each in contents[1:])]
        tables = [target.with_name(f"{target.stem}{part}{target.suffix}") for part in parts]
        words: list[str] = []
        for content, part, table in reversed([*zip(contents, parts, tables, strict=True)]):  # the target comes last
            write_table(
                table, content.columns, name=plain_name(path) + part, space=content.space, title=content.title,
                licence=LICENCE, notes=content.notes, sources=[source], extra=content.all_extra,
            )  # fmt: skip
            size = len(content.columns[0].values)
            found = int(np.any([column.values == column.values for column in content.columns], axis=0).sum())
            of = "texts" if content.texts else f"of {size:,} architectures"
            words = [f"{content.title}: {found:,} {of}, written to {table}", *content.notes, *words]
        name, space_name = plain_name(path), contents[0].space
        return Converted(target, name, space_name, found, size - found, tuple(words), tuple(tables[1:]))

    return write


def _write(official: Official, target: Path, path: Path, progress: bool) -> Converted:
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


def _source(path: Path) -> Source:
    """The file in the table's words; a directory's digest is that of its names and sizes."""
    if not path.is_dir():
        return Source(path.name, "", digest(path, "sha256"), LICENCE, path.stat().st_size)
    sizes = sorted((item.name, item.stat().st_size) for item in path.iterdir())
    listing = "\n".join(f"{size} {name}" for name, size in sizes)
    listed = hashlib.sha256(listing.encode()).hexdigest()
    return Source(f"{path.name}/ (names and sizes)", "", listed, LICENCE, sum(size for _, size in sizes))


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


__all__ = ["Converted", "convert"]
