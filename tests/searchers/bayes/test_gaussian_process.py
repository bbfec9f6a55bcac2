"""The Gaussian process is one: gradients, posterior, diagnostics, and what troubles linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.bench.spaces import space
from nasgauge.searchers.bayes.acquisition import (
    BETA,
    acquire,
    expected_improvement,
    thompson,
    upper_confidence_bound,
)
from nasgauge.searchers.bayes.embedding import Points, embed
from nasgauge.searchers.bayes.fitting import RELEASED, Scales, Tuning
from nasgauge.searchers.bayes.tree_wasserstein import TreeWasserstein

SCALES = Scales((0.3, 0.2, 0.1), 0.01)
QUICK = Tuning(restarts=1, starts=5)


def process() -> object:
    from nasgauge.searchers.bayes import gaussian_process

    return gaussian_process


def data(n: int, seed: int = 0) -> tuple[Points, np.ndarray]:
    topology = space("topology")
    ids = np.unique(topology.sample(n, np.random.default_rng(seed)))
    operations = topology.operations(ids)
    values = (
        60 + 5 * (operations == 3).sum(axis=1) + 2.0 * (operations == 2).sum(axis=1) - 9 * (operations == 0).sum(axis=1)
    )
    return embed(TreeWasserstein(), topology, ids), values.astype(float)


@pytest.mark.parametrize("groups", [None, (0, 1, 1)])
@pytest.mark.parametrize("noise_bounds", [(1e-3, 1e-2), "fixed"])
def test_kernel_gradients_are_those_of_finite_differences(groups: tuple[int, ...] | None, noise_bounds: object) -> None:
    from nasgauge.searchers.bayes.kernel import TreeExponential as kernel_of

    points, _ = data(20)
    count = 3 if groups is None else 2
    kernel = kernel_of([0.05, 0.1, 0.2][:count], 0.005, sizes=points.sizes, groups=groups, noise_bounds=noise_bounds)
    _, slopes = kernel(points.values, eval_gradient=True)
    theta = kernel.theta
    assert slopes.shape[2] == len(theta) == count + (noise_bounds != "fixed")
    for at in range(len(theta)):
        step = 1e-5 * (np.arange(len(theta)) == at)
        ahead, behind = (kernel.clone_with_theta(theta + sign * step)(points.values) for sign in (1, -1))
        np.testing.assert_allclose(slopes[..., at], (ahead - behind) / 2e-5, atol=1e-7)


def test_the_posterior_is_the_textbook_formula() -> None:
    points, values = data(40)
    known, new = points.take(np.arange(30)), points.take(np.arange(30, len(values)))
    posterior = process().Posterior(known, values[:30], SCALES)  # type: ignore[attr-defined]
    lengths = np.array(SCALES.lengths)[:, None, None]
    k, cross, own = (
        np.exp(-(a.distances(b) / lengths).sum(axis=0)) for a, b in ((known, known), (new, known), (new, new))
    )
    inverse = np.linalg.inv(k + (SCALES.noise + 1e-10) * np.eye(30))
    mean, spread = values[:30].mean(), values[:30].std()
    expected = cross @ inverse @ ((values[:30] - mean) / spread)
    said = posterior.predict(new)
    np.testing.assert_allclose(said.mean, expected, atol=1e-8)
    np.testing.assert_allclose(said.covariance, own - cross @ inverse @ cross.T, atol=1e-8)
    means, deviations = posterior.mean_and_deviation(new, chunk=3)
    np.testing.assert_allclose(means, mean + spread * expected, atol=1e-6)
    np.testing.assert_allclose(deviations, spread * np.sqrt(said.variance), atol=1e-6)


@pytest.mark.parametrize("groups", [None, (0, 1, 1)])
def test_the_likelihood_and_its_gradient_are_those_of_scikit_learn(groups: tuple[int, ...] | None) -> None:
    from sklearn.gaussian_process import GaussianProcessRegressor

    from nasgauge.searchers.bayes.kernel import TreeExponential
    from nasgauge.searchers.bayes.likelihood import Likelihood

    points, values = data(25)
    standardised = (values - values.mean()) / values.std()
    lengths = np.array([0.05, 0.1, 0.2])[: 3 if groups is None else 2]
    kernel = TreeExponential(lengths, 1e-3, sizes=points.sizes, groups=groups, noise_bounds=(1e-3, 1e-2))
    oracle = GaussianProcessRegressor(kernel, optimizer=None).fit(points.values, standardised)
    apart = points.distances()
    merged = apart if groups is None else np.stack([apart[0], apart[1] + apart[2]])
    ours = Likelihood(merged, standardised)
    value, slopes = ours.with_gradient(kernel.theta)
    expected, gradient = oracle.log_marginal_likelihood(kernel.theta, eval_gradient=True)
    assert value == pytest.approx(-expected, rel=1e-10) and ours(kernel.theta) == value
    np.testing.assert_allclose(slopes, -gradient, rtol=1e-8, atol=1e-8)


def test_scikit_learn_predicts_the_same() -> None:
    points, values = data(40)
    known, new = points.take(np.arange(30)), points.take(np.arange(30, len(values)))
    posterior = process().Posterior(known, values[:30], SCALES)  # type: ignore[attr-defined]
    mean, covariance = posterior.regressor.predict(new.values, return_cov=True)
    said = posterior.predict(new)
    np.testing.assert_allclose(said.mean, mean, atol=1e-9)
    # scikit-learn's covariance is that of new observations, with their noise
    np.testing.assert_allclose(said.covariance + SCALES.noise * np.eye(len(mean)), covariance, atol=1e-9)
    assert posterior.log_likelihood() == pytest.approx(posterior.regressor.log_marginal_likelihood_value_)


@given(st.integers(0, 10_000), st.lists(st.integers(1, 6), min_size=1, max_size=4))
@settings(max_examples=15)
def test_a_posterior_that_grew_is_one_made_at_once(seed: int, steps: list[int]) -> None:
    """Also where values changed, cells came twice, and in a field of fixed points, which follows it."""
    from nasgauge.searchers.bayes.field import Field

    make = process().Posterior  # type: ignore[attr-defined]
    rng = np.random.default_rng(seed)
    everything, _ = data(60, seed)
    rows = rng.integers(len(everything.values), size=3 + sum(steps))
    fixed = Field(everything)
    values = rng.normal(size=3)
    grown = make(everything.take(rows[:3]), values, SCALES)
    for step in [0, *steps]:
        values = np.concatenate([values + 0.1 * rng.normal(size=len(values)), rng.normal(size=step)])
        grown = grown.followed_by(everything.take(rows[: len(values)]), values)
        fresh = make(everything.take(rows[: len(values)]), values, SCALES)
        for mean, variance in (grown.marginals(everything), fixed.marginals(grown)):
            np.testing.assert_allclose(mean, fresh.marginals(everything)[0], atol=1e-9)
            np.testing.assert_allclose(variance, fresh.marginals(everything)[1], atol=1e-9)
    other = make(grown.points, grown.values, Scales((1.0, 1.0, 1.0), 0.1))
    np.testing.assert_allclose(fixed.marginals(other), other.marginals(everything), atol=1e-9)


def test_leaving_one_out_is_fitting_without_it() -> None:
    points, values = data(15)
    module = process()
    mean, spread = values.mean(), values.std()
    means, deviations = module.Posterior(points, values, SCALES).leave_one_out()  # type: ignore[attr-defined]
    for out in range(len(values)):
        rest = np.delete(np.arange(len(values)), out)
        lengths = np.array(SCALES.lengths)[:, None, None]
        k = np.exp(-(points.distances() / lengths).sum(axis=0)) + (SCALES.noise + 1e-10) * np.eye(len(values))
        weights = np.linalg.solve(k[np.ix_(rest, rest)], k[rest, out])
        assert means[out] == pytest.approx(mean + weights @ (values[rest] - mean))
        assert deviations[out] == pytest.approx(spread * np.sqrt(k[out, out] - weights @ k[rest, out]))


def test_fitted_scales_lie_inside_the_bounds_and_beat_any_draw() -> None:
    module = process()
    points, values = data(60)
    mean, spread = values.mean(), values.std()
    fitted = module.fit_scales(points, (values - mean) / spread, Tuning(), np.random.default_rng(0))  # type: ignore[attr-defined]
    limits = [*Tuning().limits(3), Tuning().noise]
    for found, (low, high) in zip((*fitted.lengths, fitted.noise), limits, strict=True):
        assert low * 0.999 <= found <= high * 1.001
    best = module.Posterior(points, values, fitted).log_likelihood()  # type: ignore[attr-defined]
    rng = np.random.default_rng(1)
    for _ in range(20):
        drawn = [rng.uniform(low, high) for low, high in limits]
        other = module.Posterior(points, values, Scales(tuple(drawn[:3]), drawn[3]))  # type: ignore[attr-defined]
        assert other.log_likelihood() <= best + 1e-3


def test_it_predicts_what_it_has_not_seen() -> None:
    module = process()
    points, values = data(200)
    rng = np.random.default_rng(0)
    known, rest = np.split(rng.permutation(len(values)), [120])
    mean, spread = module.standard(values[known])  # type: ignore[attr-defined]
    scales = module.fit_scales(points.take(known), (values[known] - mean) / spread, QUICK, rng)  # type: ignore[attr-defined]
    means, _ = module.Posterior(points.take(known), values[known], scales).mean_and_deviation(points.take(rest))  # type: ignore[attr-defined]
    assert np.corrcoef(means, values[rest])[0, 1] > 0.6


def test_the_released_fit_never_fits_the_scale_of_the_out_degrees() -> None:
    module = process()
    points, values = data(25)
    standardised = (values - values.mean()) / values.std()
    found = [module.fit_scales(points, standardised, RELEASED, np.random.default_rng(s)) for s in (0, 1)]  # type: ignore[attr-defined]
    assert found[0].lengths[2] != pytest.approx(found[1].lengths[2], rel=1e-3)
    assert all(1e-3 <= each.lengths[2] <= 0.2 for each in found)


@pytest.mark.parametrize("values", [[50.0] * 8, [1e-300] * 8, [1e300, -1e300] * 4, [0.0] * 7 + [1e12], [5.0]], ids=str)
def test_trouble_never_becomes_nan(values: list[float]) -> None:
    module = process()
    points, _ = data(30)
    twice = points.take(np.arange(len(values)) // 2)  # duplicates
    told = np.array(values)
    mean, spread = module.standard(told)  # type: ignore[attr-defined]
    for tuning in (QUICK, RELEASED):
        scales = module.fit_scales(twice, (told - mean) / spread, tuning, np.random.default_rng(0))  # type: ignore[attr-defined]
        for noise in (scales.noise, 0.0, 1e6):
            posterior = module.Posterior(twice, told, Scales(scales.lengths, noise))  # type: ignore[attr-defined]
            said = posterior.predict(points)
            for numbers in (said.mean, said.covariance, *posterior.leave_one_out()):
                assert np.isfinite(numbers).all()


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [np.inf, 1.0], [1.0]])
def test_what_is_no_observation_is_refused(values: list[float]) -> None:
    points, _ = data(10)
    with pytest.raises(BadValue, match="finite"):
        process().Posterior(points.take(range(2 if values else 0)), np.array(values), SCALES)  # type: ignore[attr-defined]


@given(st.floats(-3, 3), st.floats(0.01, 4), st.floats(-3, 3))
@settings(max_examples=20)
def test_expected_improvement_is_an_expectation(mean: float, variance: float, best: float) -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(101)
    gains = np.maximum(mean + np.sqrt(variance) * nodes - best, 0)
    expected = float(weights @ gains / weights.sum())
    said = expected_improvement(np.array([mean]), np.array([variance]), best)[0]
    assert said == pytest.approx(expected, abs=0.05 * np.sqrt(variance))
    assert expected_improvement(np.array([mean]), np.array([0.0]), best)[0] == max(mean - best, 0)


def test_the_bound_rewards_doubt_and_the_released_one_its_square() -> None:
    mean, variance = np.zeros(2), np.array([0.04, 0.25])
    np.testing.assert_allclose(upper_confidence_bound(mean, variance), BETA * np.array([0.2, 0.5]))
    np.testing.assert_allclose(upper_confidence_bound(mean, variance, variant="released"), BETA * variance)


def test_thompson_draws_from_the_posterior() -> None:
    covariance = np.array([[1.0, 0.9, 0], [0.9, 1.0, 0], [0, 0, 0.0]])
    rng = np.random.default_rng(0)
    draws = np.array([thompson(np.array([0.0, 0, 5]), covariance, rng) for _ in range(4000)])
    np.testing.assert_allclose(draws.mean(axis=0), [0, 0, 5], atol=0.08)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.1)


def test_acquisitions_have_names() -> None:
    rng = np.random.default_rng(0)
    for name in ("ucb", "ei", "thompson"):
        assert acquire(name, np.zeros(3), np.eye(3), 0.0, rng).shape == (3,)
    with pytest.raises(UnknownName, match="thompson"):
        acquire("pi", np.zeros(3), np.eye(3), 0.0, rng)
