"""The encoder CATE: cells as the vectors that a transformer gives their output nodes after pre-training on pairs."""

from __future__ import annotations

import os
from typing import Literal

import numpy as np
import torch

from ...bench.errors import BadValue
from ...bench.live.device import device_of
from ...bench.spaces import Ids, Space
from . import Rows
from .cate_tokens import representatives, tokens
from .cate_training import CateSettings, attention_of, network_of
from .checkpoints import load_checkpoint, shipped
from .pretraining import load_weights, settings_in

BATCH = 4096


def cate(
    space: Space,
    ids: Ids,
    *,
    weights: str | os.PathLike[str] | None = None,
    pool: Literal["output", "mean"] = "output",
    device: str = "cpu",
) -> Rows:
    """Computation-aware encodings, (n, width) float32 (Yan et al., ICML 2021).

    The vector that the encoder of a single cell gives the output node; of weights trained with ``variant="released"``
    that of the last position. Isomorphic cells are encoded equal (but for the released variant).

    Args:
        weights: a file made by `nasgauge encode ... --train`; default: those that come with the package.
        pool: "output", or "mean" over all nodes of the cell.

    Raises:
        BadValue: no weights for this space, weights of another one, an unknown pool or device.
        BadFile: damaged weights.
    """
    if pool not in ("output", "mean"):
        raise BadValue(f"pool {pool!r}; legal: output, mean")
    where = device_of(device)
    path = shipped("cate", space) if weights is None else weights
    checkpoint = load_checkpoint(path, "cate", space)
    settings = settings_in(checkpoint, CateSettings)
    stand_ins = representatives(space)[ids] if settings.variant == "paper" else np.asarray(ids)
    distinct, places = np.unique(stand_ins, return_inverse=True)
    cells = tokens(space, distinct, settings.variant)
    reach, real = attention_of(cells, settings)
    network = network_of(cells.vocabulary, settings).to(where)
    load_weights(network, checkpoint.weights, path)
    network.eval()
    rows = np.empty((len(cells), settings.width), dtype=np.float32)
    with torch.no_grad():
        for start in range(0, len(cells), BATCH):
            part = slice(start, start + BATCH)
            arrays = (cells.symbols[part].astype(np.int64), reach[part], real[part])
            symbols, looks, counted = (torch.from_numpy(each).to(where) for each in arrays)
            nodes = network.encode(symbols, looks, counted)
            if pool == "output":
                rows[part] = nodes[:, -1].cpu().numpy()
            else:
                share = counted / counted.sum(1, keepdim=True)
                rows[part] = (nodes * share[:, :, None]).sum(1).cpu().numpy()
    return rows[places.reshape(-1)]
