"""How promising an architecture is, given what is believed about it: higher is better, for many at once."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ...bench.errors import UnknownName
from .trees import Variant

Floats = npt.NDArray[np.float64]

ACQUISITIONS = ("ucb", "ei", "thompson")
BETA = 2 * math.log(100)


def acquire(
    name: str, mean: Floats, covariance: Floats, best: float, rng: np.random.Generator, *, beta: float = BETA,
    variant: Variant = "paper",
) -> Floats:  # fmt: skip
    """The promise of every candidate, (n,), by name: "ucb", "ei" or "thompson".

    Args:
        covariance: of the candidates, (n, n); or their variances alone, (n,): a Thompson draw is then independent.

    Raises:
        UnknownName: no such acquisition.
    """
    variance = np.maximum(np.diag(covariance) if covariance.ndim == 2 else covariance, 0)
    if name == "ucb":
        return upper_confidence_bound(mean, variance, beta, variant)
    if name == "ei":
        return expected_improvement(mean, variance, best)
    if name == "thompson":
        return thompson(mean, covariance, rng)
    raise UnknownName.of("acquisition", name, ACQUISITIONS)


def upper_confidence_bound(mean: Floats, variance: Floats, beta: float = BETA, variant: Variant = "paper") -> Floats:
    """mean + beta standard deviations: the paper's lower confidence bound of the error, seen from the accuracy.

    The released code takes the variance where the paper has the standard deviation.
    """
    return mean + beta * (variance if variant == "released" else np.sqrt(np.maximum(variance, 0)))


def expected_improvement(mean: Floats, variance: Floats, best: float) -> Floats:
    """E max(f - best, 0) of f ~ N(mean, variance) (Jones, Schonlau & Welch, 1998)."""
    from scipy.special import ndtr

    deviation = np.sqrt(np.maximum(variance, 0))
    gain = mean - best
    known = deviation < 1e-12
    score = gain / np.where(known, 1, deviation)
    density = np.exp(-np.square(score) / 2) / math.sqrt(2 * math.pi)
    return np.where(known, np.maximum(gain, 0), gain * ndtr(score) + deviation * density)


def thompson(mean: Floats, covariance: Floats, rng: np.random.Generator) -> Floats:
    """One joint draw from the posterior, or independent ones where only variances (n,) are given."""
    if covariance.ndim == 1:
        return mean + np.sqrt(np.maximum(covariance, 0)) * rng.standard_normal(len(mean))
    values, vectors = np.linalg.eigh(covariance)
    return mean + vectors @ (np.sqrt(np.maximum(values, 0)) * rng.standard_normal(len(values)))
