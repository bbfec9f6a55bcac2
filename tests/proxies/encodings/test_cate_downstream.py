"""What CATE's encodings are worth to a predictor that has seen few trained cells (`reports/FINDINGS.md`).

pytest -m slow -s tests/proxies/encodings/test_cate_downstream.py
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import kendalltau, t

pytest.importorskip("torch")

import nasgauge as ng
from nasgauge.bench.spaces import space
from nasgauge.proxies.encodings import vectors
from nasgauge.proxies.encodings.cate_tokens import representatives, tokens
from nasgauge.proxies.encodings.cate_training import CatePretraining, settings_for
from nasgauge.proxies.encodings.checkpoints import Checkpoint, save_checkpoint
from nasgauge.searchers.predictors.heads import gaussian_process, random_forest, ridge

TSS = space("topology")
EVERY = np.arange(TSS.size)
HEADS = {"ridge": ridge, "gp": gaussian_process, "forest": random_forest}
SPLITS, SIZES, JUDGED = 50, (20, 50, 100), 2000
RIVALS = ("adjacency", "path")
Rows = npt.NDArray[np.float32]


def untrained(folder: Path) -> Path:
    """Weights of CATE as they are before the first step."""
    task = CatePretraining(TSS, settings_for(TSS))
    weights = {name: value.numpy() for name, value in task.network.state_dict().items()}
    made = Checkpoint("cate", TSS.name, TSS.size, task.settings, task.given.epochs, weights, {}, {})
    return save_checkpoint(folder / "untrained.npz", made)


def operations_counted() -> Rows:
    """How often each operation occurs on paths of the class: the least that any of these encodings could say."""
    found = tokens(TSS, EVERY)
    return (found.symbols[:, :, None] == np.arange(found.first, found.vocabulary)).sum(1).astype(np.float32)


def encodings(folder: Path) -> dict[str, Rows]:
    """CATE and its rivals; what its parts alone are worth; weights of your own (NASGAUGE_CATE_WEIGHTS=FILE:FILE)."""
    same = representatives(TSS)
    further = (Path(name) for name in os.environ.get("NASGAUGE_CATE_WEIGHTS", "").split(os.pathsep) if name)
    return {
        "cate": vectors(TSS, "cate"),
        "cate, mean of nodes": vectors(TSS, "cate", pool="mean"),
        "cate, untrained": vectors(TSS, "cate", weights=untrained(folder)),
        "arch2vec": vectors(TSS, "arch2vec"),
        "adjacency": vectors(TSS, "adjacency"),
        "adjacency of the class": vectors(TSS, "adjacency", same),
        "path": vectors(TSS, "path"),
        "path of the class": vectors(TSS, "path", same),
        "features": vectors(TSS, "path-features"),
        "operations counted": operations_counted(),
        "FLOPs": np.log(TSS.flops(EVERY)).astype(np.float32)[:, None],
        **{str(path): vectors(TSS, "cate", weights=path) for path in further},
    }


def agreements(rows: Rows, truth: npt.NDArray[np.float64], size: int, head: str) -> npt.NDArray[np.float64]:
    """Kendall's tau on cells never seen, one for each split; splits depend on number and size only."""
    found = np.empty(SPLITS)
    for split in range(SPLITS):
        order = np.random.default_rng([split, size]).permutation(TSS.size)
        seen, judged = order[:size], order[size : size + JUDGED]
        spread = rows[seen].std(0)
        shift, scale = rows[seen].mean(0), np.where(spread < 1e-6, 1, spread)
        given = ((rows[seen] - shift) / scale).astype(np.float64)
        values = (truth[seen] - truth[seen].mean()) / truth[seen].std()
        predict = HEADS[head](given, values, np.random.default_rng(split))
        guessed = predict(((rows[judged] - shift) / scale).astype(np.float64))[0]
        found[split] = np.nan_to_num(kendalltau(guessed, truth[judged]).statistic)
    return found


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "ImageNet16-120"])
def test_few_cells_teach_more_with_cate_than_with_adjacency_or_paths(
    dataset: str, head: str, real_home: Path, tmp_path: Path
) -> None:
    bench = ng.open("nats-tss", home=real_home)
    truth = np.asarray(bench.query(EVERY, "test_accuracy", dataset=dataset), dtype=np.float64)
    rows = encodings(tmp_path)
    if head == "forest":  # takes long: only what is claimed
        rows = {name: rows[name] for name in ("cate", *RIVALS)}
    for size in SIZES:
        found = {name: agreements(each, truth, size, head) for name, each in rows.items()}
        means = ", ".join(f"{name} {each.mean():.3f}" for name, each in found.items())
        print(f"\n{dataset}, {head}, {size} cells: {means}")
        for rival in RIVALS:
            apart = found["cate"] - found[rival]
            half = t.ppf(0.975, SPLITS - 1) * apart.std(ddof=1) / np.sqrt(SPLITS)
            print(f"  cate - {rival}: {apart.mean():+.3f} [{apart.mean() - half:+.3f}, {apart.mean() + half:+.3f}]")
            assert apart.mean() - half > 0
