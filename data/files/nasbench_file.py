"""``nasbench_full.tfrecord`` and ``nasbench_only108.tfrecord`` -> one table with everything they hold.

Every run of every cell at every budget: seconds and accuracies at the start, half-way and at the end, the total time,
the trainable parameters, and what the drop-in (`nasgauge.data.official`) needs to answer as the official package does.
The file is read once, front to back; measurements wait in unnamed temporary files, one per budget, so that memory
holds those of one budget at a time.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from ...bench.column import Column
from ...bench.errors import BadFile, MissingFile
from ...bench.spaces.cells101 import SIZE, Cells101
from ...bench.table import Source, write_table
from ..public.nasbench101 import BUDGETS
from .converted import Converted
from .nasbench_columns import Cells, Floats, Runs, cell_columns, misplaced, place, run_columns
from .nasbench_messages import EVALUATIONS, FIELDS
from .nasbench_records import BEGINNING, Records, read_all
from .tfrecord import first_bytes, is_tfrecord, where

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""

PUBLISHED = {
    "nasbench_full.tfrecord": "3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c",
    "nasbench_only108.tfrecord": "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1",
}
"""sha256 of the released files, from their documentation."""
URL = "https://storage.googleapis.com/nasbench/"
LICENCE = "Apache-2.0 (google-research/nasbench)"
NOTES = (
    "An accuracy is a count of 9,984 images: evaluation leaves out the last, incomplete batch.",
    "search_seconds is the training alone, as the official package charges it; total_seconds adds the evaluations.",
    "Seeds 0, 1, 2 are the repeats in the order of the file; the random seeds of the trainings are not known.",
    "epoch= has the start (0), half of the budget and its end.",
)
_ROW = EVALUATIONS * len(FIELDS) + 1


@dataclass(frozen=True)
class _Keys:
    """What identifies the records: n of them, in the file's order."""

    hashes: npt.NDArray[np.uint64]
    budgets: npt.NDArray[np.int16]
    codes: npt.NDArray[np.uint32]
    parameters: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]


def is_nasbench(path: Path) -> bool:
    """Whether the file is a TFRecord that begins like one of NAS-Bench-101; what follows may be damaged."""
    return is_tfrecord(path) and first_bytes(path, len(BEGINNING)) == BEGINNING


def convert_nasbench(path: Path, out: Path, *, progress: Progress | None = None, jobs: int = -1) -> Converted:
    """Write the table of an official NAS-Bench-101 file to ``out``; it appears whole or not at all.

    Args:
        progress: called now and then with the bytes read so far and the size of the file.
        jobs: processes that decode records; -1 for one per core.

    Raises:
        MissingFile: no such file.
        BadFile: truncated, damaged, of another layout, or with cells whose module hash is wrong.
    """
    path, out = Path(path), Path(out)
    digest, size = _sha256(path)
    out.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        spools: dict[int, IO[bytes]] = {
            budget: files.enter_context(tempfile.TemporaryFile(dir=out.parent)) for budget in BUDGETS
        }
        keys = _spool(path, size, spools, progress, jobs)
        cells, ids = _cells(path, keys)
        budgets = tuple(budget for budget in BUDGETS if (keys.budgets == budget).any())
        name = "nasbench101-only108" if budgets == (108,) else "nasbench101-full"
        words = (*_found(path, digest, keys, cells, budgets), _runs_found(keys, ids, budgets))
        write_table(
            out, _columns(path, spools, keys, cells, ids, budgets),
            name=name, space=Cells101.name, title=f"NAS-Bench-101, {path.name}", licence=LICENCE,
            sources=[Source(path.name, URL + path.name if path.name in PUBLISHED else "", digest, LICENCE, size)],
            notes=(*NOTES, *words), mapped_curves=True,
            extra={"layout": "nasbench tfrecord", "records": len(ids), "budgets": list(budgets)},
        )  # fmt: skip
    return Converted(out, name, Cells101.name, len(cells.ids), SIZE - len(cells.ids), words)


def _spool(path: Path, size: int, spools: dict[int, IO[bytes]], progress: Progress | None, jobs: int) -> _Keys:
    """Read the file once: measurements go to the spool of their budget, the keys of all records come back."""
    parts: list[tuple[npt.NDArray[np.generic], ...]] = []
    count = 0
    for records in read_all(path, jobs):
        _check_accuracies(path, count, records)
        metrics, offsets = records.metrics, records.offsets
        count += len(offsets)
        rows = np.column_stack([metrics.evaluations.reshape(len(offsets), -1), metrics.total_seconds])
        for budget in np.unique(records.budgets).tolist():
            spools[budget].write(rows[records.budgets == budget].tobytes())
        parts.append((records.hashes, records.budgets, records.codes, metrics.parameters, offsets))
        if progress is not None:
            progress(int(offsets[-1]), size)
    if not parts:
        raise BadFile(f"{path} holds no records")
    if progress is not None:
        progress(size, size)
    return _Keys(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))  # type: ignore[arg-type]


def _check_accuracies(path: Path, first: int, records: Records) -> None:
    """BadFile at a run with an accuracy that is none; ``first`` is the number of the first record."""
    accuracies = records.metrics.evaluations[:, :, FIELDS.index("train_accuracy") :]
    outside = ((accuracies < 0) | (accuracies > 1)).any(axis=(1, 2))
    if outside.any():
        place = int(np.argmax(outside))
        name = where(path, first + place, int(records.offsets[place]))
        raise BadFile(f"{name}: an accuracy is no fraction between 0 and 1")


def _cells(path: Path, keys: _Keys) -> tuple[Cells, npt.NDArray[np.int64]]:
    """The cells of the file, as their first record has them, and the id of every record's cell."""
    ids = place(keys.codes)
    present, first, cell = np.unique(ids, return_index=True, return_inverse=True)
    cells = Cells(present, keys.codes[first], keys.hashes[first], keys.parameters[first].astype(np.int64))
    wrong = misplaced(cells)
    record = None if wrong is None else int(first[wrong])
    if record is None and (differs := (keys.hashes != cells.hashes[cell]).any(axis=1)).any():
        record = int(np.argmax(differs))
    if record is not None:
        high, low = keys.hashes[record]
        name = where(path, record, int(keys.offsets[record]))
        raise BadFile(f"{name}: {high:016x}{low:016x} is not the module hash of its cell")
    return cells, ids


def _columns(
    path: Path,
    spools: dict[int, IO[bytes]],
    keys: _Keys,
    cells: Cells,
    ids: npt.NDArray[np.int64],
    budgets: tuple[int, ...],
) -> Iterator[Column]:
    """All columns, the measurements of one budget in memory at a time."""
    yield from cell_columns(SIZE, cells)
    differing = _differing(keys, cells, ids)
    for budget in budgets:
        records = np.flatnonzero(keys.budgets == budget)
        spools[budget].seek(0)
        rows = np.fromfile(spools[budget], dtype=np.float64).reshape(-1, _ROW)
        evaluations = rows[:, :-1].reshape(-1, EVALUATIONS, len(FIELDS))
        checkpoints = (0, budget // 2, budget)
        epochs: Floats | None = evaluations[:, :, 0]
        if (evaluations[:, :, 0] == checkpoints).all():
            epochs = None
        runs = Runs(
            budget, ids[records], records, evaluations[:, :, 1:], checkpoints, epochs, rows[:, -1],
            {metric: values[records] for metric, values in differing.items()},
        )  # fmt: skip
        yield from run_columns(SIZE, runs, str(path))


def _differing(keys: _Keys, cells: Cells, ids: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.generic]]:
    """What the records of one cell do not agree about, (n,) each; in the released files they agree about everything."""
    cell = np.searchsorted(cells.ids, ids)
    found: dict[str, npt.NDArray[np.generic]] = {}
    if (keys.parameters != cells.parameters[cell]).any():
        found["trainable_parameters"] = keys.parameters
    if (keys.codes != cells.codes[cell]).any():
        found["_official_cell"] = keys.codes
    return found


def _found(path: Path, digest: str, keys: _Keys, cells: Cells, budgets: tuple[int, ...]) -> Iterator[str]:
    """What the file is, in sentences."""
    published = {sha256: name for name, sha256 in PUBLISHED.items()}
    if digest in published:
        yield f"The file is the released {published[digest]} (sha256 {digest[:12]}...)."
    elif path.name in PUBLISHED:
        yield f"The file bears a released name, but its sha256 {digest[:12]}... is not the published one."
    else:
        yield f"The file is none of the released ones (sha256 {digest[:12]}...)."
    yield (
        f"{len(keys.budgets):,} records of {len(cells.ids):,} architectures; {SIZE - len(cells.ids):,} of {SIZE:,} are "
        f"missing; budgets {', '.join(map(str, budgets))}."
    )


def _runs_found(keys: _Keys, ids: npt.NDArray[np.int64], budgets: tuple[int, ...]) -> str:
    """How many architectures have how many repeats, in words."""
    parts = []
    for budget in budgets:
        repeats = np.bincount(np.bincount(ids[keys.budgets == budget]))
        counts = ", ".join(f"{number:,} with {runs}" for runs, number in enumerate(repeats) if runs and number)
        parts.append(f"at {budget} epochs {counts}")
    return f"Architectures by repeats: {'; '.join(parts)}."


def _sha256(path: Path) -> tuple[str, int]:
    """Digest and size of the file."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return digest, file.tell()
    except OSError as error:
        raise MissingFile(f"{path} cannot be read ({error.strerror or error})") from error
