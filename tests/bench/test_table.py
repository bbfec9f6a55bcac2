"""A table file appears whole or not at all, says when it is damaged, and serves many readers."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.column import Column
from nasgauge.bench.errors import BadFile, BadValue, MissingFile, NasgaugeError, UnknownName
from nasgauge.bench.table import Table, write_table


def some(**changes: object) -> Column:
    arguments = {"metric": "test_accuracy", "values": np.arange(6.0).reshape(3, 2), "dataset": "d", "budget": 4,
                 "seeds": (1, 2)} | changes  # fmt: skip
    return Column(**arguments)  # type: ignore[arg-type]


def write(path: Path, *columns: Column) -> Path:
    return write_table(path, columns or [some()], name="t", space="topology", licence="CC0")


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "u1", "i8"])
@pytest.mark.parametrize("missing", [False, True])
def test_numbers_come_back_bit_for_bit(tmp_path: Path, dtype: str, missing: bool) -> None:
    values = np.random.default_rng(0).integers(0, 100, (40, 3)).astype(dtype)
    if missing and dtype.startswith("f"):
        values[:, 1:] = np.nan
    table = Table(write(tmp_path / "t.h5", some(values=values, seeds=(1, 2, 3))))
    back = table.read("d/4/test_accuracy/runs")
    assert back.dtype == values.dtype
    np.testing.assert_array_equal(back, values)
    table.verify()


def test_equal_columns_give_equal_bytes(tmp_path: Path) -> None:
    alias = some(dataset="e", alias_of="d/4/test_accuracy/runs")
    first = write(tmp_path / "a.h5", some(), alias).read_bytes()
    time.sleep(1.1)  # HDF5 counts whole seconds, where it notes the time at all
    assert write(tmp_path / "b.h5", some(), alias).read_bytes() == first
    assert Table(tmp_path / "a.h5").sha256() == Table(tmp_path / "b.h5").sha256()


def test_an_alias_is_stored_once_and_read_under_both_names(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((5_000, 2))
    alias = some(dataset="e", values=values, alias_of="d/4/test_accuracy/runs")
    path = write(tmp_path / "t.h5", some(values=values), alias)
    assert path.stat().st_size < 1.5 * values.nbytes
    np.testing.assert_array_equal(Table(path).read("e/4/test_accuracy/runs"), values)
    with pytest.raises(BadValue, match="not written before"):
        write(tmp_path / "u.h5", alias)


def test_mapped_curves_read_as_compressed_ones_do(tmp_path: Path) -> None:
    curves = np.random.default_rng(0).random((50, 2, 7))
    columns = [some(values=curves[:, :, -1]), some(values=curves)]
    rows = np.array([3, 3, 49])
    for name, mapped in (("a", True), ("b", False)):
        path = write_table(
            tmp_path / name, columns, name="t", space="topology", licence="CC0", mapped_curves=mapped
        )  # fmt: skip
        np.testing.assert_array_equal(Table(path).read_curves("d/4/test_accuracy/curves", rows), curves[rows])


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_shared_rows_and_counts_read_as_if_every_number_were_stored(tmp_path: Path, data: st.DataObject) -> None:
    size, stored = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 8))
    rows = np.array(data.draw(st.lists(st.integers(-1, stored - 1), min_size=size, max_size=size)))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    counts = rng.integers(-1, 51, (stored, 2, 3)).astype(np.int16)
    losses = rng.random((stored, 2, 3)).astype(np.float16)
    columns = [some(values=counts[:, :, -1], out_of=50), some(values=counts, out_of=50),
               some(metric="test_loss", values=losses[:, :, -1]), some(metric="test_loss", values=losses)]  # fmt: skip
    path = write_table(tmp_path / "t.h5", columns, name="t", space="topology", licence="CC0", rows=rows)
    table = Table(path)
    table.verify()
    assert table.info["architectures"] == size
    accuracy = np.where(counts < 0, np.nan, counts * 2.0)[rows]
    for metric, plain in (("test_accuracy", accuracy), ("test_loss", losses[rows].astype(np.float64))):
        plain[rows < 0] = np.nan
        np.testing.assert_array_equal(table.read(f"d/4/{metric}/runs"), plain[:, :, -1])
        np.testing.assert_array_equal(table.read(f"d/4/{metric}/curves"), plain)
        some_rows = rng.integers(0, size, 5)
        np.testing.assert_array_equal(table.read_curves(f"d/4/{metric}/curves", some_rows), plain[some_rows])
        (entry,) = [each for each in table.entries if each.path == f"d/4/{metric}/curves"]
        assert (entry.shape, entry.missing) == (plain.shape, np.isnan(plain).sum())


def test_counts_without_shared_rows_read_as_percent(tmp_path: Path) -> None:
    counts = np.array([[1, 4], [-1, 2]], dtype=np.int32)
    table = Table(write(tmp_path / "t.h5", some(values=counts, out_of=4)))
    np.testing.assert_array_equal(table.read("d/4/test_accuracy/runs"), [[25, 100], [np.nan, 50]])
    assert table.entries[0].missing == 1


def test_rows_that_are_not_stored_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="3 are stored"):
        write_table(tmp_path / "t.h5", [some()], name="t", space="topology", licence="CC0", rows=np.array([0, 3]))
    assert list(tmp_path.iterdir()) == []


def test_damaged_rows_are_found(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.h5", [some()], name="t", space="topology", licence="CC0", rows=np.array([0, 2, 1]))
    with h5py.File(path, "r+") as file:
        file["rows"][0] = 1
    with pytest.raises(BadFile, match="rows"):
        Table(path).verify()


@pytest.mark.parametrize(
    "columns",
    [
        [],
        [some(), some()],
        [some(), some(metric="x", values=np.zeros((4, 2)))],
        [some(values=np.zeros((3, 2, 4)))],
    ],
    ids=["none", "twice the same path", "different lengths", "curves without ends"],
)
def test_inconsistent_columns_are_refused(tmp_path: Path, columns: list[Column]) -> None:
    with pytest.raises(BadValue):
        write_table(tmp_path / "t.h5", columns, name="t", space="topology", licence="CC0")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"provenance": "guessed"},
        {"values": np.array([["a"]])},
        {"seeds": (1, 2, 3)},
        {"budget": None},
        {"seeds": None},
        {"values": np.zeros((3, 2, 5)), "epochs": (1, 2)},
        {"out_of": 10},
        {"values": np.zeros((3, 2), np.int16), "out_of": 0},
    ],
)
def test_a_column_that_contradicts_itself_cannot_be_made(wrong: dict[str, object]) -> None:
    with pytest.raises(BadValue):
        some(**wrong)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(h5py.Group, "create_dataset", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "t.h5")
    assert list(tmp_path.iterdir()) == []


def test_where_no_more_can_be_written_that_is_what_is_said(tmp_path: Path) -> None:
    """HDF5 raises a RuntimeError of its own where the last bytes of a file do not fit."""
    script = (
        "import resource, sys, numpy as np\n"
        "from nasgauge.bench.column import Column\n"
        "from nasgauge.bench.table import write_table\n"
        "column = Column('valid_accuracy', np.random.default_rng(0).random((15_625, 3)), 'd', 4, (0, 1, 2))\n"
        "for most in (1_000, 100_000, 300_000):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (most, -1))\n"
        "    try: write_table(sys.argv[1], [column], name='t', space='topology', licence='CC0')\n"
        "    except OSError as error: print(error.strerror or error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, tmp_path / "t.h5"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("File too large") == 3 or ran.stdout.count("write failed") > 0
    assert list(tmp_path.iterdir()) == []


def test_an_older_table_survives_a_failed_rewrite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = write(tmp_path / "t.h5").read_bytes()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "disk")))
    with pytest.raises(OSError, match="disk"):
        write(tmp_path / "t.h5", some(metric="other"))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_absent_foreign_and_future_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="nasgauge list"):
        Table(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(BadFile, match="not a readable HDF5 file"):
        Table(tmp_path / "text.h5")
    with pytest.raises(BadFile, match="is a folder, no table; `nasgauge convert`"):
        Table(tmp_path)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(BadFile, match="not a nasgauge table"):
        Table(tmp_path / "other.h5")
    write(tmp_path / "t.h5")
    with h5py.File(tmp_path / "t.h5", "r+") as file:
        file.attrs["schema"] = 99
    with pytest.raises(BadFile, match="schema 99"):
        Table(tmp_path / "t.h5")


def test_a_flipped_number_is_found_by_verify(tmp_path: Path) -> None:
    path = write(tmp_path / "t.h5")
    with h5py.File(path, "r+") as file:
        file["columns/d/4/test_accuracy/runs"][1, 1] = 42
    with pytest.raises(BadFile, match="d/4/test_accuracy/runs"):
        Table(path).verify()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 0.999))
def test_a_truncated_table_is_refused(tmp_path: Path, cut: float) -> None:
    whole = write(tmp_path / "whole.h5").read_bytes()
    path = tmp_path / "cut.h5"
    path.write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(NasgaugeError):
        Table(path).verify()


def test_an_unknown_column_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="d/4/test_accuracy/runs"):
        Table(write(tmp_path / "t.h5")).read("d/4/test_accuracy/mean")


def test_a_table_of_another_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="3 architectures"):
        Benchmark(Table(write(tmp_path / "t.h5")))


def test_several_processes_read_one_open_file(toy_path: Path) -> None:
    script = (
        "import sys; from nasgauge.bench.table import Table; table = Table(sys.argv[1]); "
        "print(table.read('cifar10/200/test_accuracy/runs')[7, 0], flush=True); sys.stdin.read()"
    )
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(toy_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    table = Table(toy_path)
    try:
        answers = [
            reader.stdout.readline().strip() for reader in readers if reader.stdout
        ]  # all hold the file open now
        assert answers == [str(table.read("cifar10/200/test_accuracy/runs")[7, 0])] * 3
    finally:
        for reader in readers:
            reader.communicate()
