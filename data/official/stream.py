"""The global stream of the standard library's generator: the one place of nasgauge that draws from it.

The official packages draw trials and random architectures from it, so a script that seeds it (``random.seed(0)``)
gets the official answers only if the same draws happen in the same order. Everything else takes a generator.
"""

from __future__ import annotations

from random import choice, randint, seed

__all__ = ["choice", "randint", "seed"]
