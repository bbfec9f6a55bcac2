"""nasgauge measures neural architecture search."""
