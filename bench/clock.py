"""The simulated clock: what the evaluations so far would have cost, and when to stop."""

from __future__ import annotations

import math

from .errors import BadValue


class Clock:
    """Sequential simulated time of one search, with a budget in seconds, in queries, or both.

    Follows the official protocol (NATS-Bench, `simulate_train_eval`): costs add up, and the evaluation that crosses
    the budget still counts; with ``count_last=False`` it does not. An evaluation without a known cost (NaN) is
    charged 0 s, as an invalid cell is on NAS-Bench-101, and counted in ``unpriced``.

    Args:
        seconds: budget in simulated seconds; None for no limit.
        queries: budget in evaluations; None for no limit.
    """

    __slots__ = ("count_last", "elapsed", "limit", "queries", "query_limit", "unpriced")

    def __init__(self, seconds: float | None = None, queries: int | None = None, *, count_last: bool = True) -> None:
        if seconds is None and queries is None:
            raise BadValue("a search without an end: give seconds=, queries= or both")
        if seconds is not None and not (seconds > 0 and math.isfinite(seconds)):
            raise BadValue(f"seconds={seconds} given; a budget is a positive number of simulated seconds")
        if queries is not None and queries < 1:
            raise BadValue(f"queries={queries} given; a budget is at least 1 evaluation")
        self.limit = math.inf if seconds is None else float(seconds)
        self.query_limit = math.inf if queries is None else int(queries)
        self.count_last = count_last
        self.elapsed = 0.0
        self.queries = 0
        self.unpriced = 0

    @property
    def exhausted(self) -> bool:
        """Whether no further evaluation may start."""
        return self.elapsed >= self.limit or self.queries >= self.query_limit

    def charge(self, seconds: float) -> bool:
        """Add one evaluation; False (and the clock stands at its limit) where it does not fit and must not count."""
        if seconds != seconds:  # NaN
            self.unpriced += 1
            seconds = 0.0
        after = self.elapsed + seconds
        if after > self.limit and not self.count_last:
            self.elapsed = self.limit
            return False
        self.elapsed = after
        self.queries += 1
        return True
