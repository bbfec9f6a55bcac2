"""Writes small image sets in the official layouts, as Python 2 pickled CIFAR and Python 3 pickled ImageNet16."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from nasgauge.data.images.published import Published


def python2_batch(pixels: np.ndarray, labels: list[int], key: str) -> bytes:
    """The opcodes of CIFAR's own files: protocol 2, byte strings as SHORT_BINSTRING and BINSTRING."""

    def text(value: str) -> bytes:
        return b"U" + bytes([len(value)]) + value.encode()

    rows, width = pixels.shape
    numbers = b"".join(b"K" + bytes([label]) for label in labels)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\t(K\x01"
        + b"M" + struct.pack("<H", rows) + b"M" + struct.pack("<H", width) + b"\x86cnumpy\ndtype\nq\n"
        + text("u1") + b"K\x00K\x01\x87Rq\x0b(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        + struct.pack("<I", pixels.size) + pixels.tobytes() + b"q\x0ctb"
    )  # fmt: skip
    return (
        b"\x80\x02}q\x01(" + text("batch_label") + b"q\x02" + text("training batch 1 of 5") + b"q\x03"
        + text(key) + b"q\x04]q\x05(" + numbers + b"e" + text("data") + b"q\x06" + array
        + text("filenames") + b"]q\r(" + text("a_s_000001.png") * rows + b"eu."
    )  # fmt: skip


def some_pictures(published: Published, count: int, labels: list[int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``count`` random pictures (n, side, side, 3), and those labels again and again."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, published.side, published.side, 3)).astype(np.uint8)
    return pixels, np.resize(labels, count)


def rows_of(pictures: np.ndarray) -> np.ndarray:
    """(n, h, w, 3) as the files have it: (n, 3 x h x w), all red, then all green, then all blue."""
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)).reshape(len(pictures), -1)


def write_set(
    published: Published, folder: Path, per_file: int = 40, archive: bool = False
) -> tuple[Published, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """A set of that layout with ``per_file`` pictures a file: the description with its md5s, and what it holds.

    ImageNet16's files carry classes up to 1,000; what comes back are those of the first 120, counted from 0.
    """
    place = folder / published.folder
    place.mkdir(parents=True)
    held: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"train": [], "test": []}
    files = []
    for seed, file in enumerate(published.files):
        if published.first_label:
            pictures, labels = some_pictures(published, per_file, [1, 120, 121, 1000, 60, 1], seed)
            batch = {"data": rows_of(pictures), "labels": labels.tolist(), "mean": rows_of(pictures).mean(axis=0)}
            content = pickle.dumps(batch, 3)
            kept = labels <= 120
            pictures, labels = pictures[kept], labels[kept] - 1
        else:
            pictures, labels = some_pictures(published, per_file, list(range(published.classes)), seed)
            content = python2_batch(rows_of(pictures), labels.tolist(), published.labels)
        (place / file.name).write_bytes(content)
        held[file.split].append((pictures, labels))
        files.append(replace(file, md5=hashlib.md5(content).hexdigest()))
    parts = {
        split: (np.concatenate([x for x, _ in pieces]), np.concatenate([y for _, y in pieces]).astype(np.int64))
        for split, pieces in held.items()
    }
    described = replace(
        published, files=tuple(files), counts=tuple(len(parts[split][1]) for split in ("train", "test"))
    )
    if archive:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as tar:
            tar.add(place, published.folder)
        (folder / published.archive).write_bytes(stream.getvalue())
        described = replace(described, archive_md5=hashlib.md5(stream.getvalue()).hexdigest())
        for path in place.iterdir():
            path.unlink()
        place.rmdir()
    return described, parts
