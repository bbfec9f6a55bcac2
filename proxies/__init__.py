"""Scores without training: proxies, the signals they share, and the engine that scores many architectures."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..bench.live import need_torch
from .proxy import Batch, Proxy

if TYPE_CHECKING:
    from .combinations import Combination

_HOMES = {
    "activation": ("naswot", "swap", "swap_regularised", "linear_regions"),
    "az_cells": ("az_expressivity", "az_progressivity", "az_trainability"),
    "capacity": ("params", "flops", "depth", "random", "latency"),
    "flow": ("synflow",),
    "gradient": ("grad_norm", "plain", "snip", "grasp", "fisher", "l2_norm", "knas", "zico"),
    "jacobian": ("jacob_cov", "epe_nas"),
    "spectra": ("ntk", "meco"),
    "zen_score": ("zen",),
}
PROXIES = {name: home for home, names in _HOMES.items() for name in names}
"""Name of every proxy -> the module that makes it; `proxy` and attribute access import that module when asked."""

COMBINATIONS = ("az_nas", "rank_sum", "vote")
"""Names of the functions of `combinations`, which make one score of several."""

__all__ = ["COMBINATIONS", "PROXIES", "Batch", "Proxy", "proxy", *PROXIES, *COMBINATIONS]


def proxy(name: str) -> Proxy | Combination:
    """The proxy called ``name``, such as "naswot", "naswot:released", "zen:repeats=4"; see `names.proxy`."""
    from .names import proxy

    return proxy(name)


def __getattr__(name: str) -> Any:
    home = "combinations" if name in COMBINATIONS else PROXIES.get(name)
    if home is None:
        legal = ", ".join((*PROXIES, *COMBINATIONS))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; proxies: {legal}")
    if home != "combinations":
        need_torch(f"the proxy {name!r}")
    return getattr(importlib.import_module(f".{home}", __name__), name)
