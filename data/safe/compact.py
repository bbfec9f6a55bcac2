"""A pickle of protocol 4, walked through once: runs of curve points are shortened, everything else is scanned.

The walk knows fewer opcodes than `data.safe.opcodes` and none that it refuses; what it does not know is left to the
reader of whole pickles, which says what is wrong with it and where.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .opcodes import ATOM, BYTES_PER_OBJECT, DEEPEST, FLAT_ITEM, Refused, Scan
from .series import INT_RUN, SHORT_TEXT_RUN, Runs, Template

_MARK = rb"\((?!K.G|\x8c.[a-z0-9-]++@)"  # of anything but a run
WALK = re.compile(
    rb"(?:"
    + FLAT_ITEM
    + rb"|"
    + _MARK
    + ATOM
    + rb"{0,16}+t|"
    + _MARK
    + rb"|[)Naesu01}\]Rb\x88\x89\x8f\x90\x93\x94])++",
    re.DOTALL,
)
"""As `opcodes.FLAT`, and containers, names from the stack, calls and states; stops in front of a run's MARK."""
COUNTED = {0x8C: 1, ord("X"): 4, ord("C"): 1, ord("B"): 4, 0x8A: 1}
NUMBER = 3  # bytes of a run's number, which stands in its place as a bytes key; no other bytes are so long
BYTES_PER_KEY = 32  # a memo entry and its share of the table


def unframed(content: bytes) -> bytes:
    """A pickle of protocol 4 without its frame headers, which may stand between any two opcodes."""
    parts, position = [content[:2]], 2
    while position < len(content):
        if content[position] != 0x95:
            raise Refused("opcodes outside of frames")
        end = position + 9 + int.from_bytes(content[position + 1 : position + 9], "little")
        parts.append(content[position + 9 : end])
        position = end
    return b"".join(parts)


@dataclass(frozen=True)
class Short:
    """A shortened pickle: where a curve was, ``pickle`` holds {number of its run: None}."""

    pickle: bytes
    scan: Scan
    runs: tuple[bytes, ...]

    @staticmethod
    def number(key: bytes) -> int:
        """Of a run, by the key that stands for it."""
        return int.from_bytes(key, "little")


class Compact:
    """Shortens a pickle: a run of curve points becomes one key, the run's number, with value None."""

    def __init__(self) -> None:
        self._shapes: dict[bytes, list[tuple[int, bytes, bytes]]] = {}  # head -> length, tail, keys; longest first

    def __call__(self, content: bytes) -> Short | None:
        """The shortened pickle, whose tuples were found to be flat; None where it holds anything unusual."""
        try:
            if content[:2] != b"\x80\x04":
                return None
            return self._shortened(unframed(content))
        except (IndexError, Refused):
            return None

    def _shortened(self, content: bytes) -> Short:
        parts: list[bytes] = []
        runs: list[bytes] = []
        size = len(content)
        position = copied = 2
        memory = BYTES_PER_OBJECT * size
        match_walk, run_of = WALK.match, self._run
        while True:
            if match := match_walk(content, position):
                position = match.end()
            code = content[position]
            if code == 40:
                position += 1
                length, keys = run_of(content, position)
                if length:
                    parts += (content[copied:position], b"C\x03", len(runs).to_bytes(NUMBER, "little"), keys)
                    copied = position + length
                    runs.append(content[position:copied])
                    position = copied
                    memory += BYTES_PER_KEY * len(keys) - (BYTES_PER_OBJECT - 4) * length
            elif code in COUNTED:
                width = COUNTED[code]
                if content.startswith((b"C\x03", b"B\x03\0\0\0"), position):
                    raise Refused("bytes that are as long as the number of a run")
                position += 1 + width + int.from_bytes(content[position + 1 : position + 1 + width], "little")
            elif code == 46:
                if position + 1 != size:
                    raise Refused("bytes follow the pickle")
                parts.append(content[copied:])
                parts.insert(0, b"\x80\x04\x95" + sum(map(len, parts)).to_bytes(8, "little"))
                short = b"".join(parts)
                if short.count(b"\x86") > DEEPEST:
                    raise Refused("pairs beyond number")
                return Short(short, Scan(len(short), (), memory), tuple(runs))
            else:
                raise Refused("an opcode that is left to the reader")

    def _run(self, content: bytes, position: int) -> tuple[int, bytes]:
        """Length in bytes of the run that begins here, 0 for none, and the opcodes that take its place.

        A run that begins and ends as an earlier one is taken for one like it; that is checked where it is decoded.
        """
        first = content[position]
        head = content[position : position + 2 + (content[position + 1] if first != 75 else 0)]
        known = self._shapes.get(head)
        if known is None:
            known = self._shapes[head] = []
        for length, tail, keys in known:
            end = position + length
            if content.startswith(tail, end - 8 - len(tail)) and content[end] == 117:  # SETITEMS
                return length, keys
        match = (INT_RUN if first == 75 else SHORT_TEXT_RUN).match(content, position)
        if not match or content[match.end()] != 117:  # SETITEMS
            return 0, b""
        run = match[0]
        if first == 75:
            count, tail, keys = len(run) // 11, run[-11:-8], b"N"
        else:
            names = Template(run).layout.keys
            count, tail = len(names), bytes([0x8C, len(names[-1])]) + names[-1].encode() + b"\x94G"
            keys = b"\x94" * count + b"N"
        if count > 2 and len(known) < 16 and len(self._shapes) < Runs.LIMIT:
            known.append((len(run), tail, keys))
            known.sort(reverse=True)
        return len(run), keys
