"""What a proxy is: a number that says, without training, how good a network is. Higher is better, for every proxy."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, ParamSpec

import numpy as np
import numpy.typing as npt

from ..bench.errors import BadValue

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .signals import Signals
    from .subject import Asked

Need = Literal["images", "labels", "backward"]
Direction = Literal["higher", "lower"]
Settings = ParamSpec("Settings")


@dataclass(frozen=True, eq=False)
class Batch:
    """One minibatch: ``images`` (n, channels, height, width), normalised float32, and ``labels`` (n,) int64.

    A second one of the same shape is there for proxies that compare two.

    Raises:
        BadValue: other shapes, labels that are no class, pixels that are no numbers, half of a second batch.
    """

    images: Tensor
    labels: Tensor
    classes: int
    second_images: Tensor | None = None
    second_labels: Tensor | None = None

    def __post_init__(self) -> None:
        _check(self.images, self.labels, self.classes)
        if (self.second_images is None) != (self.second_labels is None):
            raise BadValue("the second batch lacks its images or its labels; give second_images= and second_labels=")
        if self.second_images is not None and self.second_labels is not None:
            _check(self.second_images, self.second_labels, self.classes)
            if self.second_images.shape != self.images.shape:
                first, second = tuple(self.images.shape), tuple(self.second_images.shape)
                raise BadValue(f"batches of shapes {first} and {second}; legal: two of the same shape")

    def __len__(self) -> int:
        return len(self.labels)


def _check(images: Tensor, labels: Tensor, classes: int) -> None:
    """BadValue unless images and labels are a batch."""
    shape = tuple(images.shape)
    if len(shape) != 4 or tuple(labels.shape) != shape[:1]:
        legal = "(n, channels, height, width) and (n,)"
        raise BadValue(f"images of shape {shape} with labels of shape {tuple(labels.shape)}; legal: {legal}")
    if labels.is_floating_point() or (len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes):
        raise BadValue(f"labels are not whole numbers from 0 to {classes - 1}, the {classes} classes given")
    if not bool(images.isfinite().all()):
        raise BadValue("images hold NaN or infinite pixels; legal: numbers, such as normalised ones")


@dataclass(frozen=True)
class Proxy:
    """A training-free score of one network, or a column of scores that needs no network.

    Exactly one of ``score`` and ``column`` is given.

    Args:
        name: what it is called in results; settings that differ from the default are part of it.
        cites: paper, equation, and every deviation.
        score: a pure function of the signals of one network.
        reads: names of the `Signals` that ``score`` uses, so that proxies which share them are computed in one pass.
        column: scores of many architectures at once, straight from the space or the table.
        needs: what the signals need: real images, labels, a backward pass.
        direction: whether the published quantity is better higher or lower; a lower one is negated in ``score``.
        per_class: whether isomorphic architectures share their score, so that one per class has to be computed.
    """

    name: str
    cites: str
    score: Callable[[Signals], float] | None = field(default=None, repr=False)
    reads: frozenset[str] = frozenset()
    column: Callable[[Asked, npt.NDArray[np.int64]], npt.NDArray[np.float64]] | None = field(default=None, repr=False)
    needs: frozenset[Need] = frozenset()
    direction: Direction = "higher"
    per_class: bool = True

    def __post_init__(self) -> None:
        if (self.score is None) == (self.column is None):
            raise BadValue(f"proxy {self.name!r}: give either score= or column=")

    def __call__(self, network: nn.Module, batch: Batch, *, seed: int = 0) -> float:
        """The score of one network on one batch; the network is left as it was.

        A proxy that starts from other weights (zen, swap, az_nas, ...) scores a copy with those.

        Raises:
            BadValue: this proxy reads the space or the table, not a network.
        """
        import torch

        from .signals import Signals
        from .subject import Given

        if self.score is None:
            raise BadValue(f"proxy {self.name!r} reads a benchmark's columns, not a network; use nasgauge.score")
        with torch.enable_grad():
            return float(self.score(Signals(Given(network, batch, seed), self.reads)))


def named_by_settings(maker: Callable[Settings, Proxy]) -> Callable[Settings, Proxy]:
    """Let settings that differ from their default be part of a proxy's name: ``zen(repeats=4)`` is "zen:repeats=4".

    A variant is named by its value alone: ``ntk("released")`` is "ntk:released".
    """
    parameters = inspect.signature(maker).parameters

    @functools.wraps(maker)
    def make(*plain: Settings.args, **named: Settings.kwargs) -> Proxy:
        made = maker(*plain, **named)
        given = inspect.signature(maker).bind(*plain, **named).arguments
        changed = {key: value for key, value in given.items() if value != parameters[key].default}
        own = [str(value) if key == "variant" else f"{key}={value}" for key, value in changed.items()]
        return replace(made, name=f"{made.name}:{','.join(own)}") if own else made

    return make
