"""Your own pictures as a folder per class: ``train/cat/1.png``, ``test/dog/7.jpg``; or the classes alone, no splits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...bench.errors import BadFile, BadValue, MissingFile
from ...bench.live.images import Labels, Pictures
from .order import fixed_order, hold_out
from .own_arrays import LIMIT, Splits
from .shrink import shrink

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "PPM")
GREY = ("1", "L", "LA")
COLOURED = ("P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
LARGEST = 64 << 20  # pixels of one picture
TEST_SHARE = 0.2
NAMES = {"train": ("train", "training"), "valid": ("valid", "val", "validation"), "test": ("test", "testing")}
LAYOUT = (
    "An image folder of your own holds train/CLASS/PICTURE and test/CLASS/PICTURE (optionally valid/...), or "
    "CLASS/PICTURE alone"
)


def read(folder: Path, size: tuple[int, int] | None = None, limit: int = LIMIT) -> Splits:
    """The splits of the folder: "train", "test", and "valid" where there is one.

    Classes are numbered in the alphabetical order of their folders; pictures come in `order.fixed_order`, so that the
    first few are of all classes. A folder of classes without splits has a fifth of every class held out as test.
    Transparency is dropped; where every picture is grey there is one channel, else three. Hidden files are passed over.

    Args:
        size: height and width to shrink every picture to while reading; needed where they differ in size.

    Raises:
        MissingFile: no such folder, or nothing in it.
        BadFile: a file that is no picture, splits of different classes, or more than the limit in bytes.
        BadValue: pictures of different sizes without ``size``, or smaller ones than it.
    """
    inside = _folders(folder)
    places = {split: path for split, names in NAMES.items() for path in inside if path.name.lower() in names}
    if "train" not in places:
        pictures, labels = _read_split(folder, [path.name for path in inside], size, limit, None)
        stay, held = hold_out(labels, TEST_SHARE, folder.name)
        return {"train": (pictures[stay], labels[stay]), "test": (pictures[held], labels[held])}
    if "test" not in places:
        raise MissingFile(f"{folder}: train without test. {LAYOUT}")
    classes = [path.name for path in _folders(places["train"])]
    grey = all(_is_grey(path) for place in places.values() for path, _ in _pictures(place, classes))
    return {split: _read_split(place, classes, size, limit, grey) for split, place in places.items()}


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise MissingFile(f"no folder at {folder}")
    found = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(found) < 2:
        raise MissingFile(f"{folder}: {len(found)} folders in it, so fewer than two classes. {LAYOUT}")
    return found


def _pictures(folder: Path, classes: list[str]) -> list[tuple[Path, int]]:
    """Every picture of a split and its class, class by class."""
    unknown = [path.name for path in _folders(folder) if path.name not in classes]
    if unknown:
        raise BadFile(f"{folder}: class {unknown[0]!r} is not among those of training: {', '.join(classes[:20])}")
    found = []
    for label, name in enumerate(classes):
        inside = sorted((folder / name).iterdir()) if (folder / name).is_dir() else []
        found += [(path, label) for path in inside if path.is_file() and not path.name.startswith(".")]
    if not found:
        raise MissingFile(f"{folder}: no pictures in the folders of its classes. {LAYOUT}")
    return found


def _read_split(
    folder: Path, classes: list[str], size: tuple[int, int] | None, limit: int, grey: bool | None
) -> tuple[Pictures, Labels]:
    found = _pictures(folder, classes)
    if grey is None:
        grey = all(_is_grey(path) for path, _ in found)
    made: Pictures | None = None
    order = fixed_order(folder.name, len(found))
    for place, index in enumerate(order):
        path = found[index][0]
        picture = _picture(path, grey)
        if size is not None:
            if picture.shape[0] < size[0] or picture.shape[1] < size[1]:
                raise BadValue(f"{path} is {picture.shape[0]} x {picture.shape[1]}, smaller than size={size}")
            picture = shrink(picture[None], *size)[0]
        if made is None:
            if picture.size * len(found) > limit:
                raise BadFile(
                    f"{folder}: {len(found):,} pictures like {path.name} take {picture.size * len(found):,} bytes, "
                    f"more than the limit of {limit:,}; give a smaller size="
                )
            made = np.empty((len(found), *picture.shape), dtype=np.uint8)
        if picture.shape != made.shape[1:]:
            raise BadValue(
                f"{path} is {picture.shape[0]} x {picture.shape[1]}, others are {made.shape[1]} x {made.shape[2]}; "
                "give size=, to which all are shrunk"
            )
        made[place] = picture
    assert made is not None
    return made, np.array([found[index][1] for index in order], dtype=np.int64)


def _is_grey(path: Path) -> bool:
    with _open(path) as picture:
        return picture.mode in GREY


def _picture(path: Path, grey: bool) -> Pictures:
    """One picture (height, width, channels)."""
    with _open(path) as picture:
        try:
            values = np.asarray(picture.convert("L" if grey else "RGB"), dtype=np.uint8)
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, MemoryError) as error:
            raise BadFile(f"{path}: a damaged picture ({str(error)[:100]})") from error
    return values[..., None] if grey else values


def _open(path: Path) -> Image:
    """The picture, its header read and checked, its pixels not yet."""
    from PIL import Image as pillow

    try:
        picture = pillow.open(path, formats=FORMATS)
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        raise BadFile(f"{path}: no picture of a known format ({', '.join(FORMATS)})") from error
    if picture.mode not in (*GREY, *COLOURED) or picture.width * picture.height > LARGEST:
        mode, shape = picture.mode, picture.size
        picture.close()
        raise BadFile(f"{path}: a picture of mode {mode}, {shape}; legal: 8 bits a channel, {LARGEST:,} pixels")
    return picture
