"""The drop-in for nats_bench, nas_201_api and nasbench: existing code changes one import line.

``from nasgauge.data.official import create, NASBench201API, NASBench, ModelSpec``

Signatures, defaults, random streams and answers are those of the official packages, leaks included; what misleads is
said once in a warning that names the better call. `nasgauge.open` and `Benchmark.query` are the better interface.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .nasbench import ModelSpec, NASBench
    from .nats import NATSsize, NATStopology, create
    from .nb201 import NASBench201API
    from .results import ArchResults
    from .trial import ResultsCount

_HOMES = {
    "create": "nats", "NATStopology": "nats", "NATSsize": "nats", "ArchResults": "results", "ResultsCount": "trial",
    "NASBench201API": "nb201", "NASBench": "nasbench", "ModelSpec": "nasbench",
}  # fmt: skip

__all__ = [
    "ArchResults", "ModelSpec", "NASBench", "NASBench201API", "NATSsize", "NATStopology", "ResultsCount", "create",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
