"""The table `nasbench101`: NAS-Bench-101 (Ying et al., ICML 2019) assembled from small public files.

The sources hold the mean final test accuracy over the three repeats of every cell, its trainable parameters, and, for
30,001 cells in two stretches of the official order, one repeat's validation accuracy at every budget and its seconds of
training. Which repeat is not said. Everything else is in the official file only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...bench.column import Column
from ...bench.errors import BadArchitecture, BadFile
from ...bench.spaces.cells101 import Cells101
from ..safe.frames import Frame
from ..safe.pickles import read_bytes, read_pickle
from .assembly import Assembly, Counts, Floats, exact_counts, percent, require

ACCURACIES, PARAMETERS = "FreeREA 101 accuracies", "FreeREA 101 parameters"
STRETCHES = ("nasbench-vis 20k", "nasbench-vis 10k")
DATASET = "cifar10"
BUDGETS = (4, 12, 36, 108)
REPEATS = 3
EVALUATED = 9_984
"""Images behind an accuracy: 78 whole batches of 128 of the 10,000 validation (or test) images."""
TRAINED_ON = "trained on 40,000 of CIFAR-10's 50,000 training images"
ON_VALID = f"on {EVALUATED:,} of the other 10,000 training images"
ON_TEST = f"on {EVALUATED:,} of the 10,000 test images"
NO_EVALUATIONS = "seconds of training, without evaluations"
ALL_REPEATS = "all three repeats"
ONE_REPEAT = "one repeat of three, which one is unknown"
NOTES = (
    "Test accuracy is known as the mean over the three repeats, after 108 epochs only.",
    "Validation accuracy and seconds of training are known for 30,001 cells, of one repeat each; which one is unknown.",
    "An accuracy is a count of 9,984 images: evaluation leaves out the last, incomplete batch.",
    "search_seconds is the training alone, as the official package charges it.",
)


def assemble(files: Mapping[str, Path]) -> Assembly:
    """The table's columns from its source files, named as in the catalogue.

    Raises:
        BadFile: a file of another layout, or two that disagree.
    """
    space = Cells101()
    images = REPEATS * EVALUATED
    raw = 100 * _frame_column(files[ACCURACIES], "accuracy", space)
    test = percent(exact_counts(raw, images, str(files[ACCURACIES])), images)
    params = _parameters(files[PARAMETERS], space)
    columns = [
        Column("test_accuracy", test, DATASET, 108, None, TRAINED_ON, ON_TEST, ALL_REPEATS, sources=(ACCURACIES,)),
        Column("params_millions", params / 1e6, DATASET, sources=(PARAMETERS,)),
    ]
    valid = {budget: np.full(space.size, np.nan) for budget in BUDGETS}
    seconds = np.full(space.size, np.nan)
    for name in STRETCHES:
        rows, found, time = _stretch(files[name], space, params)
        require(np.isnan(seconds[rows]).all(), str(files[name]), "it repeats cells of the other file")
        seconds[rows] = time
        for budget in BUDGETS:
            valid[budget][rows] = found[budget]
    one_repeat = [("valid_accuracy", budget, valid[budget], ON_VALID) for budget in BUDGETS]
    one_repeat += [(metric, 108, seconds, NO_EVALUATIONS) for metric in ("train_seconds", "search_seconds")]
    columns += [
        Column(metric, values, DATASET, budget, None, TRAINED_ON, words, ONE_REPEAT, sources=STRETCHES)
        for metric, budget, values, words in one_repeat
    ]
    return Assembly(tuple(columns), NOTES)


def _frame_column(path: Path, name: str, space: Cells101) -> Floats:
    """One column of FreeREA's frames, (n_arch,); their rows follow the ascending module hash, which is our order."""
    frame = read_pickle(path)
    require(isinstance(frame, Frame) and {"index", name} <= set(frame.columns), str(path), f"no frame with {name!r}")
    values, index = frame[name], frame["index"]
    require(
        isinstance(values, np.ndarray) and values.dtype.kind == "f" and np.array_equal(index, np.arange(space.size)),
        str(path), f"it does not hold {space.size:,} numbers in order",
    )  # fmt: skip
    return np.asarray(values, dtype=np.float64)


def _parameters(path: Path, space: Cells101) -> Counts:
    """Trainable parameters of every cell, (n_arch,): the file holds them in millions."""
    millions = _frame_column(path, "params", space)
    counts = np.rint(millions * 1e6)
    require(bool((abs(millions * 1e6 - counts) < 1e-3).all()), str(path), "parameters are no whole numbers")
    return counts.astype(np.int64)


def _stretch(path: Path, space: Cells101, params: Counts) -> tuple[npt.NDArray[np.int64], dict[int, Floats], Floats]:
    """Rows of a nasbench-vis file, their validation accuracy [percent] by budget, and their seconds of training.

    Its cells are one stretch of the official order: its keys ascend, its first and last lie as far apart as it is
    long, and their parameters agree with the table's.
    """
    content = _json_columns(path)
    keys = content["key"]
    texts = bool(keys) and all(isinstance(key, str) for key in keys)
    require(texts and all(a < b for a, b in pairwise(keys)), str(path), "its keys are no ascending module hashes")
    try:
        first, last = space.parse(keys[0]), space.parse(keys[-1])
    except BadArchitecture as error:
        raise BadFile(f"{path}: {error}") from error
    require(last - first == len(keys) - 1, str(path), "its cells are no stretch of the official order")
    rows = np.arange(first, last + 1)
    require(
        np.array_equal(content["trainable_parameters"], params[rows]), str(path), "parameters differ from the table's"
    )
    valid = {}
    for budget in BUDGETS:
        name = f"{budget}_final_validation_accuracy"
        counts = exact_counts(100 * _floats(content[name], path, name), EVALUATED, f"{path}, {name}")
        valid[budget] = percent(counts, EVALUATED)
    seconds = _floats(content["final_training_time"], path, "final_training_time")
    require(bool((seconds > 0).all()), str(path), "seconds of training are not positive")
    return rows, valid, seconds


def _json_columns(path: Path) -> dict[str, list[Any]]:
    """The file's columns, checked to be lists of one length."""
    names = {"key", "trainable_parameters", "final_training_time", *(f"{b}_final_validation_accuracy" for b in BUDGETS)}
    try:
        content = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path}: not a JSON file ({error})") from error
    require(isinstance(content, dict) and names <= content.keys(), str(path), "its columns are not the expected ones")
    columns = {name: content[name] for name in names}
    lengths = {len(values) if isinstance(values, list) else -1 for values in columns.values()}
    require(len(lengths) == 1 and -1 not in lengths, str(path), "its columns differ in length")
    return columns


def _floats(values: list[Any], path: Path, name: str) -> Floats:
    if not all(type(value) in (int, float) for value in values):
        raise BadFile(f"{path}, {name}: holds something else than numbers")
    return np.array(values, dtype=np.float64)
