"""The one reader of pickles: decodes containers, numbers, numpy arrays and pandas frames, and cannot execute code.

What may happen is an exact list of names (`data.safe.allowed`), each replaced by a stand-in of ours, so that no
code of numpy, pandas or anything else that a file could name ever runs. Opcodes are scanned first
(`data.safe.opcodes`): persistent ids, the extension registry, INST and OBJ are refused before anything is decoded,
and so is what would take memory out of proportion. Every failure is one BadFile that names the file.

Not covered unless asked for (``flat``): deeply shared tuples as dictionary keys waste time. Check the sha256 of a file.
"""

from __future__ import annotations

import bz2
import gzip
import io
import os
import pickle
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ...bench.errors import BadFile, MissingFile
from .allowed import allowed
from .frames import resolve
from .opcodes import Nested, Refused, Scan, scan
from .stand_ins import Budget

MIB = 2**20
LEAVES = frozenset({
    "collections.OrderedDict", "builtins.set", "__builtin__.set", "__builtin__.bytes", "_codecs.encode", "numpy.dtype",
    "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
})  # fmt: skip
"""Names whose results are plain data at once: a pickle that asks for no other needs no second walk."""
DAMAGE = (
    pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError,
    OverflowError, MemoryError, RecursionError, SystemError, BufferError, NotImplementedError, struct.error,
)  # fmt: skip
"""All that decoding damaged bytes was seen to raise, and what its parts are documented to raise."""


@dataclass(frozen=True)
class Limits:
    """How much a file may take: bytes on disk, bytes when decompressed, bytes of the objects it builds."""

    file: int = 256 * MIB
    content: int = 512 * MIB
    memory: int = 2048 * MIB


LIMITS = Limits()


def read_pickle(
    path: str | os.PathLike[str], limits: Limits = LIMITS, *, flat: bool = False, python2: bool = False
) -> Any:
    """The data of a pickle file, plain or compressed (gzip, bz2): containers, numbers, texts, numpy arrays, `Frame`.

    ``flat`` refuses tuples that may hold other tuples, ``python2`` reads what Python 2 wrote (see `decode`).

    Raises:
        MissingFile: there is no such file, or it may not be read.
        BadFile: truncated, corrupted, malicious, too large, or a pickle of something else than data.
    """
    content = read_bytes(path, limits)
    try:
        value, end = decode(content, str(path), limits, flat=flat, python2=python2)
    except Nested as refused:
        raise BadFile(f"{path}: {refused}; {ADVICE}") from None
    if end != len(content):
        raise BadFile(f"{path}: {len(content) - end} bytes follow the pickle's end at byte {end}; {ADVICE}")
    return value


ADVICE = "it is damaged or not the file it should be: compare its size and sha256 with the source and get it again"


def decode(
    content: bytes, name: str, limits: Limits = LIMITS, start: int = 0, *, flat: bool = False, python2: bool = False,
    found: Scan | None = None,
) -> tuple[Any, int]:  # fmt: skip
    """The data of the pickle that begins at ``start``, and the offset behind it; ``name`` is for messages.

    With ``flat``, tuples that may hold two others raise `opcodes.Nested`: what they cost to hash is not bounded here.
    With ``python2``, its byte strings (names and the bytes of arrays alike) are read as latin-1 texts, not refused
    where they are no ASCII. Files of several pickles in a row (PyTorch before 1.6) are read by calling this again with
    the offset.

    >>> decode(b"(I1\\nF2.5\\nt.", "two numbers")
    ((1, 2.5), 11)
    >>> decode(b"cposix\\nsystem\\n(S'true'\\ntR.", "hostile")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    nasgauge.bench.errors.BadFile: hostile: not a pickle of plain data: it asks for 'posix.system', ... at byte 0; ...
    """
    try:
        found = found or scan(content, start, flat=flat)
        if found.memory > limits.memory:
            raise Refused(f"objects of {found.memory / MIB:,.0f} MiB in all (limit {limits.memory / MIB:,.0f} MiB)")
        unpickler = _Unpickler(content, found, start, limits, "latin1" if python2 else "ASCII")
        value = unpickler.load()
        if unpickler.asked - LEAVES:
            value = resolve(value)
    except Nested:
        raise
    except Refused as refused:
        where = "" if refused.offset is None else f" at byte {refused.offset}"
        raise BadFile(f"{name}: not a pickle of plain data: {refused}{where}; {ADVICE}") from None
    except DAMAGE as error:
        what = f"{type(error).__name__}: {str(error)[:200]}"
        raise BadFile(f"{name}: not a readable pickle ({what}); {ADVICE}") from error
    return value, found.end


class _Unpickler(pickle.Unpickler):
    """Python's own decoder, with no way out: names come from the list, and from nowhere else."""

    def __init__(self, content: bytes, found: Scan, start: int, limits: Limits, encoding: str) -> None:
        stream = io.BytesIO(content)
        stream.seek(start)
        super().__init__(stream, encoding=encoding)
        self.asked: set[str] = set()
        self._scan = found
        self._count = 0
        self._budget = Budget(limits.memory - found.memory)
        self._allowed: dict[tuple[str, str], Any] = {}  # made once a name is asked for

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for an allowed name; opcodes run once and in order, so the n-th call is the n-th name's."""
        offset = self._scan.names[self._count][0] if self._count < len(self._scan.names) else None
        self._count += 1
        if not self._allowed:
            self._allowed = allowed(self._budget)
        stand_in = self._allowed.get((module, name))
        if stand_in is None:
            raise Refused(
                f"it asks for {f'{module}.{name}'[:200]!r}, which no data needs and which could run code", offset
            )
        self.asked.add(f"{module}.{name}")
        return stand_in

    def persistent_load(self, pid: Any) -> Any:
        raise Refused("it asks for an object outside the file (a persistent id)")


def read_bytes(path: str | os.PathLike[str], limits: Limits = LIMITS) -> bytes:
    """The content of a file, decompressed where it begins like gzip or bz2, never more than the limits allow."""
    path = Path(path)
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > limits.file:
                raise BadFile(f"{path}: {size:,} bytes, more than the limit of {limits.file:,}; {ADVICE}")
            raw = file.read(limits.file + 1)
    except FileNotFoundError as error:
        raise MissingFile(f"no file at {path}") from error
    except OSError as error:
        raise MissingFile(f"{path} cannot be read ({error.strerror or error})") from error
    opened: BinaryIO | gzip.GzipFile | bz2.BZ2File
    if raw[:2] == b"\x1f\x8b":
        opened = gzip.GzipFile(fileobj=io.BytesIO(raw))
    elif raw[:3] == b"BZh":
        opened = bz2.BZ2File(io.BytesIO(raw))
    else:
        return raw
    try:
        content = opened.read(limits.content + 1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise BadFile(f"{path}: the compressed stream is damaged ({error}); {ADVICE}") from error
    if len(content) > limits.content:
        raise BadFile(f"{path}: decompresses to more than {limits.content:,} bytes; {ADVICE}")
    return content
