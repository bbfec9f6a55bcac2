"""The part of NAS-Bench-101 that its public table measures, as a space."""

from __future__ import annotations

import numpy as np

from nasgauge.bench.spaces import Cells101, Ids


class MeasuredCells(Cells101):
    """The measured cells only: draws and mutations that lead elsewhere are made again."""

    measured: np.ndarray

    def sample(self, n: int, rng: np.random.Generator) -> Ids:
        return rng.choice(np.flatnonzero(self.measured), size=n)

    def mutate_one(self, arch: int, rng: np.random.Generator) -> int:
        for _ in range(300):
            child = super().mutate_one(arch, rng)
            if self.measured[child] and child != arch:
                return child
        return int(self.sample(1, rng)[0])
