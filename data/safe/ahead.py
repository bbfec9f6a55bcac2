"""A stream of bytes, enough of which lies ahead in memory that opcodes are read from one piece."""

from __future__ import annotations

from collections.abc import Callable

from .opcodes import Refused

CHUNK = 1 << 20  # bytes read at a time
AHEAD = 1 << 16  # bytes at hand before an opcode is read: more than any opcode but long texts and bytes


class Ahead:
    """The part of a stream that is at hand: ``content``, read up to ``position``.

    Args:
        read: answers up to n bytes, and b"" at the end.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self.content = b""
        self.position = 0
        self._read = read
        self._before = 0  # bytes of the stream in front of the content
        self._ended = False

    @property
    def offset(self) -> int:
        """Bytes of the stream read so far."""
        return self._before + self.position

    def edge(self) -> int:
        """The last position from which an opcode may be read without filling up."""
        return len(self.content) if self._ended else max(0, len(self.content) - AHEAD)

    def fill(self, position: int, wanted: int = AHEAD) -> int:
        """Drop what is read, read on until ``wanted`` bytes lie ahead or the stream ends; the new position, 0."""
        parts = [self.content[position:]]
        have = len(parts[0])
        self._before += position
        while have < wanted and not self._ended:
            part = self._read(CHUNK)
            self._ended = not part
            parts.append(part)
            have += len(part)
        self.content, self.position = b"".join(parts), 0
        return 0

    def skip(self, start: int, size: int) -> int:
        """Pass over ``size`` bytes without keeping them; the new position.

        Raises:
            Refused: the stream ends before.
        """
        while len(self.content) - start < size and not self._ended:
            size -= len(self.content) - start
            self.fill(len(self.content))
            start = 0
        if len(self.content) - start < size:
            raise Refused("it ends inside bytes: truncated")
        return start + size
