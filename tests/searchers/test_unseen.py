"""What may still be asked: nothing twice and, by class, no twin of anything."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import space
from nasgauge.searchers import Recipe, dngo, local_search, nearest, predicted_evolution
from nasgauge.searchers.unseen import draw_unseen, fresh

TOPOLOGY = space("topology")
ids = st.lists(st.integers(0, TOPOLOGY.size - 1) | st.integers(0, 40), max_size=30)

QUICK = {"encoding": "path-features", "units": 8, "epochs": 3, "initial": 8}
RECIPES: dict[str, Callable[..., Recipe]] = {
    "nearest": partial(nearest, encoding="path-features", starts=4),
    "nearest, whole": partial(nearest, "whole-neighbourhood", encoding="path-features", starts=4),
    "local-search": partial(local_search, starts=4),
    "dngo": partial(dngo, **QUICK),
    "dngo, local": partial(dngo, **QUICK, local=True),
    "dngo, few": partial(dngo, **QUICK, candidates=100),
    "predicted-evolution": partial(predicted_evolution, initial=8, population=3),
}
every_recipe = pytest.mark.parametrize("make", RECIPES.values(), ids=RECIPES)


@given(ids, st.sets(st.integers(0, 40) | st.integers(0, TOPOLOGY.size - 1), max_size=10), st.booleans())
def test_fresh_is_what_a_plain_loop_keeps(given_: list[int], seen: set[int], by_class: bool) -> None:
    def kind(arch: int) -> int:
        return int(TOPOLOGY.canonical(arch)) if by_class else arch

    known, kept = {kind(arch) for arch in seen}, []
    for arch in given_:
        if kind(arch) not in known:
            known.add(kind(arch))
            kept.append(arch)
    assert fresh(TOPOLOGY, np.array(given_, dtype=np.int64), seen, by_class=by_class).tolist() == kept


def test_draws_by_class_end_with_the_classes() -> None:
    seen = set(range(3_000))
    found = draw_unseen(TOPOLOGY, np.random.default_rng(0), seen, TOPOLOGY.size, by_class=True)
    classes, before = TOPOLOGY.canonical(found), TOPOLOGY.canonical(list(seen))
    left = np.setdiff1d(TOPOLOGY.canonical(np.arange(TOPOLOGY.size)), before)
    assert np.sort(classes).tolist() == left.tolist()


def asked_of(recipe: Recipe, queries: int, foreign: int = -1) -> list[int]:
    """What a searcher asks on accuracies that fall with the id; ``foreign`` is told before anything was asked."""
    searcher = recipe.start(TOPOLOGY, np.random.default_rng(1))
    if foreign >= 0:
        searcher.tell([Evaluation(foreign, 99.0, 1.0)])
    asked: list[int] = []
    while len(asked) < queries and len(some := searcher.ask(1)):
        asked += some
        searcher.tell([Evaluation(arch, 90.0 - arch / TOPOLOGY.size, 1.0) for arch in some])
    return asked


@every_recipe
def test_no_two_isomorphic_architectures_are_asked(make: Callable[..., Recipe]) -> None:
    asked = asked_of(make(by_class=True), 70)
    assert len(asked) == 70
    assert len(set(TOPOLOGY.canonical(asked).tolist())) == 70


@every_recipe
def test_they_are_where_that_is_what_is_wanted(make: Callable[..., Recipe]) -> None:
    asked = asked_of(make(by_class=False), 70)
    assert len(set(asked)) == 70 > len(set(TOPOLOGY.canonical(asked).tolist()))


@every_recipe
def test_twins_of_what_others_told_are_not_asked(make: Callable[..., Recipe]) -> None:
    classes = TOPOLOGY.canonical(np.arange(TOPOLOGY.size))
    first = next(arch for arch in asked_of(make(by_class=True), 4) if (classes == classes[arch]).sum() > 1)
    twin = int(np.flatnonzero((classes == classes[first]) & (np.arange(TOPOLOGY.size) != first))[0])
    asked = asked_of(make(by_class=True), 30, foreign=twin)
    assert TOPOLOGY.canonical(twin) not in TOPOLOGY.canonical(asked)


def test_searchers_on_encodings_skip_twins_unless_told_otherwise() -> None:
    for name in ("nearest", "dngo", "predicted-evolution"):
        assert RECIPES[name]().in_full["by_class"] is True
    assert RECIPES["local-search"]().in_full["by_class"] is False  # as naszilla's


def test_no_more_is_drawn_than_a_space_has() -> None:
    """Asking for far more takes neither their memory nor their time."""
    assert sorted(draw_unseen(TOPOLOGY, np.random.default_rng(0), {3}, 10**15)) == [
        arch for arch in range(TOPOLOGY.size) if arch != 3
    ]
