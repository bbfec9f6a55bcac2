"""Pieces of work over processes and over a Dask cluster: every piece once, and a bar that says when it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadValue, MissingFile
from nasgauge.bench.parallel import in_parallel
from nasgauge.searchers import Run, evolution, random
from nasgauge.searchers.runner.experiment import compare
from nasgauge.searchers.runner.run import MEASURED


def leave_a_mark(folder: Path, number: int, weight: int) -> int:
    with open(folder / str(number), "a") as file:
        file.write("x")
    return weight


@pytest.mark.parametrize("jobs", [1, 2, -1])
def test_every_piece_is_done_once(tmp_path: Path, jobs: int) -> None:
    in_parallel(leave_a_mark, [(tmp_path, number, 1) for number in range(12)], jobs=jobs)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {str(number): "x" for number in range(12)}


def test_the_bar_counts_repetitions_and_says_when_it_will_end(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    in_parallel(leave_a_mark, [(tmp_path, 0, 10), (tmp_path, 1, 5)], jobs=1, done=85, total=100, progress=True)
    shown = capfd.readouterr().err
    assert "85/100" in shown
    assert "100/100" in shown
    assert "ends about" in shown
    in_parallel(leave_a_mark, [(tmp_path, 0, 10)], jobs=1, total=10)
    assert capfd.readouterr().err == ""


def test_no_processes_and_no_cluster_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadValue, match="jobs=0"):
        in_parallel(leave_a_mark, [(tmp_path, 0, 1)], jobs=0)
    pytest.importorskip("distributed")
    monkeypatch.setattr("nasgauge.bench.parallel.PATIENCE", 0.5)
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        with pytest.raises(MissingFile, match="no Dask scheduler answers at"):
            in_parallel(leave_a_mark, [(tmp_path, 0, 1)], cluster=address)
    assert not list(tmp_path.iterdir())


def numbers(run: Run) -> pd.DataFrame:
    return run.records().drop(columns=[*MEASURED]).astype({"dataset": str, "searcher": str})


def test_a_dask_cluster_gives_the_same_numbers(toy: Benchmark, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")

    def run(name: str, **how: object) -> Run:
        return compare(toy, [random(), evolution()], tmp_path / name, queries=20, seeds=25, workers=3, **how)  # type: ignore[arg-type]

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, host="127.0.0.1", protocol="tcp"
    ) as cluster:
        together = run("cluster", cluster=cluster.scheduler_address)
    pd.testing.assert_frame_equal(numbers(together), numbers(run("alone", jobs=1)))
    assert len(list(together.folder.glob("part-*"))) == 2 * 2 * 3


def test_what_a_library_lacks_is_said(tmp_path: Path) -> None:
    """Without Dask the address of a cluster ends in one sentence that says what to install."""
    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "from nasgauge.bench.parallel import in_parallel\n"
        "in_parallel(len, [('',)], cluster='tcp://127.0.0.1:9')"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert "pip install 'nasgauge[cluster]'" in shown.stderr
