"""The records of a NAS-Bench-101 file as arrays: which cell, how many epochs, what was measured.

A payload is the JSON array ``[module hash, epochs, adjacency digits, operation names, base64 of ModelMetrics]``.
A thousand is parsed by one call each of the JSON, base64 and metrics decoders; where that fails, the batch is read
again record by record, which finds the one that is wrong and says why.
"""

from __future__ import annotations

import binascii
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadFile
from ...bench.spaces.cells101_code import MAX_EDGES, MAX_VERTICES, edge_bit
from ...bench.spaces.cells101_hash import INPUT, OPERATIONS, OUTPUT
from ..public.nasbench101 import BUDGETS
from .nasbench_messages import Metrics, decode
from .processes import in_order
from .tfrecord import Batch, Span, read_batches, spans

ENTRIES = ("module_hash", "epochs", "adjacency", "operations", "metrics")
BEGINNING = b'["'  # of a payload
DEEPEST_TEXT = 64  # brackets in a payload; a real one has one pair
VERTICES = 7  # the bits of a parsed text that count its vertices
_SEPARATOR = b",0,"
_REMEMBERED = 1 << 16  # distinct adjacencies and lists of operations that are parsed once
_SHOWN = 60
SPAN = 2 << 20  # bytes that a process decodes at a time, some 20 ms
FEW = 256 << 20  # bytes of a file that one process has decoded by the time that others have started


@dataclass(frozen=True)
class Records:
    """n consecutive records."""

    hashes: npt.NDArray[np.uint64]  # (n, 2): the module hash as two halves, the leading one first
    budgets: npt.NDArray[np.int16]  # (n,): epochs
    codes: npt.NDArray[np.uint32]  # (n,): the cell as it is stored, packed as in `cells101_code`
    metrics: Metrics
    offsets: npt.NDArray[np.int64]  # (n,): of each record's first byte in the file


class WrongRecord(ValueError):
    """A record, or a part of one, is not as it should be; the caller knows which."""


class Structures(dict[str, int]):
    """Adjacency digits -> edge bits * 8 + vertices, each text parsed and checked once."""

    def __missing__(self, text: str) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[text] = found = _structure(text)
        return found


class Labelings(dict[str, int]):
    """Operation names -> labelling * 8 + vertices, each text parsed and checked once."""

    def __missing__(self, text: str) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[text] = found = _labeling(text)
        return found


class Reader:
    """Turns batches of payloads into `Records`, remembering the texts that come up again and again."""

    def __init__(self) -> None:
        self._structures = Structures()
        self._labelings = Labelings()

    def read(self, batch: Batch) -> Records:
        """The records of one batch.

        Raises:
            BadFile: a payload of another layout; names the record and its place in the file.
        """
        try:
            columns, messages = self._at_once(batch.payloads)
        except (ValueError, TypeError, RecursionError):
            columns, messages = self._one_by_one(batch)
        hashes, budgets, codes = columns
        offsets = np.array(batch.offsets, dtype=np.int64)
        return Records(hashes, budgets, codes, decode(messages, batch.where), offsets)

    def _at_once(self, payloads: list[bytes]) -> tuple[tuple[Any, Any, Any], list[bytes]]:
        """Columns and messages of well-formed payloads; ValueError or TypeError on any other."""
        text = (b"[" + _SEPARATOR.join(payloads) + b"]").decode()
        if text.count("[") > 1 + len(payloads):
            raise WrongRecord("nested")
        parsed = json.loads(text)
        rows, zeros = parsed[::2], parsed[1::2]
        if len(rows) != len(payloads) or zeros != [0] * (len(payloads) - 1) or set(map(type, rows)) != {list}:
            raise WrongRecord("not one array each")
        hashes, budgets, adjacencies, operations, metrics = zip(*rows, strict=True)
        if set(map(type, budgets)) != {int} or not set(budgets) <= set(BUDGETS):
            raise WrongRecord("epochs")  # entries that should be text and are not raise TypeError below
        return self._columns(hashes, budgets, adjacencies, operations), [*map(binascii.a2b_base64, metrics)]

    def _columns(self, hashes: Any, budgets: Any, adjacencies: Any, operations: Any) -> tuple[Any, Any, Any]:
        if set(map(len, hashes)) != {32} or not re.fullmatch("[0-9a-f]*", joined := "".join(hashes)):
            raise WrongRecord("module hashes are 32 hexadecimal digits each")
        halves = np.frombuffer(bytes.fromhex(joined), dtype=">u8").reshape(-1, 2).astype(np.uint64)
        count = len(hashes)
        structures = np.fromiter(map(self._structures.__getitem__, adjacencies), dtype=np.uint32, count=count)
        labelings = np.fromiter(map(self._labelings.__getitem__, operations), dtype=np.uint32, count=count)
        if ((structures ^ labelings) & np.uint32(VERTICES)).any():
            raise WrongRecord("the adjacency and the operations differ in their number of vertices")
        codes = (structures >> np.uint32(3) << np.uint32(8)) + (labelings >> np.uint32(3))
        return halves, np.array(budgets, dtype=np.int16), codes

    def _one_by_one(self, batch: Batch) -> tuple[tuple[Any, Any, Any], list[bytes]]:
        rows, messages = [], []
        for place, payload in enumerate(batch.payloads):
            try:
                entries = _entries(payload)
                rows.append([column[0] for column in self._columns(*([entry] for entry in entries[:4]))])
                messages.append(binascii.a2b_base64(entries[4]))
            except (ValueError, RecursionError) as error:
                raise BadFile(f"{batch.where(place)}: {error or type(error).__name__}") from error
        halves, budgets, codes = zip(*rows, strict=True)
        return (np.array(halves), np.array(budgets), np.array(codes)), messages


def read_all(path: Path, jobs: int = -1) -> Iterator[Records]:
    """All records of a file in its order, decoded by ``jobs`` processes (-1: one per core), a few spans ahead at most.

    Of the 3.3 us that a record costs one process, 0.3 us (the search for its place) stay with this one; the rest is
    shared out, at the price of 0.7 s of processor time to start each helper. Hence `FEW`: the released files are above
    it.

    Raises:
        MissingFile, BadFile: as `Reader.read` and `read_batches`.
    """
    if jobs == 1 or path.stat().st_size < FEW:
        reader = Reader()
        yield from (reader.read(batch) for batch in read_batches(path))
        return
    for found in in_order(partial(_read_span, path), spans(path, SPAN), jobs):
        if isinstance(found, BadFile):
            raise found
        yield from found


def _read_span(path: Path, span: Span) -> list[Records] | BadFile:
    """The records of a span, or what is wrong with it: handed over in its turn, not as soon as it is found."""
    try:
        return [_reader().read(batch) for batch in read_batches(path, span)]
    except BadFile as error:
        return error


@cache
def _reader() -> Reader:
    return Reader()  # the texts it remembers, once per process


def _entries(payload: bytes) -> tuple[str, int, str, str, str]:
    """The five entries of a payload, their types and the epochs checked."""
    text = payload.decode()  # UnicodeDecodeError is a ValueError
    if text.count("[") + text.count("{") > DEEPEST_TEXT:
        raise WrongRecord("it nests too deeply for a NAS-Bench-101 record")
    parsed = json.loads(text)
    if not isinstance(parsed, list) or len(parsed) != len(ENTRIES):
        raise WrongRecord(f"it is no JSON array of {len(ENTRIES)}: {', '.join(ENTRIES)}")
    for name, value in zip(ENTRIES, parsed, strict=True):
        expected = int if name == "epochs" else str
        if type(value) is not expected:
            raise WrongRecord(f"its {name} is {str(value)[:_SHOWN]!r}; expected {expected.__name__}")
    if parsed[1] not in BUDGETS:
        raise WrongRecord(f"epochs {str(parsed[1])[:_SHOWN]}; the release has {', '.join(map(str, BUDGETS))}")
    return tuple(parsed)


def _structure(text: str) -> int:
    """Edge bits * 8 + number of vertices of a cell's adjacency digits."""
    vertices = math.isqrt(len(text))
    if vertices**2 != len(text) or not 2 <= vertices <= MAX_VERTICES or set(text) - {"0", "1"}:
        raise WrongRecord(
            f"its adjacency {text[:_SHOWN]!r} is no square of zeros and ones of 2 to {MAX_VERTICES} vertices"
        )
    rows = [text[at : at + vertices] for at in range(0, len(text), vertices)]
    bits = sources = targets = 0
    for target in range(1, vertices):
        for source in range(target):
            if rows[source][target] == "1":
                bits |= 1 << edge_bit(source, target)
                sources |= 1 << source
                targets |= 1 << target
    if bits.bit_count() != text.count("1"):
        raise WrongRecord(f"its adjacency {text!r} is not strictly upper triangular")
    others = (1 << vertices - 1) - 1
    if sources != others or targets != others << 1 or bits.bit_count() > MAX_EDGES:
        raise WrongRecord(f"its adjacency {text!r} is not pruned, or has more than {MAX_EDGES} edges")
    return bits << 3 | vertices


def _labeling(text: str) -> int:
    """The number that a cell's operations spell in base 3, * 8 + number of vertices."""
    names = text[: MAX_VERTICES * 20].split(",")
    if len(names) < 2 or names[0] != INPUT or names[-1] != OUTPUT or set(names[1:-1]) - set(OPERATIONS):
        raise WrongRecord(
            f"its operations are {text[:_SHOWN]!r}; expected {INPUT!r}, some of {', '.join(OPERATIONS)}, {OUTPUT!r}"
        )
    if len(names) > MAX_VERTICES:
        raise WrongRecord(f"it has {len(names)} operations; a cell has at most {MAX_VERTICES} vertices")
    labeling = 0
    for name in names[1:-1]:
        labeling = 3 * labeling + OPERATIONS.index(name)
    return labeling << 3 | len(names)
