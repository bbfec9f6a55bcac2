"""Parameters and multiply-adds of the pieces of the NAS-Bench-201 / NATS-Bench network.

Convention of the official counter: a convolution counts kernel area x channels in x channels out x output positions,
the linear layer its weights and biases; pooling, batch normalisation, activations and sums count nothing. Widths may
be numbers or arrays; every function answers (..., 2): [parameters, multiply-adds].
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Width = int | npt.NDArray[np.int64]


def conv_norm(kernel: int, width_in: Width, width_out: Width, side: int) -> Counts:
    """A convolution without bias and its batch normalisation, ``side`` x ``side`` output positions."""
    weights = kernel * kernel * np.asarray(width_in) * width_out
    return np.stack([weights + 2 * np.asarray(width_out), weights * side * side], axis=-1)


def edge_costs(name: str, width_in: Width, width_out: Width, side: int) -> Counts:
    """One operation of a cell; a skip between different widths is a 1x1 convolution with normalisation."""
    if name == "nor_conv_3x3":
        return conv_norm(3, width_in, width_out, side)
    if name == "nor_conv_1x1":
        return conv_norm(1, width_in, width_out, side)
    zero = np.zeros(np.broadcast(width_in, width_out).shape, dtype=np.int64)
    if name == "skip_connect":
        changes: Counts = np.not_equal(width_in, width_out).astype(np.int64)
        return conv_norm(1, width_in, width_out, side) * changes[..., None]
    return np.stack([zero, zero], axis=-1)


def reduction_cost(width_in: Width, width_out: Width, side: int) -> Counts:
    """The residual block between stages: two 3x3 convolutions; pooling and a 1x1 convolution on the short cut."""
    shortcut: Counts = np.asarray(np.asarray(width_in) * width_out, dtype=np.int64)
    short = np.stack([shortcut, shortcut * side * side], axis=-1)
    return conv_norm(3, width_in, width_out, side) + conv_norm(3, width_out, width_out, side) + short


def stem_and_head_cost(first: Width, last: Width, classes: int, image: int) -> Counts:
    """The 3x3 stem with normalisation, the last normalisation, global pooling and the linear layer."""
    last = np.asarray(last)
    linear = np.stack([2 * last + last * classes + classes, last * classes + classes], axis=-1)
    return conv_norm(3, 3, first, image) + linear
