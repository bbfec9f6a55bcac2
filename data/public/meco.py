"""MeCo's pickle: CIFAR-10 test accuracies of the runs of NAS-Bench-201 v1.1, 200 epochs, trained on all 50,000 images.

``{(six operations): [accuracy per run]}``, the cell's operations in the order of the arch string. One run is that of
seed 888, two are 777 and 888, three are 777, 888 and 999; this holds against NATS-Bench's records of the same runs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...bench.errors import BadArchitecture, BadFile
from ...bench.spaces import Topology
from ..safe.pickles import read_pickle
from ..splits import images
from .assembly import Counts, exact_counts, require

SEEDS = (777, 888, 999)
PLACES = {1: [1], 2: [0, 1], 3: [0, 1, 2]}
"""Number of runs -> their positions in `SEEDS`."""


def read_tests(path: Path, space: Topology) -> Counts:
    """Correct test images of each v1.1 run, (n_arch, 3) by `SEEDS`, -1 where the run does not exist.

    Raises:
        BadFile: another layout, a cell twice or absent, or values that are no accuracies.
    """
    content = read_pickle(path)
    require(type(content) is dict and len(content) == space.size, str(path), f"no dictionary of {space.size} cells")
    lists = all(type(runs) is list and set(map(type, runs)) <= {float, int} for runs in content.values())
    require(
        lists and all(len(runs) in PLACES for runs in content.values()), str(path), "a cell has no one to three runs"
    )
    try:
        ids = space.from_operations(np.array(list(content)))
    except (BadArchitecture, ValueError) as error:
        raise BadFile(f"{path}: its keys are no cells ({error})") from error
    require(np.array_equal(np.sort(ids), np.arange(space.size)), str(path), "cells are absent")
    values = np.full((space.size, len(SEEDS)), -1, dtype=np.int64)
    lengths = np.array([len(runs) for runs in content.values()])
    for length, places in PLACES.items():
        chosen = [runs for runs in content.values() if len(runs) == length]
        if chosen:
            rows = ids[lengths == length]
            values[rows[:, None], places] = exact_counts(chosen, images("cifar10", "ori-test"), str(path))
    return values
