"""The encoder arch2vec: cells as the means of their latents under a variational graph autoencoder."""

from __future__ import annotations

import os
from typing import Literal

import numpy as np
import torch

from ...bench.errors import BadValue
from ...bench.live.device import device_of
from ...bench.spaces import Ids, Space
from . import Rows
from .arch2vec_training import Arch2vecSettings, inputs, network_of
from .cate_tokens import representatives, tokens
from .checkpoints import load_checkpoint, shipped
from .pretraining import load_weights, settings_in

BATCH = 4096


def arch2vec(
    space: Space,
    ids: Ids,
    *,
    weights: str | os.PathLike[str] | None = None,
    pool: Literal["mean", "nodes"] = "mean",
    device: str = "cpu",
) -> Rows:
    """Latents of the autoencoder, (n, 16) float32 (Yan et al., NeurIPS 2020); isomorphic cells are encoded equal.

    Args:
        weights: a file made by `nasgauge encode ... --train`; default: those that come with the package.
        pool: "mean" over the nodes of the cell, as the authors search, or "nodes": one after the other, zeros where
            there is none, (n, L * 16).

    Raises:
        BadValue: no weights for this space, weights of another one, an unknown pool or device.
        BadFile: damaged weights.
    """
    if pool not in ("mean", "nodes"):
        raise BadValue(f"pool {pool!r}; legal: mean, nodes")
    where = device_of(device)
    path = shipped("arch2vec", space) if weights is None else weights
    checkpoint = load_checkpoint(path, "arch2vec", space)
    settings = settings_in(checkpoint, Arch2vecSettings)
    distinct, places = np.unique(representatives(space)[ids], return_inverse=True)
    cells = tokens(space, distinct)
    network = network_of(cells, settings).to(where)
    load_weights(network, checkpoint.weights, path)
    network.eval()
    length = cells.symbols.shape[1]
    rows = np.empty((len(cells), settings.latent * (length if pool == "nodes" else 1)), dtype=np.float32)
    arrays = inputs(cells)
    with torch.no_grad():
        for start in range(0, len(cells), BATCH):
            part = slice(start, start + BATCH)
            one_hot, adjacency, real = (torch.from_numpy(each[part]).to(where) for each in arrays)
            latent = network.encode(one_hot, adjacency, real)[0] * real[:, :, None]
            pooled = latent.flatten(1) if pool == "nodes" else latent.sum(1) / real.sum(1, keepdim=True)
            rows[part] = pooled.cpu().numpy()
    return rows[places.reshape(-1)]
