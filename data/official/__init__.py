"""The drop-in for nats_bench, nas_201_api and nasbench: existing code changes one import line.

``from nasgauge.data.official import create, NASBench201API, NASBench, ModelSpec``

Signatures, defaults, random streams and answers are those of the official packages, leaks included; what misleads is
said once in a warning that names the better call. `nasgauge.open` and `Benchmark.query` are the better interface.

Every public name of nats_bench and nas_201_api is here but three: ``pickle_save`` and ``pickle_load``, because reading
a pickle that way executes what is in it, and ``test_api``, which prints examples.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .nasbench import ModelSpec, NASBench, OutOfDomainError
    from .nats import NATSsize, NATStopology, create
    from .nb201 import NASBench201API
    from .packages import SIZES as NATS_BENCH_SSS_NAMEs
    from .packages import TOPOLOGIES as NATS_BENCH_TSS_NAMEs
    from .packages import VERSION as NAS_BENCH_201_API_VERSION
    from .packages import VERSIONS as NATS_BENCH_API_VERSIONs
    from .packages import search_space_info, version
    from .results import ArchResults
    from .trial import ResultsCount

_HOMES = {
    "create": "nats", "NATStopology": "nats", "NATSsize": "nats", "ArchResults": "results", "ResultsCount": "trial",
    "NASBench201API": "nb201", "NASBench": "nasbench", "ModelSpec": "nasbench", "OutOfDomainError": "nasbench",
    "search_space_info": "packages", "version": "packages", "NATS_BENCH_API_VERSIONs": "packages",
    "NATS_BENCH_SSS_NAMEs": "packages", "NATS_BENCH_TSS_NAMEs": "packages", "NAS_BENCH_201_API_VERSION": "packages",
}  # fmt: skip
_OURS = {"NATS_BENCH_API_VERSIONs": "VERSIONS", "NATS_BENCH_SSS_NAMEs": "SIZES", "NATS_BENCH_TSS_NAMEs": "TOPOLOGIES",
         "NAS_BENCH_201_API_VERSION": "VERSION"}  # fmt: skip

__all__ = [
    "NATS_BENCH_API_VERSIONs", "NATS_BENCH_SSS_NAMEs", "NATS_BENCH_TSS_NAMEs", "NAS_BENCH_201_API_VERSION",
    "ArchResults", "ModelSpec", "NASBench", "NASBench201API", "NATSsize", "NATStopology", "OutOfDomainError",
    "ResultsCount", "create", "search_space_info", "version",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), _OURS.get(name, name))


def __dir__() -> list[str]:
    return sorted(__all__)
