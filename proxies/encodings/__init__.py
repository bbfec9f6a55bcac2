"""Architectures as rows of numbers: the fixed encodings, the learned ones, and the registry that names them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadValue, UnknownName
from ...bench.live import need_torch
from ...bench.spaces import Architectures, Cells101, Size, Space, Topology

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from .graph import Graphs

Rows = npt.NDArray[np.float32]
Encoded: TypeAlias = "Rows | csr_array | Graphs"
Encoder: TypeAlias = Callable[..., Encoded]
"""``encoder(space, ids, **settings)``: one row per id, (n, d) float32, the first axis of everything it answers."""


@dataclass(frozen=True)
class Entry:
    """One encoding of the registry.

    Args:
        encoder: the function, or "module:function" below this package, imported when it is first asked for, so that a
            list of names loads neither torch nor scipy.
        spaces: classes of spaces that it encodes.
        vectors: whether an architecture becomes a row of numbers, which any learner takes (a graph does not).
        torch: whether it takes PyTorch.
    """

    encoder: str | Encoder
    spaces: tuple[type[Space], ...] = (Space,)
    vectors: bool = True
    torch: bool = False

    def load(self) -> Encoder:
        """The function; MissingPackage where PyTorch is needed and absent."""
        if not isinstance(self.encoder, str):
            return self.encoder
        if self.torch:
            need_torch(f"the encoding {self.encoder.partition(':')[2]!r}")
        module, _, function = self.encoder.partition(":")
        loaded: Encoder = getattr(importlib.import_module(f".{module}", __name__), function)
        return loaded


CELLS = (Topology, Cells101)

ENCODINGS: dict[str, Entry] = {
    "adjacency": Entry("adjacency:one_hot"),
    "adjacency-categorical": Entry("adjacency:categorical"),
    "adjacency-continuous": Entry("adjacency:continuous"),
    "path": Entry("paths:one_hot", CELLS),
    "path-truncated": Entry("paths:truncated", CELLS),
    "path-categorical": Entry("paths:categorical", CELLS),
    "path-continuous": Entry("paths:continuous", CELLS),
    "path-weighted": Entry("paths:weighted", CELLS),
    "path-features": Entry("features:features", (*CELLS, Size)),
    "graph": Entry("graph:graphs", vectors=False),
    "cate": Entry("cate:cate", CELLS, torch=True),
    "arch2vec": Entry("arch2vec:arch2vec", CELLS, torch=True),
}
"""Every encoding by its name; one of your own is one more entry: ``ENCODINGS["mine"] = Entry(function)``."""


def encodings(space: Space, *, vectors: bool = False) -> list[str]:
    """Names of the encodings of a space; with ``vectors`` only those that any learner takes."""
    return [
        name for name, entry in ENCODINGS.items() if isinstance(space, entry.spaces) and (entry.vectors or not vectors)
    ]


def encode(space: Space, name: str, archs: Architectures | None = None, **settings: Any) -> Encoded:
    """Architectures as numbers, one row each: (n, d) float32, and what the encoding says it answers otherwise.

    Args:
        archs: ids, official texts or graphs; default: the whole space, in the order of ids.
        settings: of the encoding, such as ``length=30`` or ``sparse=True`` for "path".

    Raises:
        UnknownName: no such encoding, or not for this space; the message lists those there are.
        BadValue: the encoding has no such setting, or not that value.
    """
    legal = encodings(space)
    if name not in legal:
        what = f"encoding of space {space.name!r}"
        raise UnknownName.of(what, name, legal, "It encodes other spaces only." if name in ENCODINGS else "")
    encoder = ENCODINGS[name].load()
    _check_settings(name, encoder, settings)
    ids = np.arange(space.size) if archs is None else space.ids(archs)
    return encoder(space, ids, **settings)


def vectors(space: Space, name: str, archs: Architectures | None = None, **settings: Any) -> Rows:
    """`encode`, for learners: always a dense array, (n, d) float32.

    Raises:
        UnknownName: no such encoding, or not for this space, or not one row of numbers for each architecture.
    """
    if name not in (legal := encodings(space, vectors=True)):
        hint = "What it answers is no row of numbers." if name in encodings(space) else ""
        raise UnknownName.of(f"encoding of space {space.name!r}", name, legal, hint)
    rows = encode(space, name, archs, **settings)
    return np.asarray(rows if isinstance(rows, np.ndarray) else rows.toarray(), dtype=np.float32)  # type: ignore[union-attr]


def _check_settings(name: str, encoder: Encoder, settings: Mapping[str, Any]) -> None:
    taken = inspect.signature(encoder).parameters.values()
    if any(each.kind is each.VAR_KEYWORD for each in taken):
        return
    legal = [each.name for each in taken if each.kind is each.KEYWORD_ONLY]
    for given in settings:
        if given not in legal:
            raise BadValue(f"encoding {name!r} has no setting {given!r}; legal: {', '.join(legal) or 'none'}")


__all__ = ["ENCODINGS", "Encoded", "Encoder", "Entry", "Rows", "encode", "encodings", "vectors"]
