"""Evolution breeds, ages and starts as each published preset says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadValue
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import space
from nasgauge.searchers import Recipe, evolution
from nasgauge.searchers.evolution import RegularizedEvolution
from nasgauge.searchers.evolution_slots import SlotEvolution
from nasgauge.testing import SearcherConformance, made_up_score


class TestNb201(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return evolution()


class TestWorstDies(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return evolution("worst-dies")


class TestNb101(SearcherConformance):
    spaces = ("cells101",)
    queries = 75  # beyond the 50 founders

    def make_recipe(self) -> Recipe:
        return evolution("nb101")


class TestNb101Hpo(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return evolution("nb101-hpo", population=15)


class TestNaszilla(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return evolution("naszilla")


class TestArea(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return evolution("area")


class TestZeroCostWarmup(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return evolution("zero-cost-warmup", population=20, sampled=100)


class TestZeroCostMove(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return evolution("zero-cost-move", population=20)


def evolve(toy: Benchmark, told: Sequence[float], **settings: object) -> tuple[RegularizedEvolution, list[int]]:
    searcher = RegularizedEvolution(toy.space, np.random.default_rng(0), **settings)  # type: ignore[arg-type]
    asked: list[int] = []
    for value in told:
        (arch,) = searcher.ask(1)
        asked.append(arch)
        searcher.tell([Evaluation(arch, value, 1.0)])
    return searcher, asked


def test_the_oldest_dies_even_if_it_is_the_best(toy: Benchmark) -> None:
    searcher, asked = evolve(toy, [99.0] + [float(value) for value in range(10)], population=3, tournament=40)
    for child in searcher.ask(50):
        assert child in toy.space.neighbours(asked[-1])  # the best alive is the last


def test_the_contrast_keeps_the_best_for_ever(toy: Benchmark) -> None:
    values = [99.0] + [float(value) for value in range(10)]
    searcher, asked = evolve(toy, values, population=3, tournament=40, dies="worst")
    for child in searcher.ask(50):
        assert child in toy.space.neighbours(asked[0])


def test_a_tournament_of_everybody_breeds_from_the_best_alive(toy: Benchmark) -> None:
    searcher, asked = evolve(toy, [1.0, 5.0, 2.0], population=3, tournament=3, replace=False)
    assert all(child in toy.space.neighbours(asked[1]) for child in searcher.ask(30))


def test_a_tournament_of_one_breeds_from_anybody(toy: Benchmark) -> None:
    searcher, asked = evolve(toy, [1.0, 5.0, 2.0], population=3, tournament=1)
    children = searcher.ask(60)
    for parent in asked:
        assert any(child in toy.space.neighbours(parent) for child in children)


def test_founders_are_random_architectures_and_come_first(toy: Benchmark) -> None:
    searcher = RegularizedEvolution(toy.space, np.random.default_rng(5), population=8)
    expected = toy.space.sample(8, np.random.default_rng(5)).tolist()
    assert [*searcher.ask(3), *searcher.ask(5)] == expected


def test_what_is_told_unasked_takes_the_place_of_a_founder(toy: Benchmark) -> None:
    searcher = RegularizedEvolution(toy.space, np.random.default_rng(5), population=8, tournament=30)
    founders = toy.space.sample(8, np.random.default_rng(5)).tolist()
    strangers = [arch for arch in range(20) if arch not in founders][:3]
    searcher.tell([Evaluation(arch, 90.0 + arch, 1.0) for arch in strangers])
    asked = searcher.ask(20)
    assert asked == founders[:5]
    searcher.tell([Evaluation(arch, 10.0, 1.0) for arch in asked])
    assert all(child in toy.space.neighbours(strangers[-1]) for child in searcher.ask(10))


def test_the_notebook_breeds_unpruned_matrices() -> None:
    """A founder's row is remembered as drawn: a vertex that pruning drops is still there in its children's rows."""
    cells = space("cells101")
    searcher = evolution("nb101").start(cells, np.random.default_rng(0))
    assert isinstance(searcher, SlotEvolution)
    for arch in (asked := searcher.ask(50)):
        searcher.tell([Evaluation(arch, 50.0, 1.0)])
    rows = np.array([row for _, row in searcher._population])
    assert (searcher._slots.ids(rows) == asked).all()
    assert (rows[:, :21].sum(axis=1) > 9).any()  # legal after pruning only
    assert 0.45 < rows[:, :21].mean() < 0.55


def test_one_choice_changes_one_hyper_parameter_and_illegal_cells_join_unasked() -> None:
    cells = space("cells101")
    searcher = evolution("nb101-hpo", population=100, tournament=400).start(cells, np.random.default_rng(0))
    assert isinstance(searcher, SlotEvolution)
    for arch in (founders := searcher.ask(100)):
        searcher.tell([Evaluation(arch, 50.0, 1.0)])
    assert 10 < len(founders) < 40  # 25 % of uniform rows are legal
    values = [value for value, _ in searcher._population]
    assert len(values) == 100
    assert sum(value == -np.inf for value in values) == 100 - len(founders)
    parents = np.array([row for value, row in searcher._population if value == 50.0])
    for child in set(searcher.ask(20)):
        for row in searcher._bred[child]:
            assert ((parents != row).sum(axis=1) == 1).any()


def test_naszilla_starts_small_and_changes_a_quarter_of_the_choices() -> None:
    topology = space("topology")
    searcher = evolution("naszilla").start(topology, np.random.default_rng(0))
    assert isinstance(searcher, SlotEvolution)
    (*founders,) = searcher.ask(40)
    assert len(founders) == 10
    searcher.tell([Evaluation(arch, float(arch == founders[0]), 1.0) for arch in founders])
    parent = topology.operations(founders)[0]
    searcher._tournament = 200
    changes = (topology.operations(searcher.ask(4_000)) != parent).sum(axis=1)
    expected = [0.75**6, 6 / 4 * 0.75**5, 15 / 16 * 0.75**4]
    assert np.bincount(changes, minlength=7)[:3] / 4_000 == pytest.approx(expected, abs=0.03)


def test_area_starts_from_the_better_half_of_twenty() -> None:
    topology = space("topology")
    searcher = evolution("area").start(topology, np.random.default_rng(3), scorer=made_up_score)
    drawn = topology.sample(20, np.random.default_rng(3))
    scores = np.nan_to_num(made_up_score("naswot", drawn), nan=-1)
    founders = searcher.ask(20)
    assert len(founders) == 10
    assert founders == drawn[np.argsort(-scores, kind="stable")[:10]].tolist()
    searcher.tell([Evaluation(arch, 1.0 + (arch == founders[4]), 1.0) for arch in founders])
    mutants = set(topology.mutate(np.repeat(founders, 500), np.random.default_rng(0)).tolist())
    assert set(searcher.ask(50)) <= mutants


def test_area_flips_one_edge_of_a_cell_of_nas_bench_101() -> None:
    cells = space("cells101")
    searcher = evolution("area", population=1, sampled=2).start(cells, np.random.default_rng(3), scorer=made_up_score)
    (founder,) = searcher.ask(1)
    searcher.tell([Evaluation(founder, 1.0, 1.0)])
    parent = np.maximum(cells.operations(founder), 0)
    flipped = np.tile(parent, (21, 1))
    flipped[np.arange(21), np.arange(21)] ^= 1
    legal = {cells.from_operations(row[None])[0] for row in flipped if _legal(cells, row)}
    assert set(searcher.ask(60)) <= legal


def _legal(cells: object, row: np.ndarray) -> bool:
    from nasgauge.searchers.slots import Slots

    return Slots(cells).id(row) >= 0  # type: ignore[arg-type]


def test_a_move_goes_to_the_neighbour_with_the_best_score() -> None:
    topology = space("topology")
    recipe = evolution("zero-cost-move", population=1, tournament=1, move_probability=1.0)
    searcher = recipe.start(topology, np.random.default_rng(3), scorer=made_up_score)
    (founder,) = searcher.ask(1)
    searcher.tell([Evaluation(founder, 1.0, 1.0)])
    near = topology.neighbours(founder)
    best = near[np.nanargmax(made_up_score("synflow", near))]
    assert searcher.ask(5) == [best] * 5


def test_three_children_in_four_are_moves() -> None:
    topology = space("topology")
    recipe = evolution("zero-cost-move", population=1, tournament=1)
    searcher = recipe.start(topology, np.random.default_rng(3), scorer=made_up_score)
    (founder,) = searcher.ask(1)
    searcher.tell([Evaluation(founder, 1.0, 1.0)])
    near = topology.neighbours(founder)
    best = near[np.nanargmax(made_up_score("synflow", near))]
    assert np.mean(np.array(searcher.ask(2_000)) == best) == pytest.approx(0.75 + 0.25 / 24, abs=0.04)


@pytest.mark.parametrize(
    "wrong",
    [
        {"population": 0},
        {"tournament": 0},
        {"population": 2, "tournament": 3, "replace": False},
        {"founders": 0},
        {"dies": "youngest"},
        {"mutation": "notebook"},
        {"mutation": "two-point"},
    ],
)
def test_senseless_settings_are_refused(toy: Benchmark, wrong: dict[str, object]) -> None:
    with pytest.raises(BadValue, match=next(iter(wrong))):
        evolution(**wrong).start(toy.space, np.random.default_rng(0))


def test_help_by_a_proxy_needs_its_scores(toy: Benchmark) -> None:
    with pytest.raises(BadValue, match="needs scores of proxies"):
        evolution("area").start(toy.space, np.random.default_rng(0))
    for wrong in ({"sampled": 5}, {"move_probability": 1.5}, {"neighbours": 0}, {"mutation": "random"}):
        with pytest.raises(BadValue, match=next(iter(wrong))):
            evolution("area", **wrong).start(toy.space, np.random.default_rng(0), scorer=made_up_score)
