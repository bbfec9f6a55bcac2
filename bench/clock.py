"""The simulated clock: what the evaluations so far would have cost, and when to stop."""

from __future__ import annotations

import math
from numbers import Real
from typing import TypeGuard

from .errors import BadValue

FREE_IN_A_ROW = 100_000  # evaluations that cost nothing before a clock without a limit of queries calls it endless


class Clock:
    """Simulated time of one search, with a budget in seconds, in evaluations, or both.

    Follows the official protocol (NATS-Bench, `simulate_train_eval`): costs add up, and an evaluation that starts
    before the budget is spent counts even if it ends after it; with ``count_last=False`` it does not. An evaluation
    without a known cost (NaN) is charged 0 s, as an invalid cell is on NAS-Bench-101, and counted in ``unpriced``.

    `charge` runs one training after the other. `Workers` runs several at a time with `start` and `advance`.

    Args:
        seconds: budget in simulated seconds; None for no limit.
        queries: budget in evaluations; None for no limit.
    """

    __slots__ = ("_free", "count_last", "elapsed", "limit", "queries", "query_limit", "unpriced")

    def __init__(self, seconds: float | None = None, queries: int | None = None, *, count_last: bool = True) -> None:
        if seconds is None and queries is None:
            raise BadValue("a search without an end: give seconds=, queries= or both")
        if seconds is not None and not (_is_number(seconds) and 0 < seconds < math.inf):
            raise BadValue(f"seconds={seconds!r} given; a budget is a positive number of simulated seconds")
        if queries is not None and not (_is_number(queries) and queries % 1 == 0 and queries >= 1):
            raise BadValue(f"queries={queries!r} given; a budget is a whole number of evaluations, at least 1")
        self.limit = math.inf if seconds is None else float(seconds)
        self.query_limit = math.inf if queries is None else int(queries)
        self.count_last = count_last
        self.elapsed = 0.0
        self.queries = 0
        self.unpriced = 0
        self._free = 0

    @property
    def exhausted(self) -> bool:
        """Whether no further evaluation may start."""
        return self.elapsed >= self.limit or self.queries >= self.query_limit

    def charge(self, seconds: float) -> bool:
        """Add one evaluation; False (and the clock stands at its limit) where it does not fit and must not count.

        Raises:
            BadValue: 100,000 evaluations in a row cost nothing and no limit of queries ends the search.
        """
        self.elapsed, counts = self.start(seconds)
        return counts

    def start(self, seconds: float) -> tuple[float, bool]:
        """When a training of this length ends that starts now, and whether it counts; where it does not, it is
        broken off at the limit.

        Raises:
            BadValue: as `charge`.
        """
        if not seconds > 0:
            seconds = self._for_free(seconds)
        else:
            self._free = 0
        after = self.elapsed + seconds
        if after > self.limit and not self.count_last:
            return self.limit, False
        self.queries += 1
        return after, True

    def advance(self, to: float) -> None:
        """Let the time pass to the end of a training that was started."""
        self.elapsed = to

    def _for_free(self, seconds: float) -> float:
        if seconds != seconds:  # NaN
            self.unpriced += 1
        elif seconds < 0:
            raise BadValue(f"an evaluation of {seconds} simulated seconds; time does not run backwards")
        self._free += 1
        if self._free >= FREE_IN_A_ROW and self.query_limit == math.inf:
            raise BadValue(
                f"the last {self._free:,} evaluations cost no simulated time (unmeasured, or over the limit), so "
                f"seconds={self.limit:g} would never end this search; give queries= as well"
            )
        return 0.0


def _is_number(given: object) -> TypeGuard[float]:
    return isinstance(given, Real) and not isinstance(given, bool)
