"""A pickle's opcodes, read without running it: where it ends, which names it asks for, how much memory it would take.

The layout of every opcode is that of Python's own `pickletools`. Runs of short opcodes are skipped by one regular
expression, so that megabytes are scanned in milliseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


class Refused(Exception):
    """Why a pickle is not read, and where; `data.safe.pickles` turns it into a BadFile that names the file."""

    def __init__(self, reason: str, offset: int | None = None) -> None:
        super().__init__(reason)
        self.offset = offset


class Nested(Refused):
    """Tuples within tuples, where only flat ones were asked for."""


@dataclass(frozen=True)
class Scan:
    """What a pickle would do: ``names`` are (offset, "module name" or None where the stack holds it), in order."""

    end: int  # offset behind STOP
    names: tuple[tuple[int, str | None], ...]
    memory: int  # upper bound of the bytes of all objects it builds


_SHORT_TEXTS = b"|".join(re.escape(bytes([length])) + b".{%d}" % length for length in range(64))
PLAIN = re.compile(
    rb"(?:[(Naesu01\x88\x89\x90\x94]|[Khq].|M..|[Jj].{4}|G.{8}|\x8c(?:" + _SHORT_TEXTS + b"))++", re.DOTALL
)
"""MARK NONE APPEND(S) SETITEM(S) POP POP_MARK booleans ADDITEMS MEMOIZE, small numbers, short texts, memo look-ups."""
_TEXT = rb"\x8c(?:" + _SHORT_TEXTS + rb")\x94?"
ATOM = rb"(?:[N\x88\x89]|K.|M..|J.{4}|G.{8}|" + _TEXT + rb")"
"""A plain value."""
FLAT_ITEM = rb"[hq].|G.{8}|(?:K.|M..|J.{4}|C\x08.{8}\x94?|" + _TEXT + rb")\x86?|[\x88\x89]{2}\x87|j.{4}"
"""A plain value, a pair with a plain second, a triple with two booleans, a memo look-up."""
FLAT = re.compile(rb"(?:" + FLAT_ITEM + rb"|\(" + ATOM + rb"*+t|[(Naesu01\x88\x89\x90\x94])++", re.DOTALL)
"""`PLAIN`, tuples of plain values written out, pairs with a plain second, triples with two: none holds two tuples."""
DEEPEST = 10_000  # bytes that may be the opcode of a pair: so deep a chain of pairs can still be hashed
TUPLES = frozenset(b"t\x85\x86\x87")
BUILDS = frozenset(b"]})\x8fdlt\x85\x86\x87\x91Rb\x81")
"""One-byte opcodes that make a container or call something."""
COUNTED = {0x8C: 1, ord("X"): 4, 0x8D: 8, ord("C"): 1, ord("B"): 4, 0x8E: 8, 0x96: 8, ord("U"): 1, ord("T"): 4,
           0x8A: 1, 0x8B: 4}  # fmt: skip
"""Opcodes followed by a length of so many bytes, then by that many bytes: texts, bytes, long integers."""
LINES = {ord("I"): 1, ord("L"): 1, ord("F"): 1, ord("V"): 1, ord("S"): 1, ord("g"): 1, ord("p"): 1, ord("c"): 2}
"""Opcodes followed by so many lines of text."""
STOP, PROTO, FRAME, LONG_BINPUT, STACK_GLOBAL, GLOBAL, PUT = ord("."), 0x80, 0x95, ord("r"), 0x93, ord("c"), ord("p")
FORBIDDEN = {
    ord("i"): "INST (builds an instance of a named class)",
    ord("o"): "OBJ (builds an instance of a class)",
    ord("P"): "PERSID (a persistent id: an object outside the file)",
    ord("Q"): "BINPERSID (a persistent id: an object outside the file)",
    0x82: "EXT1 (an entry of the extension registry)",
    0x83: "EXT2 (an entry of the extension registry)",
    0x84: "EXT4 (an entry of the extension registry)",
    0x92: "NEWOBJ_EX (builds an instance with keyword arguments)",
    0x97: "NEXT_BUFFER (a buffer outside the file)",
    0x98: "READONLY_BUFFER (a buffer outside the file)",
    ord("2"): "DUP (no pickler writes it)",
}
HIGHEST_PROTOCOL = 5
BYTES_PER_PLAIN = 32  # a dictionary entry of small integers is the dearest of the plain opcodes
BYTES_PER_OBJECT = 240  # an empty set is the dearest container
BYTES_PER_MEMO = 16  # the memo is an array of twice the highest index
LONGEST_LINE = 4096


def scan(data: bytes, start: int = 0, *, flat: bool = False) -> Scan:
    """Read the opcodes of the pickle that begins at ``start``.

    Args:
        flat: refuse tuples that may hold two others, and chains without end. Tuples that hold one another again and
            again take for ever to hash, and deep ones more stack than there is, so a reader of unknown files with
            tuples as keys asks for this.

    Raises:
        Refused: truncated, an unknown or forbidden opcode, or a memo index that would reserve memory out of proportion.
    """
    position, length = start, len(data)
    names: list[tuple[int, str | None]] = []
    memory = highest_memo = 0
    plain = FLAT if flat else PLAIN
    if flat and data.count(b"\x86", start) > DEEPEST:
        raise Nested("pairs beyond number", start)
    while True:
        run = plain.match(data, position)
        if run:
            memory += BYTES_PER_PLAIN * (run.end() - position)
            position = run.end()
        if position >= length:
            raise Refused("it ends without the STOP opcode: truncated", length)
        code = data[position]
        if flat and code in TUPLES:
            raise Nested("a tuple that may hold two others", position)
        if code in BUILDS:
            memory += BYTES_PER_OBJECT
            following = position + 1
        elif code in COUNTED:
            width = COUNTED[code]
            count = int.from_bytes(data[position + 1 : position + 1 + width], "little")
            following = position + 1 + width + count
            memory += 80 + 4 * count
        elif code in LINES:
            following, text = _lines(data, position, LINES[code])
            memory += 80 + 4 * len(text)
            if code == GLOBAL:
                names.append((position, text.replace("\n", " ")))
            elif code == PUT:
                index = int(text) if re.fullmatch("[0-9]{1,18}", text) else -1
                highest_memo = max(highest_memo, _memo(index, data, position))
        elif code == LONG_BINPUT:
            following = position + 5
            index = int.from_bytes(data[position + 1 : following], "little")
            highest_memo = max(highest_memo, _memo(index, data, position))
        elif code == STACK_GLOBAL:
            names.append((position, None))
            following = position + 1
        elif code == PROTO:
            following = position + 2
            if following <= length and data[position + 1] > HIGHEST_PROTOCOL:
                raise Refused(f"pickle protocol {data[position + 1]} (highest known: {HIGHEST_PROTOCOL})", position)
        elif code == FRAME:
            following = position + 9
        elif code == STOP:
            return Scan(position + 1, tuple(names), memory + BYTES_PER_MEMO * highest_memo)
        elif code in FORBIDDEN:
            raise Refused(f"forbidden opcode {FORBIDDEN[code]}", position)
        elif chr(code) in "KhqMJjG":
            raise Refused("it ends inside an opcode: truncated", position)
        else:
            raise Refused(f"byte 0x{code:02x} is no pickle opcode", position)
        if following > length:
            raise Refused("it ends inside an opcode: truncated", position)
        position = following


def _lines(data: bytes, position: int, count: int) -> tuple[int, str]:
    """Offset behind ``count`` lines that follow the opcode at ``position``, and their text."""
    end = position
    for _ in range(count):
        end = data.find(b"\n", end + 1)
        if end < 0:
            raise Refused("it ends inside an opcode: truncated", position)
    text = data[position + 1 : end]
    if len(text) > LONGEST_LINE and count == 2:
        raise Refused(f"a name of {len(text)} bytes", position)
    return end + 1, text.decode("utf-8", "backslashreplace")


def _memo(index: int, data: bytes, position: int) -> int:
    if not 0 <= index <= len(data):
        raise Refused(f"memo index {index} in a pickle of {len(data)} bytes", position)
    return index
