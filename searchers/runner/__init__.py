"""Runs of searchers, trainings and surrogates: planned, repeated in parallel, kept in folders that can be continued."""
