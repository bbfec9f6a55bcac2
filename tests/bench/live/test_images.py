"""What `Images` promises: a data set that exists is a data set one can train on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nasgauge.bench.errors import BadValue
from nasgauge.bench.live.images import Images, pixel_statistics


def toy(n=6, side=4, channels=3, classes=3, **changes):
    rng = np.random.default_rng(0)
    parts = {}
    for split in ("train", "valid", "test"):
        parts[f"x_{split}"] = rng.integers(0, 256, (n, side, side, channels)).astype(np.uint8)
        parts[f"y_{split}"] = (np.arange(n) % classes).astype(np.int64)
    parts |= {"classes": classes, "mean": (0.0,) * channels, "std": (1.0,) * channels}
    return Images("toy", **(parts | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x_train": np.zeros((6, 4, 4, 3), np.float32)}, "float32"),
        ({"x_test": np.zeros((6, 4, 4), np.uint8)}, r"\(6, 4, 4\)"),
        ({"x_test": np.zeros((6, 5, 4, 3), np.uint8)}, "different shapes"),
        ({"x_valid": np.zeros((6, 4, 4, 1), np.uint8)}, "different shapes"),
        ({"x_train": np.zeros((5, 4, 4, 3), np.uint8)}, "5 pictures but 6 labels"),
        ({"y_train": np.zeros(6, np.int32)}, "int32"),
        ({"y_valid": np.zeros((6, 1), np.int64)}, "y_valid"),
        ({"y_test": np.full(6, 3)}, "3 classes have 0 to 2"),
        ({"y_train": np.full(6, -1)}, "-1"),
        ({"x_test": np.zeros((0, 4, 4, 3), np.uint8), "y_test": np.zeros(0, np.int64)}, "test split is empty"),
        ({"x_train": np.zeros((0, 4, 4, 3), np.uint8), "y_train": np.zeros(0, np.int64)}, "train split is empty"),
        ({"mean": (0.0,)}, "mean"),
        ({"mean": (0.0, np.nan, 0.0)}, "mean"),
        ({"std": (1.0, 0.0, 1.0)}, "above 0"),
        ({"classes": 1}, "at least 2"),
        ({"classes": True}, "at least 2"),
        ({"x_train": [[1]]}, "a list"),
    ],
)
def test_bad_data_cannot_become_images(changes, words):
    with pytest.raises(BadValue, match=words):
        toy(**changes)


def test_only_validation_may_be_empty():
    images = toy(x_valid=np.zeros((0, 4, 4, 3), np.uint8), y_valid=np.zeros(0, np.int64))
    assert images.count("valid") == 0


def test_training_without_validation_joins_both_in_order():
    images = toy()
    joined = images.without_validation()
    assert joined.count("train") == 12
    assert joined.count("valid") == 0
    np.testing.assert_array_equal(joined.x_train[6:], images.x_valid)
    np.testing.assert_array_equal(joined.y_train[:6], images.y_train)
    np.testing.assert_array_equal(joined.x_test, images.x_test)


def test_first_shortens_every_split():
    short = toy().first(2)
    assert [short.count(split) for split in ("train", "valid", "test")] == [2, 2, 2]
    for wrong in (0, -1, True, 1.5):
        with pytest.raises(BadValue, match="limit"):
            toy().first(wrong)


@given(arrays.arrays(np.uint8, st.tuples(*[st.integers(1, 4)] * 3, st.integers(1, 3))))
def test_statistics_are_those_of_the_pixels(pictures):
    mean, std = pixel_statistics(pictures)
    np.testing.assert_allclose(mean, pictures.mean(axis=(0, 1, 2)))
    spread = pictures.std(axis=(0, 1, 2))
    np.testing.assert_allclose(std, np.where(spread > 0, spread, 1), rtol=1e-9)


def test_an_unknown_split_is_named():
    with pytest.raises(BadValue, match="train, valid, test"):
        toy().split("dev")
