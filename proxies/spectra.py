"""Scores from eigenvalues: the NTK's condition number and MeCo."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..bench.errors import BadValue
from .image_kernel import coupled_kernel, own_kernel
from .initial import generator
from .modules import batch_statistics, laid_out, removing, symmetric
from .proxy import Proxy, named_by_settings
from .signals import Signals


@named_by_settings
def ntk(variant: Literal["paper", "released"] = "paper", batch: int = 32, repeats: int = 1) -> Proxy:
    """-kappa, kappa = largest / smallest eigenvalue of the neural tangent kernel's Gram matrix (lower is better).

    Chen et al., TE-NAS, ICLR 2021, equation 3: gradients of the sum of each image's logits with respect to all
    weights (biases left out); Kaiming-normal weights; 32 images, of which the mean of ``repeats`` initialisations
    counts (published: 3; a run repeats seeds). The released code writes 1e5 for a singular kernel; here it is -inf.

    The paper's kernel J(x) J(x')^T takes the Jacobian J at one image, and says nothing of batch normalisation, with
    which no image has logits of its own. Our reading, a deviation from the authors' code: each image is normalised
    with the statistics of the batch, held constant, so that J(x) belongs to x.

    ``variant="released"`` is what the code computes, and what published correlations were made with: training mode,
    where the gradient of one image's logits also flows through the statistics into all other images. It needs a
    backward pass of the whole batch for every image (the code's launch file: 72 images).
    """
    if variant not in ("paper", "released"):
        raise BadValue(f"variant={variant!r}; legal: 'paper', 'released'")
    if batch < 2 or repeats < 1:
        raise BadValue(f"batch={batch}, repeats={repeats}; legal: at least 2 images and 1 repeat")
    kernel = own_kernel if variant == "paper" else coupled_kernel

    def score(signals: Signals) -> float:
        images = laid_out(signals.subject.batch.images[:batch])
        found = []
        for repeat in range(repeats):
            network = signals.subject.redrawn("kaiming", repeat) if repeat else signals.kaiming
            found.append(condition(kernel(network, images), float(torch.finfo(images.dtype).eps)))
        return -sum(found) / repeats

    return Proxy("ntk", "Chen et al., TE-NAS, ICLR 2021, eq. 3", score, frozenset({"kaiming"}),
                 needs=frozenset({"images", "backward"}), direction="lower")  # fmt: skip


def condition(kernel: Tensor, precision: float) -> float:
    """Condition number of the Gram matrix of n vectors; inf where they depend on each other.

    The Gram matrix squares the vectors' condition, which their rounding (``precision``) limits to 1 / (n precision).
    """
    values = torch.linalg.eigvalsh(kernel.cpu())
    smallest, largest = float(values[0]), float(values[-1])
    return largest / smallest if smallest > largest * (len(kernel) * precision) ** 2 else float("inf")


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
        # A container answers what its last part answers, and a skip what it was given: worked out once.
        known: dict[tuple[int, int], tuple[Tensor, float]] = {}

        def watch(_: nn.Module, __: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                key = id(output), output._version
                if key not in known:
                    known[key] = output, _smallest(output[0])
                found.append(known[key][1])

        hooks = [module.register_forward_hook(watch) for module in network.modules()]
        with removing(hooks), torch.no_grad(), batch_statistics(network):
            network(image)
        return sum(value for value in found if value == value)

    return Proxy("meco", "Jiang et al., MeCo, NeurIPS 2023, eq. 5", score, frozenset({"network"}))


def _smallest(output: Tensor) -> float:
    """Smallest eigenvalue of the correlation matrix of one image's channels, (channels, ...)."""
    rows = output.flatten(1) if output.dim() > 1 else output[:, None]
    centred = (rows - rows.mean(1, keepdim=True)).double()
    products = symmetric(centred)
    norms = products.diagonal().sqrt()
    scale = torch.where(norms > 0, 1 / norms, 0.0)
    return float(torch.linalg.eigvalsh((products * scale * scale[:, None]).cpu())[0])
