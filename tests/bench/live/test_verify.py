"""Plans of a verification: what is compared with what, and which networks are trained."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.column import Column
from nasgauge.bench.errors import BadArchitecture, BadValue, NotMeasured, UnknownName
from nasgauge.bench.live.macro import Macro
from nasgauge.bench.live.recipe import TrainingRecipe
from nasgauge.bench.live.verify import plan_of, question, stratified, tabulated
from nasgauge.bench.spaces import space
from nasgauge.bench.table import Table, write_table


def test_a_plan_takes_the_shortest_budget_validation_and_the_published_recipe(toy: Benchmark) -> None:
    plan = plan_of(toy, np.array([3, 5]), dataset="cifar10")
    assert (plan.metric, plan.budget, plan.recipe, plan.seeds) == ("valid_accuracy", 12, TrainingRecipe(12), (0, 1, 2))
    assert plan.macro is None and not plan.own
    plan = plan_of(toy, np.array([3]), dataset="cifar10", metric="test_accuracy", changes={"batch": 64})
    assert (plan.metric, plan.budget, plan.recipe) == ("test_accuracy", 200, TrainingRecipe(200, batch=64))


def test_what_cannot_be_compared_is_refused(toy: Benchmark) -> None:
    with pytest.raises(NotMeasured, match="several data sets"):
        question(toy, None, None, None)
    with pytest.raises(NotMeasured, match=r"valid_accuracy after \(12, 200\)"):
        question(toy, "cifar10", None, 90)
    with pytest.raises(UnknownName, match="valid_accuracy"):
        question(toy, "cifar10", "train_loss", None)
    with pytest.raises(BadArchitecture, match="no architecture"):
        plan_of(toy, np.array([], dtype=np.int64), dataset="cifar10")
    with pytest.raises(BadArchitecture, match="twice"):
        plan_of(toy, np.array([3, 3]), dataset="cifar10")
    with pytest.raises(BadValue, match="seeds"):
        plan_of(toy, np.array([3]), dataset="cifar10", seeds=[1, 1])
    with pytest.raises(UnknownName, match="epochs"):
        plan_of(toy, np.array([3]), dataset="cifar10", changes={"epoch": 3})


def test_tabulated_values_are_the_tables(toy: Benchmark) -> None:
    plan = plan_of(toy, np.array([3, 4]), dataset="cifar10", metric="test_accuracy")
    odd, even = tabulated(toy, plan)
    assert odd["id"] == 3 and odd["text"] == toy.space.text(3) and odd["curve"] == {}
    assert odd["runs"] == pytest.approx({"777": 20 + 3e-4, "888": 21 + 3e-4})  # run 999 does not exist for odd ids
    assert even["runs"] == pytest.approx({"777": 20 + 4e-4, "888": 21 + 4e-4, "999": 22 + 4e-4})
    assert odd["mean"] == pytest.approx(20.5 + 3e-4) and even["mean"] == pytest.approx(21 + 4e-4)
    plan = plan_of(toy, np.array([3]), dataset="cifar10")
    assert tabulated(toy, plan)[0]["runs"] == {}  # only means are known after 12 epochs


@pytest.fixture
def own(tmp_path: Path) -> Benchmark:
    """A table built here: it says with what skeleton and recipe, and has curves."""
    curve = 50 + np.arange(3) + np.zeros((15_625, 2, 1)) + np.array([0.0, 2.0])[None, :, None]
    columns = [
        Column("valid_accuracy", curve[:, :, -1].copy(), "digits", 3, (0, 1)),
        Column("valid_accuracy", curve.astype(np.float32), "digits", 3, (0, 1)),
    ]
    extra = {"macro": asdict(Macro.mini(1)), "recipe": asdict(TrainingRecipe(3, batch=50, lr=0.3, augment=()))}
    path = tmp_path / "own.h5"
    write_table(path, columns, name="own", space="topology", title="Own", licence="CC0", extra=extra)
    return Benchmark(Table(path))


def test_a_table_built_here_brings_its_own_recipe_skeleton_and_curves(own: Benchmark) -> None:
    plan = plan_of(own, np.array([7]))
    assert plan.own and plan.macro == Macro.mini(1) and plan.recipe == TrainingRecipe(3, batch=50, lr=0.3, augment=())
    assert tabulated(own, plan)[0]["curve"] == {"1": 51.0, "2": 52.0, "3": 53.0}


def test_pruning_never_changes_what_the_official_network_computes(toy: Benchmark, own: Benchmark) -> None:
    constant = space("topology").id("|none~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_1x1~1|skip_connect~2|")
    dead_end = space("topology").id("|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|none~2|")
    official = plan_of(toy, np.array([constant, dead_end]), dataset="cifar10")
    assert [official.prune(toy.space, arch) for arch in official.ids] == [False, True]
    assert plan_of(own, np.array([constant])).prune(own.space, constant)


def test_a_stratified_sample_has_one_of_each_stratum() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    values[::7] = np.nan
    order = np.argsort(values)
    known = order[: np.isfinite(values).sum()]
    chosen = stratified(values, 5, np.random.default_rng(1))
    assert [arch in stratum for arch, stratum in zip(chosen, np.array_split(known, 5), strict=True)] == [True] * 5
    assert np.array_equal(chosen, stratified(values, 5, np.random.default_rng(1)))
    for count in (0, 1000):
        with pytest.raises(BadValue, match="legal: 1 to 857"):
            stratified(values, count, np.random.default_rng(1))
