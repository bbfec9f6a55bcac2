"""Scores from which rectifiers an untrained network switches on: NASWOT, SWAP, linear regions."""

from __future__ import annotations

import math
from itertools import chain
from typing import Literal

import torch
from torch import Tensor, nn

from ..bench.errors import BadValue
from ..bench.live.cell import ConvEdge
from ..bench.live.macro import Macro
from .agreement import Agreement, units
from .initial import generator
from .modules import batch_statistics, laid_out, removing
from .proxy import Proxy, named_by_settings
from .signals import Signals

LISTED = 16  # images whose patterns are ticked off in a list of all 2^16; with more, they are sorted
NASWOT = "Mellor et al., Neural Architecture Search without Training, ICML 2021"


def naswot(variant: Literal["paper", "released"] = "paper") -> Proxy:
    """log |det K|, where K_ij counts the rectifiers on which images i and j agree (NASWOT, equation 2).

    All live rectifiers count once; dead branches are left out by the graph, without the backward pass of the released
    code. -inf where two images switch on exactly the same units. The batch is the run's (published: 128 images of
    CIFAR-10, no augmentation).

    ``variant="released"``: as the authors' code on NAS-Bench-201, where the rectifier of every convolution (also of
    dead ones) counts twice, because its wrapper's name matches too. Isomorphic cells differ in what is dead.
    """
    if variant == "released":
        cites = f"{NASWOT}; as the released code counts"
        return Proxy("naswot:released", cites, _released, needs=frozenset({"images"}), per_class=False)
    _known(variant)
    return Proxy("naswot", f"{NASWOT}, eq. 2", lambda signals: log_determinant(signals.agreement.kernel),
                 frozenset({"agreement"}), needs=frozenset({"images"}))  # fmt: skip


def _known(variant: str) -> None:
    if variant != "paper":
        raise BadValue(f"variant={variant!r}; legal: 'paper', 'released'")


def _released(signals: Signals) -> float:
    network = signals.subject.unpruned()
    wrapped = {f"{name}.op.0" for name, module in network.named_modules() if isinstance(module, ConvEdge)}
    agreement = Agreement(lambda name, _: 2 if name in wrapped else 1)
    _observe(network, signals.subject.batch.images, agreement.hooks(network))
    return log_determinant(agreement.kernel)


def log_determinant(kernel: Tensor) -> float:
    """log |det K| of a kernel of agreement (n, n); -inf where it is singular.

    Two images with one code have equal rows, which rounding in the factorisation might keep apart: looked for first.
    """
    alike = kernel == kernel.diagonal()
    if int(alike.sum()) > len(kernel):
        return -math.inf
    return float(torch.linalg.slogdet(kernel.cpu()).logabsdet)


@named_by_settings
def swap(repeats: int = 1, batch: int = 16) -> Proxy:
    """Sample-wise activation patterns (Peng et al., SWAP-NAS, ICLR 2024, definition 3): distinct rows of signs.

    Every rectifier's unit is a row of ``batch`` bits, whether it is on for each image; the score is how many
    different rows there are. Weights are drawn N(0, 1) anew for each of ``repeats``, of which the mean counts
    (published: 32; here 1, since a run repeats seeds).
    """
    if not 1 <= batch <= 62 or repeats < 1:
        raise BadValue(f"batch={batch}, repeats={repeats}; legal: a batch of 1 to 62 images, at least 1 repeat")

    def score(signals: Signals) -> float:
        images = signals.subject.batch.images[:batch]
        others = (signals.subject.redrawn("normal", repeat) for repeat in range(1, repeats))
        return sum(_patterns(network, images) for network in chain([signals.normal], others)) / repeats

    return Proxy("swap", "Peng et al., SWAP-NAS, ICLR 2024", score, frozenset({"normal"}), needs=frozenset({"images"}))


@named_by_settings
def swap_regularised(mean: float, width: float, repeats: int = 1, batch: int = 16) -> Proxy:
    """SWAP times exp(-(params - mean)^2 / width), ``params`` in millions of the network (SWAP-NAS, equation 6)."""
    if not width > 0:
        raise BadValue(f"width={width}; legal: a positive number, in (millions of parameters) squared")
    plain = swap(repeats, batch)

    def score(signals: Signals) -> float:
        assert plain.score is not None
        millions = sum(parameter.numel() for parameter in signals.network.parameters()) / 1e6
        return plain.score(signals) * math.exp(-((millions - mean) ** 2) / width)

    return Proxy(
        "swap_regularised", "Peng et al., SWAP-NAS, ICLR 2024, regularised", score, plain.reads, needs=plain.needs
    )


@named_by_settings
def linear_regions(samples: int = 3000, batch: int = 1000) -> Proxy:
    """Distinct activation patterns of ``samples`` random images (Chen et al., TE-NAS, ICLR 2021, section 3.2).

    Images are N(0, 1) of one channel and 3 x 3 pixels, the network is one cell on one channel (five on
    NAS-Bench-101) with Kaiming-normal weights; a pattern is the signs of all rectifiers. TE-NAS does not say how thin
    its thin network is in the paper; this is the thinnest. Where widths are what is searched (sizes of NATS-Bench),
    they are kept, and images have the next side that its reductions divide.
    """
    if samples < 1 or batch < 2:
        raise BadValue(f"samples={samples}, batch={batch}; legal: at least 1 sample, in batches of at least 2")

    def score(signals: Signals) -> float:
        network = signals.subject.thin()
        stream = generator(signals.subject.seed, "linear regions")
        side = _smallest_side(network)
        found = []
        for first in range(0, samples, batch):
            images = torch.randn(min(batch, samples - first), 1, side, side, generator=stream)
            found.append(_codes(network, images.to(signals.subject.batch.images.device)))
        return float(len(torch.unique(torch.cat(found), dim=0)))

    return Proxy("linear_regions", "Chen et al., TE-NAS, ICLR 2021, section 3.2", score)


def _smallest_side(network: nn.Module) -> int:
    """3, or the next number that the network's reductions divide."""
    macro = getattr(network, "macro", None)
    factor = 2 ** (macro.stages - 1) if isinstance(macro, Macro) else 1
    return -(-3 // factor) * factor


def _patterns(network: nn.Module, images: Tensor) -> int:
    """How many different rows of on/off bits all units have over the images, each row packed into one integer."""
    weights = 2 ** torch.arange(len(images), dtype=torch.int64, device=images.device)
    few = len(images) <= LISTED
    seen = torch.zeros(2 ** len(images) if few else 0, dtype=torch.bool, device=images.device)
    rows: list[Tensor] = []

    def pack(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        codes = units(inputs[0].detach()) > 0
        packed = (codes * weights[:, None]).sum(0)
        if few:
            seen[packed] = True
        else:
            rows.append(torch.unique(packed))

    _observe(network, images, [m.register_forward_pre_hook(pack) for m in network.modules() if isinstance(m, nn.ReLU)])
    return int(seen.sum()) if few else len(torch.unique(torch.cat(rows))) if rows else 0


def _codes(network: nn.Module, images: Tensor) -> Tensor:
    """The on/off bits of all units, (n, units) packed as bytes."""
    found: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        found.append((inputs[0].detach() > 0).flatten(1))

    _observe(network, images, [m.register_forward_pre_hook(keep) for m in network.modules() if isinstance(m, nn.ReLU)])
    return torch.cat(found, dim=1).to(torch.uint8)


def _observe(network: nn.Module, images: Tensor, hooks: list[torch.utils.hooks.RemovableHandle]) -> None:
    """One forward pass with hooks, which are removed afterwards."""
    with removing(hooks), torch.no_grad(), batch_statistics(network):
        network(laid_out(images))
