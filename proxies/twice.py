"""Differentiating a network's loss twice, at less than half of what automatic differentiation takes for it.

Wanted is the number W . H g, g the gradient and H the Hessian of the loss: how fast g . (gradient) changes where all
weights grow in proportion. With a factor ``a`` on the output of every convolution, that is one derivative by ``a``,
less the squared norm of g: the second pass then needs no gradient of any weight. Convolutions and normalisations are
given second derivatives of their own; automatic ones turn whole images into kernels, and a normalisation into dozens
of steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d

from .modules import normalisations, weighted

KEPT = 4  # rectified images remembered: the nodes of a cell
Shape = tuple[Any, Any, Any, int]  # stride, padding, dilation, groups


class Twice:
    """The passes through one network: forward inside `watching`, then `gradients`, then `curvature`.

    `nn.Conv2d`, `nn.BatchNorm2d`, `nn.AvgPool2d` and `nn.ReLU` take the short way; every other module is
    differentiated as usual.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self._weights = list(weights)
        like = self._weights[0] if self._weights else torch.ones(())
        self._factor = torch.ones_like(like[(0,) * like.dim()], requires_grad=True)
        self._scaled: set[int] = set()
        self._rectified: list[tuple[Tensor, Tensor, tuple[int, int]]] = []
        self.by_factor = False
        """Whether the pass under way asks for the derivative by the factor."""

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """The forward pass that is to be differentiated, normalised by the batch."""
        short: list[tuple[nn.Module, Any]] = [
            *((each, partial(self._convolve, each)) for _, each in weighted(network) if _plain_convolution(each)),
            *((each, partial(_normalise, each)) for each in normalisations(network) if _is_own(each, nn.BatchNorm2d)),
            *((each, partial(_pool, each)) for each in network.modules() if _is_own(each, nn.AvgPool2d)),
            *((each, self._rectify) for each in network.modules() if _is_own(each, nn.ReLU) and not each.inplace),
        ]
        for module, forward in short:
            module.forward = forward
        try:
            yield
        finally:
            self._rectified.clear()
            for module, _ in short:
                del module.forward

    def gradients(self, loss: Tensor) -> list[Tensor]:
        """dL/dW of every weight, zeros where the loss does not depend on it."""
        found = torch.autograd.grad(loss, self._weights, create_graph=True, allow_unused=True)
        return [torch.zeros_like(w) if g is None else g for w, g in zip(self._weights, found, strict=True)]

    def curvature(self, gradients: Sequence[Tensor], retain_graph: bool = False) -> float:
        """W . H g, summed over all weights."""
        inner = torch.stack([(each.detach() * each).sum() for each in gradients]).sum()
        if not inner.requires_grad:
            return 0.0
        others = [weight for weight in self._weights if id(weight) not in self._scaled]
        self.by_factor = True
        try:
            found = torch.autograd.grad(inner, [self._factor, *others], retain_graph=retain_graph, allow_unused=True)
        finally:
            self.by_factor = False
        both = zip(self._weights, gradients, strict=True)
        parts = [-gradient.detach().square().sum() for weight, gradient in both if id(weight) in self._scaled]
        products = zip((self._factor, *others), found, strict=True)
        parts += [(weight.detach() * each).sum() for weight, each in products if each is not None]
        return float(torch.stack(parts).double().sum())

    def _convolve(self, module: nn.Conv2d, images: Tensor) -> Tensor:
        self._scaled.add(id(module.weight))
        shape = (module.stride, module.padding, module.dilation, module.groups)
        found: Tensor = _Convolution.apply(images, module.weight, self._factor, shape, self)  # type: ignore[no-untyped-call]
        return found if module.bias is None else found + module.bias[:, None, None]

    def _rectify(self, images: Tensor) -> Tensor:
        """Images that several edges of a cell read are rectified once."""
        for held, rectified, versions in self._rectified:
            if held is images and versions == (images._version, rectified._version):
                return rectified
        found: Tensor = _Rectifier.apply(images)  # type: ignore[no-untyped-call]
        self._rectified = [*self._rectified[1 - KEPT :], (images, found, (images._version, found._version))]
        return found


def _is_own(module: nn.Module, kind: type[nn.Module]) -> bool:
    """Whether a module computes what PyTorch's class of it does."""
    return isinstance(module, kind) and type(module).forward is kind.forward and "forward" not in vars(module)


def _plain_convolution(module: nn.Module) -> bool:
    return _is_own(module, nn.Conv2d) and module.padding_mode == "zeros" and not isinstance(module.padding, str)


def _normalise(norm: nn.Module, images: Tensor) -> Tensor:
    found: Tensor = _Normalisation.apply(images, norm.weight, norm.bias, norm.eps)  # type: ignore[no-untyped-call]
    return found


def _pool(pool: Any, images: Tensor) -> Tensor:
    settings = (
        pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode, pool.count_include_pad, pool.divisor_override
    )  # fmt: skip
    found: Tensor = _Pool.apply(images, settings)  # type: ignore[no-untyped-call]
    return found


def _to_input(gradient: Tensor, like: Tensor, weight: Tensor, shape: Shape) -> Tensor:
    """What a gradient of a convolution's output is at its input."""
    stride, padding, dilation, groups = shape
    found: Tensor = torch.ops.aten.convolution_backward(
        gradient, like, weight, None, stride, padding, dilation, False, (0, 0), groups, (True, False, False)
    )[0]
    return found


class _Convolution(torch.autograd.Function):
    """y = a (W * x), at a = 1."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, images: Tensor, weight: Tensor, factor: Tensor, shape: Shape, twice: Twice
    ) -> Tensor:
        output = conv2d(images, weight, None, *shape)
        ctx.save_for_backward(images, weight, factor, output)
        ctx.shape, ctx.twice = shape, twice
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        images, weight, factor, output = ctx.saved_tensors
        into = by_weight = by_factor = None
        if torch.is_grad_enabled():
            into, by_weight = _ConvolutionBackward.apply(  # type: ignore[no-untyped-call]
                gradient, images, weight, factor, ctx.shape, ctx.needs_input_grad[0]
            )
        else:
            if ctx.needs_input_grad[0]:
                into = _to_input(gradient, images, weight, ctx.shape)
            if ctx.twice.by_factor:
                by_factor = _dot(output, gradient)
        return into, by_weight, by_factor, None, None


class _ConvolutionBackward(torch.autograd.Function):
    """dL/dx = a (W^T * gradient) and dL/dW = a (gradient * x), at a = 1."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, gradient: Tensor, images: Tensor, weight: Tensor, factor: Tensor, shape: Shape, wanted: bool
    ) -> tuple[Tensor | None, Tensor]:
        ctx.save_for_backward(gradient, images, weight)
        ctx.shape = shape
        ctx.set_materialize_grads(False)
        stride, padding, dilation, groups = shape
        into, by_weight, _ = torch.ops.aten.convolution_backward(
            gradient, images, weight, None, stride, padding, dilation, False, (0, 0), groups, (wanted, True, False)
        )
        return into, by_weight

    @staticmethod
    def backward(ctx: Any, for_input: Tensor | None, for_weight: Tensor | None) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        gradient, images, weight = ctx.saved_tensors
        moved = into = None
        if for_input is not None:
            moved = conv2d(for_input, weight, None, *ctx.shape)
        if for_weight is not None:
            by_images = conv2d(images, for_weight, None, *ctx.shape)
            moved = by_images if moved is None else moved.add_(by_images)
            if ctx.needs_input_grad[1]:
                into = _to_input(gradient, images, for_weight, ctx.shape)
        by_factor = None if moved is None else _dot(gradient, moved)
        return moved, into, None, by_factor, None, None


class _Normalisation(torch.autograd.Function):
    """Batch normalisation by the batch's own statistics; no derivative by its weight and bias."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:  # type: ignore[override]
        output, mean, inverse = torch.native_batch_norm(images, weight, bias, None, None, True, 0.0, eps)
        ctx.save_for_backward(images, weight, mean, inverse)
        ctx.eps = eps
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        into: Tensor = _NormalisationBackward.apply(gradient, *ctx.saved_tensors, ctx.eps)  # type: ignore[no-untyped-call]
        return into, None, None, None


class _NormalisationBackward(torch.autograd.Function):
    """w r (d - mean d - z mean(z d)): d the gradient, w the weight, r one over the deviation, z = (x - mean x) r."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, gradient: Tensor, images: Tensor, weight: Tensor | None, mean: Tensor, inverse: Tensor, eps: float
    ) -> Tensor:
        into, along, alone = _projected(gradient, images, weight, mean, inverse, eps)
        ctx.save_for_backward(gradient, images, weight, mean, inverse, along, alone)
        ctx.eps = eps
        return into

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        d, x, weight, mean, inverse, dz, mean_d = ctx.saved_tensors
        moved, vz, mean_v = _projected(given, x, weight, mean, inverse, ctx.eps)
        # The derivative of sum(v * projected(d)) by x, in which z and r change too; v is what was given.
        outer = -inverse.square() * (1 if weight is None else weight)
        at_x = outer * inverse * ((given * d).mean((0, 2, 3)) - mean_v * mean_d - 3 * vz * dz)
        constant = -outer * (dz * mean_v + vz * mean_d) - at_x * mean
        into = torch.addcmul(_channel(constant), x, _channel(at_x))
        into.addcmul_(given, _channel(outer * dz)).addcmul_(d, _channel(outer * vz))
        return moved, into, None, None, None, None


def _projected(
    gradient: Tensor, images: Tensor, weight: Tensor | None, mean: Tensor, inverse: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """What a normalisation passes on of a gradient d; mean(z d) and mean d over images and positions, (channels,)."""
    scale = torch.ones_like(mean) if weight is None else weight  # sums are only told where there is a weight
    into, along, alone = torch.ops.aten.native_batch_norm_backward(
        gradient, images, scale, None, None, mean, inverse, True, eps, (True, True, True)
    )
    count = images.numel() // images.shape[1]
    return into, along / count, alone / count


class _Pool(torch.autograd.Function):
    """Average pooling. The usual second derivative adds an image of zeros, in another order in memory."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, settings: tuple[Any, ...]) -> Tensor:  # type: ignore[override]
        ctx.shape, ctx.settings = images.shape, settings
        return avg_pool2d(images, *settings)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        return _PoolBackward.apply(gradient, ctx.shape, ctx.settings), None  # type: ignore[no-untyped-call]


class _PoolBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, shape: torch.Size, settings: tuple[Any, ...]) -> Tensor:  # type: ignore[override]
        ctx.settings = settings
        images = _blank(shape, gradient)
        found: Tensor = torch.ops.aten.avg_pool2d_backward(gradient, images, *(_pairs(each) for each in settings))
        return found

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        return avg_pool2d(given, *ctx.settings), None, None


class _Rectifier(torch.autograd.Function):
    """max(x, 0). The usual second derivative adds an image of zeros."""

    @staticmethod
    def forward(ctx: Any, images: Tensor) -> Tensor:  # type: ignore[override]
        output = images.relu()
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        found: Tensor = _RectifierBackward.apply(gradient, ctx.saved_tensors[0].detach())  # type: ignore[no-untyped-call]
        return found


class _RectifierBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, output: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(output)
        return torch.ops.aten.threshold_backward(gradient, output, 0)  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        return torch.ops.aten.threshold_backward(given, ctx.saved_tensors[0], 0), None


def _pairs(setting: Any) -> Any:
    """Numbers as the compiled operators take them."""
    return (setting, setting) if type(setting) is int else setting


def _blank(shape: torch.Size, like: Tensor) -> Tensor:
    """A tensor that lies in memory as another one, whose numbers nobody reads."""
    last = like.is_contiguous(memory_format=torch.channels_last)
    return torch.empty(
        shape, dtype=like.dtype, device=like.device,
        memory_format=torch.channels_last if last else torch.contiguous_format,
    )  # fmt: skip


def _channel(values: Tensor) -> Tensor:
    return values[:, None, None]


def _dot(one: Tensor, other: Tensor) -> Tensor:
    """Sum of the products, read in the order in which the images lie in memory."""
    if one.stride() == other.stride() and one.is_contiguous(memory_format=torch.channels_last):
        one, other = one.permute(0, 2, 3, 1), other.permute(0, 2, 3, 1)
    return torch.dot(one.reshape(-1), other.reshape(-1))
