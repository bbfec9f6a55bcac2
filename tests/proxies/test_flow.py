"""SynFlow beside a network made by hand: absolute weights, no normalisation."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, linear

from nasgauge.bench.live.macro import Macro
from nasgauge.proxies import synflow

from .plain_scores import CELLS, NO_PATH, batch, candidate, layers


def plain_mixed(values: dict[str, Tensor], image: Tensor) -> Tensor:
    """The cell "mixed" in a network of two stages with pooling reductions; every map is positive."""

    def conv(name: str, x: Tensor) -> Tensor:
        weight = values[f"{name}.weight"]
        return conv2d(x, weight, padding=weight.shape[-1] // 2)

    def cell(place: int, x: Tensor) -> Tensor:
        one = conv(f"cells.{place}.layers.0.op.1", x)
        two = conv(f"cells.{place}.layers.1.op.1", x) + one
        pooled = avg_pool2d(one, 3, 1, 1, count_include_pad=False)
        return x + pooled + conv(f"cells.{place}.layers.5.op.1", two)

    x = cell(0, conv("stem.0", image))
    x = conv("cells.1.downsample.1", avg_pool2d(x, 2))
    x = cell(2, x).mean((2, 3))
    return linear(x, values["classifier.weight"], values["classifier.bias"])


def test_synflow_is_the_flow_of_a_network_written_by_hand() -> None:
    network = candidate(CELLS["mixed"], batch(4)).network
    values = {name: value.detach().double().abs().requires_grad_() for name, value in network.named_parameters()}
    plain_mixed(values, torch.ones(1, 1, 8, 8, dtype=torch.float64)).sum().backward()
    expected = sum(
        float((value.detach() * value.grad).sum()) for name, value in values.items()
        if value.grad is not None and not name.endswith("bias")
    )  # fmt: skip
    assert synflow()(network, batch(4)) == pytest.approx(math.log(expected), rel=1e-10)


def test_synflow_with_normalisations_at_rest() -> None:
    network = candidate(CELLS["mixed"], batch(4)).network
    twin = copy.deepcopy(network).double().eval()
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.abs_()
    twin(torch.ones(1, 1, 8, 8, dtype=torch.float64)).sum().backward()
    expected = math.log(sum(float((layer.weight * layer.weight.grad).abs().sum()) for layer in layers(twin)))
    assert synflow(normalised=True)(network, batch(4)) == pytest.approx(expected, rel=1e-10)
    assert synflow(normalised=True).name == "synflow_bn"


def test_scaling_all_weights_adds_their_number_of_layers_on_the_path() -> None:
    """A chain of k layers is homogeneous of degree k: the log grows by k log c; biases would break it."""
    chain = "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|"
    network = candidate(chain, batch(4)).network
    with torch.no_grad():
        network.classifier.bias.zero_()
    before = synflow()(network, batch(4))
    with torch.no_grad():
        for layer in layers(network):
            layer.weight.mul_(-3)
    assert synflow()(network, batch(4)) == pytest.approx(before + len(layers(network)) * math.log(3), rel=1e-6)


def test_deep_networks_do_not_overflow_and_dead_ones_are_minus_infinity() -> None:
    images = batch(2)
    deep = candidate(CELLS["heavy"], images, macro=Macro.mini(width=4, cells_per_stage=20)).network
    with torch.no_grad():
        for module in deep.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.mul_(100)
    assert math.isfinite(synflow()(deep, images)) and synflow()(deep, images) > 180
    assert synflow()(candidate(NO_PATH, images).network, images) == -math.inf
