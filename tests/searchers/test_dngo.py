"""DNGO: network, regression and rounds are what they are said to be, on any encoding."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import Space, space
from nasgauge.proxies.encodings import vectors
from nasgauge.searchers import Recipe, dngo, recipe
from nasgauge.searchers.dngo_model import (
    BayesianLinear,
    Dngo,
    Network,
    Training,
    log_expected_improvement,
    released_expected_improvement,
)
from nasgauge.testing import SearcherConformance, TinySpace

QUICK = {"units": 8, "epochs": 3, "candidates": 300}


class TestDngo(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return dngo(**QUICK)


class TestDngoWithLocalSteps(SearcherConformance):
    spaces = ("topology", "tiny")

    def make_recipe(self) -> Recipe:
        return dngo("released", **QUICK, local=True, patience=2)


def test_the_network_trains_as_it_would_in_torch() -> None:
    """Same first weights, one batch an epoch: autograd's gradients and torch's AdamW lead to the same weights."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    rows, values = rng.normal(size=(12, 5)), rng.uniform(0.2, 0.9, 12)
    plan = Training(units=6, epochs=20, batch=12)
    network = Network(5, plan, np.random.default_rng(1))
    weights = [torch.nn.Parameter(torch.tensor(each)) for each in network.parameters]
    optimizer = torch.optim.AdamW(weights, lr=0.01, eps=1e-8, weight_decay=0.01)
    inputs, targets = torch.tensor(rows), torch.tensor(values)

    def loss() -> object:
        hidden = torch.tanh(inputs @ weights[0] + weights[1])
        answer = torch.sigmoid(hidden @ weights[2] + weights[3])[:, 0]
        return ((torch.exp(answer) - 1) / 4 * (answer - targets) ** 2).mean()

    loss().backward()  # type: ignore[attr-defined]
    for slope, weight in zip(network.slopes(rows, values), weights, strict=True):
        np.testing.assert_allclose(slope, weight.grad.numpy(), rtol=1e-9, atol=1e-12)
    for _ in range(20):
        optimizer.zero_grad()
        loss().backward()  # type: ignore[attr-defined]
        optimizer.step()
    network.fit(rows, values)
    for mine, weight in zip(network.parameters, weights, strict=True):
        np.testing.assert_allclose(mine, weight.detach().numpy(), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("n", "width"), [(40, 6), (10, 15)])
def test_the_regression_is_the_posterior_of_bishop(n: int, width: int) -> None:
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(n, width))
    values = basis @ rng.normal(size=width) + 0.3 * rng.normal(size=n)
    linear = BayesianLinear(basis, values)
    precision = linear.alpha * np.eye(width) + basis.T @ basis / linear.noise
    weights = np.linalg.solve(precision, basis.T @ values / linear.noise)
    asked = rng.normal(size=(7, width))
    mean, variance = linear.predict(asked)
    np.testing.assert_allclose(mean, asked @ weights, rtol=1e-6, atol=1e-8)
    expected = linear.noise + np.einsum("ni,ij,nj->n", asked, np.linalg.inv(precision), asked)
    np.testing.assert_allclose(variance, expected, rtol=1e-5)


def test_the_evidence_is_the_density_of_the_values_and_its_maximum_is_found() -> None:
    rng = np.random.default_rng(1)
    basis = rng.normal(size=(60, 5))
    values = basis @ rng.normal(size=5) + 0.5 * rng.normal(size=60)
    linear = BayesianLinear(basis, values)

    def density(alpha: float, noise: float) -> float:
        covariance = noise * np.eye(60) + basis @ basis.T / alpha
        return float(stats.multivariate_normal(np.zeros(60), covariance).logpdf(values))

    left, singular, _ = np.linalg.svd(basis, full_matrices=False)
    along = left.T @ values
    rest = float(values @ values - along @ along)
    for alpha, noise in ((1.0, 0.3), (0.2, 2.0)):
        mine = linear._evidence(np.log([alpha, noise]), singular, along, rest)
        assert mine == pytest.approx(density(alpha, noise), rel=1e-9)
    best = density(linear.alpha, linear.noise)
    around = [density(linear.alpha * a, linear.noise * b) for a in (0.9, 1, 1.1) for b in (0.9, 1, 1.1)]
    assert best >= max(around) - 1e-6
    assert math.sqrt(linear.noise) == pytest.approx(0.5, rel=0.3)


def test_expected_improvement_is_that_of_a_normal() -> None:
    rng = np.random.default_rng(0)
    draws = rng.normal(0.7, 0.2, 400_000)
    expected = np.maximum(draws - 0.8, 0).mean()
    (found,) = log_expected_improvement(np.array([0.7]), np.array([0.04]), 0.8)
    assert math.exp(found) == pytest.approx(expected, rel=0.02)


def test_expected_improvement_tells_hopeless_candidates_apart() -> None:
    """Where the improvement itself is 0 in double precision, and without a jump where one formula takes over."""
    mean = -np.geomspace(1e-3, 1e8, 2_000)
    found = log_expected_improvement(mean, np.ones(2_000), 0.0)
    assert np.isfinite(found).all() and (np.diff(found) < 0).all()
    middle = (mean < -0.5) & (mean > -20)
    exact = [math.log(stats.norm.pdf(u) + u * stats.norm.cdf(u)) for u in mean[middle] if u > -6]
    np.testing.assert_allclose(found[middle][: len(exact)], exact, rtol=1e-5)
    assert np.isfinite(log_expected_improvement(np.array([0.9]), np.array([1e-12]), 0.8))


def test_the_released_formula_takes_the_variance_for_the_deviation() -> None:
    mean, variance = np.array([0.9, 0.5]), np.array([0.01, 0.3])
    u = (mean - 1) / variance
    expected = variance * (u * stats.norm.cdf(u) + 1 + stats.norm.pdf(u))
    np.testing.assert_allclose(released_expected_improvement(mean, variance, 1.0), expected)


@pytest.mark.parametrize("encoding", ["adjacency", "path-features"])
def test_the_model_ranks_what_it_did_not_see(encoding: str) -> None:
    topology = space("topology")
    ids = topology.sample(500, np.random.default_rng(0))
    truth = 0.5 + 0.05 * (topology.operations(ids) == 3).sum(axis=1)
    rows = vectors(topology, encoding, ids)
    mean, variance = Dngo(rows[:100], truth[:100], Training(), np.random.default_rng(0)).predict(rows[100:])
    assert stats.spearmanr(mean, truth[100:]).statistic > 0.7
    assert (variance > 0).all()
    inside = np.abs(mean - truth[100:]) < 3 * np.sqrt(variance)
    assert inside.mean() > 0.8


def value(space_: Space, arch: int) -> float:
    return 40.0 + 2 * float(np.maximum(space_.operations(arch), 0).sum())


def run(searcher: object, space_: Space, trainings: int) -> list[int]:
    trace: list[int] = []
    while len(trace) < trainings and len(asked := searcher.ask(1)):  # type: ignore[attr-defined]
        trace += asked
        searcher.tell([Evaluation(asked[0], value(space_, asked[0]), 1.0)])  # type: ignore[attr-defined]
    return trace


def test_it_beats_random_search_on_a_smooth_landscape() -> None:
    topology = space("topology")
    trace = run(dngo().start(topology, np.random.default_rng(1)), topology, 60)
    drawn = topology.sample(60, np.random.default_rng(1)).tolist()
    assert len(set(trace)) == 60
    assert max(value(topology, arch) for arch in trace) >= max(value(topology, arch) for arch in drawn)
    assert np.mean([value(topology, arch) for arch in trace[16:]]) > np.mean([value(topology, a) for a in drawn]) + 5


def test_every_second_round_is_next_to_the_best_in_the_encoding() -> None:
    topology = space("topology")
    trace = run(dngo(local=True, batch=3, epochs=3).start(topology, np.random.default_rng(0)), topology, 22)
    known, near = trace[:19], trace[19:]
    best = sorted(known, key=lambda arch: value(topology, arch), reverse=True)[:3]
    rows = vectors(topology, "adjacency")
    seen = set(known)
    for arch, found in zip(best, near, strict=True):
        distances = np.square(rows - rows[arch]).sum(axis=1)
        distances[list(seen)] = np.inf
        assert distances[found] == distances.min()
        seen.add(found)


def test_rounds_without_progress_bring_random_architectures() -> None:
    topology = space("topology")
    searcher = dngo(initial=4, batch=2, patience=2, epochs=1).start(topology, np.random.default_rng(0))
    sizes = []
    for _ in range(5):
        asked = searcher.ask(100)
        sizes.append(len(asked))
        searcher.tell([Evaluation(int(arch), 50.0, 1.0) for arch in asked])
    assert sizes == [4, 2, 2, 4, 2]  # the first value is progress, then two rounds bring none


def test_it_ends_with_the_space() -> None:
    tiny = TinySpace()
    assert sorted(run(dngo(initial=2, batch=1, epochs=1).start(tiny, np.random.default_rng(0)), tiny, 9)) == list(
        range(6)
    )


def test_what_a_space_cannot_encode_is_refused_before_the_search() -> None:
    with pytest.raises(UnknownName, match=r"encoding of space 'size'.*adjacency"):
        dngo(encoding="path").start(space("size"), np.random.default_rng(0))
    with pytest.raises(UnknownName, match="graph"):
        dngo(encoding="graph").start(space("size"), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("wrong", "given"),
    [("initial", 0), ("batch", 0), ("patience", 0), ("candidates", 0), ("weight", 1), ("variant", "x")],
)
def test_senseless_settings_are_refused(wrong: str, given: object) -> None:
    with pytest.raises(BadValue, match=f"{wrong}="):
        dngo(**{wrong: given}).start(TinySpace(), np.random.default_rng(0))


def test_names_and_presets() -> None:
    assert recipe("cate-dngo").settings["encoding"] == "cate"
    assert recipe("cate-dngo-ls").settings == {"encoding": "cate", "local": True}
    assert recipe("cate-dngo-ls:released").settings["variant"] == "released"
