"""An open ``nasbench.api.NASBench`` object -> columns, by its documented attributes; the package is not imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...bench.column import Column
from ...bench.errors import BadValue
from ...bench.spaces.cells101 import SIZE
from ...bench.spaces.cells101_code import FIRST_CODE
from ..public.nasbench101 import BUDGETS
from .nasbench_columns import OFFICIAL_METRICS, Cells, Runs, cell_columns, place, run_columns
from .nasbench_records import VERTICES, Labelings, Structures

NAME = "an open nasbench object"


def columns_from_nasbench(api: Any) -> Iterator[Column]:
    """The columns of the table that the object was loaded from, as far as it keeps them: half-way and final values.

    Args:
        api: has ``fixed_statistics`` and ``computed_statistics`` as the official object does.

    Raises:
        BadValue: it has not, or they hold something else.
        BadFile: it holds more than three repeats of a cell.
    """
    try:
        cells, runs = _collect(api)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise BadValue(
            f"{type(api).__name__} is no nasbench object with the official statistics ({error!r})"
        ) from error
    if not len(cells.ids):
        raise BadValue(f"{type(api).__name__} holds no modules")
    yield from cell_columns(SIZE, cells)
    for each in runs:
        yield from run_columns(SIZE, each, NAME)


def _collect(api: Any) -> tuple[Cells, list[Runs]]:
    structures, labelings = Structures(), Labelings()
    codes, hashes, parameters = [], [], []
    values: dict[int, list[list[list[float]]]] = {}
    owners: dict[int, list[int]] = {}
    records: dict[int, list[int]] = {}
    record = 0
    for number, (module_hash, fixed) in enumerate(api.fixed_statistics.items()):
        adjacency = np.asarray(fixed["module_adjacency"]).astype(int).ravel()
        structure = structures["".join(map(str, adjacency.tolist()))]
        labeling = labelings[",".join(fixed["module_operations"])]
        if (structure ^ labeling) & VERTICES or len(module_hash) != 32:
            raise ValueError(f"module {module_hash!r} is no cell")
        codes.append((structure >> 3) * FIRST_CODE + (labeling >> 3))
        hashes.append((int(module_hash[:16], 16), int(module_hash[16:], 16)))
        parameters.append(int(fixed["trainable_parameters"]))
        for budget, repeats in api.computed_statistics[module_hash].items():
            for repeat in repeats:
                row = [[float(repeat[f"{when}_{name}"]) for name in OFFICIAL_METRICS] for when in ("halfway", "final")]
                values.setdefault(int(budget), []).append(row)
                owners.setdefault(int(budget), []).append(number)
                records.setdefault(int(budget), []).append(record)
                record += 1
    if set(values) - set(BUDGETS):
        raise ValueError(f"budgets {sorted(values)}; the release has {BUDGETS}")
    stored = np.array(codes, dtype=np.uint32)
    ids = place(stored)
    ascending = np.argsort(ids)
    cells = Cells(
        ids[ascending],
        stored[ascending],
        np.array(hashes, dtype=np.uint64).reshape(-1, 2)[ascending],
        np.array(parameters, dtype=np.int64)[ascending],
    )
    runs = [
        Runs(budget, ids[owners[budget]], np.array(records[budget]), np.array(values[budget]), (budget // 2, budget))
        for budget in BUDGETS
        if budget in values
    ]
    return cells, runs
