"""Memory that passes through networks ask for again and again comes from the system once."""

from __future__ import annotations

import platform
import resource

import pytest
import torch

from nasgauge.proxies.memory import kept

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
PAGE = 4096


def use(pieces: int = 40) -> int:
    """Take, fill and free 320 MB as a pass does; answers how many pages the system had to hand out."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [torch.ones(2**21) for _ in range(pieces)]
    assert len(held) == pieces
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident_mb() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def test_what_is_freed_is_used_again_and_given_back_at_the_end() -> None:
    with kept():
        use()
        use()  # the pieces of the first time do not all fit into their gaps again
        held = resident_mb()
        assert use() < 320e6 / PAGE / 4
    assert resident_mb() < held - 200


def test_what_is_freed_is_given_back_after_an_error_too() -> None:
    with pytest.raises(RuntimeError), kept():
        use()
        held = resident_mb()
        raise RuntimeError
    assert resident_mb() < held - 200
