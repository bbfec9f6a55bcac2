"""Which edges of a four-node cell do anything: those on a path from input to output (no PyTorch here)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..spaces.topology import EDGES, OPERATIONS

NODES = 4
_NONE = OPERATIONS.index("none")
_CONVOLUTIONS = [OPERATIONS.index("nor_conv_1x1"), OPERATIONS.index("nor_conv_3x3")]


def live_edges(operations: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Edges that lie on a path from input to output free of ``none``, (..., 6) operations -> (..., 6)."""
    reached, reaching = _reach(np.asarray(operations))
    sources, targets = np.array(EDGES).T
    return (np.asarray(operations) != _NONE) & reached[..., sources] & reaching[..., targets]


def constant_edges(operations: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Convolutions of a node that no path reaches, but whose target reaches the output; (..., 6) -> (..., 6).

    In the official network the convolution sees zeros there, and its normalisation answers its trained bias: the
    edge adds one constant per channel, whatever the image shows. These are the only pruned edges whose absence
    changes the function, and only once training has moved that bias from 0.
    """
    rows = np.asarray(operations)
    reached, reaching = _reach(rows)
    sources, targets = np.array(EDGES).T
    return np.isin(rows, _CONVOLUTIONS) & ~reached[..., sources] & reaching[..., targets]


def _reach(rows: npt.NDArray[np.generic]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Nodes that the input reaches and nodes that reach the output, each (..., 4)."""
    reached = np.zeros((*rows.shape[:-1], NODES), dtype=bool)
    reaching = reached.copy()
    reached[..., 0] = reaching[..., -1] = True
    for edge, (source, target) in enumerate(EDGES):  # EDGES are sorted by target
        reached[..., target] |= reached[..., source] & (rows[..., edge] != _NONE)
    for edge, (source, target) in sorted(enumerate(EDGES), key=lambda item: -item[1][0]):
        reaching[..., source] |= reaching[..., target] & (rows[..., edge] != _NONE)
    return reached, reaching
