"""The searchers keep the laws of searchers and the settings of the paper."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import Cells101, Space, space
from nasgauge.searchers import Recipe, recipe, tw_gp, tw_gp_batch
from nasgauge.searchers.bayes.candidates import Candidates, mutation_rates
from nasgauge.searchers.bayes.fitting import FITS, Tuning
from nasgauge.searchers.bayes.search import TreeWassersteinSearch
from nasgauge.searchers.bayes.tree_wasserstein import TreeWasserstein
from nasgauge.searchers.slots import Slots
from nasgauge.testing import SearcherConformance, TinySpace

QUICK = {"initial": 5, "candidates": 20, "mutants": 6}


class TestOneAtATime(SearcherConformance):
    queries = 18

    def make_recipe(self) -> Recipe:
        return tw_gp(**QUICK, refit=15)


class TestInBatches(SearcherConformance):
    queries = 18

    def make_recipe(self) -> Recipe:
        return tw_gp_batch(**QUICK, grams=2)


class TestAsReleased(SearcherConformance):
    spaces = ("topology", "cells101")
    queries = 15

    def make_recipe(self) -> Recipe:
        return tw_gp_batch("released", **QUICK)


def value(space_: Space, arch: int) -> float:
    return 40.0 + 5 * float((space_.operations(arch) == 3).sum()) + float((space_.operations(arch) == 2).sum())


def run(searcher: object, space_: Space, trainings: int) -> list[int]:
    trace: list[int] = []
    while len(trace) < trainings and len(asked := searcher.ask(5)):  # type: ignore[attr-defined]
        trace += asked
        searcher.tell([Evaluation(arch, value(space_, arch), 1.0) for arch in asked])  # type: ignore[attr-defined]
    return trace


def test_the_presets_are_the_published_settings() -> None:
    topology = space("topology")
    alone = tw_gp().start(topology, np.random.default_rng(0))
    assert len(alone.ask(500)) == 20
    together = tw_gp_batch().start(topology, np.random.default_rng(0))
    first = together.ask(500)
    assert len(first) == 50
    together.tell([Evaluation(arch, value(topology, arch), 1.0) for arch in first])
    assert len(together.ask(500)) == 5
    assert recipe("tw-gp:released").settings == {"variant": "released"}
    assert FITS["published"] == Tuning(restarts=4, starts=30, noise=(1e-3, 1e-2))
    assert FITS["published"].limits(3) == [(1e-3, 0.1), (1e-3, 0.2), (1e-3, 0.2)]
    given_ = tw_gp().in_full
    assert given_["beta"] == pytest.approx(9.2103, abs=1e-4)
    assert {key: given_[key] for key in ("alpha", "candidates", "parents", "mutants", "refit", "acquisition")} == {
        "alpha": 0.1, "candidates": 100, "parents": 10, "mutants": 30, "refit": 50, "acquisition": "ucb"
    }  # fmt: skip
    assert recipe("tw-gp-batch").settings == {"batch": 5, "initial": 50, "refit": 5}


@pytest.mark.parametrize("name", ["topology", "cells101", "size"])
@pytest.mark.parametrize("variant", ["paper", "released"])
def test_it_beats_random_search_on_a_smooth_landscape(name: str, variant: str) -> None:
    space_ = space(name)
    recipe_ = tw_gp(initial=10, variant=variant)
    trace = run(recipe_.start(space_, np.random.default_rng(1)), space_, 50)
    assert len(set(trace)) == len(trace) or (name, variant) == ("topology", "released")
    drawn = space_.sample(2000, np.random.default_rng(2)).tolist()
    values = [value(space_, arch) for arch in trace[10:]]
    assert np.mean(values) > np.mean([value(space_, arch) for arch in drawn]) + 0.5


@pytest.mark.parametrize("acquisition", ["ucb", "ei", "thompson"])
@pytest.mark.parametrize("pool", ["mutants", "space", "random"])
def test_every_pool_serves_every_acquisition(acquisition: str, pool: str) -> None:
    topology = space("topology")
    settings = {"initial": 10, "candidates": 30, "acquisition": acquisition, "pool": pool}
    trace = run(tw_gp(**settings).start(topology, np.random.default_rng(0)), topology, 16)
    assert len(set(trace)) == 16


@pytest.mark.parametrize(
    "method", ["k-dpp", "local-penalisation", "kriging-believer", "constant-liar", "top", "random"]
)
def test_every_batch_method_searches(method: str) -> None:
    topology = space("topology")
    trace = run(tw_gp_batch(**QUICK, method=method).start(topology, np.random.default_rng(0)), topology, 20)
    assert len(set(trace)) == 20


@pytest.mark.parametrize("distance", ["hamming", "paths", "nasbot", "weisfeiler-lehman", "tree-wasserstein-2"])
def test_other_distances_serve_the_same_search(distance: str) -> None:
    topology = space("topology")
    trace = run(tw_gp(**QUICK, distance=distance).start(topology, np.random.default_rng(0)), topology, 12)
    assert len(set(trace)) == 12


@pytest.mark.parametrize("told", [50.0, np.nan, np.inf, "alternating", "first only"])
@pytest.mark.parametrize("settings", [{}, {"target": "ranks", "fit": "wide", "acquisition": "ei"}, {"pool": "space"},
                                      {"variant": "released", "grams": 2}, {"acquisition": "thompson"}])  # fmt: skip
def test_no_value_stops_the_search(told: object, settings: dict[str, object]) -> None:
    """Equal values, none, infinite ones, a single observation, and huge noise with cells that count as the same."""
    topology = space("topology")
    for made in (tw_gp(**QUICK, **settings), tw_gp_batch(**QUICK, **settings)):
        searcher = made.start(topology, np.random.default_rng(0))
        trace: list[int] = []
        while len(trace) < 20:
            asked = searcher.ask(5)
            for arch in asked:
                values = {"alternating": (-1e300, 1e300)[len(trace) % 2], "first only": np.nan if trace else 1.0}
                given = values.get(told, told)  # type: ignore[call-overload]
                searcher.tell([Evaluation(arch, given, 1.0)])
                trace.append(arch)
        assert len(set(trace)) == len(trace) or "variant" in settings
        assert np.isfinite(list(searcher._value.values())).all()
        if searcher._value:
            for numbers in searcher.posterior().marginals(searcher._candidates.embed(list(searcher._seen))):
                assert np.isfinite(numbers).all()


def test_ranks_see_the_order_alone() -> None:
    topology = space("topology")
    traces = []
    for stretch in (float, lambda value: float(np.exp(value / 5))):
        searcher = tw_gp(**QUICK, target="ranks").start(topology, np.random.default_rng(3))
        trace: list[int] = []
        while len(trace) < 25:
            for arch in searcher.ask(1):
                searcher.tell([Evaluation(arch, stretch(value(topology, arch)), 1.0)])
                trace.append(arch)
        traces.append(trace)
    assert traces[0] == traces[1]


def test_mutants_that_a_space_refuses_are_made_again() -> None:
    class Even(Cells101):
        def from_operations(self, operations: object) -> np.ndarray:
            found = super().from_operations(operations)  # type: ignore[arg-type]
            return np.where(found % 50 == 0, found, -1)

    candidates = Candidates(Even(), TreeWasserstein())
    pool = candidates.mutants([100_000, 200_000], {100_000}, np.random.default_rng(0), each=20, size=50)
    assert len(pool) and not (pool % 50).any() and 100_000 not in pool


def test_it_never_repeats_and_ends_with_the_space() -> None:
    tiny = TinySpace()
    for made in (tw_gp(initial=2), tw_gp_batch(initial=2, batch=3), tw_gp(initial=2, pool="space")):
        searcher = made.start(tiny, np.random.default_rng(0))
        assert sorted(run(searcher, tiny, 6)) == list(range(6))
        assert not searcher.ask(1)


def test_scales_are_fitted_when_the_schedule_says() -> None:
    topology = space("topology")
    searcher = tw_gp(initial=5, refit=3).start(topology, np.random.default_rng(0))
    assert isinstance(searcher, TreeWassersteinSearch)
    with pytest.raises(BadValue, match="nothing has been told"):
        searcher.posterior()
    seen = []
    run(searcher, topology, 5)
    for _ in range(7):
        run(searcher, topology, 1)
        seen.append(searcher.posterior().scales)
    assert seen[0] is seen[1] is seen[2] and seen[3] is seen[4] is seen[5]
    assert seen[0] is not seen[3] and seen[3] is not seen[6]


@pytest.mark.parametrize("preset", ["published", "tuned", "released"])
def test_looking_at_what_is_believed_changes_nothing(preset: str) -> None:
    topology = space("topology")
    traces = []
    for looking in (False, True):
        searcher = tw_gp(preset, **QUICK).start(topology, np.random.default_rng(0))
        trace: list[int] = []
        while len(trace) < 14:
            trace += run(searcher, topology, 1)
            if looking:
                searcher.posterior()  # type: ignore[attr-defined]
        traces.append(trace)
    assert traces[0] == traces[1]


def test_scales_are_fitted_when_observations_have_grown() -> None:
    topology = space("topology")
    searcher = tw_gp(initial=4, growth=0.5).start(topology, np.random.default_rng(0))
    assert isinstance(searcher, TreeWassersteinSearch)
    told, fitted, scales = 0, [], None
    while told < 24:
        for arch in searcher.ask(1):
            if searcher._scales is not scales:
                fitted.append(told)
                scales = searcher._scales
            searcher.tell([Evaluation(arch, value(topology, arch), 1.0)])
            told += 1
    assert fitted == [4, 6, 9, 14, 21]
    with pytest.raises(BadValue, match="growth"):
        tw_gp(growth=-1.0).start(topology, np.random.default_rng(0))


def test_mutants_come_from_the_best_first_and_change_a_slot_as_often_as_published() -> None:
    topology, rng = space("topology"), np.random.default_rng(0)
    np.testing.assert_allclose(mutation_rates(Slots(topology)), 1 / 6)
    rates = mutation_rates(Slots(space("cells101")))
    np.testing.assert_allclose(rates, [1 / 7] * 21 + [1 / 5] * 5)
    best, other = 100, 9_000
    pool = Candidates(topology, TreeWasserstein()).mutants([best, other], {best, other}, rng, each=400, size=30)
    changes = (topology.operations(pool) != topology.operations(best)).sum(axis=1)
    assert len(np.unique(pool)) == 30 and not {best, other} & set(pool.tolist())
    assert 1 <= changes.mean() < 2.2  # of the first parent: 1 + 5/6 on average, given a change


@pytest.mark.parametrize("wrong", ["initial", "batch", "refit", "candidates", "parents", "mutants"])
def test_senseless_settings_are_refused(wrong: str) -> None:
    with pytest.raises(BadValue, match=f"{wrong}=0"):
        tw_gp(**{wrong: 0}).start(TinySpace(), np.random.default_rng(0))


@pytest.mark.parametrize("beta", [-1.0, np.nan, np.inf])
def test_a_bound_below_the_mean_or_without_one_is_refused(beta: float) -> None:
    with pytest.raises(BadValue, match="beta"):
        tw_gp(beta=beta).start(TinySpace(), np.random.default_rng(0))


@pytest.mark.parametrize(
    "wrong",
    [{"acquisition": "pi"}, {"pool": "all"}, {"method": "best"}, {"distance": "euclid"}, {"fit": "narrow"},
     {"target": "loss"}],
)  # fmt: skip
def test_unknown_names_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(UnknownName):
        tw_gp(**wrong).start(TinySpace(), np.random.default_rng(0))
    with pytest.raises(BadValue, match="variant"):
        tw_gp(variant="matlab").start(TinySpace(), np.random.default_rng(0))


def test_a_search_is_the_same_on_any_number_of_threads() -> None:
    asked = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            searcher = tw_gp_batch().start(space("topology"), np.random.default_rng(3))
            asked.append(run(searcher, space("topology"), 80))
    assert asked[0] == asked[1]
