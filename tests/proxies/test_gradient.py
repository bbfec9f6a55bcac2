"""Scores of the loss's gradient, beside float64 networks differentiated plainly."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from nasgauge.bench.errors import BadValue
from nasgauge.proxies import fisher, grad_norm, grasp, knas, l2_norm, plain, snip, zico
from nasgauge.proxies.proxy import Batch

from .plain_scores import CELLS, batch, candidate, double, layers, loss, loss_gradients, watch, weights

cells = pytest.mark.parametrize("name", CELLS)


def given(name: str, n: int = 8) -> tuple[nn.Module, Batch, list[np.ndarray], list[np.ndarray]]:
    images = batch(n)
    network = candidate(CELLS[name], images).network
    return network, images, weights(network), loss_gradients(network, images.images, images.labels)


def in_double(images: Batch) -> Batch:
    return Batch(images.images.double(), images.labels, images.classes)


@cells
def test_sums_over_layers(name: str) -> None:
    network, images, w, g = given(name)
    expected = {
        grad_norm: sum(np.sqrt((each**2).sum()) for each in g),
        plain: sum((a * b).sum() for a, b in zip(w, g, strict=True)),
        snip: sum(np.abs(a * b).sum() for a, b in zip(w, g, strict=True)),
        l2_norm: sum(np.sqrt((each**2).sum()) for each in w),
        knas: sum((each**2).sum() for each in g),
    }
    for make, value in expected.items():
        assert make()(double(network), in_double(images)) == pytest.approx(value, rel=1e-8)
        assert make()(network, images) == pytest.approx(value, rel=2e-3, abs=2e-4)


@cells
def test_snip_is_the_sensitivity_to_masks(name: str) -> None:
    """Lee et al.: |dL/dc| at masks c = 1 that multiply the weights."""
    network, images, _, _ = given(name)
    twin = double(network)
    masks = [torch.ones_like(layer.weight, requires_grad=True) for layer in layers(twin)]
    for layer, mask in zip(layers(twin), masks, strict=True):
        weight = layer.weight.detach()
        del layer.weight
        layer.weight = weight * mask
    loss(twin, images.images.double(), images.labels).backward()
    expected = sum(float(mask.grad.abs().sum()) for mask in masks if mask.grad is not None)
    assert snip()(double(network), in_double(images)) == pytest.approx(expected, rel=1e-8)


@cells
def test_grasp_is_the_hessian_gradient_product_by_differences(name: str) -> None:
    network, images, w, g = given(name)
    step = 1e-5

    def moved(sign: int) -> list[np.ndarray]:
        twin = double(network)
        with torch.no_grad():
            for layer, gradient in zip(layers(twin), g, strict=True):
                layer.weight += sign * step * torch.from_numpy(gradient)
        return loss_gradients(twin, images.images, images.labels)

    products = [(up - down) / (2 * step) for up, down in zip(moved(1), moved(-1), strict=True)]
    expected = -sum((a * b).sum() for a, b in zip(w, products, strict=True))
    assert grasp()(double(network), in_double(images)) == pytest.approx(expected, rel=1e-5)
    assert grasp()(network, images) == pytest.approx(expected, rel=5e-3)


@cells
def test_fisher_by_loops_over_images_and_channels(name: str) -> None:
    network, images, _, _ = given(name)
    twin = double(network)

    def keep(module: nn.Module, _: torch.Tensor, output: torch.Tensor) -> tuple[nn.Module, torch.Tensor]:
        output.retain_grad()
        return module, output

    outputs: list[tuple[nn.Module, torch.Tensor]] = []
    wrapped = nn.Sequential(twin)

    def run(x: torch.Tensor) -> torch.Tensor:
        outputs.extend(watch(wrapped, (nn.Conv2d, nn.Linear), x, keep))
        return last[0]

    last: list[torch.Tensor] = []
    twin.register_forward_hook(lambda _, __, output: last.append(output))
    logits = run(images.images.double())
    nn.functional.cross_entropy(logits, images.labels).backward()
    expected = 0.0
    for module, output in outputs:
        if output.grad is None:
            continue
        for channel in range(output.shape[1]):
            squares = [
                float((output.detach()[i, channel] * output.grad[i, channel]).sum()) ** 2 for i in range(len(output))
            ]
            expected += module.weight[channel].numel() * abs(0.5 * np.mean(squares))
    assert fisher()(double(network), in_double(images)) == pytest.approx(expected, rel=1e-8)
    assert fisher()(network, images) == pytest.approx(expected, rel=5e-3)


@cells
def test_knas_is_the_mean_of_the_gram_matrix(name: str) -> None:
    """G_ij = g_i . g_j with g_i the gradient of image i's loss, whose normalisation sees the whole batch."""
    network, images, _, _ = given(name, n=6)
    rows = []
    for image in range(6):
        twin = double(network)
        logits = twin(images.images.double())
        (torch.logsumexp(logits[image], 0) - logits[image, images.labels[image]]).backward()
        rows.append(
            [np.zeros(m.weight.shape) if m.weight.grad is None else m.weight.grad.numpy() for m in layers(twin)]
        )

    def mean_of_gram(vectors: list[np.ndarray]) -> float:
        return float(np.mean([[a @ b for b in vectors] for a in vectors]))

    whole = mean_of_gram([np.concatenate([each.ravel() for each in row]) for row in rows])
    assert knas()(double(network), in_double(images)) == pytest.approx(whole, rel=1e-8)
    by_layer = [mean_of_gram([row[place].ravel() for row in rows]) for place in range(len(rows[0]))]
    assert knas("layers")(double(network), in_double(images)) == pytest.approx(np.mean(by_layer), rel=1e-8)


def test_knas_grows_with_the_square_of_the_loss_and_grad_norm_with_it() -> None:
    """Twice the logits' gradient: the loss of temperature 1/2 at logits of 0."""
    images = in_double(batch(8))
    network = double(candidate(CELLS["mixed"], images).network)
    with torch.no_grad():
        network.classifier.weight.zero_()
        network.classifier.bias.zero_()
    scaled = copy.deepcopy(network)
    scaled.classifier.register_forward_hook(lambda _, __, output: 2 * output)
    assert knas()(scaled, images) == pytest.approx(4 * knas()(network, images))
    assert grad_norm()(scaled, images) == pytest.approx(2 * grad_norm()(network, images))


def test_released_knas_is_a_split_half_covariance_by_loops() -> None:
    images = batch(50, side=4)
    network = candidate(CELLS["heavy"], images).network
    rows: list[list[np.ndarray]] = []
    for image in range(50):
        twin = double(network)
        part = slice(image, image + 1)
        loss(twin, images.images[part].double(), images.labels[part]).backward()
        rows.append([p.grad.flatten()[:50].numpy() for p in list(twin.parameters())[:11] if p.numel() >= 50])
    expected = 0.0
    for tensor in range(len(rows[0])):
        for coordinate in range(50):
            a = [rows[image][tensor][coordinate] for image in range(25)]
            b = [rows[image][tensor][coordinate] for image in range(25, 50)]
            expected += sum((x - np.mean(a)) * (y - np.mean(b)) for x, y in zip(a, b, strict=True)) / 2500
    assert len(rows[0]) > 1
    assert knas("released")(double(network), in_double(images)) == pytest.approx(expected, rel=1e-8)
    with pytest.raises(BadValue, match="50 images"):
        knas("released")(network, batch(8))


@cells
def test_zico_is_the_log_of_means_over_deviations(name: str) -> None:
    network, images, _, _ = given(name)
    assert images.second_images is not None and images.second_labels is not None
    pairs = zip(
        loss_gradients(network, images.images, images.labels),
        loss_gradients(network, images.second_images, images.second_labels),
        strict=True,
    )
    expected = 0.0
    for pair in pairs:
        both = np.stack(pair)
        mean, deviation = np.abs(both).mean(0), both.std(0)
        ratio = (mean[deviation > 0] / deviation[deviation > 0]).sum()
        expected += np.log(ratio) if ratio else 0
    exact = Batch(images.images.double(), images.labels, 3, images.second_images.double(), images.second_labels)
    assert zico()(double(network), exact) == pytest.approx(expected, rel=1e-6)
    assert zico()(network, images) == pytest.approx(expected, rel=2e-2)


def test_zico_needs_two_batches() -> None:
    images = batch(8)
    with pytest.raises(BadValue, match="two batches"):
        zico()(candidate(CELLS["mixed"], images).network, Batch(images.images, images.labels, 3))


def test_unknown_variants_are_refused() -> None:
    with pytest.raises(BadValue, match="released"):
        knas("other")  # type: ignore[arg-type]
