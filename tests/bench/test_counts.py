"""What counts something is a whole number; everything else is refused in words, wherever it is given."""

from __future__ import annotations

import pytest

import nasgauge as ng
from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.counts import check_count, check_jobs
from nasgauge.bench.errors import BadValue


@pytest.mark.parametrize("given", [0, -3, 1.5, 2.0, True, "3", None, float("nan")])
def test_what_is_no_count_is_refused(given: object) -> None:
    with pytest.raises(BadValue, match=r"seeds=.* given; legal: the repetitions, a whole number of at least 1"):
        check_count("seeds", given, "the repetitions")


def test_counts_begin_at_their_least() -> None:
    check_count("seeds", 1)
    check_count("base_seed", 0, least=0)
    with pytest.raises(BadValue, match="held=1 given; legal: a whole number of at least 2"):
        check_count("held", 1, least=2)


@pytest.mark.parametrize("given", [0, -2, 1.5, True, "2", None])
def test_jobs_are_a_number_of_processes_or_one_per_core(given: object) -> None:
    check_jobs(-1)
    check_jobs(3)
    with pytest.raises(BadValue, match=r"jobs=.* legal: a number of processes, or -1 for one per core"):
        check_jobs(given)


@pytest.mark.parametrize("wrong", [{"seeds": 1.5}, {"seeds": "3"}, {"base_seed": 0.5}, {"jobs": 1.5}, {"workers": 2.5}])
def test_comparisons_refuse_them(toy: Benchmark, wrong: dict[str, object]) -> None:
    with pytest.raises(ng.NasgaugeError, match=f"{next(iter(wrong))}="):
        ng.compare(toy, "random", dataset="cifar10", queries=5, **wrong)  # type: ignore[arg-type]


def test_reports_refuse_what_is_no_run() -> None:
    with pytest.raises(ng.NasgaugeError, match="3 is no run"):
        ng.report(3)  # type: ignore[arg-type]
