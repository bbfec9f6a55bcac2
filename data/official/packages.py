"""What the official packages say about themselves and about what a space is made of."""

from __future__ import annotations

from typing import Any

from ...bench.spaces.size import LAYERS, WIDTHS
from ...bench.spaces.topology import OPERATIONS

VERSIONS = [f"v1.{minor}" for minor in range(9)]  # of nats_bench
VERSION = "v2.0"  # as nas_201_api 2.1 calls itself
TOPOLOGIES = ("tss", "topology")
SIZES = ("sss", "size")


def version() -> str:
    """The version of nats_bench whose answers these are."""
    return VERSIONS[-1]


def search_space_info(main_tag: str, aux_tag: str | None) -> dict[str, Any]:
    """What a space is made of: operations and nodes of its cells, or widths and layers.

    Args:
        main_tag: "nats-bench" or "nas-bench-201".
        aux_tag: "tss", "topology", "sss" or "size" of NATS-Bench; None for NAS-Bench-201.
    """
    cell = {"op_names": list(OPERATIONS), "num_nodes": 4}
    if main_tag == "nas-bench-201" and aux_tag is None:
        return cell
    if main_tag == "nats-bench" and aux_tag in TOPOLOGIES:
        return cell
    if main_tag == "nats-bench" and aux_tag in SIZES:
        return {"candidates": [int(width) for width in WIDTHS], "num_layers": LAYERS}
    raise ValueError(
        f"search space {main_tag!r}, {aux_tag!r}; legal: 'nats-bench' with one of {', '.join(TOPOLOGIES + SIZES)}, "
        "'nas-bench-201' with None"
    )
