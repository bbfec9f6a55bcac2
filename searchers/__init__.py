"""Which architecture next: searchers, and the runner that compares them."""

from __future__ import annotations

from collections.abc import Callable

from ..bench.errors import UnknownName
from .evolution import evolution
from .random_search import random
from .run import Run
from .searcher import Recipe, Searcher

SEARCHERS: dict[str, Callable[..., Recipe]] = {"random": random, "evolution": evolution}


def recipe(searcher: str | Recipe | type) -> Recipe:
    """A recipe from a name ("evolution", or "evolution:nb101" for a preset), a recipe, or a searcher class of yours.

    Raises:
        UnknownName: no such searcher or preset; the message lists the legal ones.
    """
    if isinstance(searcher, Recipe):
        return searcher
    if isinstance(searcher, type):
        return Recipe(searcher.__name__, searcher)
    name, _, preset = searcher.partition(":")
    if name not in SEARCHERS:
        raise UnknownName.of("searcher", name, SEARCHERS)
    return SEARCHERS[name](preset, label=searcher) if preset else SEARCHERS[name]()


__all__ = ["SEARCHERS", "Recipe", "Run", "Searcher", "evolution", "random", "recipe"]
