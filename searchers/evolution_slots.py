"""Regularized evolution on unpruned matrices and hyper-parameters, as the published runs on NAS-Bench-101 bred them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..bench.errors import BadValue
from ..bench.objective import Evaluation
from ..bench.spaces import Cells101, Space
from ..bench.spaces.cells101_code import EDGE_SLOTS, INTERIOR, MAX_VERTICES
from .evolution_aging import RegularizedEvolution
from .slots import Rows, Slots, edit_rates, other_choices

Mutation = Literal["notebook", "naszilla", "one-choice"]


class SlotEvolution(RegularizedEvolution):
    """Members are rows of choices (`Slots`) instead of ids, so that vertices pruned today can matter tomorrow.

    Args:
        mutation: how a child differs from its parent.
            "notebook" (cells101): each edge flips with probability 1/7, each operation changes with 1/5, until legal
            (``mutate_spec`` of the NAS-Bench-101 notebook).
            "naszilla": each choice changes with the probability of `edit_rates`, until legal.
            "one-choice": one of the hyper-parameters, uniformly, takes another value (nas_benchmarks,
            run_regularized_evolution). Illegal rows, founders included, join the population as its worst members
            without being asked: they cost nothing there.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, mutation: Mutation = "naszilla", population: int = 29,
        tournament: int = 10, replace: bool = True, founders: int | None = None,
        dies: Literal["oldest", "worst"] = "oldest",
    ) -> None:  # fmt: skip
        if mutation not in ("notebook", "naszilla", "one-choice"):
            raise BadValue(f"mutation={mutation!r} given; legal: 'notebook', 'naszilla', 'one-choice'")
        if mutation == "notebook" and not isinstance(space, Cells101):
            raise BadValue(
                f"mutation='notebook' is a law of cells101, the space is {space.name!r}; "
                "legal here: 'naszilla', 'one-choice', or another preset"
            )
        self._one_choice = mutation == "one-choice"
        self._slots = Slots(space, unpruned_limit=self._one_choice)
        notebook = np.repeat([1 / MAX_VERTICES, 1 / INTERIOR], [EDGE_SLOTS, INTERIOR])
        self._rates = notebook if mutation == "notebook" else edit_rates(space)
        self._bred: defaultdict[int, list[Rows]] = defaultdict(list)  # rows of what is asked and not yet told
        super().__init__(
            space, rng, population=population, tournament=tournament, replace=replace, founders=founders, dies=dies
        )

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        for told in evaluations:
            if self._founders and told.id not in self._asked_founders:
                self._founders.pop()
            rows = self._bred.get(told.id)
            row = rows.pop(0) if rows else self._slots.rows([told.id])[0]
            self._join(told.value if told.value == told.value else -np.inf, row)

    def _first(self, n: int) -> list[int]:
        rows = self._slots.draw(n, self._rng) if self._one_choice else self._slots.draw_legal(n, self._rng)
        ids = [self._announced(row) for row in rows]
        return [arch for arch in ids if arch >= 0] or self._first(n)

    def _child(self) -> int:
        while (arch := self._announced(self._changed(self._parent()))) < 0:
            pass
        return arch

    def _announced(self, row: Rows) -> int:
        """The id of a row, whose result is now awaited; -1 where it is illegal, which may still join the population."""
        arch = self._slots.id(row)
        if arch >= 0:
            self._bred[arch].append(row)
        elif self._one_choice:
            self._join(-np.inf, row)
        return arch

    def _changed(self, row: Rows) -> Any:
        levels = self._slots.levels
        if self._one_choice:
            changed = np.arange(len(row)) == self._rng.integers(len(row))
        else:
            changed = self._rng.random(len(row)) < self._rates
        return other_choices(row[None], changed[None], levels, self._rng)[0]
