"""Scores of rectifiers' codes, beside loops over images and units."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nasgauge.bench.errors import BadValue
from nasgauge.bench.live.macro import Macro
from nasgauge.proxies import linear_regions, naswot, swap, swap_regularised
from nasgauge.proxies.activation import log_determinant
from nasgauge.proxies.agreement import Agreement, common
from nasgauge.proxies.proxy import Batch
from nasgauge.proxies.signals import Signals

from .plain_scores import CELLS, NO_PATH, batch, candidate, double, rectifier_codes

CONVOLUTIONS = {"mixed": 3, "dead branch": 0, "heavy": 6}


def agreement_by_loops(codes: list[np.ndarray]) -> np.ndarray:
    """K: one at a time, the units on which two images agree."""
    n = len(codes[0])
    kernel = np.zeros((n, n))
    for layer in codes:
        for i in range(n):
            for j in range(n):
                kernel[i, j] += sum(1 for a, b in zip(layer[i], layer[j], strict=True) if a == b)
    return kernel


@pytest.mark.parametrize("name", CELLS)
def test_naswot_is_the_determinant_of_units_that_agree(name: str) -> None:
    images = batch(5)
    network = candidate(CELLS[name], images).network
    expected = np.linalg.slogdet(agreement_by_loops(rectifier_codes(network, images.images)))[1]
    assert naswot()(network, images) == pytest.approx(expected, rel=1e-10)


def test_released_naswot_counts_wrapped_rectifiers_twice_and_dead_ones() -> None:
    images = batch(5)
    subject = candidate(CELLS["dead branch"], images)
    codes = rectifier_codes(subject.unpruned(), images.images)
    assert len(codes) == 2 * 2 + 1  # two stages, two convolutions each that lead nowhere, and the last rectifier
    twice = [layer for layer in codes[:-1] for _ in range(2)]
    expected = np.linalg.slogdet(agreement_by_loops([*twice, codes[-1]]))[1]
    released = naswot("released")
    assert released.score is not None
    assert released.score(Signals(subject)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("convolutions", [0, 1, 3, 6])
def test_the_diagonal_counts_units_as_published(convolutions: int) -> None:
    """K_ii = N_A = 143,360 k + 40,960, and 2 (143,360 k + 36,864) + 4,096 as released, for 32 x 32 images."""
    names = ["nor_conv_3x3"] * convolutions + ["skip_connect"] * (6 - convolutions)
    sources = (0, 0, 1, 0, 1, 2)
    edges = [f"|{name}~{source}" for name, source in zip(names, sources, strict=True)]
    text = f"{edges[0]}|+{edges[1]}{edges[2]}|+{edges[3]}{edges[4]}{edges[5]}|"
    images = batch(2, side=32, channels=3)
    subject = candidate(text, images, macro=Macro())
    signals = Signals(subject, frozenset({"agreement"}))
    assert signals.agreement.units == 143_360 * convolutions + 40_960
    assert (signals.agreement.kernel.diagonal() == signals.agreement.units).all()
    twice = Agreement(lambda name, _: 2 if name.endswith("op.0") else 1)
    network = subject.unpruned()
    hooks = twice.hooks(network)
    with torch.no_grad():
        network(images.images)
    for hook in hooks:
        hook.remove()
    assert twice.units == 2 * (143_360 * convolutions + 36_864) + 4_096


def test_naswot_is_minus_infinity_where_two_images_have_one_code() -> None:
    images = batch(6)
    twins = Batch(torch.cat([images.images[:5], images.images[:1]]), images.labels, 3)
    network = candidate(CELLS["mixed"], images).network
    assert naswot()(network, twins) == -math.inf
    assert naswot()(candidate(NO_PATH, images).network, images) == -math.inf


@settings(max_examples=30)
@given(st.integers(2, 9), st.integers(1, 200), st.integers(0, 1000))
def test_codes_compared_as_bits_are_counted_exactly(n: int, units: int, seed: int) -> None:
    on = np.random.default_rng(seed).random((n, units)) < 0.5
    expected = (on[:, None, :] & on[None, :, :]).sum(-1)
    assert (common(torch.from_numpy(on)).numpy() == expected).all()


def test_a_tensor_read_twice_counts_twice_and_one_changed_in_place_is_read_again() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.third = nn.ReLU(), nn.ReLU(), nn.ReLU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.first(x) + self.second(x)
            x.neg_()
            return y + self.third(x)

    network, values = Shared(), torch.randn(4, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    agreement = Agreement()
    hooks = agreement.hooks(network)
    network(values.clone())
    for hook in hooks:
        hook.remove()
    codes = (values > 0).flatten(1).numpy()
    expected = agreement_by_loops([codes, codes, ~codes])
    assert (agreement.kernel.numpy() == expected).all() and agreement.units == 54


def test_log_determinant_ignores_the_sign() -> None:
    kernel = torch.tensor([[1.0, 2.0], [2.0, 1.0]], dtype=torch.float64)
    assert log_determinant(kernel) == pytest.approx(math.log(3))


def test_swap_counts_distinct_rows_of_signs() -> None:
    images = batch(6)
    subject = candidate(CELLS["mixed"], images, seed=3)
    counts = []
    for repeat in range(2):
        network = subject.redrawn("normal", repeat)
        rows = {tuple(unit) for layer in rectifier_codes(network, images.images[:5]) for unit in layer.T}
        counts.append(len(rows))
    score = swap(repeats=2, batch=5).score
    assert score is not None and score(Signals(subject)) == np.mean(counts)
    millions = sum(p.numel() for p in subject.network.parameters()) / 1e6
    regularised = swap_regularised(0.02, 0.001, repeats=2, batch=5).score
    assert regularised is not None
    expected = np.mean(counts) * math.exp(-((millions - 0.02) ** 2) / 0.001)
    assert regularised(Signals(subject)) == pytest.approx(expected)


def test_linear_regions_counts_distinct_patterns() -> None:
    subject = candidate(CELLS["heavy"], batch(4), seed=1)
    seen: list[torch.Tensor] = []
    network = subject.thin()
    watching = network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    subject.thin = lambda: network  # type: ignore[method-assign]
    score = linear_regions(samples=50, batch=20).score
    assert score is not None
    value = score(Signals(subject))
    watching.remove()
    assert [tuple(images.shape) for images in seen] == [(20, 1, 3, 3), (20, 1, 3, 3), (10, 1, 3, 3)]
    patterns = set()
    for images in seen:
        codes = np.concatenate(rectifier_codes(network, images), axis=1)
        patterns |= {tuple(row) for row in codes}
    assert value == len(patterns) > 1


def test_linear_regions_of_a_cell_without_a_path_is_one() -> None:
    score = linear_regions(samples=20, batch=20).score
    assert score is not None and score(Signals(candidate(NO_PATH, batch(4)))) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: naswot("other"),  # type: ignore[arg-type]
        lambda: swap(batch=63),
        lambda: swap(repeats=0),
        lambda: swap_regularised(1.0, 0.0),
        lambda: linear_regions(samples=0),
    ],
)
def test_settings_outside_their_range_are_refused(make: object) -> None:
    with pytest.raises(BadValue, match="legal"):
        make()  # type: ignore[operator]


def test_codes_do_not_depend_on_the_scale_of_a_normalised_layer() -> None:
    """What a normalisation follows may be scaled; its epsilon lets a unit or two change sides."""
    images = batch(6)
    doubled = Batch(images.images.double(), images.labels, 3)
    network = double(candidate(CELLS["heavy"], images).network)
    before = naswot()(network, doubled)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.mul_(10)
    assert naswot()(network, doubled) == pytest.approx(before, rel=1e-3)
