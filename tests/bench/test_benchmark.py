"""The query API: splits, budgets, epochs, seeds, masks, costs, optimum. Every refusal names what is legal."""

from __future__ import annotations

import pickle
import random
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.column import Column
from nasgauge.bench.errors import BadArchitecture, BadValue, NotMeasured, UnknownName
from nasgauge.bench.table import Table, write_table
from nasgauge.testing import TinySpace

EVERYTHING = np.arange(15_625)
TINY = TinySpace()


def test_every_dataset_and_split_returns_its_own_numbers(toy: Benchmark) -> None:
    """NASLib, HPOBench, TW_NAS serve one column as validation and test; syne-tune and naszilla serve valtest."""
    offsets = {
        ("cifar10", "valid"): 10, ("cifar10", "test"): 20, ("cifar10", "train"): 30,
        ("cifar100", "valid"): 40, ("cifar100", "test"): 50, ("cifar100", "valtest"): 60,
    }  # fmt: skip
    for (dataset, split), offset in offsets.items():
        assert toy.query(0, f"{split}_accuracy", dataset=dataset, seed=777) == offset


def test_valtest_answers_only_to_its_name(toy: Benchmark) -> None:
    with pytest.raises(NotMeasured, match=r"no 'valtest_accuracy' on 'cifar10'.*cifar100"):
        toy.query(0, "valtest_accuracy", dataset="cifar10")


def test_an_absent_split_epoch_or_budget_raises_with_what_exists(toy: Benchmark) -> None:
    """NASBenchAPI answers None, another split, or the last epoch under the label of the one asked."""
    with pytest.raises(NotMeasured, match=r"it has it on cifar10.*valid_accuracy"):
        toy.query(0, "train_accuracy", dataset="cifar100")
    with pytest.raises(NotMeasured, match="budgets: 12, 200"):
        toy.query(0, "valid_accuracy", dataset="cifar10", budget=90)
    with pytest.raises(NotMeasured, match="at epoch 200; 12 given"):
        toy.query(0, "valid_accuracy", dataset="cifar10", epoch=12)
    with pytest.raises(UnknownName, match="did you mean 'valid_accuracy'"):
        toy.query(0, "val_accuracy", dataset="cifar10")
    with pytest.raises(UnknownName, match="cifar10, cifar100"):
        toy.query(0, "valid_accuracy", dataset="svhn")
    with pytest.raises(NotMeasured, match="give dataset= one of cifar10, cifar100"):
        toy.query(0, "valid_accuracy")


def test_default_budget_is_the_longest_and_a_short_run_is_not_an_epoch_of_a_long_one(toy: Benchmark) -> None:
    assert toy.query(0, "valid_accuracy", dataset="cifar10", seed=777) == 10
    assert toy.query(0, "valid_accuracy", dataset="cifar10", budget=12) == 15


def test_a_missing_seed_is_nan_and_masked_never_another_seed(toy: Benchmark) -> None:
    """HPOBench patches missing seeds with another seed, syne-tune with the mean."""
    answer = toy.query([0, 1], "test_accuracy", dataset="cifar10", seed=999)
    assert answer[0] == 22
    assert np.isnan(answer[1])
    np.testing.assert_array_equal(toy.known([0, 1], "test_accuracy", dataset="cifar10", seed=999), [True, False])
    assert toy.seeds(0, "test_accuracy", dataset="cifar10") == (777, 888, 999)
    assert toy.seeds(1, "test_accuracy", dataset="cifar10") == (777, 888)
    with pytest.raises(NotMeasured, match="seeds: 777, 888, 999"):
        toy.query(0, "test_accuracy", dataset="cifar10", seed=1)


def test_mean_is_over_the_runs_that_exist(toy: Benchmark) -> None:
    np.testing.assert_allclose(toy.query([0, 1], "test_accuracy", dataset="cifar10"), [21, 20.5 + 1e-4], rtol=1e-12)


def test_single_runs_behind_a_stored_mean_are_refused(toy: Benchmark) -> None:
    for seed in (111, "all", np.random.default_rng(0)):
        with pytest.raises(NotMeasured, match="seeds 111 and 777"):
            toy.query([0], "valid_accuracy", dataset="cifar10", budget=12, seed=seed)


@given(st.integers(0, 2**32))
def test_a_generator_draws_one_existing_run_and_decides_it_alone(toy: Benchmark, seed: int) -> None:
    ids = EVERYTHING[:500]
    drawn = toy.query(ids, "test_accuracy", dataset="cifar10", seed=np.random.default_rng(seed))
    again = toy.query(ids, "test_accuracy", dataset="cifar10", seed=np.random.default_rng(seed))
    np.testing.assert_array_equal(drawn, again)
    runs = toy.query(ids, "test_accuracy", dataset="cifar10", seed="all")
    assert (runs == drawn[:, None]).any(axis=1).all()


def test_a_generator_draws_every_run_equally_often(toy: Benchmark) -> None:
    drawn = toy.query(np.zeros(30_000, dtype=int), "test_accuracy", dataset="cifar10", seed=np.random.default_rng(1))
    assert np.abs(np.bincount(drawn.astype(int))[20:] / 30_000 - 1 / 3).max() < 0.015


def test_scalar_in_scalar_out_array_in_array_out(toy: Benchmark) -> None:
    def ask(archs: object) -> object:
        return toy.query(archs, "test_accuracy", dataset="cifar10", seed=777)  # type: ignore[call-overload]

    text, graph = toy.space.text(5), toy.space.graph(5)
    assert ask(5) == ask(np.int64(5)) == ask(text) == ask(graph) == 20 + 5e-4
    assert isinstance(ask(5), float)
    for many in ([5], (5,), np.array([5]), range(5, 6), [text], [graph], (arch for arch in [5])):
        answer = ask(many)
        assert isinstance(answer, np.ndarray)
        assert answer.shape == (1,)
    assert toy.query([5, 6], "test_accuracy", dataset="cifar10", seed="all").shape == (2, 3)
    assert toy.query(5, "test_accuracy", dataset="cifar10", seed="all").shape == (3,)  # type: ignore[call-overload]
    assert toy.query([], "test_accuracy", dataset="cifar10").shape == (0,)


@pytest.mark.parametrize("wrong", [-1, 15_625, "nonsense", 1.5, [0, -1], np.array([0.5]), True, None, slice(3)])
def test_what_is_no_architecture_is_refused(toy: Benchmark, wrong: object) -> None:
    for _ in range(2):  # cold and with the column cached
        with pytest.raises(BadArchitecture):
            toy.query(wrong, "test_accuracy", dataset="cifar10")  # type: ignore[call-overload]


@pytest.mark.parametrize("wrong", ["median", 1.5, None, True, 777.0])
@pytest.mark.parametrize("epoch", [None, 3, 200])
def test_an_illegal_seed_is_refused_with_the_legal_ones(toy: Benchmark, wrong: object, epoch: int | None) -> None:
    toy.query(0, "train_loss", dataset="cifar10", seed=777)  # 777.0 equals what is cached
    with pytest.raises(BadValue, match="legal: 'mean', 'all'"):
        toy.query(0, "train_loss", dataset="cifar10", epoch=epoch, seed=wrong)  # type: ignore[call-overload]


@pytest.mark.parametrize("wrong", [{"metric": ["a", "b"]}, {"dataset": ["cifar10"]}, {"seed": [777, 888]}])
def test_several_values_where_one_belongs_are_refused(toy: Benchmark, wrong: dict[str, object]) -> None:
    with pytest.raises(BadValue, match="ask once for each"):
        toy.query(0, **{"metric": "test_accuracy", "dataset": "cifar10", **wrong})  # type: ignore[call-overload]


def test_a_checkpoint_is_read_from_the_curve(toy: Benchmark) -> None:
    def ask(epoch: int, seed: object = "mean") -> object:
        return toy.query([3, 1, 3], "train_loss", dataset="cifar10", epoch=epoch, seed=seed)  # type: ignore[call-overload]

    np.testing.assert_allclose(ask(1), [6, 6, 6], rtol=1e-6)
    np.testing.assert_allclose(ask(101, 888), [7, 7, 7], rtol=1e-6)
    np.testing.assert_allclose(ask(200, 777), toy.query([3, 1, 3], "train_loss", dataset="cifar10", seed=777))
    assert ask(5, "all").shape == (3, 3)  # type: ignore[attr-defined]
    assert set(np.round(ask(1, np.random.default_rng(0)), 5)) <= {5, 6, 7}  # type: ignore[arg-type]
    for wrong in (0, 201, -1):
        with pytest.raises(NotMeasured, match="1 to 200"):
            ask(wrong)


def test_static_metrics_need_no_budget_and_refuse_one(toy: Benchmark) -> None:
    assert toy.query(0, "latency_ms:phone") == 1
    assert toy.query(0, "params_millions", dataset="cifar10") == pytest.approx(0.129306)
    assert toy.query(0, "flops_millions", dataset="cifar100") == pytest.approx(15.65322)
    with pytest.raises(NotMeasured, match="not of a run"):
        toy.query(0, "params_millions", dataset="cifar10", seed=777)
    with pytest.raises(NotMeasured, match="takes no budget"):
        toy.query(0, "params_millions", dataset="cifar10", budget=200)
    with pytest.raises(NotMeasured, match="has no epochs; 3 given"):
        toy.query(0, "params_millions", dataset="cifar10", epoch=3)


def test_cost_carries_its_provenance(toy: Benchmark) -> None:
    cost = toy.cost([0, 10_000], dataset="cifar10", budget=12)
    np.testing.assert_allclose(cost.seconds, [12, 24])
    assert cost.provenance == "estimated"


def test_optimum_states_its_rule_and_breaks_ties_by_id(toy: Benchmark) -> None:
    best = toy.optimum("cifar10")
    assert (best.id, best.budget) == (15_624, 200)
    assert best.value == pytest.approx(21 + 1.5624)
    assert best.rule == "largest mean over runs after 200 epochs"
    assert toy.optimum("cifar10", rule="single").value == pytest.approx(22 + 1.5624)
    with pytest.raises(UnknownName, match="mean, single"):
        toy.optimum("cifar10", rule="max")  # type: ignore[arg-type]


def test_the_best_of_what_is_better_small_is_the_smallest(toy: Benchmark) -> None:
    best = toy.optimum("cifar10", "latency_ms:phone")
    assert (best.id, best.value, best.rule) == (0, 1.0, "smallest value")
    loss = toy.optimum("cifar10", "train_loss", rule="single")
    assert (loss.id, loss.rule) == (0, "smallest single run after 200 epochs")
    runs = toy.query(EVERYTHING, "train_loss", dataset="cifar10", seed="all")
    assert loss.value == runs.min()


@given(st.lists(st.integers(0, 11), min_size=1, unique=True), st.lists(st.integers(0, 11), min_size=1, unique=True))
def test_a_table_beside_another_changes_none_of_its_answers(first: list[int], second: list[int]) -> None:
    def asked(bench: Benchmark) -> dict[tuple[object, ...], object]:
        answers: dict[tuple[object, ...], object] = {}
        for metric in ("valid_accuracy", "test_accuracy"):
            for budget in (4, 12):
                for seed in ("mean", "all", 0, 1):
                    with suppress(NotMeasured, UnknownName):
                        answers[metric, budget, seed] = bench.query([0, 5], metric, budget=budget, seed=seed).tolist()  # type: ignore[call-overload]
                with suppress(NotMeasured, UnknownName):
                    answers[metric, budget, "epoch 2"] = bench.query([0, 5], metric, budget=budget, epoch=2).tolist()
        return answers

    with tempfile.TemporaryDirectory() as folder:
        tables = [written(Path(folder) / f"{number}.h5", number, kinds) for number, kinds in enumerate((first, second))]
        alone, together = asked(Benchmark(tables[0], of_space=TINY)), asked(Benchmark(*tables, of_space=TINY))
        assert alone.items() <= together.items()
        assert together.keys() >= asked(Benchmark(tables[1], of_space=TINY)).keys()


def written(path: Path, number: int, kinds: list[int]) -> Table:
    """A table of 1,000 ``number`` + ..., with some of twelve columns: metric, budget, and mean, runs or curves."""
    columns = []
    for kind in sorted(kinds):
        metric, budget = ("valid_accuracy", "test_accuracy")[kind % 2], (4, 12)[kind // 2 % 2]
        ends = 1_000 * number + 100 * kind + np.arange(12.0).reshape(6, 2)
        columns += [Column(metric, ends.mean(axis=1), "d", budget)] if kind < 4 else []
        columns += [Column(metric, ends, "d", budget, (0, 1))] if kind >= 4 else []
        if kind >= 8:
            columns.append(Column(metric, ends[:, :, None] - np.arange(budget)[::-1], "d", budget, (0, 1)))
    unique = {column.path: column for column in columns}
    return Table(write_table(path, unique.values(), name=f"t{number}", space="tiny", licence="CC0"))


def test_description_tells_splits_gaps_provenance_and_sources(toy: Benchmark) -> None:
    text = toy.describe()
    for words in ("valid images", "7,812 of 46,875", "estimated", "CC0", "0" * 64, "seeds 111 and 777", "Toy."):
        assert words in text


def test_answers_cannot_be_overwritten(toy: Benchmark) -> None:
    answer = toy.query(EVERYTHING, "test_accuracy", dataset="cifar10")
    answer[:] = 0
    assert toy.query(0, "test_accuracy", dataset="cifar10") == 21


def test_a_benchmark_travels_to_other_processes_as_a_path(toy: Benchmark) -> None:
    packed = pickle.dumps(toy)
    assert len(packed) < 2_000
    assert pickle.loads(packed).query(6, "latency_ms:phone") == toy.query(6, "latency_ms:phone")


def test_no_global_generator_is_touched(toy: Benchmark) -> None:
    """nasbench seeds the global generator in its constructor, NATS draws seeds from it, NASBenchAPI too."""
    before, numpy_before = random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002
    bench = Benchmark(Table(toy.tables[0].path))
    bench.query(EVERYTHING, "test_accuracy", dataset="cifar10", seed=np.random.default_rng(0))
    bench.objective("cifar10", queries=3, seed=np.random.default_rng(0)).evaluate([1, 2, 3])
    bench.describe()
    assert random.getstate() == before
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # type: ignore[index]  # noqa: NPY002
