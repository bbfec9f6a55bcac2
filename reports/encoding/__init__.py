"""The report on encodings: predictors, neighbourhoods, distances, maps, transfer and searches of each."""

from .compose import encoding

__all__ = ["encoding"]
