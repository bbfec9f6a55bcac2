"""Predictors: what a few measured architectures say about all others, with how far to trust it."""

from .names import predictor, predictors
from .predictor import Fitted, Forecast, Predictor

__all__ = ["Fitted", "Forecast", "Predictor", "predictor", "predictors"]
