"""A pickle machine for files larger than memory: reads one entry of a huge dictionary at a time, and runs nothing.

`data.safe.pickles` decodes whole pickles; the official NAS-Bench-201 and NATS-Bench files are single pickles of up
to five gigabytes. This machine carries out the few opcodes those files hold, over a stream, hands out each finished
architecture and lets it go. It knows the same allow-list of names (`data.safe.pickles.LEAVES`), each an inert
stand-in; there is no import, no attribute access and no call of anything else. Runs of curve points are taken whole
(`data.safe.series`).

With ``weights`` the names by which PyTorch describes tensors, and its persistent ids of storages, become one inert
token: weights are passed over without being built.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

from ...bench.errors import BadFile
from .ahead import AHEAD, Ahead
from .memo import Memo
from .numpy_stand_ins import Dtype
from .opcodes import FORBIDDEN, Refused
from .parts import KEYS, WEIGHT, Parts, as_data, as_list
from .pickles import ADVICE, DAMAGE
from .series import INT_RUN, MEMO_RUN, SHORT_TEXT_RUN, TEXT_RUN, Runs, Series, memo_items
from .stand_ins import Budget

LONGEST_TEXT = 1 << 16
STEPS = 3_000_000  # opcodes between two entries; an official entry takes some thousand
ITEMS = 1_000_000  # objects on the stack
HELD = 64 << 20  # bytes of curves and bytes between two entries; an official entry holds 100 kB
DEPTH = 200  # of nested marks


class Machine:
    """Reads consecutive pickles from a stream.

    Args:
        read: answers up to n bytes, and b"" at the end.
        name: the file, for messages.
        weights: pass over tensors instead of refusing them.
        runs: what earlier files of the same kind had in common.
    """

    def __init__(
        self, read: Callable[[int], bytes], name: str, *, weights: bool = False, runs: Runs | None = None
    ) -> None:
        self.name = name
        self.runs = runs or Runs()
        self._weights = weights
        self._ahead = Ahead(read)
        self._budget = Budget(HELD)
        self._parts = Parts(self.runs, self._budget, weights)

    @property
    def offset(self) -> int:
        """Bytes of the stream read so far."""
        return self._ahead.offset

    def check_end(self) -> None:
        """BadFile where anything follows the last pickle."""
        self._ahead.fill(self._ahead.position, 1)
        if self._ahead.content:
            raise BadFile(f"{self.name}: bytes follow the pickle that ends at byte {self.offset:,}; {ADVICE}")

    def load(self) -> Any:
        """The next pickle as a whole."""
        parts = list(self.entries(None))
        return parts[-1]

    def entries(self, within: str | None) -> Iterator[Any]:
        """The next pickle, a dictionary: (key, value) of every entry of its entry ``within``, then the rest of it.

        Entries that came one by one are absent from the rest, whose type tells it from the pairs.
        """
        try:
            yield from self._steps(within)
        except Refused as refused:
            where = self.offset if refused.offset is None else refused.offset
            raise BadFile(f"{self.name}: not an official file: {refused} at byte {where:,}; {ADVICE}") from None
        except BadFile:  # said by who reads the bytes
            raise
        except DAMAGE as error:
            what = f"{type(error).__name__}: {str(error)[:200]}"
            raise BadFile(f"{self.name}: unreadable at byte {self.offset:,} ({what}); {ADVICE}") from error

    def _steps(self, within: str | None) -> Iterator[Any]:
        ahead = self._ahead
        stack: list[Any] = []
        below: list[list[Any]] = []  # stacks under the marks
        memo = Memo()
        steps = held = 0
        at_run = False
        position = ahead.fill(ahead.position)
        buffer, edge = ahead.content, ahead.edge()
        while True:
            if position > edge:
                ahead.position = position
                position = ahead.fill(position)
                buffer, edge = ahead.content, ahead.edge()
            if position >= len(buffer):
                ahead.position = position
                raise Refused("it ends without the STOP opcode: truncated")
            code = buffer[position]
            if at_run:
                ahead.position = position
                series, end = self._run(buffer, position, memo)
                if series is not None:
                    stack.append(series)
                    held += end - position
                    position = end
                    if held > HELD:
                        raise Refused(f"curves of more than {HELD >> 20} MiB in one entry")
                    continue
                at_run = code == 0x95
            steps += 1
            if steps > STEPS:
                ahead.position = position
                raise Refused(f"more than {STEPS:,} opcodes in one entry")
            if code == 104:  # BINGET
                stack.append(memo[buffer[position + 1]])
                position += 2
            elif code == 106:  # LONG_BINGET
                stack.append(memo[int.from_bytes(buffer[position + 1 : position + 5], "little")])
                position += 5
            elif code == 0x94:  # MEMOIZE
                memo.append(stack[-1])
                position += 1
            elif code == 40:  # MARK
                below.append(stack)
                stack = []
                at_run = True
                position += 1
                if len(below) > DEPTH:
                    raise Refused(f"more than {DEPTH} marks within one another")
            elif code == 117 or code == 115:  # SETITEMS, SETITEM
                position += 1
                if code == 117:
                    items, stack = stack, below.pop()
                else:
                    items = stack[-2:]
                    del stack[-2:]
                stack[-1] = self._parts.filled(stack[-1], items)
                if len(below) == 2 and len(stack) == 2 and len(below[1]) >= 2 and below[1][-2] == within and within:
                    ahead.position = position
                    yield stack[0], stack[1]
                    buffer, edge = ahead.content, ahead.edge()
                    stack.clear()
                    memo.forget_architecture()
                    steps = held = 0
                    self._budget.left = HELD
            elif code == 75:  # BININT1
                stack.append(buffer[position + 1])
                position += 2
            elif code == 71:  # BINFLOAT
                stack.append(struct.unpack_from(">d", buffer, position + 1)[0])
                position += 9
                at_run = True  # the rest of a run that a frame's end had cut
            elif code == 125:  # EMPTY_DICT
                stack.append({})
                position += 1
            elif code == 0x8C or code == 88 or code == 67 or code == 66:  # texts and bytes, short and long
                width = 1 if code in (0x8C, 67) else 4
                size = int.from_bytes(buffer[position + 1 : position + 1 + width], "little")
                start = position + 1 + width
                if size > LONGEST_TEXT:
                    ahead.position = position
                    if code != 66 or not self._weights:
                        raise Refused(f"a text or bytes of {size:,} bytes")
                    position = ahead.skip(start, size)
                    buffer, edge = ahead.content, ahead.edge()
                    stack.append(WEIGHT)
                    continue
                if start + size > len(buffer):
                    ahead.position = position
                    position = ahead.fill(position, width + size + AHEAD)
                    buffer, edge, start = ahead.content, ahead.edge(), position + 1 + width
                content = buffer[start : start + size]
                if len(content) < size:
                    raise Refused("it ends inside a text: truncated")
                stack.append(content.decode("utf-8") if code in (0x8C, 88) else content)
                position = start + size
                held += size
                if held > HELD:
                    raise Refused(f"texts of more than {HELD >> 20} MiB in one entry")
            elif code == 78:  # NONE
                stack.append(None)
                position += 1
            elif code == 0x88 or code == 0x89:
                stack.append(code == 0x88)
                position += 1
            elif code == 113 or code == 114:  # BINPUT, LONG_BINPUT
                width = 1 if code == 113 else 4
                memo[int.from_bytes(buffer[position + 1 : position + 1 + width], "little")] = stack[-1]
                position += 1 + width
            elif code == 77 or code == 74:  # BININT2, BININT
                width = 2 if code == 77 else 4
                content = buffer[position + 1 : position + 1 + width]
                stack.append(int.from_bytes(content, "little", signed=code == 74))
                position += 1 + width
            elif code == 0x8A:  # LONG1
                size = buffer[position + 1]
                stack.append(int.from_bytes(buffer[position + 2 : position + 2 + size], "little", signed=True))
                position += 2 + size
            elif 0x85 <= code <= 0x87:  # TUPLE1 to TUPLE3
                size = code - 0x84
                if len(stack) < size:
                    raise Refused("a tuple of more than the stack holds")
                stack[-size:] = [tuple(stack[-size:])]
                position += 1
            elif code == 41:  # EMPTY_TUPLE
                stack.append(())
                position += 1
            elif code == 116:  # TUPLE
                items, stack = stack, below.pop()
                stack.append(tuple(items))
                position += 1
            elif code == 93:  # EMPTY_LIST
                stack.append([])
                position += 1
            elif code == 97:  # APPEND
                item = stack.pop()
                as_list(stack[-1]).append(item)
                position += 1
            elif code == 101:  # APPENDS
                items, stack = stack, below.pop()
                as_list(stack[-1]).extend(items)
                position += 1
            elif code == 0x8F:  # EMPTY_SET
                stack.append(set())
                position += 1
            elif code == 0x90:  # ADDITEMS
                items, stack = stack, below.pop()
                if type(stack[-1]) is not set or not all(type(item) in KEYS for item in items):
                    raise Refused("a set of something else than numbers and texts")
                stack[-1].update(items)
                position += 1
            elif code == 82:  # REDUCE
                arguments = stack.pop()
                stack[-1] = self._parts.called(stack[-1], arguments)
                position += 1
            elif code == 98:  # BUILD
                state = stack.pop()
                if isinstance(stack[-1], Dtype):
                    stack[-1].__setstate__(state)
                elif not (self._weights and type(stack[-1]) is dict):
                    raise Refused("it gives a state to something that has none")
                position += 1
            elif code == 0x93:  # STACK_GLOBAL
                name = stack.pop()
                stack[-1] = self._parts.named(stack[-1], name)
                position += 1
            elif code == 99:  # GLOBAL
                middle = buffer.find(b"\n", position, position + 400)
                end = buffer.find(b"\n", middle + 1, middle + 400) if middle >= 0 else -1
                if end < 0:
                    raise Refused("a name without an end")
                module, name = buffer[position + 1 : middle], buffer[middle + 1 : end]
                stack.append(self._parts.named(module.decode(), name.decode()))
                position = end + 1
            elif code == 0x95:  # FRAME
                position += 9
            elif code == 0x80:  # PROTO
                if buffer[position + 1] > 5:
                    raise Refused(f"pickle protocol {buffer[position + 1]}")
                position += 2
            elif code == 81 and self._weights:  # BINPERSID
                token = stack.pop()
                if type(token) is not tuple or not token or token[0] != "storage":
                    raise Refused("a persistent id of something else than a storage of weights")
                stack.append(WEIGHT)
                position += 1
            elif code == 46:  # STOP
                ahead.position = position + 1
                if len(stack) != 1 or below:
                    raise Refused("it stops with an unfinished object")
                yield as_data(stack[0])
                return
            elif code == 48 and stack:  # POP
                stack.pop()
                position += 1
            else:
                ahead.position = position
                what = FORBIDDEN.get(code, f"0x{code:02x}, which no official file holds")
                raise Refused(f"opcode {what}")
            if len(stack) > ITEMS:
                ahead.position = position
                raise Refused("more objects than any official file holds")

    def _run(self, buffer: bytes, position: int, memo: Memo) -> tuple[Series | None, int]:
        """The run of curve points that begins here, and the position behind it; None where there is none."""
        code = buffer[position]
        if code == 75 and (match := INT_RUN.match(buffer, position)):  # K
            return self.runs.integers(match[0]), match.end()
        if code == 0x8C and (match := SHORT_TEXT_RUN.match(buffer, position)):
            series, template = self.runs.texts(match[0])
            memo.append_run(template)
            return series, match.end()
        if code == 88 and (match := TEXT_RUN.match(buffer, position)):  # X
            series, template = self.runs.texts(match[0])
            memo.put_run(template.first_memo(match[0]), template)
            return series, match.end()
        if code in (104, 106) and (match := MEMO_RUN.match(buffer, position)):  # h, j
            indices, values = memo_items(match[0])
            keys = tuple([memo[index] for index in indices])
            if all(type(key) is str and "@" in key for key in keys):
                return self.runs.keyed(keys, values), match.end()
        return None, position
