"""Trained outside the table on real CIFAR-10: what a processor can show of it in a quarter of an hour.

With a GPU: ``nasgauge verify nats-tss --stratified 5 -d cifar10 --budget 12 --device cuda``, all images, whose
page gives the z-score of every difference against the spread of seeds. Here five stratified cells are trained with the
table's own recipe on 1,000 images, for half the epochs with smaller batches; accuracies are far below the table's, but
best, median and worst keep their order. Finished trainings are kept with ``NASGAUGE_RUNS=folder``.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

import nasgauge as ng
from nasgauge.searchers.runner.verification import trainings, verify

from ...real_images import real_cifar10

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_cells_trained_on_real_images_keep_the_order_of_the_table(
    real_home: Path, shared: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    bench = ng.open("nats-tss", home=real_home)
    folder = Path(os.environ.get("NASGAUGE_RUNS", tmp_path)) / "verify-cifar10"
    run = verify(
        bench, folder=folder, dataset="cifar10", budget=12, sample=5, seeds=3, images=real_cifar10(shared), limit=1000,
        recipe={"epochs": 6, "batch": 32}, progress=True,
    )  # fmt: skip
    frame = trainings(run)
    last = frame[frame.epoch == 6]
    found = last.groupby("id").test_accuracy.mean()
    stated = np.asarray(bench.query(found.index.to_numpy(), "valid_accuracy", dataset="cifar10", budget=12))
    print(last.groupby("id").test_accuracy.agg(["mean", "std"]).assign(table=stated).sort_values("table"))
    assert len(last) == 15
    worst, _, median, _, best = found.to_numpy()[np.argsort(stated)]
    assert worst < median < best
    assert kendalltau(found, stated).statistic >= 0.6
