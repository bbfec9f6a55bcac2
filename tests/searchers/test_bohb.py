"""The densities are statsmodels' where released, proper ones otherwise; BOHB proposes what they favour."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nasgauge.bench.errors import BadValue
from nasgauge.bench.objective import Evaluation, Trial
from nasgauge.bench.spaces import space
from nasgauge.searchers import Recipe, bohb
from nasgauge.searchers.bohb import BOHB
from nasgauge.searchers.kde import CategoricalKDE
from nasgauge.testing import SearcherConformance


class TestBohb(SearcherConformance):
    queries = 60

    def make_recipe(self) -> Recipe:
        return bohb()


class TestNats(SearcherConformance):
    budgets = (1, 4, 12)
    queries = 60

    def make_recipe(self) -> Recipe:
        return bohb("nats")


class TestNb201(SearcherConformance):
    queries = 60

    def make_recipe(self) -> Recipe:
        return bohb("nb201")


class TestNb101(SearcherConformance):
    spaces = ("cells101",)
    budgets = (4, 12, 36, 108)
    queries = 60

    def make_recipe(self) -> Recipe:
        return bohb("nb101")


LEVELS = np.array([5, 2, 3])


def data(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(LEVELS, size=(rows, 3)).astype(np.int8)


@pytest.mark.parametrize("rows", [4, 9, 60])
def test_released_densities_are_those_of_statsmodels(rows: int) -> None:
    nonparametric = pytest.importorskip("statsmodels.nonparametric.kernel_density")
    train = data(rows)
    theirs = nonparametric.KDEMultivariate(data=train.astype(float), var_type="uuu", bw="normal_reference")
    theirs.bw = np.clip(theirs.bw, 0.3, None)  # as hpbandster does
    ours = CategoricalKDE(train, LEVELS, 0.3, "released")
    np.testing.assert_allclose(ours.bandwidths, theirs.bw)
    points = np.array(list(itertools.product(*map(range, LEVELS))))
    np.testing.assert_allclose(ours.pdf(points), theirs.pdf(points.astype(float)), rtol=1e-12)


def test_a_category_the_data_lack_is_infinite_as_in_statsmodels() -> None:
    nonparametric = pytest.importorskip("statsmodels.nonparametric.kernel_density")
    train = data(8)
    train[:, 1] = 1  # one category seen: h / (c - 1) divides by 0
    points = np.array([[0, 0, 0], [0, 1, 0]])
    theirs = nonparametric.KDEMultivariate(data=train.astype(float), var_type="uuu", bw=[0.3] * 3)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = theirs.pdf(points.astype(float))
    ours = CategoricalKDE(train, LEVELS, 0.3, "released")
    ours.bandwidths = np.full(3, 0.3)
    np.testing.assert_allclose(ours.pdf(points), expected)


@pytest.mark.parametrize("rows", [1, 7, 60])
@pytest.mark.parametrize("minimum", [0.0, 1e-3, 0.3, 2.0])
def test_densities_of_the_paper_are_probabilities(rows: int, minimum: float) -> None:
    points = np.array(list(itertools.product(*map(range, LEVELS))))
    density = CategoricalKDE(data(rows), LEVELS, minimum).pdf(points)
    assert (density >= 0).all()
    assert density.sum() == pytest.approx(1)


def test_densities_equal_the_product_of_kernels_by_hand() -> None:
    kde = CategoricalKDE(np.array([[0, 0, 0], [4, 1, 0]], dtype=np.int8), LEVELS, 0.1)
    kde.bandwidths = np.array([0.4, 0.2, 0.3])
    expected = (0.6 * 0.8 * 0.15 + 0.1 * 0.2 * 0.15) / 2
    assert kde.pdf(np.array([[0, 0, 2]])) == pytest.approx([expected])


def test_samples_keep_a_choice_or_redraw_it_uniformly() -> None:
    kde = CategoricalKDE(np.array([[3, 1, 0]], dtype=np.int8), LEVELS, 0.0)
    kde.bandwidths = np.array([0.5, 0.0, 1.0])
    drawn = kde.sample(9_000, LEVELS, np.random.default_rng(0))
    assert np.bincount(drawn[:, 0]) / 9_000 == pytest.approx([0.1, 0.1, 0.1, 0.6, 0.1], abs=0.02)
    assert (drawn[:, 1] == 1).all()
    assert np.bincount(drawn[:, 2]) / 9_000 == pytest.approx([1 / 3] * 3, abs=0.02)


def value(arch: int) -> float:
    """Best where all six edges are 3x3 convolutions."""
    return 50.0 + 8 * float((space("topology").operations(arch) == 3).sum())


def told(searcher: BOHB, trainings: int) -> list[Trial]:
    trace: list[Trial] = []
    for _ in range(trainings):
        (trial,) = searcher.ask(1)
        trace.append(trial)
        searcher.tell([Evaluation(trial.id, value(trial.id), 1.0, trial.budget)])
    return trace


def start(recipe: Recipe, budgets: tuple[int, ...] = (4, 12, 36)) -> BOHB:
    searcher = recipe.start(space("topology"), np.random.default_rng(0), budgets=budgets)
    assert isinstance(searcher, BOHB)
    return searcher


def test_proposals_come_to_prefer_what_is_good() -> None:
    trace = told(start(bohb(min_bandwidth=0.3, random_fraction=0.0)), 300)
    early, late = ([value(trial.id) for trial in part if trial.budget == 4] for part in (trace[:60], trace[-120:]))
    assert np.mean(late) > np.mean(early) + 10


def test_the_rule_of_thumb_turns_the_released_densities_around_on_many_categories() -> None:
    """With five categories the spread of their numbers makes h > 1, and what the data hold gets a negative kernel."""
    rows = np.random.default_rng(0).integers(5, size=(15, 6)).astype(np.int8)
    kde = CategoricalKDE(rows, np.full(6, 5), 0.3, "released")
    assert (kde.bandwidths > 1).any()
    slot = int(np.argmax(kde.bandwidths))
    one = CategoricalKDE(rows[:, [slot]], np.array([5]), 0.3, "released")
    counts = np.bincount(rows[:, slot], minlength=5)
    assert one.pdf(np.array([[counts.argmax()]])) < one.pdf(np.array([[counts.argmin()]]))


def test_no_model_before_both_densities_have_more_rows_than_slots() -> None:
    searcher = start(bohb(), budgets=(12,))
    told(searcher, 13)
    assert searcher._densities() is None
    told(searcher, 1)
    good, bad = searcher._densities() or pytest.fail("no model")
    assert len(good.data) == len(bad.data) == 7
    told(searcher, 86)
    good, bad = searcher._densities() or pytest.fail("no model")
    assert (len(good.data), len(bad.data)) == (15, 85)
    assert min(map(value, space("topology").from_operations(good.data).tolist())) >= max(
        map(value, space("topology").from_operations(bad.data).tolist())
    )


def test_the_model_is_that_of_the_largest_budget_that_has_one() -> None:
    topology, searcher = space("topology"), start(bohb())
    for budget, count, edge in ((4, 40, 0), (36, 14, 2), (12, 13, 1)):
        for arch in np.flatnonzero(topology.operations(np.arange(topology.size))[:, 0] == edge)[:count].tolist():
            searcher.tell([Evaluation(arch, 1.0, 1.0, budget)])
    good, _ = searcher._densities() or pytest.fail("no model")
    assert (good.data[:, 0] == 2).all()


def test_nas_bench_201_trained_every_rung_for_the_search_budget() -> None:
    searcher, seen = start(bohb("nb201"), budgets=(12, 200)), []
    for step in range(9 + 3 + 1):
        (arch,) = searcher.ask(1)
        assert type(arch) is int
        seen.append(arch)
        searcher.tell([Evaluation(arch, value(arch) + step / 100, 1.0, 12)])
    assert set(seen[9:12]) <= set(seen[:9])  # the best are asked again, and their result is another one
    assert seen[12] == seen[max(range(9, 12), key=lambda place: value(seen[place]) + place / 100)]


def test_what_failed_counts_as_bad() -> None:
    searcher = start(bohb(), budgets=(12,))
    for arch in range(30):
        searcher.tell([Evaluation(arch, float("nan") if arch < 20 else 1.0, 1.0, 12)])
    good, _ = searcher._densities() or pytest.fail("no model")
    assert set(space("topology").from_operations(good.data).tolist()) <= set(range(20, 30))


def test_illegal_cells_fill_places_of_a_rung_at_no_cost() -> None:
    cells = space("cells101")
    searcher = bohb("nb101").start(cells, np.random.default_rng(0), budgets=(4, 12, 36, 108))
    budgets = []
    for _ in range(40):
        (trial,) = searcher.ask(1)
        assert isinstance(trial, Trial)
        budgets.append(trial.budget)
        searcher.tell([Evaluation(trial.id, 90.0, 1.0, trial.budget)])
    assert 2 <= budgets.index(12) < 20  # 27 rows start the first bracket, 25 % of them are cells


@pytest.mark.parametrize(
    "wrong", [{"top_percent": 0}, {"samples": 0}, {"random_fraction": 2.0}, {"min_bandwidth": -1.0}, {"variant": "x"}]
)
def test_senseless_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadValue, match=next(iter(wrong))):
        start(bohb(**wrong))
