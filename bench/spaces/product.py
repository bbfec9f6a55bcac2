"""Spaces whose architectures are independent choices, one per slot: ids, neighbours and mutations for free."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..errors import BadArchitecture
from .space import Ids, Space


class ProductSpace(Space):
    """Every combination of choices is an architecture; a subclass gives choices, graphs and isomorphism.

    ``choices[slot]`` are the names a slot can take. Without an official numbering, ids run through the product with
    the first slot slowest; `numbering` gives another one.
    """

    mutation_law = "a slot uniformly, then another choice for it uniformly"
    mutation_may_repeat: ClassVar[bool] = False  # whether a mutation may draw the choice that is there already

    @property
    @abstractmethod
    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Names of the choices of each slot, first slot slowest in the plain product order."""

    @cached_property
    def numbering(self) -> Ids | None:
        """Position in the plain product order of every id, (size,); None where ids are that order."""
        return None

    @cached_property
    def slot_weights(self) -> tuple[int, ...]:
        """How often `mutate` takes each slot, as integers."""
        return (1,) * len(self.choices)

    @cached_property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Number of choices of each slot."""
        return np.array([len(choice) for choice in self.choices], dtype=np.int64)

    @cached_property
    def _strides(self) -> npt.NDArray[np.int64]:
        return np.append(np.cumprod(self.sizes[:0:-1])[::-1], 1)

    @cached_property
    def _position_to_id(self) -> Ids | None:
        return None if self.numbering is None else np.argsort(self.numbering)

    @property
    def size(self) -> int:
        return int(np.prod(self.sizes))

    def text(self, arch: int) -> str:
        """The names of its choices, joined by "-"; a space with official strings gives those instead."""
        chosen = self.operations(self.id(arch)).tolist()
        return "-".join(names[choice] for names, choice in zip(self.choices, chosen, strict=True))

    def parse(self, text: str) -> int:
        try:
            row = [names.index(part) for names, part in zip(self.choices, text.split("-"), strict=True)]
        except ValueError:
            raise BadArchitecture(
                f"{text!r} is no architecture of space {self.name!r}; expected e.g. {self.text(0)!r}"
            ) from None
        return int(self.from_operations(row))

    def operations(self, ids: npt.ArrayLike) -> npt.NDArray[np.int8]:
        positions = self.check(ids)
        if self.numbering is not None:
            positions = self.numbering[positions]
        return (positions[..., None] // self._strides % self.sizes).astype(np.int8)

    def from_operations(self, operations: npt.ArrayLike) -> Ids:
        rows = np.asarray(operations)
        slots = len(self.sizes)
        if rows.shape[-1:] != (slots,) or rows.dtype.kind not in "iu":
            raise BadArchitecture(
                f"operations of shape {rows.shape}, dtype {rows.dtype}; expected integers (n, {slots})"
            )
        wrong = (rows < 0) | (rows >= self.sizes)
        if wrong.any():
            row, slot = (int(index) for index in np.argwhere(np.atleast_2d(wrong))[0])
            raise BadArchitecture(
                f"choice {np.atleast_2d(rows)[row, slot]} in slot {slot} of row {row}; "
                f"legal: 0 to {self.sizes[slot] - 1} for {', '.join(self.choices[slot])}"
            )
        positions = rows.astype(np.int64) @ self._strides
        return positions if self._position_to_id is None else self._position_to_id[positions]

    @cached_property
    def neighbour_table(self) -> Ids:
        """Neighbours of every id grouped by slot, (size, sum(sizes - 1)): within a slot by rising choice."""
        operations = self.operations(np.arange(self.size)).astype(np.int64)
        columns = []
        for slot, count in enumerate(self.sizes):
            for shift in range(count - 1):
                changed = operations.copy()
                changed[:, slot] = shift + (shift >= operations[:, slot])
                columns.append(self.from_operations(changed))
        return np.stack(columns, axis=1)

    @cached_property
    def _children(self) -> Ids:
        """The neighbour table with one more column: the architecture itself."""
        return np.column_stack([self.neighbour_table, np.arange(self.size)])

    @cached_property
    def _moves(self) -> npt.NDArray[np.int64]:
        """Columns of `_children`, repeated so that a uniform pick follows the mutation law."""
        changes = np.split(np.arange(int((self.sizes - 1).sum())), np.cumsum(self.sizes - 1)[:-1])
        itself = [int((self.sizes - 1).sum())] if self.mutation_may_repeat else []
        groups = [np.append(group, itself).astype(np.int64) for group in changes]
        common = int(np.lcm.reduce([len(group) for group in groups if len(group)]))
        return np.concatenate(
            [
                np.repeat(group, weight * common // len(group))
                for group, weight in zip(groups, self.slot_weights, strict=True)
                if len(group)
            ]
        )

    def neighbour_pairs(self, ids: npt.ArrayLike) -> tuple[Ids, Ids]:
        archs = self.check(ids).ravel()
        neighbours = np.sort(self.neighbour_table[archs], axis=1)
        return np.repeat(np.arange(len(archs)), neighbours.shape[1]), neighbours.ravel()

    def mutate(self, ids: npt.ArrayLike, rng: np.random.Generator) -> Ids:
        parents = self.check(ids)
        return self._children[parents, self._moves[rng.integers(len(self._moves), size=parents.shape)]]

    def mutate_one(self, arch: int, rng: np.random.Generator) -> int:
        moves = self._moves
        return int(self._children[arch, moves[int(rng.random() * len(moves))]])
