"""The parts of AZ-NAS beside plain numpy on the same cells' outputs."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from nasgauge.proxies import az_expressivity, az_progressivity, az_trainability
from nasgauge.proxies.az_cells import signs
from nasgauge.proxies.cell_outputs import BATCH, entropy
from nasgauge.proxies.initial import generator
from nasgauge.proxies.proxy import Proxy
from nasgauge.proxies.signals import Signals

from .plain_scores import CELLS, NO_PATH, batch, candidate

cells = pytest.mark.parametrize("name", CELLS)


def scored(proxy: Proxy, signals: Signals) -> float:
    assert proxy.score is not None
    return proxy.score(signals)


def plain_entropy(output: np.ndarray) -> float:
    rows = output.transpose(0, 2, 3, 1).reshape(-1, output.shape[1])
    values = np.linalg.eigvalsh(np.cov(rows.T))
    share = values / values.sum()
    return float(-(share * np.log(share + 1e-8)).sum())


@cells
def test_expressivity_and_progressivity(name: str) -> None:
    signals = Signals(candidate(CELLS[name], batch(4)))
    assert [len(each) for each in signals.cells] == [BATCH] * 3
    found = [plain_entropy(each.detach().double().numpy()) for each in signals.cells]
    assert scored(az_expressivity(), signals) == pytest.approx(sum(found), rel=1e-6)
    steps = [after - before for before, after in pairwise(found)]
    assert scored(az_progressivity(), signals) == pytest.approx(min(steps), rel=1e-5, abs=1e-7)


def unshuffled(gradient: np.ndarray, stride: int) -> np.ndarray:
    """Space to channels: channel c of position (i, j) becomes channel c s^2 + i s + j."""
    n, c, h, w = gradient.shape
    made = np.zeros((n, c * stride**2, h // stride, w // stride))
    for i in range(stride):
        for j in range(stride):
            made[:, i * stride + j :: stride**2] = gradient[:, :, i::stride, j::stride]
    return made


@cells
def test_trainability(name: str) -> None:
    signals = Signals(candidate(CELLS[name], batch(4), seed=4))
    outputs = signals.cells
    stream = generator(4, "az_nas gradient")
    terms = []
    for before, after in pairwise(outputs):
        out = signs(after.shape, stream)
        assert set(out.unique().tolist()) == {-1.0, 1.0} and abs(float(out.mean())) < 5 / math.sqrt(out.numel())
        (into,) = torch.autograd.grad(after, before, out, retain_graph=True)
        g_in, g_out = into.numpy().astype(float), out.numpy()
        if g_in.shape[2] != g_out.shape[2]:
            g_in = unshuffled(g_in, g_in.shape[2] // g_out.shape[2])
        rows_in, rows_out = (g.transpose(0, 2, 3, 1).reshape(-1, g.shape[1]) for g in (g_in, g_out))
        largest = np.linalg.svd(rows_in.T @ rows_out / len(rows_out), compute_uv=False)[0]
        terms.append(-largest - 1 / (largest + 1e-6) + 2)
    value = scored(az_trainability(), signals)
    assert value == pytest.approx(np.mean(terms), rel=1e-4)
    assert value <= 0


def test_a_cell_that_passes_everything_on_is_minus_infinity() -> None:
    skip = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    macro = candidate(skip, batch(4)).macro.but(cells_per_stage=2)  # type: ignore[union-attr]
    assert scored(az_trainability(), Signals(candidate(skip, batch(4), macro=macro))) == -math.inf


def test_a_network_that_passes_nothing_is_minus_infinity_not_an_error() -> None:
    signals = Signals(candidate(NO_PATH, batch(4)))
    assert scored(az_expressivity(), signals) == scored(az_progressivity(), signals) == -math.inf
    assert scored(az_trainability(), signals) < -1e5


def test_entropy_is_largest_for_independent_channels() -> None:
    independent = torch.randn(50, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    assert entropy(independent) == pytest.approx(math.log(4), rel=1e-2)
    assert entropy(independent[:, :1].expand(-1, 4, -1, -1)) == pytest.approx(0, abs=1e-6)
    assert math.isnan(entropy(torch.zeros(2, 4, 3, 3)))
