"""The volume of batches: which trainings run together, and numbers computed by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.spaces import space
from nasgauge.reports.parallel.volume import NOISE, together, volume
from nasgauge.searchers.bayes.embedding import embed
from nasgauge.searchers.bayes.tree_wasserstein import TreeWasserstein

TOPOLOGY = space("topology")


def test_a_barrier_makes_the_batches_that_were_asked_for():
    started, ended = np.array([0.0, 0, 0, 5, 5, 5]), np.array([2.0, 3, 5, 6, 7, 9])
    assert [batch.tolist() for batch in together(started, ended)] == [[0, 1, 2], [3, 4, 5]]


def test_without_a_barrier_a_new_training_joins_those_in_flight():
    started, ended = np.array([0.0, 0, 2, 3, 10]), np.array([2.0, 4, 6, 5, 11])
    assert [sorted(batch.tolist()) for batch in together(started, ended)] == [[0, 1], [1, 2], [1, 2, 3]]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9)), min_size=1, max_size=25))
def test_a_batch_is_what_is_in_training_at_a_start(trainings):
    started = np.array([start for start, _ in trainings], dtype=float)
    ended = started + np.array([length for _, length in trainings])
    plain = []
    for moment in sorted(set(started.tolist())):
        running = [place for place in range(len(started)) if started[place] <= moment < ended[place]]
        plain += [running] if len(running) > 1 else []
    assert [sorted(batch.tolist()) for batch in together(started, ended)] == plain


def test_the_volume_is_that_of_the_kernel():
    points = embed(TreeWasserstein(), TOPOLOGY, TOPOLOGY.sample(3, np.random.default_rng(1)))
    values, whole = points.values, np.zeros((3, 3))
    for row in range(3):
        for column in range(3):
            whole[row, column] = math.exp(-np.abs(values[row] - values[column]).sum()) + NOISE * (row == column)
    assert volume(values[None])[0] == pytest.approx(math.log(np.linalg.det(whole)) / 3)


def test_copies_have_less_volume_than_random_cells():
    points = embed(TreeWasserstein(), TOPOLOGY, TOPOLOGY.sample(8, np.random.default_rng(0)))
    batches = points.values[[[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 2, 3]]]
    assert (np.diff(volume(batches)) > 0).all()
    assert volume(batches)[-1] < 0.01
