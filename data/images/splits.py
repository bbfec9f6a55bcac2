"""Which pictures of a published set train, validate and test: NAS-Bench-201's sizes, its own lists, or a share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...bench.errors import BadFile, BadValue, MissingFile
from ...bench.live.images import Labels, Pictures
from .official import Parts
from .order import Indices, hold_out
from .published import CODE, Published

Validation = float | Literal["standard", "nb201", "none"]
LEGAL = "'standard', 'nb201', 'none', or a fraction of the training pictures between 0 and 1"
LARGEST = 4 << 20  # bytes of a list of indices
Split = tuple[Pictures, Labels]


def divide(published: Published, parts: Parts, validation: Validation, folder: Path) -> tuple[Split, Split, Split, str]:
    """Training, validation and test pictures of a set, and in words how they were told apart.

    - ``"standard"``: the sizes of NAS-Bench-201. CIFAR-10: half of the training pictures validate; CIFAR-100 and
      ImageNet16-120: all train, half of the official test pictures validate, the other half tests. Which half: the
      same number of every class, by `order.hold_out`; not the lists of its authors, which no package may be without.
    - ``"nb201"``: their very lists, from their file in ``folder``.
    - a fraction: that share of the training pictures validates; all official test pictures test.
    - ``"none"``: all train, nothing validates.

    Raises:
        BadValue: another ``validation``.
        MissingFile, BadFile: no list of the authors in the folder, or one that is no partition.
    """
    train, test = parts["train"], parts["test"]
    if validation == "none":
        return train, _part(train, np.arange(0)), test, "no validation"
    if isinstance(validation, (int, float)):
        stay, held = hold_out(train[1], float(validation), published.name)
        words = f"{validation:g} of the training pictures validate, in nasgauge's fixed order"
        return _part(train, stay), _part(train, held), test, words
    if validation == "standard":
        words = "halves as large as NAS-Bench-201's, in nasgauge's fixed order"
        stay, held = hold_out(parts[published.halves][1], 0.5, published.name)
    elif validation == "nb201":
        words = f"NAS-Bench-201's own halves ({published.lists})"
        stay, held = read_lists(published, folder, len(parts[published.halves][1]))
    else:
        raise BadValue(f"validation={validation!r}; legal: {LEGAL}")
    if published.halves == "train":
        return _part(train, stay), _part(train, held), test, words
    return train, _part(test, held), _part(test, stay), words


def read_lists(published: Published, folder: Path, count: int) -> tuple[Indices, Indices]:
    """The indices that stay and those that validate, as the authors of NAS-Bench-201 publish them."""
    places = [folder / published.lists, folder / published.folder / published.lists]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise MissingFile(
            f"no {published.lists} at {folder}: get it from {CODE}/{published.lists}, or give validation='standard' "
            "for halves of the same sizes that need no file"
        )
    try:
        with open(path, "rb") as file:
            content: Any = json.loads(file.read(LARGEST))
        stay, held = (np.array([int(item) for item in content[key][1]], dtype=np.int64) for key in published.keys)
    except (OSError, ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        raise BadFile(f"{path}: not the list of {' and '.join(published.keys)} indices it should be") from error
    if sorted([*stay.tolist(), *held.tolist()]) != list(range(count)):
        raise BadFile(f"{path}: the two lists do not hold every index from 0 to {count - 1:,} exactly once")
    return np.sort(stay), np.sort(held)


def _part(split: Split, indices: Indices) -> Split:
    return split[0][indices], split[1][indices]
