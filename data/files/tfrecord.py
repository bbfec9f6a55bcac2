"""TFRecord files without TensorFlow: a stream of byte strings, every length and every payload checked by its CRC-32C.

A record is its length (uint64, little-endian), the masked CRC of those 8 bytes, the payload, and the payload's masked
CRC. Only uncompressed files are read.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import google_crc32c
import numpy as np

from ...bench.errors import BadFile, MissingFile

HEADER = 12  # bytes: the length and its CRC
FOOTER = 4  # bytes: the CRC of the payload
LONGEST = 1 << 20  # bytes; a longer payload is refused before any of it is read
BATCH = 1024  # records; small enough to stay in the processor's cache
BATCH_BYTES = 16 << 20  # a batch ends early once its payloads hold this much
_BUFFER = 1 << 20
_DELTA = 0xA282EAD8
_DAMAGED = "the file is damaged or no TFRecord file; get it again and compare its sha256"


@dataclass(frozen=True)
class Batch:
    """Consecutive records of one file; `where` names one of them in messages."""

    path: Path
    first: int  # number of the first record in the file, from 0
    payloads: list[bytes]
    offsets: list[int]  # of each record's first byte in the file

    def where(self, place: int) -> str:
        """Name of record ``place`` of this batch."""
        return where(self.path, self.first + place, self.offsets[place])


def where(path: Path, record: int, offset: int) -> str:
    """How messages name a record."""
    return f"{path}: record {record:,} (byte {offset:,})"


def masked_crc32c(data: bytes) -> int:
    """The checksum as it stands in the file: CRC-32C rotated right by 15 bits, plus a constant."""
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _DELTA) & 0xFFFFFFFF


def is_tfrecord(path: str | os.PathLike[str]) -> bool:
    """Whether the file begins with a record's length and the right checksum of it."""
    try:
        with open(path, "rb") as file:
            header = file.read(HEADER)
    except OSError:
        return False
    return len(header) == HEADER and masked_crc32c(header[:8]) == int.from_bytes(header[8:], "little")


def first_bytes(path: str | os.PathLike[str], count: int) -> bytes:
    """The first bytes of a file's first payload, as they stand there."""
    with open(path, "rb") as file:
        return file.read(HEADER + count)[HEADER:]


def read_records(path: str | os.PathLike[str]) -> Iterator[bytes]:
    """The payloads of a file, in order; see `read_batches`."""
    for batch in read_batches(path):
        yield from batch.payloads


@dataclass(frozen=True)
class Span:
    """Consecutive records of a file, for a process of its own."""

    first: int  # number of the first record
    start: int  # its first byte
    end: int | None  # the byte after the last record; None: all that the file holds


def spans(path: str | os.PathLike[str], size: int) -> Iterator[Span]:
    """The file in pieces of about ``size`` bytes, found by the lengths of the records; payloads are not looked at.

    From a length that is damaged on, the rest of the file is one span: who reads it finds out what is wrong.

    Raises:
        MissingFile: the file is not there or cannot be opened.
    """
    with _opened(Path(path)) as file:
        record = offset = first = start = 0
        lengths: dict[bytes, int] = {}
        while header := file.read(HEADER):
            length = lengths.get(header)
            if length is None:
                try:
                    length = lengths[header] = _length(header, "", LONGEST)
                except BadFile:
                    yield Span(first, start, None)
                    return
            file.seek(length + FOOTER, os.SEEK_CUR)
            record += 1
            offset += HEADER + length + FOOTER
            if offset - start >= size:
                yield Span(first, start, offset)
                first, start = record, offset
        if offset > start:
            yield Span(first, start, None)


def read_batches(
    path: str | os.PathLike[str], span: Span = Span(0, 0, None), *, longest: int = LONGEST
) -> Iterator[Batch]:
    """The payloads of a file, or of a span of it, a thousand at a time; only one batch is in memory.

    Raises:
        MissingFile: the file is not there or cannot be opened.
        BadFile: truncated, a wrong checksum, or a length above ``longest`` bytes; names the record and its place.
    """
    path = Path(path)
    with _opened(path) as file:
        file.seek(span.start)
        record, offset = span.first, span.start
        lengths: dict[bytes, int] = {}
        while span.end is None or offset < span.end:
            blocks, offsets = _blocks(file, path, record, offset, span.end, lengths, longest)
            if not blocks:
                return
            payloads = [block[:-FOOTER] for block in blocks]
            _check_payloads(path, record, offsets, payloads, blocks)
            yield Batch(path, record, payloads, offsets)
            record += len(blocks)
            offset = offsets[-1] + HEADER + len(blocks[-1])


def _opened(path: Path) -> BinaryIO:
    try:
        return open(path, "rb", buffering=_BUFFER)
    except OSError as error:
        raise MissingFile(f"{path} cannot be read ({error.strerror or error})") from error


def _blocks(
    file: BinaryIO, path: Path, record: int, offset: int, stop: int | None, lengths: dict[bytes, int], longest: int
) -> tuple[list[bytes], list[int]]:
    """The next payloads, each with its checksum behind it, and where their records begin."""
    blocks: list[bytes] = []
    offsets: list[int] = []
    end = offset + BATCH_BYTES if stop is None else min(stop, offset + BATCH_BYTES)
    try:
        while len(blocks) < BATCH and offset < end:
            header = file.read(HEADER)
            if not header:
                break
            length = lengths.get(header)
            if length is None:
                length = _length(header, where(path, record + len(blocks), offset), longest)
                if len(lengths) < 4 * BATCH:  # files repeat a few hundred lengths
                    lengths[header] = length
            block = file.read(length + FOOTER)
            if len(block) < length + FOOTER:
                name = where(path, record + len(blocks), offset)
                raise BadFile(
                    f"{name} is truncated: {len(block):,} of {length + FOOTER:,} bytes after its length; {_DAMAGED}"
                )
            blocks.append(block)
            offsets.append(offset)
            offset += HEADER + len(block)
    except OSError as error:
        name = where(path, record + len(blocks), offset)
        raise BadFile(f"{name} cannot be read ({error.strerror or error})") from error
    return blocks, offsets


def _length(header: bytes, name: str, longest: int) -> int:
    """The length that a record's first 12 bytes state, checked."""
    if len(header) < HEADER:
        raise BadFile(f"{name} is truncated: {len(header)} of the {HEADER} bytes that state its length; {_DAMAGED}")
    length, crc = struct.unpack("<QI", header)
    if masked_crc32c(header[:8]) != crc:
        raise BadFile(f"{name}: wrong checksum of its length; {_DAMAGED}")
    if length > longest:
        raise BadFile(f"{name} claims {length:,} bytes; at most {longest:,} are read")
    return int(length)


def _check_payloads(path: Path, first: int, offsets: list[int], payloads: list[bytes], blocks: list[bytes]) -> None:
    """BadFile at the first payload that differs from its checksum."""
    crcs = np.fromiter(map(google_crc32c.value, payloads), dtype=np.uint32, count=len(payloads))
    found = (crcs >> np.uint32(15) | crcs << np.uint32(17)) + np.uint32(_DELTA)
    stored = np.frombuffer(b"".join([block[-FOOTER:] for block in blocks]), dtype="<u4")
    wrong = np.flatnonzero(found != stored)
    if wrong.size:
        place = int(wrong[0])
        raise BadFile(f"{where(path, first + place, offsets[place])}: wrong checksum of its content; {_DAMAGED}")
