"""A space as rows of numbers, for searchers that look at architectures through an encoding."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..bench.spaces import SPACES, Ids, Space
from ..bench.spaces import space as space_called
from ..proxies.encodings import Rows, encodings, vectors
from .unseen import fresh

KEPT = 256e6  # bytes of a whole space's rows that are remembered; larger ones are encoded again when asked
TOGETHER = 1 << 14  # architectures encoded at a time


@dataclass(frozen=True)
class EncodedSpace:
    """The rows of one encoding that answers a row of numbers for each architecture.

    Raises:
        UnknownName: the space has no such encoding; the message lists those it has.
    """

    space: Space
    encoding: str

    def __post_init__(self) -> None:
        if self.encoding not in encodings(self.space, vectors=True):
            vectors(self.space, self.encoding, [0])  # raises, in the words of the registry

    def rows(self, ids: npt.ArrayLike) -> Rows:
        """One row for each architecture, (n, d)."""
        ids = np.asarray(ids, dtype=np.int64)
        whole = _whole(_shared(self.space), self.encoding)
        return vectors(self.space, self.encoding, ids) if whole is None else whole[ids]

    def chunks(self, ids: Ids) -> Iterator[tuple[Ids, Rows]]:
        """The same piece by piece, for spaces whose rows together take much memory."""
        for first in range(0, len(ids), TOGETHER):
            some = ids[first : first + TOGETHER]
            yield some, self.rows(some)

    def nearest(self, arch: int, ids: Ids, n: int, *, seen: Collection[int] = (), by_class: bool = False) -> list[int]:
        """The ``n`` of ``ids`` whose rows are nearest to that of ``arch`` (Euclidean), nearest first; ties by place.

        Args:
            seen, by_class: leave out those seen and, by class, also what is isomorphic to them or to a nearer one.
        """
        if not len(ids):
            return []
        row = self.rows([arch])
        distances = np.concatenate([np.square(rows - row).sum(axis=1) for _, rows in self.chunks(ids)])
        ranked = ids[np.argsort(distances, kind="stable")]
        return fresh(self.space, ranked, seen, by_class=by_class)[:n].tolist()


def _shared(space: Space) -> Space:
    """The one object that stands for an official space in this process, so that copies share what is remembered."""
    return space_called(space.name) if type(space) is SPACES.get(space.name) else space


@lru_cache(maxsize=4)
def _whole(space: Space, encoding: str) -> Rows | None:
    width = vectors(space, encoding, [0]).shape[1]
    if space.size * width * 4 > KEPT:
        return None
    rows = vectors(space, encoding)
    rows.setflags(write=False)
    return rows
