"""What every search space answers; a space of your own is one class that inherits `Space` (or `ProductSpace`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import BadArchitecture
from ..live import need_torch
from .graph import Graph

if TYPE_CHECKING:
    from torch import nn

    from .drawing import Drawing

Ids: TypeAlias = npt.NDArray[np.int64]
Architecture: TypeAlias = "int | np.integer | str | Graph"
Architectures: TypeAlias = "Architecture | Iterable[Architecture] | npt.NDArray[np.integer]"


class Space(ABC):
    """A finite set of architectures, numbered 0 .. size-1 (the official index where one exists).

    Ids make everything downstream array code. What is named in the plural (``ids``, ``operations``, ``canonical``,
    ``params``, ``flops``, ``neighbour_pairs``) and ``mutate`` take arrays and answer arrays; ``text``, ``parse``,
    ``graph``, ``from_graph``, ``neighbours`` and ``mutate_one`` are about one architecture. The suite
    `nasgauge.testing.SpaceConformance` states the laws.
    """

    name: ClassVar[str]
    sampling_law: ClassVar[str] = "uniform over ids"
    mutation_law: ClassVar[str]

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of architectures."""

    @abstractmethod
    def text(self, arch: int) -> str:
        """The official string of architecture ``arch``."""

    @abstractmethod
    def parse(self, text: str) -> int:
        """The id of an official string; BadArchitecture says what is wrong with any other."""

    @abstractmethod
    def graph(self, arch: int) -> Graph:
        """The cell as a labelled directed acyclic graph."""

    @abstractmethod
    def from_graph(self, graph: Graph) -> int:
        """The id of a graph; inverse of `graph`."""

    @abstractmethod
    def operations(self, ids: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """The choices that make up each architecture, (n, slots) int8; -1 where a slot does not apply."""

    @abstractmethod
    def from_operations(self, operations: npt.ArrayLike) -> Ids:
        """Ids of choice rows, (n, slots) -> (n,); inverse of `operations`. BadArchitecture on an illegal row."""

    @abstractmethod
    def neighbour_pairs(self, ids: npt.ArrayLike) -> tuple[Ids, Ids]:
        """Every (position in ``ids``, architecture one change away), two arrays of equal length.

        Sorted by position, then id; distinct; without the architecture itself.
        """

    @abstractmethod
    def mutate(self, ids: npt.ArrayLike, rng: np.random.Generator) -> Ids:
        """One random child per architecture, (n,) -> (n,), by the law that `mutation_law` names."""

    @abstractmethod
    def canonical(self, ids: npt.ArrayLike) -> Ids:
        """The smallest id of each architecture's isomorphism class: equal exactly for isomorphic architectures."""

    def neighbours(self, arch: int) -> Ids:
        """All distinct architectures one change away from one, ascending, without itself."""
        return self.neighbour_pairs(np.array([self.id(arch)]))[1]

    def mutate_one(self, arch: int, rng: np.random.Generator) -> int:
        """`mutate` for one architecture; spaces override it where a shorter way exists (same law, own stream)."""
        return int(self.mutate(np.array([arch]), rng)[0])

    def sample(self, n: int, rng: np.random.Generator) -> Ids:
        """``n`` independent architectures (with replacement) by the law that `sampling_law` names."""
        return rng.integers(self.size, size=n)

    def params(self, ids: npt.ArrayLike, classes: int = 10) -> npt.NDArray[np.int64]:
        """Trainable parameters of the benchmark's network with ``classes`` outputs."""
        raise NotImplementedError(f"space {self.name!r} has no parameter formula")

    def flops(self, ids: npt.ArrayLike, classes: int = 10, image_size: int = 32) -> npt.NDArray[np.int64]:
        """Multiply-adds of one forward pass of the benchmark's network on one square image."""
        raise NotImplementedError(f"space {self.name!r} has no FLOP formula")

    def network(
        self,
        architecture: Architecture,
        classes: int = 10,
        *,
        macro: Any = None,
        prune: bool = True,
        seed: int = 0,
        law: Any = None,
        device: Any = "cpu",
    ) -> nn.Module:
        """The untrained network around one architecture: images (n, channels, height, width) -> logits (n, classes).

        Args:
            macro: what surrounds the cell (`bench.live.macro`); default: the benchmark's own skeleton.
            prune: leave out what lies on no path from input to output. Without it everything is built and computed,
                as officially, and parameters and multiply-adds are those of `params` and `flops`.
            seed: the weights are a function of it (`bench.live.recipe`).
            law: how weights are drawn (`bench.live.weights`); default: the benchmark's own.
            device: where the weights lie; "meta" builds the modules without any.

        Raises:
            MissingPackage: PyTorch is not installed (``pip install nasgauge[torch]``).
        """
        need_torch("a network")
        from ..live.networks import network

        return network(
            self, self.id(architecture), classes, macro=macro, prune=prune, seed=seed, law=law, device=device
        )

    def draw(self, architecture: Architecture, *, title: str | None = None) -> Drawing:
        """A picture of one architecture: ``.svg``, ``.plot(ax)``, ``.save(path)``; a notebook shows it by itself.

        Args:
            title: what it is called; default: its id and official string.
        """
        from .drawing_cells import draw_graph

        return draw_graph(self.graph(self.id(architecture)), self._title(architecture, title))

    def _title(self, architecture: Architecture, given: str | None) -> str:
        arch = self.id(architecture)
        return f"{self.name} {arch}: {self.text(arch)}" if given is None else given

    def id(self, architecture: Architecture) -> int:
        """The id of an id (checked), an official string or a `Graph`."""
        if isinstance(architecture, str):
            return self.parse(architecture)
        if isinstance(architecture, Graph):
            return self.from_graph(architecture)
        if isinstance(architecture, (int, np.integer)) and not isinstance(architecture, bool):
            if 0 <= architecture < self.size:
                return int(architecture)
            raise BadArchitecture(f"id {architecture} is not in space {self.name!r}; legal ids: 0 to {self.size - 1}")
        raise BadArchitecture(
            f"{architecture!r} ({type(architecture).__name__}) names no architecture of space {self.name!r}; "
            f"give an id (0 to {self.size - 1}), an official string such as {self.text(0)!r}, or a Graph"
        )

    def ids(self, architectures: Architectures) -> Ids:
        """Ids of one or many architectures, (n,) int64; integer arrays are only checked."""
        if isinstance(architectures, (str, Graph)) or not isinstance(architectures, Iterable):
            return np.array([self.id(architectures)], dtype=np.int64)
        values = np.asarray(architectures) if isinstance(architectures, (np.ndarray, range)) else None
        if values is None:
            listed = list(architectures)
            if not all(isinstance(item, (int, np.integer)) and not isinstance(item, bool) for item in listed):
                return np.array([self.id(item) for item in listed], dtype=np.int64)
            values = np.array(listed, dtype=np.int64)
        return self.check(values)

    def check(self, ids: npt.ArrayLike) -> Ids:
        """``ids`` as an int64 array after checking type and range."""
        array = np.asarray(ids)
        if array.dtype.kind not in "iu" and array.size:
            raise BadArchitecture(f"ids of dtype {array.dtype} given; ids are integers from 0 to {self.size - 1}")
        if array.size and (array.min() < 0 or array.max() >= self.size):
            wrong = array[(array < 0) | (array >= self.size)].ravel()[0]
            raise BadArchitecture(f"id {wrong} is not in space {self.name!r}; legal ids: 0 to {self.size - 1}")
        return array.astype(np.int64, copy=False)

    def __getstate__(self) -> dict[str, object]:
        """Travel without what can be computed again."""
        parts = [vars(kind).items() for kind in type(self).__mro__]
        computed = {name for items in parts for name, value in items if isinstance(value, cached_property)}
        return {name: value for name, value in vars(self).items() if name not in computed}

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return f"<space {self.name!r}: {self.size:,} architectures>"
