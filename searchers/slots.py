"""A space seen as independent categorical hyper-parameters: what BOHB, REINFORCE, Optuna and naszilla search over."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..bench.errors import BadArchitecture, MissingPackage
from ..bench.spaces import Cells101, Ids, ProductSpace, Space
from ..bench.spaces.cells101_code import (
    EDGE_SLOTS,
    FIRST_CODE,
    MAX_EDGES,
    PLACES,
    SLOT_BITS,
    canonical_embedded,
    canonical_embedded_one,
)
from ..proxies.encodings.adjacency import levels

if TYPE_CHECKING:
    import ConfigSpace

Rows = npt.NDArray[np.int8]

_BIT_VALUES = 1 << SLOT_BITS


class Slots:
    """Rows of `Space.operations` as free choices: slot s takes 0 .. ``levels[s]`` - 1, and not every row is legal.

    On `ProductSpace` every row is an architecture. On `Cells101` a row holds 21 edge bits and 5 operations, as in the
    configuration space of nas_benchmarks; 73 % of uniform rows are legal after pruning.

    Args:
        unpruned_limit: count the edges of a cell before pruning, as nas_benchmarks does, whose objective refuses more
            than 9 (25 % of uniform rows are legal); the space itself counts them after pruning.
    """

    def __init__(self, space: Space, *, unpruned_limit: bool = False) -> None:
        self.space = space
        self._unpruned_limit = unpruned_limit

    @cached_property
    def levels(self) -> npt.NDArray[np.int64]:
        """Number of choices of each slot, (slots,)."""
        return levels(self.space)

    def configuration_space(self) -> ConfigSpace.ConfigurationSpace:
        """The same choices in the words of ConfigSpace, for optimizers that speak it (SMAC, DEHB, hpbandster, ...).

        Categories are the choice numbers; the names on cells101 are those of nas_benchmarks (``edge_0`` ..
        ``op_node_4``), elsewhere ``slot_0`` .. .

        Raises:
            MissingPackage: ConfigSpace is not installed.
        """
        try:
            import ConfigSpace
        except ImportError as error:
            raise MissingPackage(
                f"a description for ConfigSpace needs it ({error}); pip install ConfigSpace"
            ) from error

        edges = EDGE_SLOTS if isinstance(self.space, Cells101) else 0
        described = ConfigSpace.ConfigurationSpace(name=self.space.name)
        for slot, count in enumerate(self.levels.tolist()):
            name = f"edge_{slot}" if slot < edges else f"op_node_{slot - edges}" if edges else f"slot_{slot}"
            described.add(ConfigSpace.CategoricalHyperparameter(name, list(range(count))))
        return described

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """Uniform rows, legal or not, (n, slots)."""
        return rng.integers(self.levels, size=(n, len(self.levels))).astype(np.int8)

    def draw_legal(self, n: int, rng: np.random.Generator) -> Rows:
        """Uniform legal rows, (n, slots), by drawing again what is not."""
        found = self.draw(0, rng)
        while len(found) < n:
            rows = self.draw(max(n, 4), rng)
            found = np.concatenate([found, rows[self.ids(rows) >= 0]])
        return found[:n]

    def rows(self, ids: npt.ArrayLike) -> Rows:
        """The row of each architecture, (n, slots); 0 where a slot does not apply."""
        return np.maximum(self.space.operations(ids), 0)

    def ids(self, rows: Rows) -> Ids:
        """The architecture of each row, (n,); -1 where the row is none."""
        if isinstance(self.space, ProductSpace):
            return self.space.from_operations(rows)
        if isinstance(self.space, Cells101):
            return self._cells(rows, self.space)
        return np.array([self._one(row) for row in rows], dtype=np.int64)

    def id(self, row: Rows) -> int:
        """The architecture of one row, -1 where it is none."""
        if not isinstance(self.space, Cells101):
            return int(self.ids(row[None])[0])
        bits = int(row[:EDGE_SLOTS] @ _BIT_VALUES)
        if self._unpruned_limit and bits.bit_count() > MAX_EDGES:
            return -1
        code = canonical_embedded_one(bits, int(row[EDGE_SLOTS:] @ PLACES))
        return self.space.id_of_code(code) if code >= FIRST_CODE else -1

    def _cells(self, rows: Rows, space: Cells101) -> Ids:
        edges = rows[:, :EDGE_SLOTS].astype(np.int64)
        bits, labelings = edges @ _BIT_VALUES, rows[:, EDGE_SLOTS:].astype(np.int64) @ PLACES
        answer = np.full(len(rows), -1, dtype=np.int64)
        if self._unpruned_limit:
            considered = np.flatnonzero(edges.sum(axis=1) <= MAX_EDGES)
        else:
            considered = np.arange(len(rows))
        legal = considered[canonical_embedded(bits[considered], labelings[considered]) >= FIRST_CODE]
        answer[legal] = space.from_operations(rows[legal])
        return answer

    def _one(self, row: Rows) -> int:
        try:
            return int(self.space.from_operations(row[None])[0])
        except BadArchitecture:
            return -1

    def __getstate__(self) -> dict[str, object]:
        return {"space": self.space, "_unpruned_limit": self._unpruned_limit}


def other_choices(rows: Rows, changed: npt.NDArray[np.bool_], levels: npt.NDArray[np.int64],
                  rng: np.random.Generator) -> Rows:  # fmt: skip
    """``rows`` (n, slots) with another choice, uniform among the others, wherever ``changed`` says so."""
    shift = rng.integers(1, np.maximum(levels, 2), size=rows.shape)
    return np.where(changed, (rows + shift) % levels, rows).astype(np.int8)


def edit_rates(space: Space) -> npt.NDArray[np.float64]:
    """How likely naszilla's mutation changes each slot, (slots,).

    On NAS-Bench-101 each edge flips with probability 1/21 and each operation changes with 1/5; on NAS-Bench-201 each
    operation changes with probability 1/4, which is 1 / (slots - 2) there and is read so on other product spaces.
    """
    if isinstance(space, Cells101):
        return np.repeat([1 / EDGE_SLOTS, 1 / len(PLACES)], [EDGE_SLOTS, len(PLACES)])
    slots = len(Slots(space).levels)
    return np.full(slots, 1 / max(slots - 2, 1))
