"""AZ-NAS: three scores of a network's cells, ranked together with its complexity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pixel_unshuffle

from .cell_outputs import observations
from .initial import generator
from .modules import laid_out
from .proxy import Proxy
from .signals import Signals

AZ_NAS = "Lee & Ham, AZ-NAS, CVPR 2024"


def az_expressivity() -> Proxy:
    """Sum over cells of the entropy of the spectrum of their output's covariance (AZ-NAS, equations 3 to 5).

    Images are N(0, 1), 64 of them, weights Kaiming normal. -inf where a cell answers the same everywhere.
    """

    def score(signals: Signals) -> float:
        total = sum(signals.entropies)
        return -math.inf if math.isnan(total) else total

    return Proxy("az_expressivity", f"{AZ_NAS}, eq. 3-5", score, frozenset({"entropies"}))  # fmt: skip


def az_progressivity() -> Proxy:
    """Smallest growth of that entropy from one cell to the next (AZ-NAS, equation 6)."""

    def score(signals: Signals) -> float:
        entropies = signals.entropies
        if any(math.isnan(each) for each in entropies):
            return -math.inf
        return min(after - before for before, after in pairwise(entropies))

    return Proxy("az_progressivity", f"{AZ_NAS}, eq. 6", score, frozenset({"entropies"}))


def az_trainability() -> Proxy:
    """Mean over consecutive cells of 2 - s - 1/s, s the largest singular value of what a random gradient becomes.

    AZ-NAS, equations 7 to 10: g_out has entries +-1, g_in is its vector-Jacobian product (unshuffled where a cell
    halves the image), s that of g_in^T g_out / (images x positions); 0, the largest value, at s = 1. -inf where g_in
    equals g_out.
    """
    return Proxy("az_trainability", f"{AZ_NAS}, eq. 7-10", _trainability, frozenset({"cells"}),
                 needs=frozenset({"backward"}))  # fmt: skip


def _trainability(signals: Signals) -> float:
    stream = generator(signals.subject.seed, "az_nas gradient")
    outputs, terms = signals.cells, []
    for before, after in pairwise(outputs):
        out = laid_out(signs(after.shape, stream).to(after))
        (into,) = torch.autograd.grad(after, before, out, retain_graph=True, allow_unused=True)
        if into is None:
            into = torch.zeros_like(before)
        if into.shape == out.shape and bool(torch.equal(into, out)):
            terms.append(-math.inf)
            continue
        if into.shape[2:] != out.shape[2:]:
            into = pixel_unshuffle(into, into.shape[2] // out.shape[2])
        rows_in, rows_out = observations(into), observations(out)
        largest = float(torch.linalg.matrix_norm(rows_in.T @ rows_out / len(rows_out), 2))
        terms.append(2 - largest - 1 / (largest + 1e-6))
    return sum(terms) / len(terms)


def signs(shape: Sequence[int], stream: torch.Generator) -> Tensor:
    """Fair +1 or -1, float32, eight of them from each number drawn."""
    count = math.prod(shape)
    drawn = torch.randint(0, 256, (-(-count // 8),), generator=stream, dtype=torch.uint8)
    bits = torch.from_numpy(np.unpackbits(drawn.numpy(), count=count))
    return bits.float().mul_(2).sub_(1).reshape(*shape)
