"""Local search climbs, restarts and goes on as naszilla's four variants do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nasgauge.bench.errors import BadValue
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import Space, space
from nasgauge.searchers import Recipe, local_search
from nasgauge.testing import SearcherConformance, TinySpace


class TestNaszilla(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return local_search()


class TestWholeNeighbourhood(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return local_search("whole-neighbourhood")


class TestContinue(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return local_search("continue")


class TestWholeContinue(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return local_search("whole-continue")


def smooth(space: Space) -> Callable[[int], float]:
    """A landscape with one optimum: the sum of the choices."""
    return lambda arch: float(space.operations(arch).sum())


def rugged(space: Space) -> Callable[[int], float]:
    """A landscape with many local optima."""
    heights = np.random.default_rng(0).random(space.size)
    return lambda arch: float(heights[arch])


def climb(space: Space, value: Callable[[int], float], queries: int, preset: str, **settings: int) -> list[int]:
    searcher = local_search(preset, **settings).start(space, np.random.default_rng(1))
    trace: list[int] = []
    while len(trace) < queries and (asked := searcher.ask(1)):
        trace += asked  # type: ignore[arg-type]
        searcher.tell([Evaluation(asked[0], value(asked[0]), 1.0)])  # type: ignore[arg-type]
    return trace


@pytest.mark.parametrize("preset", ["naszilla", "whole-neighbourhood", "continue", "whole-continue"])
def test_never_asks_twice_and_ends_with_the_space(preset: str) -> None:
    tiny = TinySpace()
    assert sorted(climb(tiny, rugged(tiny), 50, preset, starts=2)) == list(range(tiny.size))


def test_moves_at_once_to_the_first_better_neighbour() -> None:
    topology = space("topology")
    value = smooth(topology)
    trace = climb(topology, value, 150, "naszilla", starts=1)
    current = trace[0]
    for arch in trace[1:]:
        assert arch in topology.neighbours(current)
        if value(arch) > value(current):
            current = arch
        if value(current) == 24:
            break
    assert value(current) == 24  # the optimum: every choice at its largest


def test_looks_at_the_whole_neighbourhood_before_it_moves_to_the_best() -> None:
    topology = space("topology")
    value = rugged(topology)
    first, *rest = climb(topology, value, 60, "whole-neighbourhood", starts=1)
    around = topology.neighbours(first).tolist()
    assert sorted(rest[:24]) == around
    second = max(around, key=value)
    if value(second) > value(first):
        assert set(rest[24:44]) <= set(topology.neighbours(second).tolist()) - {first, *around}


def test_starts_again_where_no_neighbour_is_better() -> None:
    topology = space("topology")
    best = int(topology.from_operations([4] * 6))
    searcher = local_search(starts=5).start(topology, np.random.default_rng(0))
    value = smooth(topology)
    searcher.tell([Evaluation(best, value(best), 1.0)])  # told unasked: one of the five starts
    asked = []
    for _ in range(4 + 24 + 5):
        (arch,) = searcher.ask(1)
        asked.append(arch)
        searcher.tell([Evaluation(arch, value(arch), 1.0)])
    assert sorted(asked[4:28]) == topology.neighbours(best).tolist()
    around = set(topology.neighbours(best).tolist())
    assert not around & set(asked[28:])  # five fresh starts


def test_goes_on_from_the_best_that_was_not_looked_around() -> None:
    topology = space("topology")
    value = rugged(topology)
    trace = climb(topology, value, 200, "whole-continue", starts=4)
    known, expanded, place = trace[:4], set[int](), 4
    while place < 150:
        centre = max((arch for arch in known if arch not in expanded), key=value)
        expanded.add(centre)
        fresh = [arch for arch in topology.neighbours(centre).tolist() if arch not in known]
        assert sorted(trace[place : place + len(fresh)]) == fresh
        known = trace[: place + len(fresh)]
        place += len(fresh)


def test_a_round_waits_for_all_its_results() -> None:
    topology = space("topology")
    searcher = local_search("whole-neighbourhood", starts=2).start(topology, np.random.default_rng(0))
    starts = searcher.ask(5)
    assert len(starts) == 2
    searcher.tell([Evaluation(starts[0], 1.0, 1.0)])
    assert not searcher.ask(1)
    searcher.tell([Evaluation(starts[1], 2.0, 1.0)])
    assert set(searcher.ask(30)) == set(topology.neighbours(starts[1]).tolist()) - {starts[0]}


def test_a_climb_starts_somewhere() -> None:
    with pytest.raises(BadValue, match="starts=0"):
        local_search(starts=0).start(TinySpace(), np.random.default_rng(0))
