"""The report on a sweep over trainers: what 2, 4, 8, ... of them bring, and what batches are made of."""

from .compose import parallel

__all__ = ["parallel"]
