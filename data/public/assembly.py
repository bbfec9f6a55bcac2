"""What an assembler answers, and the exact arithmetic that the assemblers share."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...bench.column import Column
from ...bench.errors import BadFile, MissingFile

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
ROUNDING = 0.02  # of one image: sources round accuracies to float32, which is 0.0009 of an image at most


@dataclass(frozen=True)
class Assembly:
    """The columns of a table and the sentences that explain them."""

    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()


def exact_counts(percent: npt.ArrayLike, images: int | npt.NDArray[np.integer], where: str) -> Counts:
    """The number of correctly classified images behind ``percent`` of ``images``.

    An accuracy is a count over a known number of images (times runs, for a sum or mean over runs). Sources went
    through float32; counting again gives the number that was measured.

    >>> exact_counts([82.09200286865234], 25_000, "a float32 value")
    array([20523])

    Raises:
        BadFile: some value is no such fraction, so the file is not what ``where`` says.
    """
    raw = np.asarray(percent, dtype=np.float64) * images / 100
    if not np.isfinite(raw).all():
        raise BadFile(f"{where}: {int((~np.isfinite(raw)).sum())} values are no numbers")
    counts = np.rint(raw)
    worst = float(np.abs(raw - counts).max(initial=0.0))
    if worst > ROUNDING or (raw < -ROUNDING).any() or (raw > np.asarray(images) + ROUNDING).any():
        raise BadFile(f"{where}: values are no percentages of a count of images (off by {worst:.3f} images)")
    return counts.astype(np.int64)


def percent(counts: Counts, images: int | npt.NDArray[np.integer]) -> Floats:
    """Accuracy [percent] of ``counts`` out of ``images``, rounded once; NaN where the count is negative (unknown).

    >>> percent(np.array([20523, -1]), 25_000)
    array([82.092,    nan])
    """
    return np.where(counts < 0, np.nan, 100.0 * counts / images)


def require(condition: bool | np.bool_, where: str, what: str) -> None:
    """BadFile unless ``condition``: two sources (or a source and what is known of it) disagree."""
    if not condition:
        raise BadFile(f"{where}: {what}; the file is not the one it should be: compare its sha256 and get it again")


def read_csv(path: Path, columns: Sequence[str]) -> dict[str, list[str]]:
    """Named text columns of a csv file with a header.

    Raises:
        MissingFile, BadFile: unreadable, no text, columns absent, or rows of different length.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, [])
            absent = [column for column in columns if column not in header]
            if absent:
                raise BadFile(f"{path}: no column {absent[0]!r}; its columns are {', '.join(header)[:300]}")
            body = list(rows)
    except OSError as error:
        raise MissingFile(f"{path} cannot be read ({error.strerror or error})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{path}: not a csv file ({error})") from error
    short = [number for number, row in enumerate(body, start=2) if len(row) != len(header)]
    if short:
        raise BadFile(f"{path}: row {short[0]} has another number of fields than the header: truncated")
    return {column: [row[header.index(column)] for row in body] for column in columns}


def numbers(texts: Sequence[str], where: str) -> Floats:
    """Texts as float64, (n,)."""
    try:
        return np.array(texts, dtype=np.float64)
    except ValueError as error:
        raise BadFile(f"{where}: {error}") from error
