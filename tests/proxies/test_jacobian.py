"""Scores of input Jacobians, beside numpy on Jacobians of a float64 network."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nasgauge.proxies import epe_nas, jacob_cov
from nasgauge.proxies.proxy import Batch

from .plain_scores import CELLS, NO_PATH, batch, candidate, double, image_jacobian

K = 1e-5
cells = pytest.mark.parametrize("name", CELLS)


def in_double(images: Batch, labels: torch.Tensor | None = None, classes: int | None = None) -> Batch:
    chosen = images.labels if labels is None else labels
    return Batch(images.images.double(), chosen, classes or images.classes)


@cells
def test_jacob_cov_by_eigenvalues_of_the_correlation(name: str) -> None:
    images = batch(8)
    network = candidate(CELLS[name], images).network
    values = np.linalg.eigvals(np.corrcoef(image_jacobian(network, images.images))).real
    expected = -sum(math.log(v + K) + 1 / (v + K) for v in values)
    assert jacob_cov()(double(network), in_double(images)) == pytest.approx(expected, rel=1e-6)
    assert jacob_cov()(network, images) == pytest.approx(expected, rel=1e-2)


@cells
def test_epe_nas_by_classes(name: str) -> None:
    images = batch(8)
    network = candidate(CELLS[name], images).network
    jacobian = image_jacobian(network, images.images)
    expected = 0.0
    for label in range(3):
        rows = [row for row, own in zip(jacobian, images.labels.tolist(), strict=True) if own == label]
        total = 0.0
        for a in rows:
            for b in rows:
                total += math.log(abs(np.corrcoef(a, b)[0, 1]) + K)
        expected += abs(total)
    assert epe_nas()(double(network), in_double(images)) == pytest.approx(expected, rel=1e-8)


def test_epe_nas_of_many_classes_compares_them_and_leaves_single_images_out() -> None:
    images = batch(8)
    network = candidate(CELLS["mixed"], images).network
    labels = torch.tensor([0, 0, 0, 95, 95, 7, 7, 3])
    jacobian = image_jacobian(network, images.images)
    classes = jacobian[:3], jacobian[3:5], jacobian[5:7]
    means = [np.log(np.abs(np.corrcoef(rows)) + K).sum() / len(rows) for rows in classes]
    expected = sum(abs(a - b) for a in means for b in means) / 3
    assert epe_nas()(double(network), in_double(images, labels, 120)) == pytest.approx(expected, rel=1e-8)
    few = sum(abs(mean * size) for mean, size in zip(means, (3, 2, 2), strict=True))
    assert epe_nas()(double(network), in_double(images, labels, 100)) == pytest.approx(few, rel=1e-8)


def test_no_class_of_two_images_and_no_influence_are_nan() -> None:
    images = batch(4)
    network = candidate(CELLS["mixed"], images).network
    alone = Batch(images.images, torch.arange(4), 4)
    assert math.isnan(epe_nas()(network, alone))
    dead = candidate(NO_PATH, images).network
    assert math.isnan(jacob_cov()(dead, images)) and math.isnan(epe_nas()(dead, batch(6)))
