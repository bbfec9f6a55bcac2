"""REINFORCE (Williams, 1992) on independent categorical choices, as NAS-Bench-201 and NAS-Bench-101 compare it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..bench.errors import BadValue
from ..bench.objective import Evaluation
from ..bench.spaces import Space
from .searcher import Recipe
from .slots import Rows, Slots

Floats = npt.NDArray[np.float64]


class Reinforce:
    """One logit a choice; every result moves the policy once.

    With reward r, chosen row a, baseline b and policy p = softmax(logits), slot by slot: b is the exponential moving
    average of the rewards with decay ``momentum``, bias-corrected, and takes in r before it is subtracted; the
    gradient of the loss -log p(a) (r - b) is (p - onehot(a)) (r - b). Results are learned in the order they are told,
    with the logits of that moment; NaN teaches nothing. Illegal rows (cells101) are drawn again, at no cost.

    Args:
        rate: learning rate.
        momentum: decay of the baseline.
        spread: standard deviation of the first logits.
        optimizer: "adam" (torch's defaults) or "sgd" (plain gradient steps).
        scale: reward of one percent of validation accuracy.
    """

    def __init__(
        self, space: Space, rng: np.random.Generator, *, rate: float = 0.01, momentum: float = 0.9,
        spread: float = 1e-3, optimizer: Literal["adam", "sgd"] = "adam", scale: float = 1.0,
    ) -> None:  # fmt: skip
        if not rate > 0 or not 0 <= momentum < 1 or spread < 0 or optimizer not in ("adam", "sgd") or not scale > 0:
            raise BadValue(
                f"rate={rate}, momentum={momentum}, spread={spread}, optimizer={optimizer!r}, scale={scale} given; "
                "legal: rate and scale > 0, momentum from 0 to below 1, spread not negative, 'adam' or 'sgd'"
            )
        self._slots = Slots(space, unpruned_limit=True)
        self._rng = rng
        self._momentum = momentum
        self._scale = scale
        levels = self._slots.levels
        self._legal = np.arange(levels.max()) < levels[:, None]
        self._places = np.arange(len(levels))
        self.logits: Floats = spread * rng.standard_normal(self._legal.shape)
        self._ascent = Adam(rate, self.logits.shape) if optimizer == "adam" else Sgd(rate)
        self._baseline = [0.0, 0.0]  # decayed sums of the rewards and of their weights
        self._drawn: dict[int, list[Rows]] = {}  # rows asked and not yet told

    def policy(self) -> Floats:
        """Probability of each choice, (slots, most levels); 0 where a slot has fewer."""
        heights = np.exp(self.logits - self.logits.max(axis=1, keepdims=True)) * self._legal
        return heights / heights.sum(axis=1, keepdims=True)

    def ask(self, n: int = 1) -> Sequence[int]:
        below = self.policy().cumsum(axis=1)[:, :-1]
        asked: list[int] = []
        while len(asked) < n:
            row = (self._rng.random(len(below))[:, None] >= below).sum(axis=1)
            row = np.minimum(row, self._slots.levels - 1).astype(np.int8)  # rounding may leave the last sum below 1
            arch = self._slots.id(row)
            if arch >= 0:
                self._drawn.setdefault(arch, []).append(row)
                asked.append(arch)
        return asked

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        for told in evaluations:
            waiting = self._drawn.pop(told.id, [])
            row = waiting.pop(0) if waiting else self._slots.rows([told.id])[0]
            if waiting:
                self._drawn[told.id] = waiting
            if told.value == told.value:
                self._learn(row, self._scale * told.value)

    def _learn(self, row: Rows, reward: float) -> None:
        total, weight = self._baseline
        m = self._momentum
        total, weight = m * total + (1 - m) * reward, m * weight + (1 - m)
        self._baseline = [total, weight]
        gradient = self.policy()
        gradient[self._places, row] -= 1
        self.logits -= self._ascent.step(gradient * (reward - total / weight))


class Adam:
    """Kingma & Ba, ICLR 2015, Algorithm 1, with the constants of torch.optim.Adam."""

    def __init__(self, rate: float, shape: tuple[int, ...]) -> None:
        self._rate = rate
        self._mean, self._square, self._steps = np.zeros(shape), np.zeros(shape), 0

    def step(self, gradient: Floats) -> Floats:
        """What to subtract from the parameters."""
        self._steps += 1
        self._mean = 0.9 * self._mean + 0.1 * gradient
        self._square = 0.999 * self._square + 0.001 * gradient**2
        mean = self._mean / (1 - 0.9**self._steps)
        square = self._square / (1 - 0.999**self._steps)
        return self._rate * mean / (np.sqrt(square) + 1e-8)


class Sgd:
    """Plain gradient steps."""

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def step(self, gradient: Floats) -> Floats:
        """What to subtract from the parameters."""
        return self._rate * gradient


NB201: dict[str, Any] = {"rate": 0.01, "momentum": 0.9, "spread": 1e-3, "optimizer": "adam", "scale": 1.0}
PRESETS: dict[str, dict[str, Any]] = {
    "nb201": NB201,
    "nats": NB201,
    "nb101": {"rate": 0.1, "momentum": 0.9, "spread": 0.0, "optimizer": "sgd", "scale": 0.01},
}


def reinforce(preset: str = "nb201", *, label: str = "", **settings: Any) -> Recipe:
    """REINFORCE with published settings; single settings override those of ``preset``.

    ===========  ===============================================================================================
    nb201, nats  Adam with rate .01, reward in percent, logits from 1e-3 N(0, 1) (reinforce.py of AutoDL-Projects)
    nb101        gradient ascent with rate .1, reward as a fraction, logits from 0 (nas_benchmarks, run_rl.py)
    ===========  ===============================================================================================

    Rate .01 is that of NATS-Bench's run line. What NAS-Bench-201 published needs a rate of .05 to .1, which its script
    takes as an argument (reports/FINDINGS.md).
    """
    return Recipe.from_preset("reinforce", Reinforce, PRESETS, preset, label, settings)
