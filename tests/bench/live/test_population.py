"""Networks trained together train as each would alone, whatever operations they mix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from nasgauge.bench.errors import BadValue
from nasgauge.bench.live.batches import Batches
from nasgauge.bench.live.images import Images
from nasgauge.bench.live.macro import Macro
from nasgauge.bench.live.network import CellNetwork, cell_network
from nasgauge.bench.live.optimizers import optimizer_of
from nasgauge.bench.live.population import Population
from nasgauge.bench.live.population_training import train_population
from nasgauge.bench.live.protocol import Protocol
from nasgauge.bench.live.recipe import TrainingRecipe
from nasgauge.bench.live.training import train
from nasgauge.data.images import digits

MINI = Macro.mini(width=4)
RESIDUAL = Macro((4, 6, 6), cells_per_stage=2, stem_kernel=3, image_channels=3)
EVERY_OPERATION_ON_EVERY_EDGE = [[(edge + shift) % 5 for edge in range(6)] for shift in range(5)]
STEPS = 20

cells = st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=6), min_size=1, max_size=4)


def losses(
    cells: list[list[int]], macro: Macro, lr: float, dtype: torch.dtype
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Losses of the first steps of every member, (member, step): together and one at a time."""
    networks = [cell_network(cell, macro, 5, seed=seed).to(dtype) for seed, cell in enumerate(cells)]
    population = Population(networks)
    rng = torch.Generator().manual_seed(0)
    images = torch.randn(STEPS, len(cells), 10, macro.image_channels, 8, 8, generator=rng, dtype=dtype)
    labels = torch.randint(0, 5, (STEPS, len(cells), 10), generator=rng)
    recipe = TrainingRecipe(1, lr=lr)
    together, alone = np.zeros((len(cells), STEPS)), np.zeros((len(cells), STEPS))
    optimizer = optimizer_of(recipe, population.parameters())
    for step in range(STEPS):
        logits = population(images[step].transpose(0, 1).flatten(1, 2))
        each = cross_entropy(logits.flatten(0, 1), labels[step].flatten(), reduction="none").unflatten(0, (-1, 10))
        optimizer.zero_grad()
        each.mean(1).sum().backward()
        optimizer.step()
        together[:, step] = each.detach().mean(1)
    for member, network in enumerate(networks):
        optimizer = optimizer_of(recipe, network.parameters())
        for step in range(STEPS):
            loss = cross_entropy(network(images[step, member]), labels[step, member])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            alone[member, step] = loss.item()
    return together, alone


@pytest.mark.parametrize("macro", [MINI, RESIDUAL], ids=["mini", "residual"])
def test_every_operation_on_every_edge_trains_as_alone_to_four_digits(macro: Macro) -> None:
    together, alone = losses(EVERY_OPERATION_ON_EVERY_EDGE, macro, 0.01, torch.float32)
    np.testing.assert_allclose(together, alone, rtol=1e-4)


@settings(max_examples=6)
@given(cells=cells, residual=st.booleans())
def test_any_mix_trains_as_alone_but_for_rounding(cells: list[list[int]], residual: bool) -> None:
    # At the learning rate of the benchmarks rounding grows from step to step; in double precision it stays small.
    together, alone = losses(cells, RESIDUAL if residual else MINI, 0.1, torch.float64)
    np.testing.assert_allclose(together, alone, rtol=1e-6)


@pytest.fixture(scope="module")
def images() -> Images:
    return digits.read().first(100)


def networks(cells: list[list[int]], seeds: list[int]) -> list[CellNetwork]:
    return [cell_network(cell, MINI, 10, seed=seed) for cell, seed in zip(cells, seeds, strict=True)]


def test_a_trained_population_agrees_with_the_trainer_of_one_network(images: Images) -> None:
    recipe = TrainingRecipe(2, batch=40, lr=0.01, augment=("crop", "flip"))  # batches of 40, 40 and 20
    some, seeds = [[3, 1, 4, 2, 3, 1], [2, 3, 0, 4, 1, 3], [3, 1, 4, 2, 3, 1]], [5, 5, 8]
    batches = Batches(images)
    curves = train_population(networks(some, seeds), seeds, batches, recipe)
    for member, (network, seed) in enumerate(zip(networks(some, seeds), seeds, strict=True)):
        history = train(network, batches, recipe, seed)
        for split in ("train", "valid", "test"):
            np.testing.assert_allclose(curves.loss[split][member], history[f"{split}_loss"], rtol=1e-3)
            np.testing.assert_allclose(curves.accuracy(split)[member], history[f"{split}_accuracy"], atol=1.01)


def test_a_member_that_diverges_is_recorded_and_harms_no_other(images: Images) -> None:
    recipe, cell = TrainingRecipe(1, batch=50, augment=()), [3, 2, 3, 1, 1, 4]
    good, bad = networks([cell, cell], [0, 1])
    with torch.no_grad():
        bad.classifier.weight.mul_(torch.inf)
    batches = Batches(images)
    together = train_population([good, bad], [0, 1], batches, recipe)
    alone = train_population(networks([cell], [0]), [0], batches, recipe)
    assert together.diverged.tolist() == [False, True]
    np.testing.assert_allclose(together.loss["test"][0], alone.loss["test"][0], rtol=1e-3)
    assert together.correct["test"].shape == (2, 1)


def test_images_without_a_validation_split_leave_it_unknown(images: Images) -> None:
    recipe = TrainingRecipe(1, batch=50, augment=())
    curves = train_population(networks([[1] * 6], [0]), [0], Batches(images.without_validation()), recipe)
    assert np.isnan(curves.accuracy("valid")).all()
    assert np.isnan(curves.loss["valid"]).all()


def test_what_cannot_be_a_population_is_refused(images: Images) -> None:
    one, other = cell_network([1] * 6, MINI, 10), cell_network([1] * 6, MINI.but(widths=(8, 8, 8)), 10)
    for members, words in (
        ([], "at least one"),
        ([one, other], "one skeleton"),
        ([cell_network([1] * 6, MINI, 10, prune=False)], "pruned"),
    ):
        with pytest.raises(BadValue, match=words):
            Population(members)
    with pytest.raises(BadValue, match="2 seeds for 1 networks"):
        train_population([one], [0, 1], Batches(images), Protocol.of(images, 1).recipe)


def test_a_skeleton_whose_cells_change_width_is_refused() -> None:
    # a skip between different widths is a convolution of its own, which only the size space has
    changing = Macro((4, 6, 8, 8, 8), cells_per_stage=1, image_channels=3)
    with pytest.raises(BadValue, match="width"):
        Population([cell_network([1] * 6, changing, 10)])
