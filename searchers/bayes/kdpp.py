"""Determinantal point processes of a fixed size: diverse and good subsets (Kulesza & Taskar, ICML 2011)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .trees import Variant

Floats = npt.NDArray[np.float64]

RELEASED_SEED = 14
RANK = 1e-10  # eigenvalues below this share of the largest are zero


def likelihood_kernel(mean: Floats, covariance: Floats, variant: Variant = "paper") -> Floats:
    """L = diag(q) S diag(q) with quality q = exp(mean), (n, n): good candidates that differ, given all that is known.

    ``mean`` and ``covariance`` S are those of the posterior of a value that shall be high (the paper: exp(-loss)). A
    common factor of L changes nothing, so qualities are taken relative to the best. The released code multiplies
    elementwise with a diagonal matrix, which leaves only the diagonal: no repulsion.
    """
    quality = np.exp(mean - mean.max())
    kernel = quality[:, None] * covariance * quality
    return np.diag(np.diag(kernel)) if variant == "released" else kernel


def elementary_symmetric(values: Floats, k: int) -> Floats:
    """e_l of the first m values for all l up to k and m up to n, (k + 1, n + 1)."""
    table = np.zeros((k + 1, len(values) + 1))
    table[0] = 1
    for m, value in enumerate(values, start=1):
        table[1:, m] = table[1:, m - 1] + value * table[:-1, m - 1]
    return table


def sample_k_dpp(kernel: Floats, k: int, rng: np.random.Generator, quality: Floats | None = None) -> list[int]:
    """``k`` distinct rows of ``kernel`` (n, n), a set Y with probability proportional to det L_Y.

    By the eigendecomposition: ``k`` eigenvectors are chosen through elementary symmetric polynomials, then one row
    after the other from the projection process that they span. Negative eigenvalues count as zero. Where the rank is
    less than ``k``, as many rows as the rank are drawn, and the best of the rest by ``quality`` (default: the
    diagonal) follow.
    """
    k = min(k, len(kernel))
    values, vectors = np.linalg.eigh((kernel + kernel.T) / 2)
    largest = max(float(values[-1]), 0.0) if len(values) else 0.0
    values = np.where(values > RANK * largest, values, 0.0) / (largest or 1.0)
    rank = min(k, int((values > 0).sum()))
    chosen = _project(vectors[:, _pick(values, rank, rng)], rng)
    order = np.argsort(-(np.diag(kernel) if quality is None else quality), kind="stable").tolist()
    return chosen + [row for row in order if row not in chosen][: k - rank]


def _pick(values: Floats, k: int, rng: np.random.Generator) -> list[int]:
    """Which ``k`` eigenvectors, with probability proportional to the product of their eigenvalues."""
    table = elementary_symmetric(values, k)
    picked: list[int] = []
    for m in range(len(values), 0, -1):
        left = k - len(picked)
        if not left:
            break
        if rng.random() * table[left, m] < values[m - 1] * table[left - 1, m - 1]:
            picked.append(m - 1)
    return picked


def _project(vectors: Floats, rng: np.random.Generator) -> list[int]:
    """One draw of the projection process of orthonormal columns (n, k): k rows.

    A row is drawn by what is left of its squared length; then every row loses its component along the drawn one.
    """
    count = vectors.shape[1]
    left = np.square(vectors).sum(axis=1)
    spanned = np.zeros((len(vectors), count))
    chosen: list[int] = []
    for step in range(count):
        left[chosen] = 0
        shares = np.cumsum(np.maximum(left, 0))
        row = min(int(np.searchsorted(shares, rng.random() * shares[-1], side="right")), len(left) - 1)
        along = vectors @ vectors[row] - spanned[:, :step] @ spanned[row, :step]
        spanned[:, step] = along / np.sqrt(left[row])
        left -= np.square(spanned[:, step])
        chosen.append(row)
    return chosen
