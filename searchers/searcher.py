"""What a searcher is: ask which architecture next, tell what came out; and how one is named and configured."""

from __future__ import annotations

import inspect
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ..bench.errors import BadValue, UnknownName
from ..bench.objective import Evaluation, Trial
from ..bench.spaces import Space


class Searcher(Protocol):
    """Built as ``YourSearcher(space, rng, *, settings...)``; all its randomness comes from ``rng``.

    A keyword ``budgets`` is filled with the training lengths that can be asked, ascending, in epochs: (12,) or
    (4, 12, 36, 108).
    """

    def ask(self, n: int = 1) -> Sequence[int | Trial]:
        """Up to ``n`` architectures to evaluate next.

        A bare id is trained for the search budget, a `Trial` for the budget it names. An empty answer while trainings
        are still running means "wait for the next result", otherwise that nothing is left to ask.
        """

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """What came out, in the order asked; a batch may be cut short by the end of the budget."""


@dataclass(frozen=True)
class Recipe:
    """A searcher before it starts: how to build one for a space, a random stream and these settings.

    ``label`` names it in a report (default: its name).
    """

    name: str
    build: Callable[..., Searcher] = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""

    def __post_init__(self) -> None:
        try:
            json.dumps(dict(self.settings))
        except TypeError as error:
            raise BadValue(f"settings of searcher {self.name!r} must be plain numbers and texts: {error}") from error
        legal = list(inspect.signature(self.build).parameters.values())
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in legal):
            names = [parameter.name for parameter in legal if parameter.kind is parameter.KEYWORD_ONLY]
            for unknown in set(self.settings) - set(names):
                raise UnknownName.of(f"setting of searcher {self.name!r}", unknown, names)
        if not self.label:
            object.__setattr__(self, "label", self.name)

    @classmethod
    def from_preset(
        cls,
        name: str,
        build: Callable[..., Searcher],
        presets: Mapping[str, Mapping[str, Any]],
        preset: str,
        label: str,
        settings: Mapping[str, Any],
    ) -> Recipe:
        """A recipe with the settings of a preset, single ones overridden."""
        if preset not in presets:
            raise UnknownName.of(f"preset of searcher {name!r}", preset, presets)
        return cls(name, build, {**presets[preset], **settings}, label)

    def start(self, space: Space, rng: np.random.Generator) -> Searcher:
        """A fresh searcher."""
        return self.build(space, rng, **self.settings)

    @property
    def key(self) -> int:
        """A number that depends on name and settings only; keeps the random streams of searchers apart."""
        return zlib.crc32(json.dumps([self.name, dict(self.settings)], sort_keys=True).encode())
