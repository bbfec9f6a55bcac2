"""Scores without training: proxies, the signals they share, and the engine that scores many architectures."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "activation": ("naswot", "swap", "swap_regularised", "linear_regions"),
    "az_nas": ("az_expressivity", "az_progressivity", "az_trainability"),
    "capacity": ("params", "flops", "depth", "random", "latency"),
    "flow": ("synflow",),
    "gradient": ("grad_norm", "plain", "snip", "grasp", "fisher", "l2_norm", "knas", "zico"),
    "jacobian": ("jacob_cov", "epe_nas"),
    "spectra": ("ntk", "meco"),
    "zen": ("zen",),
}
PROXIES = {name: home for home, names in _HOMES.items() for name in names}
"""Name of every proxy -> the module that makes it; `proxy` and attribute access import that module when asked."""

__all__ = ["PROXIES", *PROXIES]


def __getattr__(name: str) -> Any:
    if name in PROXIES:
        return getattr(importlib.import_module(f".{PROXIES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; proxies: {', '.join(PROXIES)}")
