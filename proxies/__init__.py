"""Scores without training."""
