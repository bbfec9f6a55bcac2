"""Several architectures at a time: which candidates go into one batch."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ...bench.errors import UnknownName
from .kdpp import RELEASED_SEED, likelihood_kernel, sample_k_dpp
from .trees import Variant

Floats = npt.NDArray[np.float64]
Acquire = Callable[[Floats, Floats], Floats]
"""(mean, covariance) -> promise of every candidate, higher is better."""

BATCHES = ("k-dpp", "local-penalisation", "kriging-believer", "constant-liar", "top", "random")


def choose(
    method: str, k: int, mean: Floats, covariance: Floats, acquire: Acquire, rng: np.random.Generator, *,
    noise: float = 1e-3, best: float = 0.0, distances: Floats | None = None, variant: Variant = "paper",
) -> list[int]:  # fmt: skip
    """``k`` distinct candidates, or all where there are fewer, by name.

    ==================  ==========================================================================================
    k-dpp               a draw from the quality-weighted k-DPP of the posterior (`kdpp`; Nguyen et al., ICML 2021)
    local-penalisation  one by one, the promise near chosen ones scaled down (González et al., AISTATS 2016)
    kriging-believer    one by one, as if each chosen one had come out at its posterior mean (Ginsbourger et al.)
    constant-liar       one by one, as if each had come out at ``best``
    top                 the most promising
    random              any
    ==================  ==========================================================================================

    Args:
        mean, covariance: posterior of the candidates' standardised values, (n,), (n, n).
        noise: variance of the noise of an observation, for the liars.
        best: the best standardised value so far.
        distances: between candidates, (n, n), for local penalisation; default: 1 minus the correlation.
        variant: of the k-DPP; "released" also starts from the same seed at every call.

    Raises:
        UnknownName: no such method.
    """
    k = min(k, len(mean))
    if method == "k-dpp":
        stream = np.random.default_rng(RELEASED_SEED) if variant == "released" else rng
        return sample_k_dpp(likelihood_kernel(mean, covariance, variant), k, stream, mean)
    if method == "local-penalisation":
        return _penalised(k, mean, covariance, acquire, distances, best)
    if method in ("kriging-believer", "constant-liar"):
        return _imagined(k, mean, covariance, acquire, noise, best if method == "constant-liar" else None)
    if method == "top":
        return np.argsort(-acquire(mean, covariance), kind="stable")[:k].tolist()
    if method == "random":
        return rng.permutation(len(mean))[:k].tolist()
    raise UnknownName.of("batch method", method, BATCHES)


def _imagined(k: int, mean: Floats, covariance: Floats, acquire: Acquire, noise: float, lie: float | None) -> list[int]:
    """Each chosen candidate updates the posterior as if it had been observed at ``lie`` (None: at its mean)."""
    chosen: list[int] = []
    for _ in range(k):
        promise = acquire(mean, covariance)
        promise[chosen] = -np.inf
        row = int(np.argmax(promise))
        gain = covariance[:, row] / (max(float(covariance[row, row]), 0.0) + noise)
        if lie is not None:
            mean = mean + gain * (lie - mean[row])
        covariance = covariance - np.outer(gain, covariance[row])
        chosen.append(row)
    return chosen


def _penalised(
    k: int, mean: Floats, covariance: Floats, acquire: Acquire, distances: Floats | None, best: float
) -> list[int]:
    """The promise times, for each chosen one, the chance that the optimum lies outside the ball around it.

    The ball of a candidate has the radius (M - f) / Lipschitz constant, with M the best value so far or believed and
    the constant the steepest slope of the mean between candidates (the paper: the gradient of the mean, which cells
    have not). Promises are made positive by a softplus, as in the paper.
    """
    from scipy.special import ndtr

    if distances is None:
        scale = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
        distances = 1 - covariance / np.outer(scale, scale)
    apart = distances > 1e-9
    slopes = np.abs(mean[:, None] - mean) / np.where(apart, distances, 1)
    steepest = max(float(slopes[apart].max(initial=0)), 1e-6)
    top = max(best, float(mean.max()))
    deviation = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    promise = np.logaddexp(0, acquire(mean, covariance))
    chosen: list[int] = []
    for _ in range(k):
        open_ = promise.copy()
        open_[chosen] = -np.inf
        row = int(np.argmax(open_))
        chosen.append(row)
        promise = promise * ndtr((steepest * distances[row] - top + mean[row]) / (math.sqrt(2) * deviation[row]))
    return chosen
