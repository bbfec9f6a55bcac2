"""A surrogate answers every question as a prediction, learned from what it was given and from nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import nasgauge as ng
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.column import Column
from nasgauge.bench.errors import BadArchitecture, BadValue, NotMeasured, UnknownName
from nasgauge.bench.spaces import space
from nasgauge.bench.surrogate.model import Scale, cross_fit, seed_noise
from nasgauge.bench.surrogate.quality import agreement, coverage, noise_ceiling
from nasgauge.bench.table import Table, write_table
from nasgauge.cli import app

TOPOLOGY = space("topology")
IDS = np.arange(TOPOLOGY.size)
LEARNED = np.random.default_rng(3).permutation(TOPOLOGY.size)[:150]
NOISE = 0.4  # points, of accuracies around 60


def accuracies():
    """Accuracies that the paths decide, by how many there are and their 3 x 3 convolutions; three runs, (n, 3)."""
    paths = [TOPOLOGY.operations(IDS)[:, path] for path in ((3,), (0, 4), (1, 5), (0, 2, 5))]
    deep = np.stack([np.where((path > 0).all(axis=1), (path == 3).sum(axis=1), -1) for path in paths], axis=1)
    best = 50.0 + 8 * deep.max(axis=1) + 3 * (deep >= 0).sum(axis=1)
    return best[:, None] + NOISE * np.random.default_rng(0).standard_normal((len(IDS), 3))


def table(path, known=IDS):
    """A table that knows ``known`` only."""
    runs = np.full((len(IDS), 3), np.nan)
    runs[known] = accuracies()[known]
    curve = np.stack([runs - 5, runs], axis=2).astype(np.float32)
    seconds = np.full(len(IDS), np.nan)
    seconds[known] = 100.0 + TOPOLOGY.params(known) / 1e4
    columns = [
        Column("test_accuracy", runs, "cifar10", 2, (1, 2, 3), evaluated_on="test pictures"),
        Column("valid_accuracy", curve[:, :, -1].copy(), "cifar10", 2, (1, 2, 3)),
        Column("valid_accuracy", curve, "cifar10", 2, (1, 2, 3)),
        Column("search_seconds", seconds, "cifar10", 2),
    ]
    return Benchmark(Table(write_table(path, columns, name="made", space="topology", licence="CC0")))


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return table(tmp_path_factory.mktemp("made") / "made.h5")


@pytest.fixture(scope="module")
def surrogate(bench):
    return bench.surrogate(LEARNED)


def test_it_predicts_what_can_be_learned(bench, surrogate):
    held = IDS[~np.isin(TOPOLOGY.canonical(IDS), TOPOLOGY.canonical(LEARNED))]
    predicted = surrogate.query(held, "test_accuracy", dataset="cifar10")
    assert agreement(bench.query(held, "test_accuracy"), predicted).tau > 0.8
    assert ((predicted >= 0) & (predicted <= 100)).all()


def test_it_learns_from_nothing_but_what_it_was_given(surrogate, tmp_path):
    """A table that knows only those architectures gives the same answers, with and without naming them."""
    partly = table(tmp_path / "partly.h5", LEARNED)
    expected = surrogate.query(IDS[:500], "test_accuracy")
    np.testing.assert_array_equal(partly.surrogate().query(IDS[:500], "test_accuracy"), expected)
    np.testing.assert_array_equal(partly.surrogate(IDS).query(IDS[:500], "test_accuracy"), expected)


def test_answers_depend_on_the_seed_and_the_architecture_only(bench, surrogate):
    whole = surrogate.query(IDS, "test_accuracy")
    text = TOPOLOGY.text(77)
    assert surrogate.query(77, "test_accuracy") == surrogate.query(text, "test_accuracy") == whole[77]
    assert isinstance(surrogate.query(77, "test_accuracy"), float)
    np.testing.assert_array_equal(surrogate.query([5, text, 5], "test_accuracy"), whole[[5, 77, 5]])
    assert surrogate.query([], "test_accuracy").shape == (0,)
    shuffled = bench.surrogate([*LEARNED[::-1], *LEARNED[:10]])
    np.testing.assert_array_equal(shuffled.query(IDS[:50], "test_accuracy"), whole[:50])
    assert (bench.surrogate(LEARNED, seed=1).query(IDS[:50], "test_accuracy") != whole[:50]).any()


def test_checkpoints_and_costs_are_predicted_too(bench, surrogate):
    early = surrogate.query(IDS[:200], "valid_accuracy", epoch=1)
    late = surrogate.query(IDS[:200], "valid_accuracy", epoch=2)
    np.testing.assert_array_equal(late, surrogate.query(IDS[:200], "valid_accuracy"))
    assert 4 < np.mean(late - early) < 6
    seconds = surrogate.query(IDS[:200], "search_seconds")
    assert agreement(bench.query(IDS[:200], "search_seconds"), seconds).r2 > 0.9


def test_what_a_formula_knows_is_not_predicted(bench, surrogate):
    for metric in ("params_millions", "flops_millions"):
        np.testing.assert_array_equal(
            surrogate.query(IDS, metric, dataset="cifar10"), bench.query(IDS, metric, dataset="cifar10")
        )


def test_intervals_hold_their_share_of_held_out_architectures(bench, surrogate):
    held = np.random.default_rng(1).permutation(IDS[~np.isin(IDS, LEARNED)])[:2_000]
    truth, one = bench.query(held, "test_accuracy"), bench.query(held, "test_accuracy", seed=2)
    shares = [coverage(truth, *surrogate.interval(held, "test_accuracy", level=level)) for level in (0.5, 0.8, 0.9)]
    np.testing.assert_allclose(shares, (0.5, 0.8, 0.9), atol=0.12)
    assert coverage(one, *surrogate.interval(held, "test_accuracy", of="run")) == pytest.approx(0.9, abs=0.1)
    low, high = surrogate.interval(held, "test_accuracy")
    wide_low, wide_high = surrogate.interval(held, "test_accuracy", of="run")
    assert (wide_low < low).mean() > 0.99
    assert (wide_high > high).mean() > 0.99


def test_a_generator_draws_runs_from_the_predictive_distribution(surrogate):
    draws = surrogate.query(np.repeat(9, 4_000), "test_accuracy", seed=np.random.default_rng(0))
    low, high = surrogate.interval(9, "test_accuracy", of="run")
    assert coverage(draws, np.full(4_000, low), np.full(4_000, high)) == pytest.approx(0.9, abs=0.05)
    again = surrogate.query(np.repeat(9, 4_000), "test_accuracy", seed=np.random.default_rng(0))
    np.testing.assert_array_equal(draws, again)


def test_a_saved_surrogate_is_a_table_of_predictions(bench, surrogate, tmp_path):
    opened = ng.open(surrogate.save(tmp_path / "stretched.h5"))
    np.testing.assert_allclose(opened.query(IDS, "test_accuracy"), surrogate.query(IDS, "test_accuracy"))
    assert {entry.provenance for entry in opened.tables[0].entries} == {"predicted"}
    assert "predicted from 150 architectures" in opened.describe()
    told = opened.objective("cifar10", queries=3).evaluate([1, 2, 3])
    np.testing.assert_allclose([each.value for each in told], surrogate.query([1, 2, 3], "valid_accuracy"))
    with pytest.raises(NotMeasured):
        opened.query(1, "test_accuracy", seed="all")


def test_the_command_stretches_a_partly_trained_table_over_its_space(tmp_path):
    partly = table(tmp_path / "partly.h5", LEARNED)
    ran = CliRunner().invoke(app, ["predict", str(tmp_path / "partly.h5")])
    assert ran.exit_code == 0 and "Kendall tau" in ran.stderr
    path = tmp_path / "partly-predicted.h5"
    assert ran.stdout.splitlines()[0] == str(path)
    whole = ng.open(path)
    assert "Predictions for made from 150 architectures" in whole.describe()  # measured ones, not the space's 15,625
    for metric in ("valid_accuracy", "test_accuracy", "search_seconds"):
        np.testing.assert_allclose(whole.query(IDS, metric), partly.surrogate().query(IDS, metric))


def test_it_says_in_words_that_it_predicts(bench):
    surrogate = bench.surrogate(LEARNED[:60])
    assert surrogate.provenance == "predicted"
    assert "nothing asked yet" in surrogate.describe()
    surrogate.query(0, "test_accuracy")
    words = surrogate.describe()
    assert "every answer is predicted, from 60 of 15,625 architectures" in words
    assert "test_accuracy on cifar10 after 2 epochs: 60 architectures, Kendall tau 0." in words
    assert "from 60" in repr(surrogate)


def test_what_it_cannot_answer_is_refused(bench, surrogate):
    for seed in (777, "all"):
        with pytest.raises(NotMeasured, match="Generator"):
            surrogate.query(0, "test_accuracy", seed=seed)
    with pytest.raises(UnknownName, match="test_accuracy"):
        surrogate.query(0, "test_acuracy")
    with pytest.raises(NotMeasured, match="budgets: 2"):
        surrogate.query(0, "test_accuracy", dataset="cifar10", budget=12)
    with pytest.raises(BadArchitecture):
        surrogate.query(15_625, "test_accuracy")
    with pytest.raises(BadArchitecture):
        bench.surrogate([-1])
    with pytest.raises(NotMeasured, match="19 isomorphism classes; at least 20"):
        few = np.unique(TOPOLOGY.canonical(IDS))[:19]
        bench.surrogate(few).query(0, "test_accuracy")
    for seed in (-1, True, 1.5, 2**32):
        with pytest.raises(BadValue, match="seed"):
            bench.surrogate(LEARNED, seed=seed)
    for level in (0, 1, -1, 2):
        with pytest.raises(BadValue, match="level"):
            surrogate.interval(0, "test_accuracy", level=level)
    with pytest.raises(BadValue, match="'mean', 'run'"):
        surrogate.interval(0, "test_accuracy", of="seed")


def test_folds_never_split_a_class():
    """A number that is alike within a class and random between classes cannot be predicted across classes."""
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(60), 4)
    rows = np.repeat(rng.standard_normal((60, 3)), 4, axis=0).astype(np.float32)
    z = np.repeat(rng.standard_normal(60), 4)
    held = cross_fit(rows, z, classes, 0)
    assert abs(np.corrcoef(held.mu, z)[0, 1]) < 0.5
    assert (np.abs(held.mu - z) > 1e-3).all()


def test_seed_noise_is_the_pooled_variance_within_architectures():
    runs = np.array([[1.0, 3.0, np.nan], [5.0, np.nan, np.nan], [2.0, 2.0, 5.0]])
    noise, count = seed_noise(runs)
    assert noise == pytest.approx((2 + 6) / 3)
    assert count == pytest.approx(3 / (1 / 2 + 1 + 1 / 3))
    assert np.isnan(seed_noise(runs[1:2])).all()


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_the_learned_scale_is_invertible_and_keeps_the_order(values):
    values = np.sort(values)
    z = Scale(True).learned(values)
    assert (np.diff(z) >= 0).all()
    np.testing.assert_allclose(Scale(True).back(z), values, atol=1e-9)
    np.testing.assert_array_equal(Scale(False).back(Scale(False).learned(values)), values)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=25))
def test_tau_is_that_of_counted_pairs(pairs):
    x, y = np.array(pairs, dtype=float).T
    found = agreement(x, y)
    upper = np.triu_indices(len(x), 1)
    dx, dy = np.sign(np.subtract.outer(x, x)[upper]), np.sign(np.subtract.outer(y, y)[upper])
    if not dx.any() or not dy.any():
        assert np.isnan(found.tau)
    else:
        assert found.tau == pytest.approx((dx * dy).sum() / np.sqrt((dx != 0).sum() * (dy != 0).sum()))
        assert found.error == pytest.approx(np.abs(x - y).mean())
    assert agreement([*x, np.nan], [*y, 1.0]).pairs == len(x)


def test_the_noise_ceiling_is_the_mean_over_pairs_of_runs():
    runs = np.array([[1, 1, 2], [2, 3, 1], [3, 2, np.nan]], dtype=float)
    assert noise_ceiling(runs) == pytest.approx((1 / 3 - 1 - 1) / 3)
    assert np.isnan(noise_ceiling(runs[:, :1]))
    with pytest.raises(BadValue, match="shape"):
        agreement([1.0], [1.0, 2.0])


@pytest.mark.real
def test_from_500_cells_it_ranks_the_others_of_nats_tss(real_home):
    """At least .85 (mean of 3 draws) on the 15,000 others, and on those of classes it never saw; measured .89, .87."""
    nats = ng.open("nats-tss", home=real_home)
    others, unseen = [], []
    for draw in range(3):
        learned = np.random.default_rng(draw).permutation(nats.space.size)[:500]
        predicted = nats.surrogate(learned).query(IDS, "test_accuracy", dataset="cifar10")
        truth = nats.query(IDS, "test_accuracy", dataset="cifar10")
        rest = ~np.isin(IDS, learned)
        new = ~np.isin(TOPOLOGY.canonical(IDS), TOPOLOGY.canonical(learned))
        others.append(agreement(truth[rest], predicted[rest]).tau)
        unseen.append(agreement(truth[new], predicted[new]).tau)
    assert np.mean(others) >= 0.85
    assert np.mean(unseen) >= 0.85


@pytest.mark.real
def test_sizes_are_learned_too(shared, tmp_path):
    """NATS-Bench sss by test accuracy of one seed: tau .86 from 500 of 32,768, on 5,000 others (2026-11-22)."""
    with np.load(shared / "data" / "tables" / "sss.npz", allow_pickle=False) as file:
        runs = file["cifar10_test_acc_seed777_epoch90"][:, None]
    column = Column("test_accuracy", runs, "cifar10", 90, (777,))
    sss = Benchmark(Table(write_table(tmp_path / "sss.h5", [column], name="sss", space="size", licence="MIT")))
    order = np.random.default_rng(0).permutation(sss.space.size)
    predicted = sss.surrogate(order[:500]).query(order[500:5_500], "test_accuracy")
    assert agreement(sss.query(order[500:5_500], "test_accuracy"), predicted).tau > 0.83


@pytest.mark.real
def test_cells_of_nasbench101_are_learned_too(real_home):
    """By test accuracy: tau .75 from 500 cells of 423,624, on 5,000 others (2026-11-22)."""
    bench = ng.open("nasbench101", home=real_home)
    order = np.random.default_rng(0).permutation(bench.space.size)
    predicted = bench.surrogate(order[:500]).query(order[500:5_500], "test_accuracy", dataset="cifar10")
    truth = bench.query(order[500:5_500], "test_accuracy", dataset="cifar10")
    assert agreement(truth, predicted).tau > 0.72
