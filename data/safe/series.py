"""Curves inside a pickle, taken a whole run of entries at a time: ``epoch -> value`` and ``'set@epoch' -> value``.

An official file of NAS-Bench-201 or NATS-Bench is mostly dictionaries of floats under few kinds of keys. What two such
runs have in common (everything but the floats) is worked out once, as a `Template`; from then on a run is one
comparison of bytes and one gather of floats.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .opcodes import Refused

Floats = npt.NDArray[np.float64]
INT_RUN = re.compile(rb"(?:K.G.{8})++", re.DOTALL)
"""BININT1 key, BINFLOAT value."""
SHORT_TEXT_RUN = re.compile(rb"(?:\x8c[\x03-\x20][a-z0-9-]++@[0-9]{1,4}+\x94G.{8})++", re.DOTALL)
"""SHORT_BINUNICODE key, MEMOIZE, BINFLOAT (protocol 4)."""
TEXT_RUN = re.compile(rb"(?:X[\x03-\x20]\0\0\0[a-z0-9-]++@[0-9]{1,4}+(?:q.|r.{4})G.{8})++", re.DOTALL)
"""BINUNICODE key, BINPUT or LONG_BINPUT, BINFLOAT (protocol 2)."""
MEMO_RUN = re.compile(rb"(?:(?:h.|j.{4})G.{8})++", re.DOTALL)
"""BINGET or LONG_BINGET of a key seen before, BINFLOAT."""
INT_ITEM = np.dtype({"names": ["key", "value"], "formats": ["u1", ">f8"], "offsets": [1, 3], "itemsize": 11})
TEXT_ITEM = re.compile(rb"(?:\x8c(?P<short>.)|X(?P<long>.{4}))(?P<text>[a-z0-9-]+@[0-9]{1,4})"
                       rb"(?P<memo>\x94|q.|r.{4})G.{8}", re.DOTALL)  # fmt: skip
MEMO_ITEM = re.compile(rb"(?:h(.)|j(.{4}))G(.{8})", re.DOTALL)
Keys = tuple[Any, ...]


@dataclass(frozen=True)
class Layout:
    """Which sets of images a tuple of ``'set@epoch'`` keys covers: set -> (places in the tuple, epochs from 0)."""

    keys: Keys = field(repr=False)

    @cached_property
    def sets(self) -> dict[str, tuple[slice | npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        """Places as a slice where they are contiguous."""
        found: dict[str, tuple[list[int], list[int]]] = {}
        for place, key in enumerate(self.keys):
            name, separator, epoch = key.rpartition("@") if isinstance(key, str) else ("", "", "")
            if not separator or not epoch.isascii() or not epoch.isdigit() or str(int(epoch)) != epoch:
                raise Refused(f"key {_short(key)}, where 'set@epoch' is expected")
            places, epochs = found.setdefault(name, ([], []))
            places.append(place)
            epochs.append(int(epoch))
        return {name: (_slice(places), np.array(epochs)) for name, (places, epochs) in found.items()}

    @cached_property
    def epochs(self) -> npt.NDArray[np.int64]:
        """The keys as epochs, where they are integers."""
        if not all(type(key) is int and 0 <= key < 10_000 for key in self.keys):
            raise Refused(f"key {_short(next(iter(self.keys), None))}, where an epoch from 0 is expected")
        return np.array(self.keys, dtype=np.int64)

    @cached_property
    def is_range(self) -> bool:
        """Whether the keys are 0, 1, 2, ..."""
        return self.keys == tuple(range(len(self.keys)))


@dataclass(frozen=True)
class Series:
    """A dictionary of floats as two arrays; ``memo`` is the first memo index of its keys, -1 for none."""

    layout: Layout
    values: Floats

    def to_dict(self) -> dict[Any, float]:
        """The dictionary of the file."""
        return dict(zip(self.layout.keys, self.values.tolist(), strict=True))


class Template:
    """The bytes of a run of text keys without its floats (and, in protocol 2, without its memo indices)."""

    __slots__ = ("bytes", "floats", "layout", "memo", "same", "skeleton")

    def __init__(self, run: bytes) -> None:
        keys, floats, variable, memo, end = [], [], [], [], 0
        for item in TEXT_ITEM.finditer(run):
            length = item["short"] or item["long"]
            if item.start() != end or int.from_bytes(length, "little") != len(item["text"]):
                raise Refused("a text whose length is not its own")
            end = item.end()
            keys.append(item["text"].decode())
            floats.append(range(end - 8, end))
            variable += [*floats[-1], *range(item.start("memo") + 1, item.end("memo"))]
            memo.append(item.start("memo"))
        if end != len(run):
            raise Refused("a run of texts and floats that does not end where it should")
        self.layout = Layout(tuple(keys))
        self.floats = np.array(floats, dtype=np.int64).ravel()
        self.same = np.setdiff1d(np.arange(len(run)), variable)
        self.bytes = run_bytes(run).take(self.same)
        self.skeleton = self.bytes.tobytes()
        self.memo = memo

    def fits(self, run: bytes, content: npt.NDArray[np.uint8]) -> bool:
        """Whether ``run`` differs from this template in nothing but floats and memo indices."""
        return content.take(self.same).tobytes() == self.skeleton

    def values(self, content: npt.NDArray[np.uint8]) -> Floats:
        """The floats."""
        return content.take(self.floats).view(">f8").astype(np.float64)

    def first_memo(self, run: bytes) -> int:
        """Memo index of the first key in protocol 2; they count up, which is checked at the last key."""
        first, last = (_memo_index(run, place) for place in (self.memo[0], self.memo[-1]))
        if last - first != len(self.memo) - 1:
            raise Refused("memo indices that do not count up")
        return first


def run_bytes(run: bytes) -> npt.NDArray[np.uint8]:
    """A run as an array of bytes, (n,)."""
    return np.frombuffer(run, dtype=np.uint8)


class Runs:
    """Decodes runs and remembers what they have in common."""

    LIMIT = 4096  # templates and layouts kept

    def __init__(self) -> None:
        self._templates: dict[tuple[int, bytes], list[Template]] = {}
        self._layouts: dict[Any, Layout] = {}

    def integers(self, run: bytes) -> Series:
        """A run of `INT_RUN`."""
        items = np.frombuffer(run, dtype=INT_ITEM)
        keys = items["key"].tobytes()
        layout = self._layouts.get(keys) or self._remember(keys, Layout(tuple(keys)))
        return Series(layout, items["value"].astype(np.float64))

    def many(self, runs: list[bytes]) -> list[tuple[Layout, npt.NDArray[np.int64], Floats]]:
        """Runs of equal length: (layout, places in ``runs``, values (place, key)) for every layout among them."""
        content = run_bytes(b"".join(runs)).reshape(len(runs), -1)
        if runs[0][0] == 75:
            if content.shape[1] % 11 or (content[:, 0::11] != 75).any() or (content[:, 2::11] != 71).any():
                raise Refused("a run of epochs and floats that is none")
            items = content.view(INT_ITEM)
            keys, values = items["key"], items["value"].astype(np.float64)
            if (keys == keys[0]).all():
                return [(self.integers(runs[0]).layout, np.arange(len(runs)), values)]
            return [(self.integers(run).layout, np.array([at]), values[at : at + 1]) for at, run in enumerate(runs)]
        found, left = [], np.arange(len(runs))
        while len(left):
            _, template = self.texts(runs[left[0]])
            rest = content if len(left) == len(runs) else content[left]
            fits = (rest.take(template.same, axis=1) == template.bytes).all(axis=1)
            values = rest[fits].take(template.floats, axis=1).view(">f8").astype(np.float64)
            found.append((template.layout, left[fits], values))
            left = left[~fits]
        return found

    def texts(self, run: bytes) -> tuple[Series, Template]:
        """A run of `SHORT_TEXT_RUN` or `TEXT_RUN`."""
        content = run_bytes(run)
        known = self._templates.setdefault((len(run), run[:12]), [])
        for template in known:
            if template.fits(run, content):
                break
        else:
            template = Template(run)
            if len(self._templates) > self.LIMIT or len(known) > 64:
                self._templates.clear()
            else:
                known.append(template)
        return Series(template.layout, template.values(content)), template

    def keyed(self, keys: Keys, values: Iterable[float] | Floats) -> Series:
        """A series under given keys, whose layout is shared with others of the same keys."""
        layout = self._layouts.get(keys) or self._remember(keys, Layout(keys))
        return Series(layout, np.asarray(values, dtype=np.float64))

    def of(self, found: Mapping[Any, Any] | Series) -> Series:
        """A dictionary of numbers as a series."""
        if isinstance(found, Series):
            return found
        if not all(type(value) in (float, int) for value in found.values()):
            odd = next(value for value in found.values() if type(value) not in (float, int))
            raise Refused(f"{_short(odd)}, where a number is expected")
        return self.keyed(tuple(found), np.fromiter(found.values(), dtype=np.float64, count=len(found)))

    def joined(self, parts: list[Series]) -> Series:
        """Several series of one dictionary, in order."""
        if len(parts) == 1:
            return parts[0]
        keys = tuple(key for part in parts for key in part.layout.keys)
        return self.keyed(keys, np.concatenate([part.values for part in parts]))

    def _remember(self, key: Any, layout: Layout) -> Layout:
        if len(self._layouts) > self.LIMIT:
            self._layouts.clear()
        self._layouts[key] = layout
        return layout


PLAIN = re.compile(rb"(?:[)Naesut}\]0\x88\x89\x8f\x90\x93\x94\x85-\x87]|[Khq].|M..|[Jjr].{4}|G.{8})++", re.DOTALL)
"""Opcodes without consequence here; MARK is absent, since a run may follow it."""
OTHER = {ord("R"): 1, ord("b"): 1, ord("."): 1, 0x80: 2}
COUNTED = {0x8C: 1, ord("X"): 4, ord("C"): 1, ord("B"): 4, 0x8A: 1}


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


class Compact:
    """Shortens a pickle of protocol 4: a run of curve points becomes one key, the run's bytes, with value None.

    The shortened pickle goes through `data.safe.pickles` like any other; this only walks from opcode to opcode. A
    pickle that holds anything unusual is answered unchanged.
    """

    def __init__(self) -> None:
        self._shapes: dict[bytes, list[tuple[int, bytes, int]]] = {}  # head -> length, tail, keys; longest first

    def __call__(self, content: bytes) -> bytes:
        """The shortened pickle, or ``content`` itself."""
        try:
            short = b"".join(self._parts(unframed(content)))
            return short[:2] + b"\x95" + (len(short) - 2).to_bytes(8, "little") + short[2:]
        except (IndexError, Refused):
            return content

    def _parts(self, content: bytes) -> Iterable[bytes]:
        position = copied = 0
        runs_may_follow = False
        while True:
            code = content[position]
            if runs_may_follow and (code == 75 or code == 0x8C):
                length, keys = self._run(content, position)
                if length:
                    yield content[copied:position]
                    yield b"B" + length.to_bytes(4, "little")
                    copied = position
                    position += length
                    yield content[copied:position]
                    yield b"\x94" * keys + b"N" if code == 0x8C else b"N"
                    copied = position
                    continue
            runs_may_follow = False
            if match := PLAIN.match(content, position):
                position = match.end()
            elif code == 40:
                position += 1
                runs_may_follow = True
            elif code in COUNTED:
                width = COUNTED[code]
                position += 1 + width + int.from_bytes(content[position + 1 : position + 1 + width], "little")
            elif code == 46:
                yield content[copied:]
                return
            elif code in OTHER:
                position += OTHER[code]
            else:
                raise Refused("an opcode that is left to the reader")

    def _run(self, content: bytes, position: int) -> tuple[int, int]:
        """Length in bytes and number of keys of the run that begins here, 0 for none.

        A run that begins and ends as an earlier one is taken for one like it; that is checked where it is decoded.
        """
        head = content[position : position + 2 + (content[position + 1] if content[position] != 75 else 0)]
        known = self._shapes.setdefault(head, [])
        for length, tail, keys in known:
            end = position + length
            if content[end - 9 - len(tail) : end - 8] == tail + b"G" and content[end : end + 1] == b"u":
                return length, keys
        match = (INT_RUN if content[position] == 75 else SHORT_TEXT_RUN).match(content, position)
        if not match:
            return 0, 0
        run = match[0]
        if run[0] == 75:
            keys, tail = len(run) // 11, run[-11:-9]
        else:
            names = Template(run).layout.keys
            keys, tail = len(names), bytes([0x8C, len(names[-1])]) + names[-1].encode() + b"\x94"
        if keys > 2 and len(known) < 16 and len(self._shapes) < Runs.LIMIT:
            known.append((len(run), tail, keys))
            known.sort(reverse=True)
        return len(run), keys


def memo_items(run: bytes) -> tuple[list[int], Floats]:
    """Memo indices and floats of a run of `MEMO_RUN`."""
    found = MEMO_ITEM.findall(run)
    indices = [short[0] if short else int.from_bytes(long, "little") for short, long, _ in found]
    return indices, np.frombuffer(b"".join(value for _, _, value in found), dtype=">f8").astype(np.float64)


def _memo_index(run: bytes, place: int) -> int:
    width = 1 if run[place] == ord("q") else 4
    return int.from_bytes(run[place + 1 : place + 1 + width], "little")


def _slice(places: list[int]) -> slice | npt.NDArray[np.int64]:
    if places == list(range(places[0], places[0] + len(places))):
        return slice(places[0], places[0] + len(places))
    return np.array(places)


def _short(value: object) -> str:
    return (
        repr(value)[:60] if isinstance(value, (str, int, float, bytes)) else f"something of type {type(value).__name__}"
    )
