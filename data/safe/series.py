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
AT_ONCE = 1 << 19  # bytes of runs decoded together: they and what is made of them stay in the cache
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

    __slots__ = ("bytes", "layout", "mask", "memo", "stretches")

    def __init__(self, run: bytes) -> None:
        keys, memo, end = [], [], 0
        mask = np.full(len(run), 0xFF, dtype=np.uint8)
        stretches: list[list[int]] = []
        for place, item in enumerate(TEXT_ITEM.finditer(run)):
            length = item["short"] or item["long"]
            if item.start() != end or int.from_bytes(length, "little") != len(item["text"]):
                raise Refused("a text whose length is not its own")
            end = item.end()
            keys.append(item["text"].decode())
            mask[end - 8 : end] = 0
            mask[item.start("memo") + 1 : item.end("memo")] = 0
            memo.append(item.start("memo"))
            width = end - item.start()
            if stretches and stretches[-1][3] == width:
                stretches[-1][1] += 1
            else:
                stretches.append([place, place + 1, item.start(), width])
        if end != len(run):
            raise Refused("a run of texts and floats that does not end where it should")
        self.layout = Layout(tuple(keys))
        self.mask = mask
        self.bytes = run_bytes(run) & mask
        self.stretches = stretches  # items of equal width: first, end, offset, width
        self.memo = memo

    def fits(self, content: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Which runs (n, bytes) differ from this template in nothing but floats and memo indices, (n,)."""
        return ((content & self.mask) == self.bytes).all(axis=1)

    def values(self, content: npt.NDArray[np.uint8]) -> Floats:
        """The floats of runs (n, bytes), (n, keys)."""
        found = np.empty((len(content), len(self.layout.keys)))
        for first, end, offset, width in self.stretches:
            items = content[:, offset : offset + (end - first) * width].reshape(len(content), end - first, width)
            found[:, first:end] = items[:, :, width - 8 :].view(">f8")[:, :, 0]
        return found

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
        groups: dict[int, tuple[Layout, list[npt.NDArray[np.int64]], list[Floats]]] = {}
        step = max(1, AT_ONCE // len(runs[0]))
        for first in range(0, len(runs), step):
            for layout, places, values in self._alike(runs[first : first + step]):
                _, all_places, all_values = groups.setdefault(id(layout), (layout, [], []))
                all_places.append(first + places)
                all_values.append(values)
        return [(layout, np.concatenate(places), np.concatenate(values)) for layout, places, values in groups.values()]

    def _alike(self, runs: list[bytes]) -> list[tuple[Layout, npt.NDArray[np.int64], Floats]]:
        """As `many`, of runs that together fit into the processor's cache."""
        content = run_bytes(b"".join(runs)).reshape(len(runs), -1)
        if runs[0][0] == 75:
            if content.shape[1] % 11 or (content[:, 0::11] != 75).any() or (content[:, 2::11] != 71).any():
                raise Refused("a run of epochs and floats that is none")
            items = content.view(INT_ITEM)
            keys, values = items["key"], items["value"].astype(np.float64)
            if (keys == keys[0]).all():
                return [(self.integers(runs[0]).layout, np.arange(len(runs)), values)]
            return [(self.integers(run).layout, np.array([at]), values[at : at + 1]) for at, run in enumerate(runs)]
        found: list[tuple[Layout, npt.NDArray[np.int64], Floats]] = []
        left = np.arange(len(runs))
        while len(left):
            if len(found) > 64:
                raise Refused("more layouts of curves than any official file has")
            _, template = self.texts(runs[left[0]])
            fits = template.fits(content)
            alike = content if fits.all() else content[fits]
            found.append((template.layout, left[fits], template.values(alike)))
            content, left = content[~fits], left[~fits]
        return found

    def texts(self, run: bytes) -> tuple[Series, Template]:
        """A run of `SHORT_TEXT_RUN` or `TEXT_RUN`."""
        content = run_bytes(run)[None]
        known = self._templates.setdefault((len(run), run[:12]), [])
        for template in known:
            if template.fits(content)[0]:
                break
        else:
            template = Template(run)
            if len(self._templates) > self.LIMIT or len(known) > 64:
                self._templates.clear()
            else:
                known.append(template)
        return Series(template.layout, template.values(content)[0]), template

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
