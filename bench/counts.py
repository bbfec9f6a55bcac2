"""Arguments that count something: checked in one place, so that all refuse the same."""

from __future__ import annotations

from .errors import BadValue


def check_count(name: str, given: object, meaning: str = "", least: int = 1) -> None:
    """BadValue unless ``given`` is a whole number of at least ``least``; ``meaning`` says what it counts."""
    if isinstance(given, bool) or not isinstance(given, int) or given < least:
        legal = f"a whole number of at least {least}"
        raise BadValue(f"{name}={given!r} given; legal: {f'{meaning}, {legal}' if meaning else legal}")


def check_jobs(jobs: object) -> None:
    """BadValue unless so many processes can be started."""
    if isinstance(jobs, bool) or not isinstance(jobs, int) or (jobs < 1 and jobs != -1):
        raise BadValue(f"jobs={jobs!r} given; legal: a number of processes, or -1 for one per core")
