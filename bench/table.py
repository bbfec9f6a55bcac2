"""One HDF5 file of columns: written whole, checked, renamed; opened in milliseconds and read through memory maps."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from .column import Column
from .errors import BadFile, BadValue, MissingFile, UnknownName
from .packing import percent, spread
from .whole import whole_file

FORMAT = "nasgauge-table"
SCHEMA = 1
BLOCK = 8 << 20  # bytes read at a time while verifying
CHUNK = 1 << 16  # bytes of a compressed piece
SPARSE = 0.5  # a column with more NaN than this is stored compressed, not memory-mapped


@dataclass(frozen=True)
class Source:
    """A file the numbers came from."""

    name: str
    url: str
    sha256: str
    licence: str
    size: int = 0  # bytes


@dataclass(frozen=True)
class Entry:
    """What the index says of a column, without its numbers."""

    path: str
    kind: str
    metric: str
    dataset: str | None
    budget: int | None
    seeds: tuple[int, ...] | None
    shape: tuple[int, ...]
    missing: int
    sha256: str
    trained_on: str
    evaluated_on: str
    means_over: str
    provenance: str
    sources: tuple[str, ...]
    epochs: tuple[int, ...] | None = None
    out_of: int | None = None  # the stored numbers are counts out of so many, read as percent


class Table:
    """An open table: the index in memory, the numbers on disk until asked for.

    ``info`` holds name, space, title, licence, notes; ``sources`` the files it was made from; ``entries`` the index.
    A table pickles as its path, so every process maps the same pages of the same file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._file = _open(self.path)
        try:
            index = json.loads(self._file["index"][()])
            self.info: dict[str, Any] = index["info"]
            self.sources = tuple(Source(**source) for source in index["sources"])
            self.entries = tuple(_entry_from_json(entry) for entry in index["entries"])
            self._rows = np.asarray(self._file["rows"], dtype=np.int64) if "rows" in self._file else None
            self._rows_sha256: str = index.get("rows_sha256", "")
        except (KeyError, TypeError, ValueError) as error:
            self._file.close()
            raise BadFile(f"{self.path}: unreadable index ({error!r}); fetch or convert it again") from error
        self._by_path = {entry.path: entry for entry in self.entries}
        self._map: mmap.mmap | None = None

    def read(self, path: str) -> npt.NDArray[np.generic]:
        """The numbers of one column, read-only: a view of the mapped file where stored plainly, else decompressed."""
        dataset = self._dataset(path)
        if not self.is_mapped(path):
            values = percent(np.asarray(dataset[()]), self._by_path[path].out_of)
            values = values if self._rows is None else spread(values, self._rows)
            values.flags.writeable = False
            return values
        if self._map is None:
            with open(self.path, "rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        offset = dataset.id.get_offset()
        values = np.frombuffer(self._map, dtype=dataset.dtype, count=dataset.size, offset=offset)
        return values.reshape(dataset.shape)

    def is_mapped(self, path: str) -> bool:
        """Whether `read` gives a view of the mapped file, whose rows cost nothing until touched, or decompresses it."""
        dataset, packed = self._dataset(path), self._rows is not None or self._by_path[path].out_of
        return not packed and dataset.id.get_offset() is not None

    def read_curves(self, path: str, archs: npt.NDArray[np.int64]) -> npt.NDArray[np.generic]:
        """Rows ``archs`` of a curve column, (len(archs), seed, epoch), touching only the chunks that hold them."""
        if self.is_mapped(path):
            return self.read(path)[archs]
        dataset = self._dataset(path)
        rows = archs if self._rows is None else self._rows[archs]
        unique = np.unique(rows[rows >= 0])
        values = np.asarray(dataset[unique] if unique.size else np.empty((0, *dataset.shape[1:]), dataset.dtype))
        places = np.where(rows >= 0, np.searchsorted(unique, rows), -1)
        return spread(percent(values, self._by_path[path].out_of), places)

    def _dataset(self, path: str) -> h5py.Dataset:
        if path not in self._by_path:
            raise UnknownName.of("column", path, self._by_path)
        return self._file["columns"][path]

    def sha256(self) -> str:
        """Digest of the table's whole content, from the checksums of its columns: equal for equal numbers."""
        lines = sorted(f"{entry.sha256}  {entry.path}" for entry in self.entries)
        lines += [f"{self._rows_sha256}  rows"] if self._rows_sha256 else []
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def verify(self) -> None:
        """Compare every column with the checksum written beside it; BadFile names the first that differs."""
        if self._rows is not None and _sha256(self._rows) != self._rows_sha256:
            raise BadFile(f"{self.path}: the rows of the architectures are damaged; fetch or convert it again")
        for entry in self.entries:
            found = self._digest(entry.path)
            if found != entry.sha256:
                raise BadFile(
                    f"{self.path}: column {entry.path!r} is damaged (sha256 {found[:12]}..., "
                    f"expected {entry.sha256[:12]}...); delete the file and fetch or convert it again"
                )

    def _digest(self, path: str) -> str:
        """sha256 of a column, a few megabytes at a time and past the memory map."""
        dataset, digest = self._dataset(path), hashlib.sha256()
        together = dataset.chunks[0] if dataset.chunks else 1  # rows that are stored in one piece
        row_bytes = dataset.dtype.itemsize * int(np.prod(dataset.shape[1:]))
        rows = together * max(1, BLOCK // max(1, together * row_bytes))
        for first in range(0, len(dataset), rows):
            digest.update(np.ascontiguousarray(dataset[first : first + rows]).tobytes())
        return digest.hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["path"])  # type: ignore[misc]

    def __repr__(self) -> str:
        return (
            f"<table {self.info['name']!r} of space {self.info['space']!r}: {len(self.entries)} columns, {self.path}>"
        )


def write_table(
    path: str | os.PathLike[str],
    columns: Iterable[Column],
    *,
    name: str,
    space: str,
    title: str = "",
    licence: str,
    sources: Sequence[Source] = (),
    notes: Sequence[str] = (),
    extra: Mapping[str, Any] | None = None,
    mapped_curves: bool = False,
    rows: npt.NDArray[np.int64] | None = None,
) -> Path:
    """Write ``columns`` as the table ``name`` of ``space``; the file appears whole under ``path`` or not at all.

    The same columns give the same bytes. Columns are taken one at a time and let go, so a generator over files larger
    than memory will do.

    Args:
        notes: sentences that `Benchmark.describe` prints.
        extra: any JSON-able detail of a source format that a reader of it wants to keep.
        mapped_curves: store curves plainly, for access in microseconds at the price of disk space, not compressed.
        rows: where architectures of one class share their numbers: the row of the columns that each architecture has,
            (architectures,), -1 where nothing was measured. Such a table is compressed, and decompressed when read.

    Raises:
        BadValue: no columns, two columns of one path, columns of different length, curves without the ends of runs,
            rows that are not stored.
        OSError: the disk is full or not writable; nothing is left under ``path``.
    """
    entries: list[Entry] = []
    stored = -1
    with whole_file(path) as temporary:
        with _new(temporary) as file:
            for column in columns:
                if any(entry.path == column.path for entry in entries):
                    raise BadValue(f"table {name!r} has two columns {column.path!r}")
                if entries and len(column.values) != stored:
                    raise BadValue(
                        f"table {name!r}: column {column.path!r} has {len(column.values)} architectures, "
                        f"{entries[0].path!r} has {stored}"
                    )
                stored = len(column.values)
                if rows is not None and (rows.min() < -1 or rows.max() >= stored):
                    raise BadValue(f"table {name!r}: rows from {rows.min()} to {rows.max()}, but {stored} are stored")
                entries.append(_store(file, column, mapped_curves, rows))
            _check_whole(name, entries)
            info = {"name": name, "space": space, "title": title, "licence": licence, "notes": list(notes),
                    "architectures": entries[0].shape[0], "extra": dict(extra or {})}  # fmt: skip
            index = {"info": info, "sources": [asdict(source) for source in sources],
                     "entries": [_entry_to_json(entry) for entry in entries]}  # fmt: skip
            if rows is not None:
                file.create_dataset("rows", data=rows.astype("<i4"), compression="gzip", shuffle=True)
                index["rows_sha256"] = _sha256(rows.astype(np.int64))
            file.attrs["format"] = FORMAT
            file.attrs["schema"] = SCHEMA
            file["index"] = json.dumps(index, sort_keys=True)
        Table(temporary).verify()
    return Path(path)


@contextmanager
def _new(path: Path) -> Iterator[h5py.File]:
    """A file to write columns to; OSError where HDF5 cannot, which says so in a RuntimeError of its own on closing."""
    try:
        with h5py.File(path, "w", libver=("earliest", "v110")) as file:
            yield file
    except RuntimeError as error:
        cause = error.__context__
        raise cause if isinstance(cause, OSError) else OSError(f"{path}: {error}") from error


def _check_whole(name: str, entries: Sequence[Entry]) -> None:
    if not entries:
        raise BadValue(f"table {name!r} has no columns")
    paths = {entry.path for entry in entries}
    for entry in entries:
        if entry.kind == "curves" and entry.path.replace("/curves", "/runs") not in paths:
            raise BadValue(f"curves {entry.path!r} of table {name!r} come without the ends of their runs")


def _store(file: h5py.File, column: Column, mapped_curves: bool, rows: npt.NDArray[np.int64] | None) -> Entry:
    if column.alias_of:
        if f"columns/{column.alias_of}" not in file:
            raise BadValue(f"column {column.path!r} is said to be {column.alias_of!r}, which was not written before it")
        file[f"columns/{column.path}"] = file[f"columns/{column.alias_of}"]
        return _entry(column, rows)
    values = np.ascontiguousarray(column.values)
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    entry = _entry(column, rows)
    gaps = entry.missing > 0 and values.dtype.kind == "f"
    plain = rows is None and not column.out_of and (column.kind != "curves" or mapped_curves)
    if plain and entry.missing <= SPARSE * values.size:
        file.create_dataset(f"columns/{column.path}", data=values)
        return entry
    together = max(1, min(len(values), CHUNK // max(1, values[:1].nbytes)))
    dataset = file.create_dataset(
        f"columns/{column.path}", values.shape, values.dtype, chunks=(together, *values.shape[1:]), compression="gzip",
        shuffle=True, fillvalue=values.dtype.type(np.nan) if gaps else None,
    )  # fmt: skip
    filler = np.full(values[:together].shape, dataset.fillvalue, dtype=values.dtype).tobytes()
    for first in range(0, len(values), together):
        block = values[first : first + together]
        if not gaps or block.tobytes() != filler[: block.nbytes]:  # what is not written reads as NaN
            dataset[first : first + together] = block
    return entry


def _entry(column: Column, rows: npt.NDArray[np.int64] | None) -> Entry:
    values = column.values if rows is None else spread(percent(column.values, column.out_of), rows)
    missing = int((values.astype(np.int64) < 0).sum()) if column.out_of and rows is None else 0
    missing = int(np.isnan(values).sum()) if values.dtype.kind == "f" else missing
    return Entry(
        path=column.path, kind=column.kind, metric=column.metric, dataset=column.dataset, budget=column.budget,
        seeds=column.seeds, shape=values.shape, missing=missing, sha256=_sha256(column.values),
        trained_on=column.trained_on, evaluated_on=column.evaluated_on, means_over=column.means_over,
        provenance=column.provenance, sources=column.sources, epochs=column.checkpoints, out_of=column.out_of,
    )  # fmt: skip


def _entry_to_json(entry: Entry) -> dict[str, Any]:
    """Without what only packed columns have, so that other tables keep their bytes."""
    return {key: value for key, value in asdict(entry).items() if key != "out_of" or value is not None}


def _entry_from_json(entry: dict[str, Any]) -> Entry:
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Entry(**plain)


def _sha256(values: npt.NDArray[np.generic]) -> str:
    plain = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False))
    return hashlib.sha256(plain.tobytes()).hexdigest()


def _open(path: Path) -> h5py.File:
    if path.is_dir():
        raise BadFile(f"{path} is a folder, no table; `nasgauge convert` makes a table of an official folder")
    if not path.is_file():
        raise MissingFile(f"no table at {path}; `nasgauge list` shows the tables at hand and those that can be fetched")
    try:
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        raise BadFile(
            f"{path}: not a readable HDF5 file ({error}); a damaged table is fetched or converted again, an official "
            "file becomes a table by `nasgauge convert`"
        ) from error
    if file.attrs.get("format") != FORMAT:
        file.close()
        raise BadFile(f"{path}: an HDF5 file, but not a nasgauge table")
    if file.attrs.get("schema") != SCHEMA:
        found = file.attrs.get("schema")
        file.close()
        raise BadFile(f"{path}: table schema {found}; this version reads schema {SCHEMA}: fetch or convert it again")
    return file
