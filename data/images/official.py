"""The official pickles of CIFAR and ImageNet16: found, compared with their md5, and read by the safe reader."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadFile, MissingFile
from ...bench.live.images import Labels, Pictures
from ..safe.pickles import Limits, decode
from .published import BatchFile, Published

MIB = 2**20
LIMITS = Limits(file=256 * MIB, content=256 * MIB, memory=2048 * MIB)
LARGEST_LABEL = 1 << 20
Parts = dict[str, tuple[Pictures, Labels]]


def read(published: Published, folder: Path) -> Parts:
    """Pictures (n, side, side, 3) and labels of the official "train" and "test" split, in official order.

    Looked for in ``folder``: the set's own folder, its files, or its archive. One file is in memory at a time.

    Raises:
        MissingFile: the set, or one of its files, is not there; the message says how to get it.
        BadFile: a file whose md5 is not the official one, or whose content is not of the set's layout.
    """
    found: dict[str, list[tuple[Pictures, Labels]]] = {"train": [], "test": []}
    for file, content in _contents(published, folder):
        found[file.split].append(decode_batch(content, file.name, published))
    parts = {}
    for split, count in zip(("train", "test"), published.counts, strict=True):
        pieces = found.pop(split)
        parts[split] = (np.concatenate([x for x, _ in pieces]), np.concatenate([y for _, y in pieces]))
        if len(parts[split][1]) != count:
            raise BadFile(f"{published.name}: {len(parts[split][1]):,} {split} pictures instead of {count:,}")
    return parts


def decode_batch(content: bytes, name: str, published: Published) -> tuple[Pictures, Labels]:
    """Pictures and labels of one pickle: those of the set's classes, labels counted from 0; runs none of its code."""
    batch, _ = decode(content, name, LIMITS, python2=True)
    if not isinstance(batch, dict):
        raise BadFile(f"{name}: a pickle of a {type(batch).__name__}, not of a dictionary")
    named = {key.decode("latin1") if isinstance(key, bytes) else key: value for key, value in batch.items()}
    for key in ("data", published.labels):
        if key not in named:
            known = ", ".join(sorted(str(key)[:40] for key in named)[:10]) or "none"
            raise BadFile(f"{name}: no {key!r} in the dictionary; its keys: {known}")
    pixels, labels = named["data"], _labels(named[published.labels], name)
    width = 3 * published.side**2
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape != (len(labels), width):
        held = f"{pixels.dtype} of shape {pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise BadFile(f"{name}: 'data' is {held}, not uint8 of shape ({len(labels)}, {width}), one row per label")
    labels = labels - published.first_label
    kept = (labels >= 0) & (labels < published.classes)
    if not published.first_label and not kept.all():  # only ImageNet16 has more classes than are used
        raise BadFile(f"{name}: labels from {labels.min()} to {labels.max()}; {published.classes} classes are known")
    rows = pixels if kept.all() else pixels[kept]
    shaped = rows.reshape(-1, 3, published.side, published.side).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(shaped), labels[kept]


def _labels(values: object, name: str) -> npt.NDArray[np.int64]:
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    if not isinstance(plain, list) or not all(type(item) is int and 0 <= item < LARGEST_LABEL for item in plain):
        raise BadFile(f"{name}: the labels are no list of class numbers")
    return np.array(plain, dtype=np.int64)


def _contents(published: Published, folder: Path) -> Iterator[tuple[BatchFile, bytes]]:
    """The files and their bytes, each with the official md5."""
    for place in (folder / published.folder, folder):
        if any((place / file.name).is_file() for file in published.files):
            for file in published.files:
                yield file, _file(published, place / file.name, file.md5, folder)
            return
    archive = folder if folder.is_file() else folder / published.archive
    if not published.archive or not archive.is_file():
        raise MissingFile(f"no {published.title} at {folder}. {published.by_hand(folder)}")
    yield from _members(published, archive)


def _file(published: Published, path: Path, md5: str, folder: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LIMITS.file:
            raise BadFile(f"{path}: {size:,} bytes, more than the limit of {LIMITS.file:,}")
        content = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise MissingFile(f"{published.name}: {path} cannot be read ({why}). {published.by_hand(folder)}") from error
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise BadFile(
            f"{path} is not the official file of {published.title}: md5 {found} instead of {md5}. "
            f"{published.by_hand(folder)}"
        )
    return content


def _members(published: Published, archive: Path) -> Iterator[tuple[BatchFile, bytes]]:
    content = _file(published, archive, published.archive_md5, archive.parent)
    wanted = {f"{published.folder}/{file.name}": file for file in published.files}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
            for member in tar:
                file = wanted.pop(member.name, None)
                if file is None:
                    continue
                opened = tar.extractfile(member) if member.isreg() and member.size <= LIMITS.file else None
                if opened is None:
                    raise BadFile(f"{archive}: {member.name} is no file of a legal size")
                yield file, opened.read()
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise BadFile(f"{archive}: not a readable tar.gz ({error}). {published.by_hand(archive.parent)}") from error
    if wanted:
        raise BadFile(f"{archive}: without {', '.join(wanted)}. {published.by_hand(archive.parent)}")
