"""The report on a surrogate: how well a few measured architectures predict the others."""

from .compose import surrogate

__all__ = ["surrogate"]
