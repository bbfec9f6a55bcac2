"""The learned surrogate: predictions for a whole space from a few measured architectures, never taken for more."""

from .surrogate import Surrogate

__all__ = ["Surrogate"]
