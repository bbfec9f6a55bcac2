"""Trained encoders on disk: one .npz of plain arrays, read without pickle, that says what it belongs to.

Arrays: ``about`` (JSON: format, schema, encoder, space, its size, settings, epochs done), ``weights/NAME`` (what
encodes), ``curves/NAME`` (one value an epoch), ``state/NAME`` (what an unfinished training needs to go on), ``sha256``
of all of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadFile, BadValue, MissingFile
from ...bench.spaces import Space
from ...bench.whole import whole_file

FORMAT = "nasgauge encoder"
SCHEMA = 1
SHIPPED = Path(__file__).with_name("weights")
_GROUPS = ("weights", "curves", "state")
_DAMAGES = (OSError, EOFError, ValueError, LookupError, TypeError, zipfile.BadZipFile, zlib.error, RuntimeError)

Arrays = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained encoder, or one on the way.

    Args:
        encoder: its name in the registry, such as "cate".
        space: name of the space whose architectures it encodes; ``size`` of that space guards against another one of
            the same name.
        settings: of network and training, plain values.
        epochs: done so far; the training is finished when they are ``settings["epochs"]``.
        weights: parameters by name; ``curves``: (epochs,) each; ``state``: empty once finished.
    """

    encoder: str
    space: str
    size: int
    settings: Mapping[str, Any]
    epochs: int
    weights: Arrays = field(repr=False)
    curves: Arrays = field(repr=False)
    state: Arrays = field(repr=False)

    @property
    def about(self) -> dict[str, Any]:
        """Everything but arrays."""
        return {
            "format": FORMAT, "schema": SCHEMA, "encoder": self.encoder, "space": self.space, "size": self.size,
            "settings": dict(self.settings), "epochs": self.epochs,
        }  # fmt: skip

    @property
    def finished(self) -> bool:
        return self.epochs >= int(self.settings["epochs"])


def save_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint) -> Path:
    """Write a checkpoint, whole or not at all."""
    arrays: dict[str, npt.NDArray[np.generic]] = {"about": np.array(json.dumps(checkpoint.about, sort_keys=True))}
    for group in _GROUPS:
        arrays |= {f"{group}/{name}": np.asarray(value) for name, value in getattr(checkpoint, group).items()}
    digest = np.array(_sha256(arrays))
    with whole_file(path) as temporary, open(temporary, "wb") as written:
        np.savez_compressed(written, allow_pickle=False, **arrays, sha256=digest)
    return Path(path)


def load_checkpoint(path: str | os.PathLike[str], encoder: str, space: Space) -> Checkpoint:
    """Read the checkpoint of ``encoder`` for ``space``.

    Raises:
        MissingFile: there is none.
        BadFile: damaged, not a checkpoint, or of another version.
        BadValue: of another encoder or space.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFile(f"{path} does not exist; `nasgauge encode {space.name} --encoder {encoder} --train` makes it")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        digest = str(arrays.pop("sha256"))
        about = json.loads(str(arrays["about"]))
        known = isinstance(about, dict) and about.get("format") == FORMAT
    except _DAMAGES as error:
        raise BadFile(f"{path}: no weights of an encoder, or damaged ({error}); train again with --train") from error
    if not known:
        raise BadFile(f"{path}: not made by `nasgauge encode`; train with --train")
    if about.get("schema") != SCHEMA:
        raise BadFile(
            f"{path}: schema {about.get('schema')} of weights; this version reads schema {SCHEMA}; train again"
        )
    if digest != _sha256(arrays):
        raise BadFile(f"{path}: the weights do not agree with their checksum; train again with --train")
    if (about.get("encoder"), about.get("space"), about.get("size")) != (encoder, space.name, space.size):
        raise BadValue(
            f"{path} holds {about.get('encoder')!r} for space {about.get('space')!r} ({about.get('size')} "
            f"architectures); asked is {encoder!r} for {space.name!r} ({space.size}); "
            f"`nasgauge encode {space.name} --encoder {encoder} --train` makes it"
        )
    groups: dict[str, dict[str, npt.NDArray[np.generic]]] = {group: {} for group in _GROUPS}
    for name, value in arrays.items():
        group, _, rest = name.partition("/")
        if group in groups:
            groups[group][rest] = value
    try:
        epochs, settings = int(about["epochs"]), dict(about["settings"])
        return Checkpoint(encoder, space.name, space.size, settings, epochs, **groups)
    except (LookupError, TypeError, ValueError) as error:
        raise BadFile(f"{path}: weights without their settings ({error}); train again with --train") from error


def shipped(encoder: str, space: Space) -> Path:
    """Where the weights lie that come with the package; BadValue, listing what there is, where there are none."""
    path = SHIPPED / f"{encoder}-{space.name}.npz"
    if not path.is_file():
        there = sorted(each.stem.removeprefix(f"{encoder}-") for each in SHIPPED.glob(f"{encoder}-*.npz"))
        raise BadValue(
            f"no weights of {encoder!r} for space {space.name!r} come with nasgauge; there are some for "
            f"{', '.join(there) or 'no space'}; "
            f"`nasgauge encode {space.name} --encoder {encoder} --train --out FOLDER` "
            "trains them, then give weights=FOLDER/weights.npz"
        )
    return path


def _sha256(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        value = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {value.dtype.str} {value.shape}".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()
