"""The diversity inside batches: which trainings run together, and numbers computed by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.spaces import space
from nasgauge.reports.diversity import NOISE, diversity, together

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


def test_numbers_of_a_batch_by_hand():
    """Two equal cells and one that differs in a single operation."""
    one = TOPOLOGY.id("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|")
    rows = TOPOLOGY.operations(np.array([one])).copy()
    rows[0, 0] = 4 if rows[0, 0] != 4 else 3
    other = int(TOPOLOGY.from_operations(rows)[0])
    found = diversity(TOPOLOGY, [one, one, other], np.zeros(3), np.ones(3))
    assert (found.batches, found.size, found.edits) == (1, 3, pytest.approx(2 / 3))
    far = found.distance * 3 / 2
    near = math.exp(-far)
    kernel = np.array([[1, 1, near], [1, 1, near], [near, near, 1]]) + NOISE * np.eye(3)
    assert found.volume == pytest.approx(math.log(np.linalg.det(kernel)) / 3)
    assert found.twins >= 2 / 3


def test_one_trainer_has_no_batches():
    found = diversity(TOPOLOGY, [1, 2, 3], np.array([0.0, 1, 2]), np.array([1.0, 2, 3]))
    assert found.batches == 0
    assert math.isnan(found.distance)


def test_copies_are_less_diverse_than_random_cells():
    rng = np.random.default_rng(0)
    ids = TOPOLOGY.sample(8, rng)
    random = diversity(TOPOLOGY, ids, np.zeros(8), np.ones(8))
    same = diversity(TOPOLOGY, np.repeat(ids[:2], 4), np.zeros(8), np.ones(8))
    assert random.distance > same.distance
    assert random.volume > same.volume
    assert same.twins == 1
