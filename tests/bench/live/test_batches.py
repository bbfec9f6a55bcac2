"""Batches hold the pictures they should, augmented as a loop over single pictures would, whatever the device."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.live.batches import Augmentation, Batches
from nasgauge.bench.live.images import Images
from nasgauge.bench.live.recipe import TrainingRecipe, epoch_order


def some_images(count=23, height=16, width=16, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(3):
        parts += [rng.integers(0, 256, (count, height, width, channels)).astype(np.uint8), np.arange(count) % 5]
    return Images("some", *parts, 5, (120.0,) * channels, (60.0,) * channels)


def one_by_one(images, recipe, seed, epoch):
    """The epoch's pictures (n, c, h, w), each padded, cut, flipped and normalised by plain numpy."""
    height, width, _ = images.shape
    change = Augmentation.draw(recipe, seed, epoch, images.count("train"), height)
    margin = change.padding
    for position, index in enumerate(epoch_order(seed, epoch, images.count("train"))):
        padded = np.pad(images.x_train[index], ((margin, margin), (margin, margin), (0, 0)))
        row, column = int(change.rows[position]), int(change.columns[position])
        picture = padded[row : row + height, column : column + width]
        if change.flips[position]:
            picture = picture[:, ::-1]
        values = (picture.astype(np.float32) - np.float32(images.mean)) / np.float32(images.std)
        yield values.transpose(2, 0, 1), images.y_train[index]


@settings(max_examples=25)
@given(
    count=st.integers(1, 30),
    height=st.sampled_from((8, 16)),
    width=st.sampled_from((8, 12)),
    channels=st.sampled_from((1, 3)),
    augment=st.sampled_from(((), ("crop",), ("flip",), ("crop", "flip"))),
    batch=st.integers(1, 40),
    seed=st.integers(0, 2**32),
    epoch=st.integers(0, 300),
    channels_last=st.booleans(),
)
def test_an_epoch_is_what_a_loop_over_pictures_gives(
    count, height, width, channels, augment, batch, seed, epoch, channels_last
):
    images = some_images(count, height, width, channels)
    recipe = TrainingRecipe(12, batch=batch, augment=augment)
    pictures, labels = zip(*one_by_one(images, recipe, seed, epoch), strict=True)
    found = list(Batches(images, channels_last=channels_last).epoch(recipe, seed, epoch))
    assert [len(y) for _, y in found] == [len(labels[at : at + batch]) for at in range(0, count, batch)]
    np.testing.assert_array_equal(torch.cat([x for x, _ in found]).numpy(), np.stack(pictures))
    np.testing.assert_array_equal(torch.cat([y for _, y in found]).numpy(), labels)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert all(x.is_contiguous(memory_format=layout) for x, _ in found)


def test_an_epoch_does_not_depend_on_the_one_before_it_nor_on_the_global_generator():
    batches, recipe = Batches(some_images()), TrainingRecipe(12, batch=8)
    torch.manual_seed(1)
    first = [x.clone() for x, _ in batches.epoch(recipe, 3, 7)]
    list(batches.epoch(recipe, 3, 6))
    torch.manual_seed(2)
    again = list(batches.epoch(recipe, 3, 7))
    assert all(torch.equal(x, y) for x, (y, _) in zip(first, again, strict=True))
    assert not torch.equal(first[0], next(iter(batches.epoch(recipe, 4, 7)))[0])
    assert not torch.equal(first[0], next(iter(batches.epoch(recipe, 3, 8)))[0])


def test_the_batch_size_does_not_change_which_augmentation_a_picture_gets():
    batches = Batches(some_images())
    small, large = (torch.cat([x for x, _ in batches.epoch(TrainingRecipe(1, batch=b), 0, 0)]) for b in (4, 64))
    assert torch.equal(small, large)


def test_shifts_and_flips_have_the_published_distribution():
    """Padding 4 at 32 x 32: each of nine shifts equally often both ways; half of the pictures are flipped."""
    change = Augmentation.draw(TrainingRecipe(1), 0, 0, 90_000, 32)
    assert change.padding == 4
    for shifts in (change.rows, change.columns):
        shares = np.bincount(shifts.numpy(), minlength=9) / 90_000
        np.testing.assert_allclose(shares, 1 / 9, atol=0.005)
    assert abs(change.flips.float().mean().item() - 0.5) < 0.01


def test_held_pictures_come_in_order_and_unchanged():
    images = some_images()
    for split in ("train", "valid", "test"):
        found = list(Batches(images).held(split, 10))
        assert [len(y) for _, y in found] == [10, 10, 3]
        pixels = torch.cat([x for x, _ in found]).numpy() * 60 + 120
        np.testing.assert_allclose(pixels.transpose(0, 2, 3, 1), images.split(split)[0], atol=1e-3)
    assert list(Batches(images.without_validation()).held("valid", 10)) == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_sees_the_batches_of_a_cpu():
    images, recipe = some_images(200, 32, 32), TrainingRecipe(12, batch=64)
    for (x, y), (u, v) in zip(
        Batches(images).epoch(recipe, 1, 2), Batches(images, "cuda").epoch(recipe, 1, 2), strict=True
    ):
        assert torch.equal(y, v.cpu())
        torch.testing.assert_close(x, u.cpu(), rtol=0, atol=1e-6)
