"""Your own pictures as one ``.npz``: x_train, y_train, x_test, y_test, and x_valid, y_valid where there are such.

Nothing in the file is executed or trusted: no pickled objects, and an array is read only where its header, its zip
entry and the limit agree on its size.
"""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadFile, MissingFile
from ...bench.live.images import Labels, Pictures

GIB = 2**30
LIMIT = 4 * GIB  # bytes of all arrays together
NEEDED = ("x_train", "y_train", "x_test", "y_test")
OPTIONAL = ("x_valid", "y_valid")
MOST_CHANNELS = 16
DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, ValueError, TypeError, KeyError,
    IndexError, NotImplementedError, RuntimeError, OverflowError, MemoryError, SyntaxError, RecursionError,
    struct.error, tokenize.TokenError,
)  # fmt: skip
"""All that zipfile, zlib and numpy's header reader were seen or are documented to raise on damaged bytes."""
Splits = dict[str, tuple[Pictures, Labels]]


def read(path: Path, limit: int = LIMIT) -> Splits:
    """The splits of the file: "train", "test", and "valid" where it has one; pictures (n, h, w, c), labels (n,).

    Grey pictures may come as (n, h, w). Labels may be of any integer type; pixels are whole numbers of 0 to 255.

    Raises:
        MissingFile: there is no such file.
        BadFile: no npz, damaged, larger than the limit, an array missing or of another type or shape.
    """
    arrays = _arrays(path, limit)
    splits = {}
    for split in ("train", "valid", "test"):
        if f"x_{split}" in arrays:
            pictures = as_pictures(arrays.pop(f"x_{split}"), f"{path}: x_{split}")
            splits[split] = (pictures, as_labels(arrays.pop(f"y_{split}"), f"{path}: y_{split}"))
            if len(pictures) != len(splits[split][1]):
                raise BadFile(f"{path}: {len(pictures):,} {split} pictures but {len(splits[split][1]):,} labels")
    return splits


def _arrays(path: Path, limit: int) -> dict[str, npt.NDArray[np.generic]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            missing = [name for name in NEEDED if name not in names]
            missing += [name for name in OPTIONAL if name not in names and any(each in names for each in OPTIONAL)]
            if missing:
                held = ", ".join(sorted(names)[:10]) or "nothing"
                raise BadFile(f"{path}: no {' and no '.join(missing)} in it; it holds {held}. {LAYOUT}")
            wanted = {name: names[name] for name in (*NEEDED, *OPTIONAL) if name in names}
            total = sum(info.file_size for info in wanted.values())
            if total > limit:
                raise BadFile(f"{path}: arrays of {total:,} bytes, more than the limit of {limit:,}")
            return {name: _array(archive, info, f"{path}: {name}") for name, info in wanted.items()}
    except (FileNotFoundError, IsADirectoryError) as error:
        raise MissingFile(f"no file at {path}") from error
    except BadFile:
        raise
    except DAMAGE as error:
        raise BadFile(f"{path}: not a readable npz ({type(error).__name__}: {str(error)[:150]}). {LAYOUT}") from error


LAYOUT = (
    "An image set of your own is an npz (np.savez_compressed) of x_train, y_train, x_test, y_test, optionally x_valid, "
    "y_valid: uint8 pictures (n, height, width, channels) and integer labels (n,)"
)


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> npt.NDArray[np.generic]:
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        if version not in ((1, 0), (2, 0)):
            raise BadFile(f"{where}: npy version {version}; plain arrays have 1.0 or 2.0")
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = header(member)
        if dtype.kind not in "uib":
            raise BadFile(f"{where} is of type {dtype}; give whole numbers (pixels of 0 to 255 as uint8)")
        size = dtype.itemsize
        for side in shape:
            size *= int(side)
        body = info.file_size - member.tell()
        if size != body or any(side < 0 for side in shape):
            raise BadFile(f"{where}: {body:,} bytes in the file for an array {dtype} of shape {shape}")
        content = member.read(size)
        if len(content) != size or member.read(1):
            raise BadFile(f"{where}: the array ends after {len(content):,} of {size:,} bytes")
    return np.frombuffer(content, dtype=dtype).reshape(shape, order="F" if fortran else "C")


def as_pictures(values: npt.NDArray[np.generic], where: str) -> Pictures:
    """Pictures of uint8 (n, h, w, c) from an array of whole numbers (n, h, w) or (n, h, w, c); BadFile where not."""
    if values.ndim == 3:
        values = values[..., None]
    if values.ndim != 4 or 0 in values.shape:
        raise BadFile(f"{where} has shape {values.shape}; pictures have (n, height, width, channels)")
    first = values.shape[1] in (1, 3) and values.shape[2] == values.shape[3] > 4  # channels, height, width
    if values.shape[3] > MOST_CHANNELS or first:
        hint = "; move the channels last" if values.shape[1] in (1, 3) else ""
        raise BadFile(f"{where} has shape {values.shape}, so {values.shape[3]} channels{hint}")
    if values.dtype != np.uint8:
        whole = values.astype(np.int64)
        if whole.min() < 0 or whole.max() > 255:
            raise BadFile(f"{where} runs from {whole.min()} to {whole.max()}; pixels are 0 to 255")
        values = whole
    return np.ascontiguousarray(values, dtype=np.uint8)


def as_labels(values: npt.NDArray[np.generic], where: str) -> Labels:
    """Labels of int64 (n,) from whole numbers (n,) or (n, 1); BadFile where not."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or not len(values):
        raise BadFile(f"{where} has shape {values.shape}; labels have (n,), one per picture")
    labels = values.astype(np.int64)
    if labels.min() < 0:
        raise BadFile(f"{where} runs from {labels.min()}; labels count from 0")
    return labels
