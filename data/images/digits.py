"""The 1,797 handwritten digits that scikit-learn carries: 8 x 8 pixels of 0 to 16, ten classes, nothing to download."""

from __future__ import annotations

import numpy as np

from ...bench.live.images import Images, pixel_statistics
from .order import fixed_order

NAME = "digits"
TRAIN, VALID, TEST = 600, 500, 697
SOURCE = (
    "Optical Recognition of Handwritten Digits, test set (Alpaydin and Kaynak, UCI, 1998), as scikit-learn's "
    "load_digits; split 600 / 500 / 697 in nasgauge's fixed order, so that train, validation and test share writers"
)


def read() -> Images:
    """600 training, 500 validation and 697 test pictures, (n, 8, 8, 1), pixels 0 to 16.

    The split takes the pictures in `order.fixed_order`: the first 600 train, the next 500 validate. scikit-learn's
    own order goes by writer; mean and std are those of the 600.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = fixed_order(NAME, TRAIN + VALID + TEST)
    pictures = np.ascontiguousarray(bunch.images.astype(np.uint8)[order, :, :, None])
    labels = bunch.target.astype(np.int64)[order]
    parts = np.split(np.arange(len(order)), [TRAIN, TRAIN + VALID])
    (x_train, y_train), (x_valid, y_valid), (x_test, y_test) = ((pictures[part], labels[part]) for part in parts)
    mean, std = pixel_statistics(x_train)
    return Images(NAME, x_train, y_train, x_valid, y_valid, x_test, y_test, 10, mean, std, SOURCE)
