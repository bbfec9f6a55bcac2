"""Image data sets as `Images`: the published ones, scikit-learn's digits, and your own; `load` is the one verb."""

from .sets import load

__all__ = ["load"]
