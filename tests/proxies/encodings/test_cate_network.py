"""CATE's network beside a plain one, and what its encodings cannot depend on."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from nasgauge.proxies.encodings.cate_network import CateNetwork, Dropout, Layer, allowed_bias, narrow_softmax


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def plain_layer(layer: Layer, x: Tensor, allowed: Tensor) -> Tensor:
    """The same layer, one sequence and one head at a time."""
    rows = []
    size = x.shape[-1] // layer.heads
    for each, may in zip(x, allowed, strict=True):
        query, key, value = layer.projections(layer.norm_attention(each)).chunk(3, dim=-1)
        heads = []
        for head in range(layer.heads):
            part = slice(head * size, (head + 1) * size)
            scores = query[:, part] @ key[:, part].T / math.sqrt(size)
            heads.append(torch.softmax(scores.masked_fill(~may, -1e9), -1) @ value[:, part])
        each = each + layer.merge(torch.cat(heads, -1))
        each = each + layer.narrow(torch.nn.functional.gelu(layer.widen(layer.norm_inner(each))))
        rows.append(layer.norm_out(each))
    return torch.stack(rows)


def test_a_layer_is_the_plain_one() -> None:
    layer = Layer(16, 4, 32, 0.1).eval()
    x, allowed = torch.randn(5, 7, 16), torch.rand(5, 7, 7) < 0.5
    allowed[0, 3] = False  # a node that reaches nothing attends to all alike
    found = layer(x, allowed_bias(allowed, torch.ones(5, 7, dtype=torch.bool), 4))
    torch.testing.assert_close(found, plain_layer(layer, x, allowed), atol=1e-5, rtol=1e-5)


def test_narrow_softmax_is_softmax_with_its_gradient() -> None:
    scores = torch.randn(3, 2, 5, 14, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(narrow_softmax(scores), scores.softmax(-1))
    assert torch.autograd.gradcheck(lambda x: narrow_softmax(x).square(), (scores[:1, :1].detach().requires_grad_(),))


@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_dropout_drops_its_share_and_keeps_the_mean(rate: float) -> None:
    dropout, x = Dropout(rate), torch.ones(999, 1001, requires_grad=True)
    dropped = dropout(x)
    assert abs(float((dropped == 0).double().mean()) - rate) < 0.003
    assert abs(float(dropped.detach().double().mean()) - 1) < 0.003
    assert len(torch.unique(dropped)) == 2
    dropped.sum().backward()
    torch.testing.assert_close(x.grad, dropped.detach())
    assert dropout.eval()(x) is x
    every_byte = (dropout.train()(torch.ones(8, 100_000)) == 0).double().view(8, -1, 8).mean((0, 1))
    assert (every_byte - rate).abs().max() < 0.01  # also the highest byte of the 64 bits


def test_encodings_see_neither_padding_nor_the_order_of_nodes() -> None:
    network = CateNetwork(7, width=16, heads=4, layers=3, inner=16, cross_layers=1, cross_inner=16).eval()
    symbols = torch.tensor([[2, 4, 5, 6, 3]])
    reach = torch.triu(torch.rand(1, 5, 5) < 0.6) | torch.eye(5, dtype=torch.bool)
    real = torch.ones(1, 5, dtype=torch.bool)
    alone = network.encode(symbols, reach, real)
    padded = torch.nn.functional.pad(reach, (0, 3, 0, 3))
    wide = network.encode(torch.nn.functional.pad(symbols, (0, 3)), padded, torch.nn.functional.pad(real, (0, 3)))
    torch.testing.assert_close(wide[:, :5], alone)
    order = torch.tensor([3, 0, 4, 1, 2])
    turned = network.encode(symbols[:, order], reach[:, order][:, :, order], real)
    torch.testing.assert_close(turned, alone[:, order])


def test_a_pair_is_predicted_from_both_of_its_cells() -> None:
    network = CateNetwork(7, width=16, heads=4, layers=1, inner=16, cross_layers=1, cross_inner=16).eval()
    symbols = torch.tensor([[[2, 4, 3], [2, 5, 3]]])
    reach, real = torch.eye(3, dtype=torch.bool).expand(1, 2, 3, 3), torch.ones(1, 2, 3, dtype=torch.bool)
    asked = torch.zeros(1, 2, 3, dtype=torch.bool)
    asked[0, 0, 1] = True
    one = network(symbols, reach, real, asked)
    symbols[0, 1, 1] = 6
    assert one.shape == (1, 7)
    assert not torch.allclose(one, network(symbols, reach, real, asked))
