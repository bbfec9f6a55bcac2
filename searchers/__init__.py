"""Which architecture next: searchers, and the runner that compares them.

Presets are the settings of the papers and of their released code; the first is the default. By name: ``NAME:PRESET``.
In Python each searcher is a function whose keywords are its settings: ``evolution("nats", population=20)``.

===================  ===================================================================================================
random               nb201, distinct, classes (one of each isomorphism class), nb101
evolution            nb201, nats, worst-dies, nb101, nb101-hpo, naszilla; by a proxy: area, zero-cost-warmup,
                     zero-cost-move
local-search         naszilla, whole-neighbourhood, continue, whole-continue
reinforce            nb201, nats, nb101
bananas              naszilla
successive-halving   default
hyperband            paper, hpbandster
bohb                 default, nb201, nats, nb101
nsga2                default
tw-gp, tw-gp-batch   published, published-2, tuned, released, released-2
dngo                 published, released; on any encoding, such as ``dngo(encoding="path")``
cate-dngo            published, released
cate-dngo-ls         published, released
predicted-evolution  npenas, thompson; on any encoding
nearest              first, whole-neighbourhood, continue; on any encoding
best-of              100, 10, 1000: the best by a proxy of so many
warm-start           the name of a searcher, which goes on from the best by a proxy
optuna               the class of a sampler, such as TPESampler (``pip install nasgauge[optuna]``)
===================  ===================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..bench.errors import BadValue, UnknownName
from ..proxies.encodings import ENCODINGS, Entry
from .bananas import bananas
from .bayes.rows import tree_wasserstein
from .bayes.search import tw_gp, tw_gp_batch
from .best_of import best_of
from .bohb import bohb
from .dngo import cate_dngo, cate_dngo_ls, dngo
from .evolution import evolution
from .halving import hyperband, successive_halving
from .local_search import local_search
from .nearest import nearest
from .nsga2 import nsga2
from .optuna_adapter import optuna_search
from .predicted_evolution import predicted_evolution
from .random_search import random
from .reinforce import reinforce
from .runner.run import Run
from .searcher import Recipe, Searcher
from .warm_start import warm_start

SEARCHERS: dict[str, Callable[..., Recipe]] = {
    "random": random,
    "evolution": evolution,
    "local-search": local_search,
    "reinforce": reinforce,
    "bananas": bananas,
    "successive-halving": successive_halving,
    "hyperband": hyperband,
    "bohb": bohb,
    "nsga2": nsga2,
    "optuna": optuna_search,
    "best-of": best_of,
    "warm-start": warm_start,
    "dngo": dngo,
    "cate-dngo": cate_dngo,
    "cate-dngo-ls": cate_dngo_ls,
    "predicted-evolution": predicted_evolution,
    "nearest": nearest,
    "tw-gp": tw_gp,
    "tw-gp-batch": tw_gp_batch,
}

ENCODINGS["tree-wasserstein"] = Entry(tree_wasserstein)  # an encoding that is at home on this floor


def recipe(searcher: str | Recipe | type | Mapping[str, Any]) -> Recipe:
    """A recipe from a name, a recipe, a searcher class of yours, or a table with name, preset and settings.

    A name may carry a preset ("evolution:nb101"), the class of an Optuna sampler ("optuna:TPESampler") or the searcher
    that a warm start leads to ("warm-start:local-search").

    Raises:
        UnknownName: no such searcher or preset; the message lists the legal ones.
        BadValue: none of these.
    """
    if isinstance(searcher, Recipe):
        return searcher
    if isinstance(searcher, type):
        return Recipe(searcher.__name__, searcher)
    if isinstance(searcher, Mapping):
        name, preset, settings = searcher["name"], searcher.get("preset", ""), searcher.get("settings", {})
        label = searcher.get("label", "") or (f"{name}:{preset}" if preset else "")
    elif not isinstance(searcher, str):
        raise BadValue(f"{searcher!r} is no searcher; give a name, a recipe, or a class with ask and tell")
    else:
        (name, _, preset), settings = searcher.partition(":"), {}
        label = searcher if preset else ""
    if name not in SEARCHERS:
        raise UnknownName.of("searcher", name, SEARCHERS)
    return SEARCHERS[name](*([preset] if preset else []), label=label, **settings)


__all__ = [
    "SEARCHERS",
    "Recipe",
    "Run",
    "Searcher",
    "bananas",
    "best_of",
    "bohb",
    "cate_dngo",
    "cate_dngo_ls",
    "dngo",
    "evolution",
    "hyperband",
    "local_search",
    "nearest",
    "nsga2",
    "optuna_search",
    "predicted_evolution",
    "random",
    "recipe",
    "reinforce",
    "successive_halving",
    "tw_gp",
    "tw_gp_batch",
    "warm_start",
]
