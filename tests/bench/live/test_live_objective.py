"""A searcher trains for real through the interface it knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nasgauge as ng
from nasgauge.bench.clock import Clock
from nasgauge.bench.errors import BadArchitecture, BadValue, NotMeasured
from nasgauge.bench.live.images import Images
from nasgauge.bench.live.objective import LiveObjective
from nasgauge.bench.live.protocol import Protocol
from nasgauge.bench.objective import Trial
from nasgauge.bench.spaces import Size, Space, Topology
from nasgauge.data.images import digits
from nasgauge.searchers import recipe
from nasgauge.searchers.runner.search import search_once

SPACE = Topology()


@pytest.fixture(scope="module")
def images() -> Images:
    return digits.read().first(50)


def test_it_tells_what_a_built_table_says(images: Images, tmp_path: Path) -> None:
    table = ng.build("topology", images, out=tmp_path / "t.h5", run=tmp_path / "r", budget=2, seeds=2, sample=2, jobs=1)
    bench = ng.open(table)
    known = np.flatnonzero(bench.known(np.arange(SPACE.size), "valid_accuracy"))[:3].tolist()
    objective = LiveObjective(SPACE, images, Clock(queries=3), budget=2, seeds=2)
    told = objective.evaluate(known)
    np.testing.assert_array_equal([each.value for each in told], bench.query(known, "valid_accuracy"))
    assert all(each.seconds > 0 for each in told)
    assert objective.elapsed == pytest.approx(np.cumsum([each.seconds for each in told]))


@pytest.mark.parametrize(
    ("name", "of", "queries"), [("random", SPACE, 12), ("evolution", SPACE, 12), ("random", Size(), 2)]
)
def test_a_searcher_runs_live(images: Images, name: str, of: Space, queries: int) -> None:
    objective = LiveObjective(of, images, Clock(queries=queries), budget=1)
    search_once(recipe(name).start(of, np.random.default_rng(0)), objective)
    assert len(objective.ids) == queries
    assert all(0 <= value <= 100 for value in objective.values)


def test_a_class_is_trained_once_and_a_killed_search_goes_on(images: Images, tmp_path: Path) -> None:
    classes = SPACE.canonical(np.arange(SPACE.size))
    arch = int(np.flatnonzero(classes != np.arange(SPACE.size))[0])
    first = LiveObjective(SPACE, images, Clock(queries=9), budget=1, folder=tmp_path)
    one, other = first.evaluate([arch, int(classes[arch])])
    assert (one.value, one.seconds) == (other.value, other.seconds)
    assert len(list(tmp_path.rglob("part-*.npz"))) == 1
    again = LiveObjective(SPACE, images, Clock(queries=9), budget=1, folder=tmp_path)
    assert again.evaluate([arch]) == [one]
    with pytest.raises(BadValue, match="seeds"):
        LiveObjective(SPACE, images, Clock(queries=9), budget=1, seeds=2, folder=tmp_path)


def test_lengths_limits_and_costs_are_those_of_any_objective(images: Images) -> None:
    costs, allowed = np.arange(SPACE.size, dtype=np.float64), np.arange(SPACE.size) != 7
    objective = LiveObjective(
        SPACE, images, Clock(queries=9), budget=2, budgets=(1,), costs=costs, allowed=allowed,
        protocol=Protocol.of(images, 2).but(lr=0.1),
    )  # fmt: skip
    ruled_out, long, short = objective.evaluate([7, 3, Trial(3, 1)])
    assert np.isnan(ruled_out.value)
    assert (ruled_out.seconds, long.cost, long.budget, short.budget) == (0, 3, 2, 1)
    assert short.seconds < long.seconds
    with pytest.raises(NotMeasured, match="1, 2"):
        objective.evaluate([Trial(3, 5)])
    with pytest.raises(BadArchitecture, match="15624"):
        objective.evaluate([SPACE.size])


def test_what_cannot_be_searched_is_refused(images: Images) -> None:
    clock = Clock(queries=1)
    with pytest.raises(BadValue, match="validation"):
        LiveObjective(SPACE, images.without_validation(), clock, budget=1)
    with pytest.raises(BadValue, match="at least 1"):
        LiveObjective(SPACE, images, clock, budget=1, seeds=0)
    with pytest.raises(BadValue, match="divisible"):
        LiveObjective(SPACE, images, clock, budget=1, protocol=_deep(images))


def _deep(images: Images) -> Protocol:
    protocol = Protocol.of(images, 1)
    return Protocol(protocol.macro.but(widths=(4,) * 9), protocol.recipe)
