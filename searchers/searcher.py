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
from .scores import Scorer

FILLED = ("budgets", "scorer")
"""Keywords of a searcher that the experiment fills; they are no settings."""
KINDS: dict[str, tuple[str, tuple[type, ...]]] = {
    "int": ("a whole number", (int,)), "float": ("a number", (int, float)), "bool": ("true or false", (bool,)),
    "str": ("a text", (str,)),
}  # fmt: skip
"""Annotations of settings that say of which kind they are: in words, and the types that will do."""


class Searcher(Protocol):
    """Built as ``YourSearcher(space, rng, *, settings...)``; all its randomness comes from ``rng``.

    Two keywords are filled by the experiment where a searcher has them: ``budgets``, the training lengths that can be
    asked, ascending, in epochs: (12,) or (4, 12, 36, 108); and ``scorer``, the precomputed scores of training-free
    proxies: ``scorer("naswot", ids)`` answers an array, higher is better, NaN where nobody scored it.
    """

    def ask(self, n: int = 1) -> Sequence[int | Trial]:
        """Up to ``n`` architectures to evaluate next.

        A bare id is trained for the search budget, a `Trial` for the budget it names. With several trainers more is
        asked while earlier answers are still in training. An empty answer then means: nothing before I am told more.
        With nothing in training it means: nothing left to ask, and the search ends.
        """

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """What came out, in the order the trainings ended: with one trainer that is the order asked.

        What was asked may never be told, where the budget ends first.
        """


@dataclass(frozen=True)
class Recipe:
    """A searcher before it starts: how to build one for a space, a random stream and these settings.

    ``label`` names it in a report (default: its name). ``preset`` is where its settings started from.
    """

    name: str
    build: Callable[..., Searcher] = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    preset: str = ""

    def __post_init__(self) -> None:
        try:
            json.dumps(dict(self.settings))
        except TypeError as error:
            raise BadValue(f"settings of searcher {self.name!r} must be plain numbers and texts: {error}") from error
        legal = list(inspect.signature(self.build).parameters.values())
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in legal):
            keywords = [parameter.name for parameter in legal if parameter.kind is parameter.KEYWORD_ONLY]
            names = [name for name in keywords if name not in FILLED]
            for unknown in set(self.settings) - set(names):
                raise UnknownName.of(f"setting of searcher {self.name!r}", unknown, names)
        for parameter in legal:
            if parameter.name in self.settings:
                self._check_kind(parameter, self.settings[parameter.name])
        if not self.label:
            object.__setattr__(self, "label", self.name)

    def _check_kind(self, parameter: inspect.Parameter, value: Any) -> None:
        annotation = getattr(parameter.annotation, "__name__", str(parameter.annotation))
        kind, _, optional = annotation.partition(" | ")
        if kind not in KINDS or optional not in ("", "None") or (optional and value is None):
            return
        words, types = KINDS[kind]
        if not isinstance(value, types) or (isinstance(value, bool) and kind != "bool"):
            raise BadValue(f"{parameter.name}={value!r} given for searcher {self.name!r}; it is {words}")

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
        return cls(name, build, {**presets[preset], **settings}, label, preset)

    def start(
        self, space: Space, rng: np.random.Generator, *, budgets: Sequence[int] = (), scorer: Scorer | None = None
    ) -> Searcher:
        """A fresh searcher.

        Args:
            budgets: training lengths that can be asked [epochs], for a searcher with a keyword ``budgets``.
            scorer: scores of proxies, for a searcher with a keyword ``scorer``.

        Raises:
            BadValue: the searcher cannot do without one of them.
        """
        given = {"budgets": tuple(sorted(budgets)) or None, "scorer": scorer}
        filled = {}
        for name in FILLED:
            if given[name] is not None and self.takes(name):
                filled[name] = given[name]
            elif self.takes(name) and self._keywords[name].default is inspect.Parameter.empty:
                hint = "training lengths: budgets=" if name == "budgets" else "scores of proxies: scores="
                raise BadValue(f"searcher {self.name!r} needs {hint}")
        return self.build(space, rng, **self.settings, **filled)

    def takes(self, name: str) -> bool:
        """Whether the searcher has a keyword of that name: "budgets", "scorer" or one of its settings."""
        return name in self._keywords

    @property
    def _keywords(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.build).parameters

    @property
    def table(self) -> dict[str, Any]:
        """Name, preset and settings as plain values; what has no value is left out."""
        settings = {key: value for key, value in self.settings.items() if value is not None}
        parts = {"name": self.name, "preset": self.preset, "settings": settings}
        return {key: value for key, value in parts.items() if value}

    @property
    def in_full(self) -> dict[str, Any]:
        """All settings as plain values, those left at their defaults included; other objects as their text."""
        defaults = {
            name: parameter.default for name, parameter in self._keywords.items()
            if parameter.kind is parameter.KEYWORD_ONLY and name not in (*FILLED, *getattr(self.build, "keywords", ()))
            and parameter.default is not parameter.empty
        }  # fmt: skip
        whole = {**defaults, **self.settings}
        return json.loads(json.dumps({key: whole[key] for key in sorted(whole)}, default=repr))  # type: ignore[no-any-return]

    @property
    def key(self) -> int:
        """A number that depends on name and settings only; keeps the random streams of searchers apart."""
        return zlib.crc32(json.dumps([self.name, dict(self.settings)], sort_keys=True).encode())
