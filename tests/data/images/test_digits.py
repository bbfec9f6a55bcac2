"""The digits: all of scikit-learn's, once each, in a split that never moves."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from nasgauge.bench.errors import BadValue
from nasgauge.data.images import digits
from nasgauge.data.images.order import fixed_order, hold_out


def test_every_digit_is_in_exactly_one_split():
    images, bunch = digits.read(), load_digits()
    assert [images.count(split) for split in ("train", "valid", "test")] == [600, 500, 697]
    assert images.shape == (8, 8, 1)
    assert images.classes == 10
    found = sorted(
        (picture.tobytes(), int(label))
        for split in ("train", "valid", "test")
        for picture, label in zip(*images.split(split), strict=True)
    )
    expected = sorted(
        (picture.astype(np.uint8).tobytes(), int(label))
        for picture, label in zip(bunch.images, bunch.target, strict=True)
    )
    assert found == expected


def test_the_split_is_the_documented_one():
    """Recomputed here from the rule in words; golden labels written down on 2026-11-22."""
    order = sorted(range(1797), key=lambda index: hashlib.sha256(f"digits {index}".encode()).digest())
    target = load_digits().target
    images = digits.read()
    np.testing.assert_array_equal(images.y_train, target[order[:600]])
    np.testing.assert_array_equal(images.y_valid, target[order[600:1100]])
    np.testing.assert_array_equal(images.y_test, target[order[1100:]])
    assert order[:5] == [1457, 1074, 1038, 1402, 952]


def test_mean_and_std_are_those_of_the_training_pictures():
    images = digits.read()
    np.testing.assert_allclose(images.mean, images.x_train.mean())
    np.testing.assert_allclose(images.std, images.x_train.std())


@given(st.text(max_size=8).filter(lambda text: text.isascii()), st.integers(0, 200))
def test_the_fixed_order_is_a_permutation(name, count):
    assert sorted(fixed_order(name, count).tolist()) == list(range(count))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_holding_out_takes_its_share_of_every_class(labels, fraction):
    labels = np.array(labels)
    sizes = np.bincount(labels)
    if sizes.max() < 2:
        with pytest.raises(BadValue, match="two training pictures"):
            hold_out(labels, fraction, "toy")
        return
    stay, held = hold_out(labels, fraction, "toy")
    assert sorted([*stay, *held]) == list(range(len(labels)))
    for label, size in enumerate(sizes):
        count = (labels[held] == label).sum()
        assert count <= max(size - 1, 0)
        if size > 1:
            assert count >= 1
            assert abs(count - fraction * size) <= 1


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 1.5, True, float("nan")])
def test_a_fraction_that_is_none_is_refused(fraction):
    with pytest.raises(BadValue, match="between 0 and 1"):
        hold_out(np.zeros(5, np.int64), fraction, "toy")
