"""Peak resident memory of a stretch of work, read from the kernel: it costs nothing while the work is done.

The kernel keeps the largest resident memory of a process; on Linux that mark can be set back to what is resident now
(proc(5), clear_refs), so that afterwards it tells the peak of one stretch alone. Elsewhere, where a peak could not be
told from an earlier one, nothing is measured. The mark is one of the whole process: several threads share it, and what
`resource.getrusage` calls ``ru_maxrss`` begins anew as well.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

MEGABYTE = 1e6
_RESET, _STATUS = "/proc/self/clear_refs", "/proc/self/status"
_RESIDENT, _PEAK = (re.compile(rb"^%s:\s*(\d+) kB" % name, re.MULTILINE) for name in (b"VmRSS", b"VmHWM"))


class Memory(NamedTuple):
    """Resident memory [MB] of the process before a stretch of work and at its peak; NaN where it is not measured."""

    before: float = math.nan
    peak: float = math.nan


def resident() -> float:
    """Resident memory now [MB]; from here on `peak` counts anew. NaN where the system cannot do that."""
    try:
        with open(_RESET, "wb", buffering=0) as mark:
            mark.write(b"5")
        return _read(_RESIDENT)
    except OSError:
        return math.nan


def since(before: float) -> Memory:
    """What a stretch of work took that began when `resident` answered ``before``."""
    return Memory() if math.isnan(before) else Memory(before, _read(_PEAK))


def _read(number: re.Pattern[bytes]) -> float:
    with open(_STATUS, "rb", buffering=0) as status:
        found = number.search(status.read())
    return math.nan if found is None else int(found[1]) * 1024 / MEGABYTE
