"""Scores from eigenvalues: the NTK's condition number and MeCo."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..bench.errors import BadValue
from .initial import generator
from .modules import batch_statistics
from .proxy import Proxy, named_by_settings
from .signals import Signals

CHUNK = 8  # cotangents propagated at once


@named_by_settings
def ntk(batch: int = 32, repeats: int = 1) -> Proxy:
    """-kappa, kappa = largest / smallest eigenvalue of the neural tangent kernel's Gram matrix (lower is better).

    Chen et al., TE-NAS, ICLR 2021, equation 3: gradients of the sum of each image's logits with respect to all
    weights (biases left out), in training mode, so that images are coupled by normalisation; Kaiming-normal weights;
    batch of 32, of which the mean of ``repeats`` initialisations counts (published: 3; a run repeats seeds). The
    published code writes 1e5 for a singular kernel; here it is -inf.
    """
    if batch < 2 or repeats < 1:
        raise BadValue(f"batch={batch}, repeats={repeats}; legal: at least 2 images and 1 repeat")

    def score(signals: Signals) -> float:
        images = signals.subject.batch.images[:batch]
        return -sum(_condition(signals.subject.redrawn("kaiming", each), images) for each in range(repeats)) / repeats

    return Proxy("ntk", "Chen et al., TE-NAS, ICLR 2021, eq. 3", score, needs=frozenset({"images", "backward"}),
                 direction="lower")  # fmt: skip


def _condition(network: nn.Module, images: Tensor) -> float:
    """Condition number of the Gram matrix of per-image gradients; inf where it is singular."""
    values = torch.linalg.eigvalsh(gram(network, images).double().cpu())
    return float(values[-1] / values[0]) if values[0] > 0 else float("inf")


def gram(network: nn.Module, images: Tensor) -> Tensor:
    """G_ij = dot product of the gradients of images i and j, (n, n); all weights but biases."""
    weights = [value for name, value in network.named_parameters() if name.endswith("weight")]
    with batch_statistics(network):
        logits = network(images)
    n = len(images)
    rows = []
    for first in range(0, n, CHUNK):
        which = torch.eye(n, device=images.device)[first : first + CHUNK]
        cotangents = which[:, :, None].expand(-1, -1, logits.shape[1])
        found = torch.autograd.grad(
            logits, weights, cotangents, is_grads_batched=True, retain_graph=True, allow_unused=True
        )
        rows.append(torch.cat([each.flatten(1) for each in found if each is not None], dim=1))
    gradients = torch.cat(rows)
    return gradients @ gradients.T


@named_by_settings
def meco(side: int = 64) -> Proxy:
    """Sum over modules of the smallest eigenvalue of the correlation of their channels, on one random image.

    Jiang et al., MeCo, NeurIPS 2023, equation 5: one image N(0, 1) of ``side`` x ``side`` pixels, no label, no
    backward pass; every module's output counts, also that of containers, as in the released code, whose pooling and
    zero edges are wrapped once more than ours. Correlations that are not defined count as 0.
    """

    def score(signals: Signals) -> float:
        network, batch = signals.network, signals.subject.batch
        stream = generator(signals.subject.seed, "meco")
        image = torch.randn(1, batch.images.shape[1], side, side, generator=stream).to(batch.images.device)
        found: list[float] = []

        def watch(_: nn.Module, __: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                found.append(_smallest(output[0]))

        hooks = [module.register_forward_hook(watch) for module in network.modules()]
        try:
            with torch.no_grad(), batch_statistics(network):
                network(image)
        finally:
            for hook in hooks:
                hook.remove()
        return sum(value for value in found if value == value)

    return Proxy("meco", "Jiang et al., MeCo, NeurIPS 2023, eq. 5", score, frozenset({"network"}))


def _smallest(output: Tensor) -> float:
    """Smallest eigenvalue of the correlation matrix of one image's channels, (channels, ...)."""
    rows = output.flatten(1) if output.dim() > 1 else output[:, None]
    centred = (rows - rows.mean(1, keepdim=True)).double()
    norms = centred.norm(dim=1, keepdim=True)
    unit = torch.where(norms > 0, centred / norms, 0.0)
    return float(torch.linalg.eigvalsh((unit @ unit.T).cpu())[0])
