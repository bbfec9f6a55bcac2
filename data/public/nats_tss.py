"""The table `nats-tss`: NATS-Bench's topology space assembled from small public files instead of the 2 GB download.

No number is invented. Accuracies are counts of images, and several files hold the same runs in different forms (single
runs, means over all runs, means over the runs of the older release NAS-Bench-201 v1.1), so a run that one file leaves
out is the difference of two others, exactly, in whole images. Where files overlap they are compared; any disagreement
is a BadFile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...bench.column import Column
from ...bench.spaces import Topology
from ..safe.pickles import read_pickle
from ..splits import images, split_columns
from .assembly import Assembly, Counts, Floats, exact_counts, numbers, percent, read_csv, require
from .meco import SEEDS, read_tests
from .nasgraph import Means, read_means
from .nats_tss_short import short_runs
from .topology_seconds import second_columns

RUNS, TESTS = "constrained-tpe", "MeCo"
BUDGET = 200
KEYS = {"cifar10-valid": "cifar10", "cifar100": "cifar100", "ImageNet16-120": "imagenet"}
"""Training -> its key in constrained-tpe's pickle. What it calls cifar10 is x-valid of the cifar10-valid training."""
STORED = {"cifar10-valid": "x-valid", "cifar100": "ori-test", "ImageNet16-120": "ori-test"}
HALVED = ("cifar100", "ImageNet16-120")  # ori-test is x-valid and x-test, equal halves
ALL_RUNS = "all runs of the cell: seeds 777, 888 and, for 8,169 of 15,625 cells, 999"
V1_1_RUNS = "all runs of the cell; NaN where NAS-Bench-201 v1.1, the source, lacks one of them"

DIFFERENCES = ALL_RUNS + "; where v1.1 lacks a run, computed as valtest minus test (exact to one image per run)"
TOLD_APART = "seed 888 where it is v1.1's only run; 777 and 999 are differences, exact to one image"

NOTES = (
    "Two runs (seeds 777, 888) exist for 7,456 cells, three (999 too) for 8,169; a missing run is NaN.",
    "Accuracies are exact fractions of the number of images; the sources' float32 rounding is taken out.",
    "CIFAR-10 test accuracies of 2,433 runs are the mean over all runs minus the other runs, in whole images.",
    "On cifar100 and ImageNet16-120 validation and test are known as means over all runs, and per run for few cells; "
    "their union, valtest, is known per run and is never served as either.",
    "Validation means on cifar100 and ImageNet16-120 are NAS-Bench-201 v1.1's where it has the same runs; what it and "
    "NATS-Bench evaluated differs by one image in about 1 % of the cells.",
    "Train accuracy, and test accuracy of the cifar10-valid training, come from NAS-Bench-201 v1.1; for 2,433 cells "
    "with further runs their means are not known.",
)


@dataclass(frozen=True)
class Runs:
    """The runs of every cell: which exist, what each counted, and the seconds of training, the same for all seeds."""

    exist: npt.NDArray[np.bool_]  # (n_arch, 3) by SEEDS
    counts: Mapping[str, Counts]  # training -> correct images of STORED, (n_arch, 3), 0 where the run does not exist
    seconds: Mapping[str, Floats]  # training -> seconds of 200 epochs, (n_arch,)


def assemble(files: Mapping[str, Path]) -> Assembly:
    """The table's columns from its source files, named as in the catalogue.

    Raises:
        BadFile: a file of another layout, or two that disagree.
    """
    space = Topology()
    runs = read_runs(files[RUNS], space)
    older = read_tests(files[TESTS], space)
    n_runs, n_older = runs.exist.sum(axis=1), (older >= 0).sum(axis=1)
    require(not ((older >= 0) & ~runs.exist).any(), str(files[TESTS]), f"it has runs that {files[RUNS]} lacks")
    sums = {dataset: _sum_of_means(files, dataset, n_runs) for dataset in ("cifar10", *HALVED)}
    means = {
        training: read_means(files[_nasgraph(training)], training, n_older, space) for training in STORED
    }  # fmt: skip
    columns = _valid_of_half(runs, means["cifar10-valid"], n_older, str(files[_nasgraph("cifar10-valid")]))
    columns += _test_of_cifar10(runs, older, sums["cifar10"], str(files[_freerea("cifar10")]))
    for training in HALVED:
        columns += _halves(training, runs, sums[training], means[training], n_older, str(files[_nasgraph(training)]))
    for training in STORED:
        columns += _of_older_release(training, means[training], n_older, n_runs)
    columns += short_runs(files, space)
    columns += second_columns(runs.seconds, source=RUNS)
    return Assembly(tuple(columns), NOTES)


def read_runs(path: Path, space: Topology) -> Runs:
    """constrained-tpe's pickle: ``data set -> {loss, runtime, ...}`` over all runs, a cell's runs one after the other.

    A new cell begins where the runtime changes. loss is 100 - accuracy; runtime is 200 epochs of training, seconds.
    """
    content = read_pickle(path)
    require(type(content) is dict and set(KEYS.values()) <= content.keys(), str(path), "its data sets are not there")
    flat: dict[tuple[str, str], Floats] = {}
    for training, key in KEYS.items():
        for field in ("loss", "runtime"):
            values = content[key].get(field) if type(content[key]) is dict else None
            require(
                isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind == "f",
                str(path), f"{key}/{field} is no array of numbers",
            )  # fmt: skip
            flat[training, field] = np.asarray(values, dtype=np.float64)
    total = len(flat["cifar10-valid", "loss"])
    require(all(len(values) == total for values in flat.values()), str(path), "arrays of different length")
    runtime = flat["cifar10-valid", "runtime"]
    starts = np.flatnonzero(np.diff(runtime, prepend=np.nan) != 0)
    lengths = np.diff(starts, append=total)
    require(
        len(starts) == space.size and set(lengths.tolist()) <= {2, 3}, str(path),
        f"{len(starts)} cells with {min(lengths, default=0)} to {max(lengths, default=0)} runs",
    )  # fmt: skip
    exist = np.arange(len(SEEDS)) < lengths[:, None]
    counts = {}
    for training in KEYS:
        counts[training] = np.zeros(exist.shape, dtype=np.int64)
        size = images(training, STORED[training])
        counts[training][exist] = exact_counts(100 - flat[training, "loss"], size, f"{path}, {training}")
        require(
            np.array_equal(flat[training, "runtime"], np.repeat(flat[training, "runtime"][starts], lengths)),
            str(path), f"runs of one cell have different runtimes on {training}",
        )  # fmt: skip
    return Runs(exist, counts, {training: flat[training, "runtime"][starts] for training in KEYS})


def _valid_of_half(runs: Runs, means: Means, n_older: Counts, where: str) -> list[Column]:
    counts = runs.counts["cifar10-valid"]
    same = n_older == runs.exist.sum(axis=1)
    require(np.array_equal(counts.sum(axis=1)[same], means.valid[same]), where, "means differ from the runs")
    require(
        np.array_equal(counts[n_older == 1, 1], means.valid[n_older == 1]), where, "single runs differ from seed 888"
    )
    return split_columns(
        "cifar10-valid", "x-valid", _accuracy(runs, counts, images("cifar10-valid", "x-valid")), BUDGET, seeds=SEEDS,
        sources=(RUNS,),
    )  # fmt: skip


def _test_of_cifar10(runs: Runs, older: Counts, total: Counts, where: str) -> list[Column]:
    """Each run's count: read where the older release has it, else the sum over all runs minus the others."""
    size = images("cifar10", "ori-test")
    missing = runs.exist & (older < 0)
    known = np.where(older < 0, 0, older).sum(axis=1)
    n_missing = missing.sum(axis=1)
    require(np.array_equal(known[n_missing == 0], total[n_missing == 0]), where, "means differ from the runs")
    one = n_missing == 1
    rest = total - known
    require(((rest >= 0) & (rest <= size))[one].all(), where, "a mean does not fit the runs it holds")
    counts = np.where(missing & one[:, None], rest[:, None], older)
    columns = split_columns(
        "cifar10", "ori-test", percent(counts, size), BUDGET, seeds=SEEDS, sources=(TESTS, _freerea("cifar10"))
    )
    if (n_missing > 1).any():
        columns += split_columns(
            "cifar10", "ori-test", percent(total, size * runs.exist.sum(axis=1)), BUDGET, means_over=ALL_RUNS,
            sources=(_freerea("cifar10"),),
        )  # fmt: skip
    return columns


def _halves(training: str, runs: Runs, test: Counts, means: Means, n_older: Counts, where: str) -> list[Column]:
    """valtest per run; test and valid as sums over all runs, and per run where the older release tells them apart.

    x-valid and x-test were evaluated on their own, after ori-test, and again for the second release: in about one cell
    of a hundred a count is one image off. So a difference is exact to one image per run, and no check is sharper.
    """
    both = runs.counts[training]
    n_runs = runs.exist.sum(axis=1)
    half = images(training, "x-test")
    rest = both.sum(axis=1) - test
    same = n_older == n_runs
    valid = np.where(same, means.valid, rest)
    require(((rest >= -n_runs) & (rest <= (half + 1) * n_runs)).all(), where, "test means do not fit the valtest runs")
    for name, older, newer in (("test", means.test, test), ("valid", means.valid, rest)):
        require((abs(older - newer) <= n_runs)[same].all(), where, f"{name} means differ from those over all runs")
    sources = (_freerea(training), RUNS, _nasgraph(training))
    columns = split_columns(
        training, "ori-test", _accuracy(runs, both, images(training, "ori-test")), BUDGET, seeds=SEEDS, sources=(RUNS,)
    )
    columns += split_columns(
        training, "x-test", percent(test, half * n_runs), BUDGET, means_over=ALL_RUNS, sources=sources[:1]
    )
    columns += split_columns(
        training, "x-valid", percent(valid.clip(0), half * n_runs), BUDGET, means_over=DIFFERENCES, sources=sources
    )
    told = np.zeros_like(both)
    for evaluated, total, older in (("x-valid", valid, means.valid), ("x-test", test, means.test)):
        single = _told_apart(n_runs, total, older, n_older)
        told += single
        columns += split_columns(
            training, evaluated, percent(single, half), BUDGET, seeds=SEEDS, means_over=TOLD_APART,
            provenance="computed", sources=sources,
        )  # fmt: skip
    require((abs(told - both) <= 2)[told >= 0].all(), where, "single runs do not add up to valtest")
    return columns


def _told_apart(n_runs: Counts, total: Counts, of_older: Counts, n_older: Counts) -> Counts:
    """Counts of single runs, (n_arch, 3), -1 where unknown.

    The older release has only seed 888 of some cells: its mean is that run, and of two runs the other is the rest. Of
    other cells it has 777 and 888 but not 999: the rest is 999.
    """
    counts = np.full((len(n_runs), len(SEEDS)), -1, dtype=np.int64)
    rest = (total - of_older).clip(0)
    counts[:, 1] = np.where(n_older == 1, of_older, -1)
    counts[:, 0] = np.where((n_older == 1) & (n_runs == 2), rest, -1)
    counts[:, 2] = np.where((n_older == 2) & (n_runs == 3), rest, -1)
    return counts


def _of_older_release(training: str, means: Means, n_older: Counts, n_runs: Counts) -> list[Column]:
    """What only the older release has: train accuracy, and the test accuracy of the cifar10-valid training."""
    found = {"train": means.train}
    if training == "cifar10-valid":
        found["ori-test"] = percent(means.test, images(training, "ori-test") * n_older)
    columns = []
    for evaluated, values in found.items():
        same = np.where(n_older == n_runs, values, np.nan)
        only = np.where((n_older == 1) & (n_runs > 1), values, np.nan)[:, None]
        source = (_nasgraph(training),)
        columns += split_columns(training, evaluated, same, BUDGET, means_over=V1_1_RUNS, sources=source)
        columns += split_columns(training, evaluated, only, BUDGET, seeds=(888,), sources=source)
    return columns


def _accuracy(runs: Runs, counts: Counts, size: int) -> Floats:
    return percent(np.where(runs.exist, counts, -1), size)


def _sum_of_means(files: Mapping[str, Path], dataset: str, n_runs: Counts) -> Counts:
    """FreeREA's csv: correct test images summed over all runs (cifar10: ori-test; others: x-test)."""
    path = files[_freerea(dataset)]
    table = read_csv(path, ("index", "accuracy"))
    require(table["index"] == [str(row) for row in range(len(n_runs))], str(path), "rows are not in the official order")
    size = images(dataset, "ori-test" if dataset == "cifar10" else "x-test")
    return exact_counts(numbers(table["accuracy"], str(path)), size * n_runs, str(path))


def _freerea(dataset: str) -> str:
    return f"FreeREA {dataset}"


def _nasgraph(training: str) -> str:
    return f"NASGraph {KEYS[training] if training == 'cifar10-valid' else training}"
