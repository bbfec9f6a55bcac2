"""A small ensemble of multilayer perceptrons in numpy, all members trained at once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Training:
    """How an ensemble is built and trained; the defaults are BANANAS's.

    The loss is the mean absolute error, the optimizer Adam; first weights are Glorot-uniform, as in Keras.
    """

    members: int = 5
    layers: int = 10
    width: int = 20
    epochs: int = 150
    batch: int = 32
    rate: float = 0.01
    betas: tuple[float, float] = (0.9, 0.99)
    epsilon: float = 1e-7


class Ensemble:
    """``members`` perceptrons with ReLU layers and one linear output.

    Every array has the member as its first axis, so that one matrix product serves all members. Parameters lie in one
    block, (members, parameters), whose parts the weights view.
    """

    def __init__(self, features: int, training: Training, rng: np.random.Generator) -> None:
        self._training = training
        self._rng = rng
        widths = [features, *[training.width] * training.layers, 1]
        shapes = [shape for a, b in itertools.pairwise(widths) for shape in ((a, b), (1, b))]
        self._parameters = np.zeros((training.members, sum(a * b for a, b in shapes)), dtype=np.float32)
        self._gradient = np.zeros_like(self._parameters)
        self._weights = _views(self._parameters, shapes)
        self._slopes = _views(self._gradient, shapes)
        for weight in self._weights[::2]:
            limit = np.sqrt(6 / (weight.shape[1] + weight.shape[2]))
            weight[...] = rng.uniform(-limit, limit, weight.shape)

    def fit(self, inputs: Floats, targets: Floats) -> None:
        """Train every member on all of ``inputs`` (n, features) and ``targets`` (n,), each in its own order."""
        plan, (beta, gamma) = self._training, self._training.betas
        mean, square = np.zeros_like(self._parameters), np.zeros_like(self._parameters)
        scratch = np.empty_like(self._parameters)
        each = np.tile(np.arange(len(inputs)), (plan.members, 1))
        step = 0
        for _ in range(plan.epochs):
            order = self._rng.permuted(each, axis=1)
            for start in range(0, len(inputs), plan.batch):
                step += 1
                chosen = order[:, start : start + plan.batch]
                self._differentiate(inputs[chosen], targets[chosen])
                # Adam, in place: m += (1 - beta) (g - m), v += (1 - gamma) (g^2 - v)
                np.subtract(self._gradient, mean, out=scratch)
                scratch *= 1 - beta
                mean += scratch
                np.square(self._gradient, out=scratch)
                scratch -= square
                scratch *= 1 - gamma
                square += scratch
                correction = np.sqrt(1 - gamma**step) / (1 - beta**step)
                np.sqrt(square, out=scratch)
                scratch += plan.epsilon
                np.divide(mean, scratch, out=scratch)
                scratch *= plan.rate * correction
                self._parameters -= scratch

    def predict(self, inputs: Floats) -> Floats:
        """Answers of every member, (members, n)."""
        return self._forward(np.broadcast_to(inputs, (self._training.members, *inputs.shape)))[-1][:, :, 0]

    def _forward(self, values: Floats) -> list[Floats]:
        """What goes into every layer, and what comes out of the last."""
        passed = [values]
        last = len(self._weights) // 2 - 1
        for layer in range(last + 1):
            values = values @ self._weights[2 * layer]
            values += self._weights[2 * layer + 1]
            if layer < last:
                np.maximum(values, 0, out=values)
            passed.append(values)
        return passed

    def _differentiate(self, inputs: Floats, targets: Floats) -> None:
        """Gradient of the mean absolute error on one batch (members, b, features), (members, b)."""
        passed = self._forward(inputs)
        slope = np.sign(passed[-1] - targets[:, :, None]) / np.float32(targets.shape[1])
        for layer in range(len(self._weights) // 2 - 1, -1, -1):
            np.matmul(passed[layer].transpose(0, 2, 1), slope, out=self._slopes[2 * layer])
            np.sum(slope, axis=1, keepdims=True, out=self._slopes[2 * layer + 1])
            if layer:
                slope = slope @ self._weights[2 * layer].transpose(0, 2, 1)
                slope *= passed[layer] > 0


def _views(block: Floats, shapes: list[tuple[int, int]]) -> list[Floats]:
    """Parts of ``block`` (members, parameters) as arrays (members, *shape) that share its memory."""
    ends = np.cumsum([a * b for a, b in shapes])
    parts = np.split(block, ends[:-1], axis=1)
    return [part.reshape(len(block), *shape) for part, shape in zip(parts, shapes, strict=True)]
