"""The optimiser of a recipe."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch.nn import Parameter

from .recipe import TrainingRecipe


def optimizer_of(recipe: TrainingRecipe, parameters: Iterable[Parameter]) -> torch.optim.Optimizer:
    """The optimiser that ``recipe`` names; its learning rate is to be set before every step."""
    if recipe.optimizer == "rmsprop":
        return TensorflowRMSprop(parameters, recipe.lr, recipe.momentum, recipe.weight_decay)
    return torch.optim.SGD(
        parameters, recipe.lr, momentum=recipe.momentum, nesterov=recipe.nesterov, weight_decay=recipe.weight_decay,
        fused=True,
    )  # fmt: skip


class TensorflowRMSprop(torch.optim.Optimizer):
    """RMSProp as TensorFlow 1 computes it, with which NAS-Bench-101 was trained.

    Unlike PyTorch's, epsilon stands under the root, the mean square s starts at 1, and momentum m accumulates the
    learning rate: s <- d s + (1 - d) g^2; m <- mu m + lr g / sqrt(s + epsilon); w <- w - m, with decay d = 0.9 and
    epsilon = 1. Weight decay is added to the gradient of every parameter, normalisations included, as there.
    """

    def __init__(
        self, parameters: Iterable[Parameter], lr: float, momentum: float, weight_decay: float,
        decay: float = 0.9, epsilon: float = 1.0,
    ) -> None:  # fmt: skip
        rule = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "decay": decay, "epsilon": epsilon}
        super().__init__(parameters, rule)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step along the gradients of the parameters that have any."""
        for rule in self.param_groups:
            weights = [weight for weight in rule["params"] if weight.grad is not None]
            if not weights:
                continue
            for weight in weights:
                if weight not in self.state:
                    self.state[weight] = {"square": torch.ones_like(weight), "moment": torch.zeros_like(weight)}
            squares = [self.state[weight]["square"] for weight in weights]
            moments = [self.state[weight]["moment"] for weight in weights]
            gradients: Any = [weight.grad for weight in weights]
            gradients = torch._foreach_add(gradients, weights, alpha=rule["weight_decay"])
            torch._foreach_mul_(squares, rule["decay"])
            torch._foreach_addcmul_(squares, gradients, gradients, value=1 - rule["decay"])
            roots: Any = torch._foreach_add(squares, rule["epsilon"])
            torch._foreach_sqrt_(roots)
            torch._foreach_mul_(moments, rule["momentum"])
            torch._foreach_addcdiv_(moments, gradients, roots, value=rule["lr"])
            torch._foreach_sub_(weights, moments)
