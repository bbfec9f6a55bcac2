"""Evolution with the settings of the published comparisons, one preset each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .evolution_aging import RegularizedEvolution
from .evolution_assisted import AssistedEvolution
from .evolution_slots import SlotEvolution
from .searcher import Recipe, Searcher

NB201: dict[str, Any] = {"population": 10, "tournament": 3, "replace": True}
ZERO_COST: dict[str, Any] = {"population": 64, "tournament": 10, "replace": False, "proxy": "synflow"}
PRESETS: dict[str, dict[str, Any]] = {
    "nb201": NB201,
    "nats": NB201,
    "worst-dies": {**NB201, "dies": "worst"},
    "nb101": {"population": 50, "tournament": 10, "replace": False, "mutation": "notebook"},
    "nb101-hpo": {"population": 100, "tournament": 10, "replace": True, "mutation": "one-choice"},
    "naszilla": {"population": 29, "tournament": 10, "replace": True, "founders": 10, "mutation": "naszilla"},
    "area": {**NB201, "proxy": "naswot", "sampled": 20, "mutation": "edge"},
    "zero-cost-warmup": {**ZERO_COST, "sampled": 3000, "move_probability": 0.0},
    "zero-cost-move": {**ZERO_COST, "sampled": 0, "move_probability": 0.75, "neighbours": 24},
}


def evolution(preset: str = "nb201", *, label: str = "", **settings: Any) -> Recipe:
    """Evolution with published settings; single settings override those of ``preset``.

    ================  =========================================================================================
    nb201, nats       population 10, tournament of 3 with replacement, the space's own mutation (NAS-Bench-201 and
                      NATS-Bench; regularized_ea.py of AutoDL-Projects)
    worst-dies        the same without regularization: the worst dies instead of the oldest
    nb101             population 50, tournament of 10 without replacement, unpruned matrices (NAS-Bench-101 notebook)
    nb101-hpo         population 100, tournament of 10 with replacement, one of 26 hyper-parameters changes, illegal
                      cells join as the worst at no cost (nas_benchmarks, run_regularized_evolution.py)
    naszilla          10 founders, at most 29 members (the released code removes one at 30), tournament of 10 with
                      replacement, about one change of an edge and one of an operation (White et al., NeurIPS 2020)
    area              founders are the better half of 20 by NASWOT, then nb201 (Mellor et al., ICML 2021); on cells101
                      a mutation flips one edge
    zero-cost-warmup  founders are the best 64 of 3000 by synflow, tournament of 10 without replacement, a uniform
                      neighbour as mutation (Abdelfattah et al., ICLR 2021; their notebook nas_examples)
    zero-cost-move    the same with random founders; with probability .75 the child is the best of 24 neighbours by
                      synflow
    ================  =========================================================================================

    The last three need the scores of a proxy; "nb101" breeds cells of NAS-Bench-101 only.
    """
    chosen = {**PRESETS.get(preset, {}), **settings}
    build: Callable[..., Searcher] = RegularizedEvolution
    if "proxy" in chosen:
        build = AssistedEvolution
    elif "mutation" in chosen:
        build = SlotEvolution
    return Recipe.from_preset("evolution", build, PRESETS, preset, label, settings)
