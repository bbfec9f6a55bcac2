"""CATE with the weights that come with the package: what it has learned, and what its encodings tell apart."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

pytest.importorskip("torch")

import torch
from torch.nn.functional import cross_entropy

import nasgauge as ng
from nasgauge.bench.errors import BadFile, BadValue
from nasgauge.bench.spaces import Space, space
from nasgauge.proxies.encodings.cate_pairs import UNSCORED, Masked, mask_tokens
from nasgauge.proxies.encodings.cate_tokens import costs
from nasgauge.proxies.encodings.cate_training import CatePretraining, settings_for
from nasgauge.proxies.encodings.checkpoints import SHIPPED, Checkpoint, load_checkpoint, save_checkpoint, shipped
from nasgauge.proxies.encodings.pretraining import load_weights

TSS, CELLS = space("topology"), space("cells101")
both = pytest.mark.parametrize("one", [TSS, CELLS], ids=["topology", "cells101"])


def of(one: Space) -> Checkpoint:
    return load_checkpoint(shipped("cate", one), "cate", one)


@both
def test_shipped_weights_are_those_of_the_default_settings(one: Space) -> None:
    settings = {name: value for name, value in of(one).settings.items() if name != "steps"}
    assert settings_for(one).__dict__ == settings  # the command of the manual trains so
    assert sum(path.stat().st_size for path in SHIPPED.glob("*.npz")) < 10e6


def costs_of_tokens(task: CatePretraining) -> tuple[np.ndarray, np.ndarray]:
    """Cross-entropy [nats] and symbol of every hidden token of the held-out pairs."""
    found, true = [], []
    with torch.no_grad():
        for symbols, reach, real, targets in task.held_batches(torch.device("cpu")):
            asked = targets != UNSCORED
            scores = task.network(symbols, reach, real, asked)
            found.append(cross_entropy(scores, targets[asked], reduction="none").numpy())
            true.append(targets[asked].numpy())
    return np.concatenate(found), np.concatenate(true)


def with_other_partners(held: Masked) -> Masked:
    """Every cell beside the partner of another pair, with the same tokens hidden."""
    moved = (np.stack([each[:, 0], np.roll(each[:, 1], 1, axis=0)], axis=1) for each in vars(held).values())
    return Masked(*moved)


def trained(one: Space, kept: Checkpoint) -> CatePretraining:
    """The training that made ``kept``, with its weights."""
    settings = {name: value for name, value in kept.settings.items() if name != "steps"}
    task = CatePretraining(one, settings_for(one, **settings))
    load_weights(task.network, kept.weights, "kept")
    task.network.eval()
    return task


@both
def test_hidden_tokens_of_cells_never_seen_cost_far_less_than_guessing_by_frequency(one: Space) -> None:
    """Over all tokens; what of it inputs and outputs are, and operations, is a finding (`reports/FINDINGS.md`).

    Weights of your own are measured beside those that ship: NASGAUGE_CATE_WEIGHTS=FOLDER/weights.npz.
    """
    further = [Path(name) for name in os.environ.get("NASGAUGE_CATE_WEIGHTS", "").split(os.pathsep) if name]
    for path in [shipped("cate", one), *(further if one is TSS else [])]:
        task = trained(one, load_checkpoint(path, "cate", one))
        cost, true = costs_of_tokens(task)
        with torch.no_grad():
            measures = task.held_out(torch.device("cpu"))
        assert measures["held_cross_entropy"] == pytest.approx(cost.mean(), rel=1e-5)
        if path not in further:
            assert measures["held_cross_entropy"] < 0.8 * task.unigram_entropy()
        task.held = with_other_partners(task.held)
        strange, strange_true = costs_of_tokens(task)
        released = task.given.variant == "released"  # whose output comes last
        first, last = task.tokens.first, task.tokens.vocabulary - 1 if released else task.tokens.first + 1
        ends, others = ((each == first) | (each == last) for each in (true, strange_true))
        print(f"\n{path.parent.name}/{path.name}: cross-entropy, with other partners, unigram entropy [nats]")
        for what, part, other in (("all", ends | ~ends, others | ~others), ("inputs and outputs", ends, others),
                                  ("operations", ~ends, ~others)):  # fmt: skip
            share = np.bincount(true[part]) / part.sum()
            entropy = -(share[share > 0] * np.log(share[share > 0])).sum()
            print(f"  {what}: {cost[part].mean():.3f}, {strange[other].mean():.3f}, {entropy:.3f}")


def test_partners_would_tell_which_operations_are_hidden() -> None:
    """What a reckoner pays that knows the prices of operations, and that costs differ by the threshold at most.

    For the one hidden operation of a held-out cell beside a partner in full view. CATE makes nothing of it.
    """
    task = trained(TSS, of(TSS))
    cells, first, names = task.tokens, task.tokens.first + 2, TSS.choices[0]
    prices = TSS.flops([TSS.parse(f"|{name}~0|+|none~0|none~1|+|none~0|none~1|none~2|") for name in names])
    held = mask_tokens(cells, np.tile(task.held.cells, (50, 1)), task.given.masked, np.random.default_rng(0))
    asked = held.targets != UNSCORED
    frequency = np.bincount(held.targets[asked])[first:] / (held.targets[asked] >= first).sum()
    found, plain = [], []
    for mine, other in ((0, 1), (1, 0)):
        alone = (asked[:, mine].sum(1) == 1) & ~asked[:, other].any(1)
        hidden = held.targets[alone, mine].max(1) - first
        cell, partner = held.cells[alone, mine][hidden >= 0], held.cells[alone, other][hidden >= 0]
        hidden = hidden[hidden >= 0]
        guesses = (task.cost[cell] - prices[hidden])[:, None] + prices - task.cost[partner][:, None]
        share = frequency * (np.abs(guesses) <= task.given.threshold)
        found.append(-np.log(share[np.arange(len(hidden)), hidden] / share.sum(1)))
        plain.append(-np.log(frequency[hidden]))
    reckoned, guessed = np.concatenate(found).mean(), np.concatenate(plain).mean()
    print(f"\noperations: reckoned {reckoned:.3f}, guessed by frequency {guessed:.3f} [nats]")
    assert reckoned < 0.6 * guessed


def test_isomorphic_cells_are_encoded_equal() -> None:
    ids = np.random.default_rng(0).integers(TSS.size, size=500)
    rows = ng.encode(TSS, "cate", ids)
    assert rows.shape == (500, 64)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, ng.encode(TSS, "cate", TSS.canonical(ids)))
    assert np.isfinite(ng.encode(TSS, "cate", ids, pool="mean")).all()
    given = CELLS.graph(70_000)
    assert len(ng.encode(CELLS, "cate", [given, 70_000])) == 2


def test_what_else_is_encoded_does_not_matter() -> None:
    rows = ng.encode(TSS, "cate", [5, 9000, 77, 5])
    np.testing.assert_allclose(rows[1:3], ng.encode(TSS, "cate", [9000, 77]), atol=1e-5)
    np.testing.assert_array_equal(rows[0], rows[3])


@both
def test_distances_follow_what_cells_compute_with(one: Space) -> None:
    """More than chance; how little is a finding (`reports/FINDINGS.md`)."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(one.size, size=(2, 8000))
    apart = np.linalg.norm(np.asarray(ng.encode(one, "cate", first)) - ng.encode(one, "cate", second), axis=1)
    computed = np.abs(costs(one, first, "flops") - costs(one, second, "flops"))
    found = spearmanr(apart, computed)
    print(f"{one.name}: Spearman of encoding distance and FLOPs difference {found.statistic:.3f}")
    assert found.statistic > 0
    assert found.pvalue < 1e-3


def test_weights_of_another_space_damaged_or_misfit_are_refused(tmp_path: Path) -> None:
    folder = tmp_path
    with pytest.raises(BadValue, match="'cells101'"):
        ng.encode(TSS, "cate", [0], weights=shipped("cate", CELLS))
    (folder / "short.npz").write_bytes(shipped("cate", TSS).read_bytes()[:5000])
    with pytest.raises(BadFile, match="short"):
        ng.encode(TSS, "cate", [0], weights=folder / "short.npz")
    good = of(TSS)
    wrong = Checkpoint("cate", "topology", TSS.size, {**good.settings, "width": 32}, good.epochs, good.weights, {}, {})
    with pytest.raises(BadFile, match="do not fit"):
        ng.encode(TSS, "cate", [0], weights=save_checkpoint(folder / "misfit.npz", wrong))
    with pytest.raises(BadValue, match="legal: output, mean"):
        ng.encode(TSS, "cate", [0], pool="first")
    with pytest.raises(BadValue, match="available"):
        ng.encode(TSS, "cate", [0], device="tpu9")
