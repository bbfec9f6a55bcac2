"""The neural tangent kernel's Gram matrix of a batch: dot products of the gradients of its images.

Gradients are those of the sum of an image's logits by all weights of a network; biases are left out.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from .modules import batch_statistics, normalisations, removing, symmetric

CHUNK = 8  # images, or cotangents, propagated at once


def own_kernel(network: nn.Module, images: Tensor) -> Tensor:
    """Gram matrix (n, n) float64 where every image is normalised by the batch's statistics, held constant.

    The gradient of an image is then its own, and one backward pass tells what reaches every layer from each image;
    with what went in, that makes the layer's gradients of all images. Networks with other layers than convolutions,
    linear ones and batch normalisations, or that use one twice, are differentiated image by image.

    The network is left as it was.
    """
    rows = Rows(network) if _is_plain(network) else None
    if rows is not None:
        rows.read(images)
    if rows is not None and rows.once:
        return rows.kernel
    return gram(_by_image(network, images))


def coupled_kernel(network: nn.Module, images: Tensor) -> Tensor:
    """Gram matrix (n, n) float64 in training mode, where an image's logits depend on the others, too."""
    weights = [value for name, value in network.named_parameters() if name.endswith("weight")]
    with batch_statistics(network):
        logits = network(images)
    n, rows = len(images), []
    for first in range(0, n, CHUNK):
        which = torch.eye(n, device=images.device, dtype=logits.dtype)[first : first + CHUNK]
        cotangents = which[:, :, None].expand(-1, -1, logits.shape[1])
        rows.append(torch.autograd.grad(
            logits, weights, cotangents, is_grads_batched=True, retain_graph=True, allow_unused=True
        ))  # fmt: skip
    return gram(torch.cat(parts) for parts in zip(*rows, strict=True) if parts[0] is not None)


def gram(gradients: Iterable[Tensor]) -> Tensor:
    """Dot products of images' gradients, (n, n) float64, of one tensor (n, ...) per weight; at least one."""
    return torch.stack([_products(each.reshape(len(each), -1)) for each in gradients]).sum(0)


def _products(rows: Tensor) -> Tensor:
    return symmetric(rows.double())


class Rows:
    """Hooks that add up the kernel layer by layer while one backward pass goes by."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.once = True
        """Whether no layer was used twice, whose gradients would have to be added before they are multiplied."""
        self._parts: list[Tensor] = []
        self._seen: set[int] = set()
        self._statistics: dict[int, list[Tensor]] = {}

    @property
    def kernel(self) -> Tensor:
        """The sum over layers, (n, n) float64."""
        return torch.stack(self._parts).sum(0)

    def read(self, images: Tensor) -> None:
        """One pass forward and back."""
        anchor = images.new_zeros((), requires_grad=True)  # what everything depends on, although weights are fixed
        layers = [each for each in self.network.modules() if isinstance(getattr(each, "weight", None), Tensor)]
        with ExitStack() as stack:
            stack.enter_context(batch_statistics(self.network))
            for parameter in (each for each in self.network.parameters() if each.requires_grad):
                stack.callback(parameter.requires_grad_)
                parameter.requires_grad_(False)
            for norm in normalisations(self.network):
                norm.forward = partial(self._hold, norm)  # type: ignore[method-assign]
                stack.callback(delattr, norm, "forward")
            stack.enter_context(removing([each.register_forward_hook(partial(self._watch, anchor)) for each in layers]))
            logits = self.network(images + anchor)
        torch.autograd.grad(logits.sum(), anchor)

    def _hold(self, norm: Any, given: Tensor) -> Tensor:
        found: Tensor
        found, *self._statistics[id(norm)] = _Held.apply(given, norm.weight, norm.bias, norm.eps)  # type: ignore[no-untyped-call]
        return found

    def _watch(self, anchor: Tensor, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        self.once &= id(layer) not in self._seen
        self._seen.add(id(layer))
        reached = output if output.requires_grad else output + anchor
        reached.register_hook(partial(self._add, layer, inputs[0].detach()))
        return reached

    def _add(self, layer: nn.Module, given: Tensor, gradient: Tensor) -> None:
        gradient = gradient.detach()
        if isinstance(layer, nn.Linear):
            part = _products(given) * _products(gradient)
        elif isinstance(layer, nn.Conv2d):
            part = _products(_by_weight(layer, given, gradient).flatten(1))
        else:
            mean, inverse = self._statistics[id(layer)]
            alone, along = _over_positions(gradient), _over_positions(gradient * given)
            part = _products((along - mean * alone) * inverse)
        self._parts.append(part)


def _is_plain(network: nn.Module) -> bool:
    """Whether every parameter belongs to a layer whose gradients `Rows` can tell."""
    for module in network.modules():
        own = dict(module.named_parameters(recurse=False))
        convolution = isinstance(module, nn.Conv2d) and module.padding_mode == "zeros"
        convolution = convolution and not isinstance(module.padding, str)  # type: ignore[union-attr]
        if own and not (convolution or isinstance(module, (nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d))):
            return False
    return True


def _by_weight(layer: nn.Conv2d, given: Tensor, gradient: Tensor) -> Tensor:
    """Gradients of a convolution's weight, one for every image: those of one image with a group for each, (n, ...)."""
    n, shape = len(given), layer.weight.shape
    if shape[2:] == (1, 1) and layer.stride == (1, 1) and layer.padding == (0, 0) and layer.groups == 1:
        rows, others = (each.permute(0, 2, 3, 1).flatten(1, 2) for each in (gradient, given))
        return (rows.transpose(1, 2) @ others)[..., None, None]
    one, other = (each.reshape(1, -1, *each.shape[2:]) for each in (gradient, given))
    weights = layer.weight.new_empty((n * shape[0], *shape[1:]))  # of which only the shape is read
    stride, padding, dilation, groups = layer.stride, layer.padding, layer.dilation, n * layer.groups
    found: Tensor = torch.ops.aten.convolution_backward(
        one, other, weights, None, stride, padding, dilation, False, (0, 0), groups, (False, True, False)
    )[1]
    return found.reshape(n, *shape)


def _over_positions(values: Tensor) -> Tensor:
    """(n, channels, ...) -> (n, channels)."""
    return values.flatten(2).sum(2) if values.dim() > 2 else values


class _Held(torch.autograd.Function):
    """Normalised by the batch's statistics, through which no gradient flows; with mean and one over deviation."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, given: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        output, mean, inverse = torch.native_batch_norm(given, weight, bias, None, None, True, 0.0, eps)
        ctx.scale = (inverse if weight is None else inverse * weight).reshape(-1, *(1,) * (given.dim() - 2))
        ctx.mark_non_differentiable(mean, inverse)
        return output, mean, inverse

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        return gradient * ctx.scale, None, None, None


def _by_image(network: nn.Module, images: Tensor) -> list[Tensor]:
    """The gradients of `own_kernel`, one tensor (n, ...) per weight, of any network."""
    network = copy.deepcopy(network).requires_grad_(False)
    hold_statistics(network, images)
    weights: dict[str, Tensor] = {name: value for name, value in network.named_parameters() if name.endswith("weight")}

    def logits(weights: dict[str, Tensor], image: Tensor) -> Tensor:
        answer: Tensor = functional_call(network, weights, (image[None],))
        return answer.sum()

    return list(vmap(grad(logits), (None, 0), chunk_size=CHUNK)(weights, images).values())


def hold_statistics(network: nn.Module, images: Tensor) -> None:
    """Evaluation mode, in which all normalisations use the statistics of this batch; changes the network."""

    def keep(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        mean, variance = norm.running_mean, norm.running_var
        assert isinstance(mean, Tensor) and isinstance(variance, Tensor)
        others = [dimension for dimension in range(inputs[0].dim()) if dimension != 1]
        mean.copy_(inputs[0].mean(others))
        variance.copy_(inputs[0].var(others, correction=0))

    hooks = [norm.register_forward_pre_hook(keep) for norm in normalisations(network)]
    with removing(hooks), torch.no_grad(), batch_statistics(network):
        network(images)
    network.eval()
