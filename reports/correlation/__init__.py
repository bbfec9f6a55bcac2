"""The report on scores without training: how well each orders what training measured, and what it costs."""

from .compose import correlation

__all__ = ["correlation"]
