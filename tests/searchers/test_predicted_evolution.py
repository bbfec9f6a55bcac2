"""Evolution with a predictor: mutants of the best, those first that the predictor puts first, on any encoding."""

from __future__ import annotations

import numpy as np
import pytest

from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import Space, space
from nasgauge.searchers import Recipe, predicted_evolution
from nasgauge.testing import SearcherConformance, TinySpace


class TestPredictedEvolution(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return predicted_evolution(encoding="adjacency", head="ridge", initial=8, batch=6, candidates=20)


class TestPredictedEvolutionByThompson(SearcherConformance):
    spaces = ("topology",)

    def make_recipe(self) -> Recipe:
        return predicted_evolution("thompson", encoding="path", head="ridge", initial=8, batch=6, candidates=20)


def value(space_: Space, arch: int) -> float:
    return 40.0 + 2 * float(np.maximum(space_.operations(arch), 0).sum())


def generations(searcher: object, space_: Space, count: int) -> list[list[int]]:
    found = []
    for _ in range(count):
        asked = list(searcher.ask(1_000))  # type: ignore[attr-defined]
        searcher.tell([Evaluation(arch, value(space_, arch), 1.0) for arch in asked])  # type: ignore[attr-defined]
        found.append(asked)
    return found


def test_a_generation_is_the_best_predicted_of_many_mutants() -> None:
    """On values that are linear in the encoding the predictor is nearly exact: children beat random mutants."""
    topology = space("topology")
    rng = np.random.default_rng(0)
    searcher = predicted_evolution(encoding="adjacency", head="ridge", initial=80, batch=10).start(topology, rng)
    first, second = generations(searcher, topology, 2)
    assert (len(first), len(second)) == (80, 10)
    best = sorted(first, key=lambda arch: value(topology, arch))[-20:]
    mutants = topology.mutate(np.repeat(best, 5), np.random.default_rng(1))
    assert (
        np.mean([value(topology, arch) for arch in second]) > np.mean([value(topology, arch) for arch in mutants]) + 3
    )
    changes = min((topology.operations(second[0]) != topology.operations(parent)).sum() for parent in best)
    assert changes == 1


@pytest.mark.parametrize(("encoding", "head"), [("path", "ridge"), ("adjacency", "random-forest")])
def test_it_climbs_with_any_encoding_and_head(encoding: str, head: str) -> None:
    topology = space("topology")
    searcher = predicted_evolution(encoding=encoding, head=head).start(topology, np.random.default_rng(0))
    rounds = generations(searcher, topology, 5)
    means = [np.mean([value(topology, arch) for arch in each]) for each in rounds]
    assert means[-1] > means[0] + 8
    asked = [arch for each in rounds for arch in each]
    assert len(set(asked)) == len(asked) == 20 + 4 * 10


def test_it_never_repeats_and_ends_with_the_space() -> None:
    tiny = TinySpace()
    searcher = predicted_evolution(encoding="adjacency", head="ridge", initial=2, batch=1).start(
        tiny, np.random.default_rng(0)
    )  # fmt: skip
    asked: list[int] = []
    while len(each := searcher.ask(1)):
        asked += each
        searcher.tell([Evaluation(each[0], value(tiny, each[0]), 1.0)])
    assert sorted(asked) == list(range(6))


def test_senseless_settings_are_refused() -> None:
    with pytest.raises(UnknownName, match=r"head 'tree'.*ridge"):
        predicted_evolution(head="tree").start(space("size"), np.random.default_rng(0))
    with pytest.raises(UnknownName, match="encoding of space 'size'"):
        predicted_evolution(encoding="path").start(space("size"), np.random.default_rng(0))
    for wrong in ("initial", "batch", "candidates", "population", "tournament"):
        with pytest.raises(BadValue, match=f"{wrong}=0"):
            predicted_evolution(encoding="adjacency", **{wrong: 0}).start(TinySpace(), np.random.default_rng(0))
    with pytest.raises(BadValue, match="exploration='luck'"):
        predicted_evolution(exploration="luck").start(space("size"), np.random.default_rng(0))
