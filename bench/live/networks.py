"""Which network belongs to which space."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from ..errors import BadValue
from ..spaces import Cells101, Size, Space, Topology
from ..spaces.size import FROM_INPUT, FROM_INSIDE
from ..spaces.topology import EDGES, OPERATIONS
from .cells101 import stack_network
from .macro import Macro, StackMacro
from .network import cell_network
from .weights import Law


def network(
    space: Space,
    arch: int,
    classes: int,
    *,
    macro: Macro | StackMacro | None = None,
    prune: bool = True,
    seed: int = 0,
    law: Law | None = None,
    device: str | torch.device = "cpu",
) -> nn.Module:
    """The network around architecture ``arch`` (see `Space.network`); a space of your own overrides that method.

    In the size space, the architecture's widths take the place of those of ``macro``. Cells of NAS-Bench-101 have
    nothing to prune.
    """
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 1:
        raise BadValue(f"classes={classes!r}; legal: an integer of at least 1")
    expected = StackMacro if isinstance(space, Cells101) else Macro
    if macro is not None and not isinstance(macro, expected):
        raise BadValue(f"macro={macro!r}; the networks of space {space.name!r} take a {expected.__name__}")
    if isinstance(space, Cells101):
        skeleton = cast(StackMacro, macro or StackMacro())
        return stack_network(space.graph(arch), skeleton, classes, seed=seed, law=law or "tensorflow", device=device)
    if isinstance(space, Topology):
        operations, around = space.operations(arch).tolist(), cast(Macro, macro or Macro())
    elif isinstance(space, Size):
        operations = [OPERATIONS.index(name) for name in SIZE_CELL]
        around = cast(Macro, macro or Macro.size()).but(widths=tuple(space.widths(arch).tolist()))
    else:
        raise NotImplementedError(f"space {space.name!r} has no network; override its method `network`")
    return cell_network(operations, around, classes, prune=prune, seed=seed, law=law or "pytorch", device=device)


def check_trainable(space: Space) -> None:
    """BadValue unless the space has networks."""
    if not isinstance(space, (Topology, Size, Cells101)) and type(space).network is Space.network:
        raise BadValue(f"space {space.name!r} has no networks to train; override its method `network`")


def _size_cell() -> tuple[str, ...]:
    """The one cell of the size space, in the order of `EDGES`."""
    outer, inner = iter(FROM_INPUT), iter(FROM_INSIDE)
    return tuple(next(inner if source else outer) for source, _ in EDGES)


SIZE_CELL = _size_cell()
