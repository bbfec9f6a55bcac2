"""What proxies read off a network: computed when first asked for, shared by all proxies, and timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..bench.errors import BadValue
from ..bench.live.device import now
from .agreement import Agreement
from .cell_outputs import cell_outputs, entropy
from .modules import batch_statistics, laid_out, weighted
from .subject import Subject
from .twice import Twice

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Layer:
    """One convolution or linear layer: its weight, and dL/dW of the mean cross-entropy of the batch (detached)."""

    name: str
    weight: Tensor
    gradient: Tensor


def signal(compute: Callable[[Signals], Value]) -> Any:
    """A value that is computed once, with the seconds that it took."""
    name = compute.__name__

    def read(self: Signals) -> Value:
        self._users[-1].add(name)
        if name not in self._values:
            with self._measured(name):
                self._values[name] = compute(self)
        value: Value = self._values[name]
        return value

    read.__doc__ = compute.__doc__
    return property(read)


class Signals:
    """The signals of one network on one batch.

    ``reads`` are the names that will be asked for: the labelled forward pass is made once and collects what they
    need on its way. Asking for another one works, and may cost a further pass.

    All passes normalise by the batch (training mode) and leave weights and running statistics as they were.
    """

    def __init__(self, subject: Subject, reads: frozenset[str] = frozenset()) -> None:
        unknown = reads - set(names())
        if unknown:
            raise BadValue(f"unknown signal {sorted(unknown)[0]!r}; legal: {', '.join(names())}")
        self.subject = subject
        self.reads = reads
        self.seconds: dict[str, float] = {}
        self._values: dict[str, Any] = {}
        self._parts: dict[str, set[str]] = {}
        self._users: list[set[str]] = [set()]
        self._inner = 0.0

    @contextmanager
    def reading(self) -> Iterator[set[str]]:
        """Collect the names of all signals that are read inside, those that they are made of included."""
        used: set[str] = set()
        self._users.append(used)
        try:
            yield used
        finally:
            self._users.pop()
            open_ends = list(used)
            while open_ends:
                more = self._parts.get(open_ends.pop(), set()) - used
                used |= more
                open_ends += more

    @contextmanager
    def _measured(self, name: str) -> Iterator[None]:
        """Seconds of computing one signal, without those of the signals that it asks for."""
        self._parts[name] = parts = set[str]()
        self._users.append(parts)
        outer, self._inner = self._inner, 0.0
        start = self._now()
        try:
            yield
        finally:
            whole = self._now() - start
            self._users.pop()
            self.seconds[name] = self.seconds.get(name, 0.0) + whole - self._inner
            self._inner = outer + whole

    def _now(self) -> float:
        return now(self.subject.batch.images.device)

    @signal
    def network(self) -> nn.Module:
        """The network with its initial weights, in training mode, batch statistics not remembered."""
        return self.subject.network

    @signal
    def forward(self) -> Forward:
        """The forward pass over the batch that everything labelled starts from."""
        reads = self.reads
        graph = bool(reads & {"layers", "saliency", "jacobian", "curvature"})
        images = laid_out(self.subject.batch.images)
        if "jacobian" in reads:
            images = images.detach().requires_grad_()
        twice = Twice([module.weight for _, module in weighted(self.network)]) if "curvature" in reads else None
        agreement = Agreement() if "agreement" in reads else None
        saliency = Saliency() if "saliency" in reads else None
        with ExitStack() as stack:
            stack.enter_context(batch_statistics(self.network))
            stack.enter_context(torch.set_grad_enabled(graph))
            for observer in (agreement, saliency):
                for hook in observer.hooks(self.network) if observer else ():
                    stack.callback(hook.remove)
            if twice:
                stack.enter_context(twice.watching(self.network))
            logits = self.network(images)
        return Forward(images, logits, agreement, saliency, twice)

    @signal
    def agreement(self) -> Agreement:
        """On how many rectifiers two images agree; see `Agreement`."""
        self._also("agreement")
        found: Agreement = self.forward.agreement
        return found

    @signal
    def jacobian(self) -> Tensor:
        """d(sum of an image's logits)/d(image), (n, inputs)."""
        self._also("jacobian")
        forward = self.forward
        with self._passing("jacobian") as keep:
            found = torch.autograd.grad(forward.logits.sum(), forward.images, retain_graph=keep, allow_unused=True)
        return (torch.zeros_like(forward.images) if found[0] is None else found[0]).flatten(1)

    @signal
    def _graph(self) -> tuple[list[tuple[str, Tensor]], list[Tensor]]:
        """Weights and their gradients, differentiable once more if `curvature` was announced."""
        self._also("layers")
        forward = self.forward
        weights = [(name, module.weight) for name, module in weighted(self.network)]
        loss = cross_entropy(forward.logits, self.subject.batch.labels)
        with self._passing("_graph") as keep, forward.saliency.heard() if forward.saliency else nullcontext():
            if forward.twice:
                return weights, forward.twice.gradients(loss)
            wanted = [weight for _, weight in weights]
            found = torch.autograd.grad(loss, wanted, retain_graph=keep, allow_unused=True)
        return weights, [torch.zeros_like(w) if g is None else g for w, g in zip(wanted, found, strict=True)]

    @signal
    def layers(self) -> tuple[Layer, ...]:
        """Every convolution and linear layer with its weight and gradient, in definition order."""
        weights, gradients = self._graph
        return tuple(
            Layer(name, weight.detach(), gradient.detach())
            for (name, weight), gradient in zip(weights, gradients, strict=True)
        )

    @signal
    def curvature(self) -> float:
        """W . H g summed over the weights of `layers`, H the loss's Hessian and g its gradient; see `Twice`."""
        self._also("curvature")
        weights, gradients = self._graph
        self._values["_graph"] = weights, [gradient.detach() for gradient in gradients]
        if "jacobian" in self.reads:
            self._ahead("jacobian")  # else this pass, the longest, would have to keep what it has read
        forward = self.forward
        with self._passing("curvature") as keep:
            found: float = forward.twice.curvature(gradients, keep)
        return found

    @signal
    def saliency(self) -> tuple[tuple[Tensor, int], ...]:
        """For every layer: sum over positions of output x gradient, (n, channels), and weights per channel."""
        self._also("saliency")
        _ = self._graph
        found: tuple[tuple[Tensor, int], ...] = self.forward.saliency.collected(self.network)
        return found

    @signal
    def second_gradients(self) -> tuple[Tensor, ...]:
        """The gradients of `layers` on the second batch."""
        batch = self.subject.batch
        if batch.second_images is None or batch.second_labels is None:
            raise BadValue("this proxy compares two batches, but only one is there")
        weights = [module.weight for _, module in weighted(self.network)]
        with batch_statistics(self.network):
            loss = cross_entropy(self.network(laid_out(batch.second_images)), batch.second_labels)
        found = torch.autograd.grad(loss, weights, allow_unused=True)
        return tuple(
            torch.zeros_like(weight) if each is None else each for weight, each in zip(weights, found, strict=True)
        )

    @signal
    def kaiming(self) -> nn.Module:
        """The network with Kaiming-normal weights (`initial.redraw`); whoever reads it leaves it unchanged."""
        return self.subject.redrawn("kaiming")

    @signal
    def normal(self) -> nn.Module:
        """The network with weights N(0, 1) (`initial.redraw`); whoever reads it leaves it unchanged."""
        return self.subject.redrawn("normal")

    @signal
    def cells(self) -> list[Tensor]:
        """Outputs of all cells on random images and Kaiming-normal weights, with their graph; see `cell_outputs`."""
        return cell_outputs(self.kaiming, self.subject)

    @signal
    def entropies(self) -> list[float]:
        """How evenly the channels of every cell of `cells` vary; see `entropy`."""
        return [entropy(output.detach()) for output in self.cells]

    @contextmanager
    def _passing(self, name: str) -> Iterator[bool]:
        """Whether a backward pass has to leave the labelled pass's graph to another one; the last lets go of it."""
        left = {PASSES[each] for each in self.reads & PASSES.keys()} - self._values.keys() - {name}
        yield bool(left)
        if not left:
            self._values["forward"] = self._values["forward"].let_go()

    def _ahead(self, name: str) -> None:
        """Compute a signal before somebody asks for it, on nobody's account."""
        self._users.append(set())
        try:
            getattr(self, name)
        finally:
            self._users.pop()

    def _also(self, name: str) -> None:
        """Make the labelled pass again with ``name`` if it was not announced."""
        if name not in self.reads:
            self.reads |= {name}
            for made in ("forward", "_graph"):
                self._values.pop(made, None)


PASSES = {"jacobian": "jacobian", "layers": "_graph", "saliency": "_graph", "curvature": "curvature"}
"""The backward passes through the labelled pass, by the signals that need them."""


@dataclass(frozen=True, eq=False)
class Forward:
    """The labelled forward pass: what went in, what came out, and who listened."""

    images: Tensor
    logits: Tensor
    agreement: Any
    saliency: Any
    twice: Any

    def let_go(self) -> Forward:
        """The same without its graph, which is most of what a network takes."""
        return replace(self, images=self.images.detach(), logits=self.logits.detach(), twice=None)


class Saliency:
    """Hooks on the outputs of weighted layers that reduce output x gradient to (n, channels) at once."""

    def __init__(self) -> None:
        self._listening = False
        self._found: dict[int, Tensor] = {}

    @contextmanager
    def heard(self) -> Iterator[None]:
        """The backward pass whose gradients count."""
        self._listening = True
        try:
            yield
        finally:
            self._listening = False

    def hooks(self, network: nn.Module) -> list[Any]:
        """Register on every convolution and linear layer."""
        return [module.register_forward_hook(self._watch) for _, module in weighted(network)]

    def _watch(self, module: nn.Module, _: Any, output: Tensor) -> None:
        if output.requires_grad:
            value = output.detach()
            output.register_hook(lambda gradient: self._reduce(module, value, gradient.detach()))

    def _reduce(self, module: nn.Module, value: Tensor, gradient: Tensor) -> None:
        if self._listening:
            product = value * gradient
            self._found[id(module)] = product.sum((2, 3)) if value.dim() == 4 else product

    def collected(self, network: nn.Module) -> tuple[tuple[Tensor, int], ...]:
        """(n, channels) and weights per channel of every layer that a gradient reached."""
        return tuple(
            (self._found[id(module)], module.weight[0].numel())
            for _, module in weighted(network) if id(module) in self._found
        )  # fmt: skip


def names() -> tuple[str, ...]:
    """The signals that a proxy can read."""
    return tuple(name for name, value in vars(Signals).items() if isinstance(value, property) and name[0] != "_")
