"""arch2vec: the encoder sees graphs, not numberings; the decoder draws the cell again."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from nasgauge.bench.errors import BadValue
from nasgauge.bench.spaces import space
from nasgauge.proxies.encodings.arch2vec import arch2vec
from nasgauge.proxies.encodings.arch2vec_network import Arch2vecNetwork
from nasgauge.proxies.encodings.arch2vec_training import Arch2vecPretraining, inputs, settings_for
from nasgauge.proxies.encodings.cate_tokens import tokens
from nasgauge.proxies.encodings.checkpoints import load_checkpoint, shipped
from nasgauge.proxies.encodings.pretraining import load_weights

TSS = space("topology")


def test_a_hop_is_the_published_sum() -> None:
    """h <- relu(norm(mlp((1 + eps) h_v + sum of h_u over neighbours u))), node by node (arch2vec, equation 1)."""
    torch.manual_seed(0)
    network = Arch2vecNetwork(4, hops=1, width=8, latent=3).eval()
    hop = network.hops[0]
    hop.eps.data.fill_(0.3)
    one_hot, adjacency, real = (torch.from_numpy(each) for each in inputs(tokens(space("cells101"), np.arange(3))))
    one_hot = one_hot[..., :4]
    mean, _ = network.encode(one_hot, adjacency, real)
    for cell in range(3):
        for node in np.flatnonzero(real[cell].numpy()):
            gathered = 1.3 * one_hot[cell, node]
            for other in np.flatnonzero(adjacency[cell, node].numpy()):
                gathered = gathered + one_hot[cell, other]
            row = torch.relu(hop.norm(hop.mlp(gathered[None])))
            torch.testing.assert_close(mean[cell, node], network.mean(row)[0])


def test_numbering_and_padding_do_not_matter() -> None:
    torch.manual_seed(0)
    network = Arch2vecNetwork(5, hops=3, width=8, latent=3).eval()
    found = inputs(tokens(space("cells101"), np.arange(20)))
    one_hot, adjacency, real = (torch.from_numpy(each) for each in found)
    order = torch.randperm(7)
    plain = network.encode(one_hot, adjacency, real)[0]
    turned = network.encode(one_hot[:, order], adjacency[:, order][:, :, order], real[:, order])[0]
    torch.testing.assert_close(turned, plain[:, order])


def test_the_divergence_is_that_of_normals() -> None:
    task = Arch2vecPretraining(TSS, settings_for(TSS, cells=200, hops=1, width=8, latent=3, divergence=1.0))
    batch = next(iter(task.batches(np.random.default_rng(0), torch.device("cpu"))))
    task.network.eval()
    without = Arch2vecPretraining(TSS, settings_for(TSS, cells=200, hops=1, width=8, latent=3, divergence=0.0))
    without.network.load_state_dict(task.network.state_dict())
    without.network.eval()
    _, _, mean, log_variance = task.network(*batch)
    one = torch.distributions.Normal(mean, (log_variance / 2).exp())
    each = torch.distributions.kl_divergence(one, torch.distributions.Normal(0.0, 1.0)).sum(-1)[batch[2]]
    torch.testing.assert_close(task.loss(*batch) - without.loss(*batch), each.mean())


def test_shipped_weights_draw_cells_again_that_they_never_saw() -> None:
    checkpoint = load_checkpoint(shipped("arch2vec", TSS), "arch2vec", TSS)
    settings = {name: value for name, value in checkpoint.settings.items() if name != "steps"}
    assert settings_for(TSS).__dict__ == settings  # the command of the manual trains so
    task = Arch2vecPretraining(TSS, settings_for(TSS))
    load_weights(task.network, checkpoint.weights, "shipped")
    task.network.eval()
    with torch.no_grad():
        measures = task.held_out(torch.device("cpu"))
    assert measures["held_symbol_accuracy"] > 99
    assert measures["held_edge_accuracy"] > 98


def test_isomorphic_cells_are_encoded_equal() -> None:
    ids = np.random.default_rng(0).integers(TSS.size, size=300)
    for pool, numbers in (("mean", 16), ("nodes", 128)):
        rows = arch2vec(TSS, ids, pool=pool)  # type: ignore[arg-type]
        assert rows.shape == (300, numbers)
        assert rows.dtype == np.float32
        np.testing.assert_array_equal(rows, arch2vec(TSS, TSS.canonical(ids), pool=pool))  # type: ignore[arg-type]
    with pytest.raises(BadValue, match="legal: mean, nodes"):
        arch2vec(TSS, ids, pool="last")  # type: ignore[arg-type]
