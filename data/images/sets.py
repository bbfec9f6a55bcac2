"""The one verb of image data: a published set by its name, scikit-learn's digits, or a file or folder of your own."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...bench.errors import BadFile, BadValue, UnknownName
from ...bench.live.images import SPLITS, Images, Labels, Pictures, pixel_statistics
from ..home import home
from . import digits, official, own_arrays, own_folder
from .order import fixed_order, hold_out
from .own_arrays import Splits
from .published import PUBLISHED, Published
from .shrink import shrink
from .splits import LEGAL, Validation, divide

NAMES = (digits.NAME, *PUBLISHED)
OWN_SHARE = 0.2
Size = int | tuple[int, int] | None


def load(
    name: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    *,
    limit: int | None = None,
    size: Size = None,
    validation: Validation = "standard",
) -> Images:
    """The image set ``name``, ready to train on.

    Args:
        name: "digits", "cifar10", "cifar100", "ImageNet16-120"; or the path of an ``.npz`` of your own
            (`own_arrays`) or of a folder of classes (`own_folder`).
        folder: where the official files of a published set lie; default: ``images`` in nasgauge's home folder.
        limit: at most so many pictures of every split, the first ones; of an ``.npz``, whose pictures may lie sorted
            by class, the first ones in `order.fixed_order`.
        size: side, or height and width, to which pictures are made smaller by area averaging; means and standard
            deviations are then those of the training pictures.
        validation: which pictures validate: ``"standard"`` (the sizes of NAS-Bench-201; the split of the digits; an
            own set's valid split, else a fifth of its training pictures), ``"nb201"`` (the lists of NAS-Bench-201's
            authors), a fraction of the training pictures, or ``"none"``; see `splits.divide`.

    Raises:
        UnknownName: neither a known set nor a path.
        MissingFile, BadFile: files that are not there (how to get them is said), damaged, or of another content.
        BadValue: an argument outside its range.

    >>> load("digits", limit=100).count("train")
    100
    """
    if not (validation in ("standard", "nb201", "none") or _is_number(validation)):
        raise BadValue(f"validation={validation!r}; legal: {LEGAL}")
    shape = _shape(size)
    if isinstance(name, str) and name in PUBLISHED:
        place = Path(folder).expanduser() if folder is not None else home() / "images"
        images = _published(PUBLISHED[name], place, validation)
    elif isinstance(name, str) and name == digits.NAME:
        images = _digits(validation)
    elif Path(name).expanduser().exists():
        images = _own(Path(name).expanduser(), shape, validation, limit)
    else:
        hint = "Or give the path of an .npz, or of a folder of classes; there is no file or folder of that name."
        raise UnknownName.of("image set", os.fspath(name), NAMES, hint)
    if limit is not None:
        images = images.first(limit)
    return images if shape is None else _smaller(images, shape)


def _published(published: Published, folder: Path, validation: Validation) -> Images:
    train, valid, test, words = divide(published, official.read(published, folder), validation, folder)
    return Images(
        published.name, *train, *valid, *test, published.classes, published.mean, published.std,
        f"{published.title}, {published.address}; {words}",
    )  # fmt: skip


def _digits(validation: Validation) -> Images:
    if validation not in ("standard", "none"):
        raise BadValue(f"digits: validation={validation!r}; the split of the digits is fixed: 'standard' or 'none'")
    images = digits.read()
    return images if validation == "standard" else images.without_validation()


def _own(path: Path, size: tuple[int, int] | None, validation: Validation, limit: int | None) -> Images:
    splits: Splits = own_folder.read(path, size) if path.is_dir() else own_arrays.read(path)
    words = "its own validation split" if "valid" in splits else "no validation"
    if validation == "nb201":
        raise BadValue(f"{path.name}: validation='nb201' is for the sets of NAS-Bench-201: {', '.join(PUBLISHED)}")
    if "valid" in splits:
        if _is_number(validation):
            raise BadValue(f"{path.name} has a validation split; validation={validation!r} would make another")
    elif validation == "none":
        splits["valid"] = tuple(part[:0] for part in splits["train"])  # type: ignore[assignment]
    else:
        share = OWN_SHARE if validation == "standard" else float(validation)
        pictures, labels = splits["train"]
        stay, held = hold_out(labels, share, path.stem)
        splits |= {"train": (pictures[stay], labels[stay]), "valid": (pictures[held], labels[held])}
        words = f"{share:g} of the training pictures validate"
    classes = _classes(path, splits)
    mean, std = pixel_statistics(splits["train"][0])
    if limit is not None and path.is_file():
        splits = {split: _mixed(path.stem, *parts) for split, parts in splits.items()}
    images = Images(path.stem, *splits["train"], *splits["valid"], *splits["test"], classes, mean, std,
                    f"{path.name}; {words}")  # fmt: skip
    return images.without_validation() if validation == "none" else images


def _mixed(name: str, pictures: Pictures, labels: Labels) -> tuple[Pictures, Labels]:
    order = fixed_order(name, len(labels))
    return pictures[order], labels[order]


def _classes(path: Path, splits: Splits) -> int:
    """How many classes an own set has: training must hold every class from 0 to the largest label anywhere."""
    largest = max(int(labels.max()) for _, labels in splits.values() if len(labels))
    trained = set(np.unique(splits["train"][1]).tolist())
    absent = [label for label in range(min(largest + 1, len(trained) + 1)) if label not in trained]
    if absent:
        raise BadFile(
            f"{path}: no training picture of class {absent[0]}, but labels up to {largest}; classes are numbered "
            "0, 1, 2, ... and each is needed in training"
        )
    return largest + 1


def _smaller(images: Images, shape: tuple[int, int]) -> Images:
    if images.shape[:2] == shape:
        return images
    train, valid, test = (shrink(images.split(split)[0], *shape) for split in SPLITS)
    mean, std = pixel_statistics(train)
    return replace(images, x_train=train, x_valid=valid, x_test=test, mean=mean, std=std)


def _shape(size: Size) -> tuple[int, int] | None:
    if size is None:
        return None
    sides = size if isinstance(size, tuple) else (size, size)
    if len(sides) != 2 or not all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in sides):
        raise BadValue(f"size={size!r}; give the side of the pictures, or (height, width), in pixels")
    return sides[0], sides[1]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
