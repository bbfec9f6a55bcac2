"""NATS-Bench as published: a directory of one file for each architecture, a tar of it, or one file with everything.

Files are ``.pickle.pbz2``: one pickle in one bz2 stream. Nothing is unpacked to disk; a tar is read in place. Every
architecture's file goes through `data.safe.pickles`, shortened first (`Compact`); the single file, whose one pickle
holds everything, through `data.safe.machine`.
"""

from __future__ import annotations

import bz2
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from ...bench.errors import BadFile, MissingFile
from ...bench.spaces import space
from ..safe.compact import Compact, Short
from ..safe.machine import Machine
from ..safe.opcodes import Nested
from ..safe.pickles import ADVICE, Limits, decode
from ..safe.series import Runs
from .nats_block import Block, BlockMaker, NeedsWhole
from .nats_listing import Entry
from .processes import in_order
from .scratch import keep

MIB = 2**20
LIMITS = Limits(file=64 * MIB, content=64 * MIB, memory=512 * MIB)
"""Of one architecture, which takes 0.1 MiB on disk and 0.3 MiB decompressed; and of meta, which takes 1.5 MiB."""
WEIGHTS_CONTENT = 1024 * MIB  # of one architecture with weights, never in memory at once
WITHOUT_WEIGHTS = MIB  # on disk; a larger file is one with weights
BLOCK = 32  # architectures worked on together
FEW = 64  # up to so many, one process reads faster than several start


@dataclass(frozen=True)
class Meta:
    """What a file says of itself: texts of the architectures in order, and which of them it claims to have."""

    texts: tuple[str, ...]
    evaluated: frozenset[int]

    @property
    def space(self) -> str:
        """Name of the space the texts are of."""
        return "topology" if self.texts and "|" in self.texts[0] else "size"


def read_meta(entry: Entry) -> Meta:
    """The meta file of a directory."""
    try:
        value, _ = decode(read_content(entry), entry.where, LIMITS, flat=True)
    except Nested as refused:
        raise BadFile(f"{entry.where}: {refused}, which no meta file holds; {ADVICE}") from None
    return meta_of(value, entry.where)


def meta_of(value: Any, where: str) -> Meta:
    """What the dictionary of a meta file, a single file or a .pth says besides the results.

    Raises:
        BadFile: unknown or absent keys, or another order of architectures than the official one.
    """
    keys = ("meta_archs", "total_archs", "arch2infos", "evaluated_indexes")
    if type(value) is not dict:
        raise BadFile(f"{where}: a pickle of a {type(value).__name__}; expected a dictionary of {', '.join(keys)}")
    unexpected = next((key for key in value if key not in keys), None)
    absent = next((key for key in keys if key not in value), None)
    if unexpected is not None:
        raise BadFile(f"{where}: unexpected key {str(unexpected)[:80]!r}; known: {', '.join(keys)}. A newer layout?")
    if absent is not None:
        raise BadFile(f"{where}: key {absent!r} is absent; it holds {', '.join(map(str, value))[:200]}")
    texts, total, evaluated = value["meta_archs"], value["total_archs"], value["evaluated_indexes"]
    if type(texts) is not list or not texts or any(type(text) is not str for text in texts) or total != len(texts):
        raise BadFile(f"{where}: meta_archs is no list of total_archs texts")
    if type(evaluated) not in (set, list) or any(type(index) is not int for index in evaluated):
        raise BadFile(f"{where}: evaluated_indexes is no set of integers")
    meta = Meta(tuple(texts), frozenset(evaluated))
    order = space(meta.space)
    if len(texts) > order.size:
        raise BadFile(f"{where}: {len(texts):,} architectures; the {meta.space} space has {order.size:,}")
    for index, text in enumerate(texts):
        if text != order.text(index):
            raise BadFile(f"{where}: architecture {index} is {text[:100]!r}; officially it is {order.text(index)!r}")
    return meta


def read_content(entry: Entry, limit: int = LIMITS.content) -> bytes:
    """The decompressed pickle of an entry.

    Raises:
        BadFile: no bz2 stream, a damaged one, or more than the limits allow.
    """
    try:
        with open(entry.path, "rb") as file:
            size = entry.size if entry.size >= 0 else os.fstat(file.fileno()).st_size
            if size > LIMITS.file:
                raise BadFile(f"{entry.where}: {size:,} bytes, more than the limit of {LIMITS.file:,}; {ADVICE}")
            file.seek(entry.offset)
            raw = file.read(size)
    except OSError as error:
        raise MissingFile(f"{entry.path} cannot be read ({error.strerror or error})") from error
    unpacker = bz2.BZ2Decompressor()
    try:
        content = unpacker.decompress(raw, limit + 1)
    except (OSError, ValueError) as error:
        raise BadFile(f"{entry.where}: not a bz2 stream or a damaged one ({error}); {ADVICE}") from error
    if len(content) > limit:
        raise BadFile(f"{entry.where}: decompresses to more than {limit:,} bytes; {ADVICE}")
    if not unpacker.eof or unpacker.unused_data:
        raise BadFile(f"{entry.where}: the bz2 stream is truncated, or bytes follow it; {ADVICE}")
    return content


def unpacked(
    path: str | os.PathLike[str], offset: int = 0, size: int = -1, limit: int = 2**62
) -> Callable[[int], bytes]:
    """A ``read(n)`` over a bz2 file that decompresses a megabyte at a time; closes at its end."""
    file = open(path, "rb")  # noqa: SIM115
    file.seek(offset)
    unpacker, left, given = bz2.BZ2Decompressor(), size if size >= 0 else 2**62, 0

    def read(count: int) -> bytes:
        nonlocal left, given
        while not file.closed:
            try:
                raw = file.read(min(MIB, left)) if unpacker.needs_input else b""
                left -= len(raw)
                part = unpacker.decompress(raw, count)
            except (OSError, ValueError, EOFError) as error:
                file.close()
                raise BadFile(f"{path}: not a bz2 stream or a damaged one ({error}); {ADVICE}") from error
            given += len(part)
            if given > limit:
                file.close()
                raise BadFile(f"{path}: decompresses to more than {limit:,} bytes; {ADVICE}")
            ended = not part and not raw and unpacker.needs_input
            followed = unpacker.eof and (unpacker.unused_data or file.read(min(1, left)))
            if unpacker.eof or ended:
                file.close()
            if followed:
                raise BadFile(f"{path}: bytes follow the bz2 stream; {ADVICE}")
            if ended and not unpacker.eof:
                raise BadFile(f"{path}: the bz2 stream is truncated; {ADVICE}")
            if part:
                return part
        return b""

    return read


def read_block(entries: Sequence[Entry], space_name: str) -> Block:
    """The numbers of some architectures' files."""
    try:
        return _read_block(entries, space_name, whole=False)
    except NeedsWhole:
        return _read_block(entries, space_name, whole=True)


@cache
def _kept() -> tuple[Compact, Runs]:
    """What files have in common, once per process."""
    # A block takes some megabytes and gives them back. glibc returned them to the system, which cleared every page anew
    # for the next block: a tenth of all time. It holds on to twice the largest piece ever freed, of up to 32 MiB.
    bytes(30 * MIB)
    return Compact(), Runs()


def _read_block(entries: Sequence[Entry], space_name: str, whole: bool) -> Block:
    compact, runs = _kept()
    maker = BlockMaker(space(space_name), runs)
    for entry in entries:
        if entry.bytes_on_disk() > WITHOUT_WEIGHTS:
            maker.add(entry.index, _streamed(entry, runs), entry.where)
            continue
        content = read_content(entry)
        short = None if whole else compact(content)
        value = None if short is None else _short_value(short, entry)
        if short is not None and value is not None:
            maker.add(entry.index, value, entry.where, short.runs)
        else:
            maker.add(entry.index, _decoded(content, entry, runs), entry.where)
    try:
        return maker.finish()
    except BadFile as error:
        raise BadFile(f"{entries[0].where} and the {len(entries) - 1} files after it: {error}") from None


def _short_value(short: Short, entry: Entry) -> Any:
    try:
        return decode(short.pickle, entry.where, LIMITS, found=short.scan)[0]
    except BadFile:  # will be said again about the file itself, with its own offsets
        return None


def _decoded(content: bytes, entry: Entry, runs: Runs) -> Any:
    """The pickle of an architecture through the reader of whole pickles, and where that gives up, the machine."""
    try:
        value, end = decode(content, entry.where, LIMITS, flat=True)
    except Nested:  # no file of the release holds such tuples; the machine bounds what they cost
        return _streamed(entry, runs)
    except BadFile as error:
        if "'torch." not in str(error):
            raise
        return _streamed(entry, runs)
    if end != len(content):
        raise BadFile(f"{entry.where}: {len(content) - end} bytes follow the pickle; {ADVICE}")
    return value


def _streamed(entry: Entry, runs: Runs) -> Any:
    """The pickle of an architecture through the machine, which passes over weights."""
    read = unpacked(entry.path, entry.offset, entry.size, WEIGHTS_CONTENT)
    machine = Machine(read, entry.where, weights=True, runs=runs)
    value = machine.load()
    machine.check_end()
    return value


def blocks_of_files(entries: Sequence[Entry], space_name: str, folder: Path, jobs: int = -1) -> Generator[Block]:
    """Blocks of all files, in order, read by ``jobs`` processes (-1: one per core); numbers lie in ``folder``."""
    return in_blocks(read_block, entries, space_name, folder, jobs)


def in_blocks(
    read: Callable[..., Block], entries: Sequence[Entry], space_name: str, folder: Path, jobs: int
) -> Generator[Block]:
    """``read`` over all entries, some at a time and in order; numbers are written to ``folder`` by who read them."""
    blocks = [entries[first : first + BLOCK] for first in range(0, len(entries), BLOCK)]
    work = partial(_written, read=read, space_name=space_name, folder=folder)
    yield from in_order(work, blocks, 1 if len(entries) <= FEW else jobs)


def _written(entries: Sequence[Entry], read: Callable[..., Block], space_name: str, folder: Path) -> Block:
    block = read(entries, space_name)
    return replace(block, numbers=keep(folder, block.numbers))


def blocks_of_single(path: Path) -> Generator[Block | Meta]:
    """Blocks of the file that holds every architecture, then its `Meta`."""
    machine = Machine(unpacked(path), str(path))
    yield from blocks_of_stream(machine, str(path))
    machine.check_end()


def blocks_of_stream(machine: Machine, where: str, hps: dict[str, str] | None = None) -> Generator[Block | Meta]:
    """Blocks of one pickle that holds every architecture, then its `Meta`; ``hps`` renames keys such as "less"."""
    maker, waiting, seen = None, 0, set()

    def take(index: Any, infos: Any) -> Iterator[Block]:
        nonlocal maker, waiting
        if type(infos) is not dict or not infos:
            raise BadFile(f"{where}: arch2infos holds no results by hp")
        if hps:
            unexpected = next((key for key in infos if key not in hps), None)
            if unexpected is not None:
                raise BadFile(f"{where}: unexpected key {str(unexpected)[:80]!r}; known: {', '.join(hps)}")
            infos = {hps[key]: value for key, value in sorted(infos.items(), key=lambda item: list(hps).index(item[0]))}
        if maker is None:
            text = next(iter(infos.values()))
            text = text.get("arch_str") if type(text) is dict else None
            maker = BlockMaker(space("topology" if type(text) is str and "|" in text else "size"), machine.runs)
        if type(index) is not int or not 0 <= index < maker.space.size or index in seen:
            raise BadFile(f"{where}: architecture {str(index)[:80]!r}, which does not exist or comes twice")
        seen.add(index)
        maker.add(index, infos, where)
        waiting += 1
        if waiting == BLOCK:
            waiting = 0
            yield _finished(maker, where)

    rest = None
    for item in machine.entries("arch2infos"):
        if type(item) is tuple and len(item) == 2:
            yield from take(*item)
        else:
            rest = item
    if type(rest) is dict and type(rest.get("arch2infos")) is dict:
        for index, infos in rest["arch2infos"].items():
            yield from take(index, infos)
    meta = meta_of(rest, where)
    if maker is not None and waiting:
        yield _finished(maker, where)
    if seen and (max(seen) >= len(meta.texts) or (maker is not None and maker.space.name != meta.space)):
        raise BadFile(f"{where}: results of architecture {max(seen)}, but meta_archs has {len(meta.texts):,}")
    yield meta


def _finished(maker: BlockMaker, where: str) -> Block:
    try:
        return maker.finish()
    except BadFile as error:
        raise BadFile(f"{where}: {error}") from None
