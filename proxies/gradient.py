"""Scores from the gradient of the loss: grad_norm, plain, snip, grasp, fisher, l2_norm, knas, zico.

Notation: W_l and g_l = dL/dW_l are weight and gradient of layer l (convolutions and linear layers, biases left out),
L the mean cross-entropy of the batch. Batch, initialisation and sums over layers follow zero-cost-nas (Abdelfattah et
al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021) unless said otherwise.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch.nn.functional import cross_entropy

from ..bench.errors import BadValue
from .modules import batch_statistics, weighted
from .proxy import Need, Proxy
from .signals import Signals

LABELLED: frozenset[Need] = frozenset({"images", "labels", "backward"})
ZERO_COST = "Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021"


def grad_norm() -> Proxy:
    """Sum over layers of the Euclidean norm of g."""
    return _of_layers("grad_norm", ZERO_COST, lambda weight, gradient: gradient.norm())


def plain() -> Proxy:
    """Sum of W * g, signed. Close to 0 where a normalisation follows, which makes the loss blind to W's scale."""
    return _of_layers("plain", ZERO_COST, lambda weight, gradient: (weight * gradient).sum())


def snip() -> Proxy:
    """Sum of |W * g| (Lee et al., SNIP, ICLR 2019, equation 6, not normalised)."""
    return _of_layers("snip", "Lee et al., SNIP, ICLR 2019", lambda weight, gradient: (weight * gradient).abs().sum())


def l2_norm() -> Proxy:
    """Sum over layers of the Euclidean norm of W; needs no data. zero-cost-nas counts dead branches too."""

    def score(signals: Signals) -> float:
        return _total([module.weight.detach().norm() for _, module in weighted(signals.network)])

    return Proxy("l2_norm", ZERO_COST, score, frozenset({"network"}))


def grasp() -> Proxy:
    """-sum of W * (H g), H the Hessian of the loss (Wang et al., GraSP, ICLR 2020, equation 8), temperature 1.

    Higher is better, as zero-cost-nas reports it. With normalisations H W = -g on every scale-invariant layer, so
    that the score is close to the squared norm of the gradient there.
    """

    cites = "Wang et al., GraSP, ICLR 2020, eq. 8"
    return Proxy("grasp", cites, lambda signals: -signals.curvature, frozenset({"curvature"}), needs=LABELLED)


def fisher() -> Proxy:
    """Sum over channels of weights x 1/2 mean over images of (sum over positions of a * dL/da)^2, a a layer's output.

    Turner et al., BlockSwap, ICLR 2020, equation 3; zero-cost-nas spreads a channel's value over all its weights.
    """

    def score(signals: Signals) -> float:
        return _total([count * product.square().mean(0).mul(0.5).abs().sum() for product, count in signals.saliency])

    return Proxy("fisher", "Turner et al., BlockSwap, ICLR 2020, eq. 3", score, frozenset({"saliency"}), needs=LABELLED)


def knas(variant: Literal["paper", "layers", "released"] = "paper") -> Proxy:
    """Mean of the Gram matrix of per-image gradients (Xu et al., KNAS, ICML 2021, section 3).

    With G_ij = g_i . g_j, the mean over all i and j is the squared norm of the mean gradient, which one backward pass
    gives. ``layers``: the mean over layers of each layer's own. ``released``: what the authors' code computes, a
    split-half covariance of gradient coordinates: for 50 single images, for the first 50 coordinates of every tensor
    of at least 50 in the first ten parameters, (a - mean a) . (b - mean b) / 2500 with a on images 0-24 and b on
    images 25-49 (one image each, so that normalisation sees one image; the code's augmentation is left out).
    """
    if variant == "released":
        return Proxy("knas:released", "Xu et al., KNAS, ICML 2021, released code", _split_half, needs=LABELLED)
    if variant not in ("paper", "layers"):
        raise BadValue(f"variant={variant!r}; legal: 'paper', 'layers', 'released'")

    def score(signals: Signals) -> float:
        squares = [layer.gradient.square().sum() for layer in signals.layers]
        return _total(squares) / (len(squares) if variant == "layers" else 1)

    name = "knas" if variant == "paper" else f"knas:{variant}"
    return Proxy(name, "Xu et al., KNAS, ICML 2021, section 3", score, frozenset({"layers"}), needs=LABELLED)


IMAGES, COORDINATES, TENSORS = 50, 50, 11


def _split_half(signals: Signals) -> float:
    batch, network = signals.subject.batch, signals.network
    if len(batch) < IMAGES:
        raise BadValue(f"knas:released reads {IMAGES} images; the batch has {len(batch)}")
    parameters = [p for p in list(network.parameters())[:TENSORS] if p.numel() >= COORDINATES]
    rows = []
    with batch_statistics(network):
        for image in range(IMAGES):
            part = slice(image, image + 1)
            loss = cross_entropy(network(batch.images[part]), batch.labels[part])
            found = torch.autograd.grad(loss, parameters, allow_unused=True)
            rows.append(torch.stack([
                torch.zeros(COORDINATES, device=loss.device) if each is None else each.flatten()[:COORDINATES]
                for each in found
            ]))  # fmt: skip
    values = torch.stack(rows).double()  # (image, tensor, coordinate)
    first, second = values[: IMAGES // 2], values[IMAGES // 2 :]
    products = (first - first.mean(0)) * (second - second.mean(0))
    return float(products.sum()) / 2500


def zico() -> Proxy:
    """Sum over layers of log(sum over weights of mean |g| / std g), over two batches.

    Li et al., ZiCo, ICLR 2023, equation 15. Weights whose gradient is the same in both batches, and layers that are
    left with nothing, are skipped.
    """

    def score(signals: Signals) -> float:
        total = 0.0
        for layer, other in zip(signals.layers, signals.second_gradients, strict=True):
            first, second = layer.gradient.double(), other.double()
            spread = (first - second).abs() / 2  # population standard deviation of two numbers
            moving = spread > 0
            ratio = float(((first.abs() + second.abs())[moving] / 2 / spread[moving]).sum())
            if ratio > 0:
                total += float(torch.log(torch.tensor(ratio, dtype=torch.float64)))
        return total

    return Proxy("zico", "Li et al., ZiCo, ICLR 2023, eq. 15", score, frozenset({"layers", "second_gradients"}),
                 needs=LABELLED)  # fmt: skip


def _of_layers(name: str, cites: str, of: object) -> Proxy:
    def score(signals: Signals) -> float:
        return _total([of(layer.weight, layer.gradient) for layer in signals.layers])  # type: ignore[operator]

    return Proxy(name, cites, score, frozenset({"layers"}), needs=LABELLED)


def _total(parts: list[torch.Tensor]) -> float:
    """The sum of scalars, read from the device at once."""
    return float(torch.stack(parts).double().sum()) if parts else 0.0
