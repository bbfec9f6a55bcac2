"""NAS-Bench-101 files made here -> tables: every number, in any spelling; what is wrong is refused, no table left."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import math
import signal
import struct
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadFile, MissingFile, UnknownName
from nasgauge.bench.spaces.cells101 import Cells101
from nasgauge.bench.table import Table
from nasgauge.data.files import nasbench_file, nasbench_records
from nasgauge.data.files.converted import Converted
from nasgauge.data.files.nasbench_file import convert_nasbench, is_nasbench
from nasgauge.data.files.nasbench_messages import Malformed, decode, decode_message
from nasgauge.data.files.nasbench_records import Reader, Records
from nasgauge.data.files.tfrecord import read_batches, spans

from ..nasbench_writer import Record, frame, message, record, records, varint, write

SPACE = Cells101()
CELLS = (0, 5, 250_000, SPACE.size - 1)
BUDGETS = (12, 108)
FLOATS = st.floats(width=64)


@pytest.fixture(scope="module")
def made() -> list[Record]:
    return records(SPACE, CELLS, BUDGETS, np.random.default_rng(0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nasbench")


@pytest.fixture(scope="module")
def converted(made: list[Record], folder: Path) -> Converted:
    return convert_nasbench(write(folder / "made.tfrecord", made), folder / "made.h5")


@pytest.fixture(scope="module")
def bench(converted: Converted) -> Benchmark:
    return Benchmark(Table(converted.path))


def runs_of(made: list[Record], arch: int, budget: int) -> list[Record]:
    """The runs of a cell in the order of the file."""
    return [each for each in made if (each.module_hash, each.epochs) == (SPACE.hash(arch), budget)]


def test_every_number_of_every_run_in_file_order(bench: Benchmark, made: list[Record]) -> None:
    places = {"train_seconds": 1, "train_accuracy": 2, "valid_accuracy": 3, "test_accuracy": 4}
    for arch in CELLS:
        for budget in BUDGETS:
            runs = runs_of(made, arch, budget)
            for metric, place in places.items():
                whole = 100 if metric.endswith("accuracy") else 1
                for at, epoch in enumerate((0, budget // 2, budget)):
                    found = bench.query([arch], metric, budget=budget, epoch=epoch, seed="all")
                    expected = [whole * run.evaluations[at][place] for run in runs]
                    assert found.tolist() == [expected], (arch, budget, metric, epoch)
                assert bench.query([arch], metric, budget=budget, seed="all").tolist() == [expected]
            totals = bench.query([arch], "total_seconds", budget=budget, seed="all")
            assert totals.tolist() == [[run.total for run in runs]]
        assert bench.query(arch, "trainable_parameters") == runs[0].parameters


def test_fractions_are_kept_bit_by_bit(bench: Benchmark, made: list[Record]) -> None:
    for arch in CELLS:
        found = bench.query([arch], "test_fraction", budget=108, seed="all")
        assert found.tolist() == [[run.evaluations[2][4] for run in runs_of(made, arch, 108)]]


def test_fractions_with_the_precision_of_float32_need_no_second_copy(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    made = [record(SPACE, arch, 108, rng, single=True) for arch in range(200)]
    table = Table(convert_nasbench(write(tmp_path / "single", made), tmp_path / "t.h5").path)
    assert not [entry.path for entry in table.entries if "fraction" in entry.metric]
    percent = table.read("cifar10/108/valid_accuracy/runs")[:200, 0]
    assert (percent / 100).tolist() == [each.evaluations[2][3] for each in made]


def test_costs_are_the_recorded_training_seconds(bench: Benchmark, made: list[Record]) -> None:
    cost = bench.cost([CELLS[1]], budget=108)
    seconds = [run.evaluations[2][1] for run in runs_of(made, CELLS[1], 108)]
    assert cost.seconds[0] == pytest.approx(np.mean(seconds), rel=1e-12)
    assert cost.provenance == "measured"


def test_missing_is_nan_and_the_report_counts(bench: Benchmark, converted: Converted, made: list[Record]) -> None:
    assert np.isnan(bench.query(1, "valid_accuracy"))
    assert np.flatnonzero(bench.known(np.arange(SPACE.size), "valid_accuracy")).tolist() == list(CELLS)
    assert (converted.found, converted.missing, converted.space) == (4, SPACE.size - 4, "cells101")
    assert converted.name == "nasbench101-full"
    words = " ".join(converted.words)
    assert "24 records of 4 architectures" in words
    assert "budgets 12, 108" in words
    assert "at 108 epochs 4 with 3" in words
    assert "none of the released" in words
    assert bench.describe()


def test_bookkeeping_is_in_the_table_and_shown_to_nobody(bench: Benchmark, converted: Converted) -> None:
    hidden = {entry.metric for entry in Table(converted.path).entries if entry.metric.startswith("_")}
    assert hidden == {"_official_cell", "_official_hash_high", "_official_hash_low", "_official_record", "_repeats"}
    assert not [metric for metric in bench.metrics if metric.startswith("_")]
    assert not [metric for metric in hidden if metric in bench.describe()]
    with pytest.raises(UnknownName, match="unknown metric"):
        bench.query(0, "_repeats")


@pytest.fixture
def shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files go to several processes too, a few records at a time."""
    monkeypatch.setattr(nasbench_records, "FEW", 0)
    monkeypatch.setattr(nasbench_records, "SPAN", 2_000)


@pytest.mark.usefixtures("shared_out")
def test_the_table_does_not_depend_on_the_number_of_processes(
    converted: Converted, made: list[Record], tmp_path: Path
) -> None:
    path = write(tmp_path / "made.tfrecord", made)
    assert len(list(spans(path, nasbench_records.SPAN))) > 3
    assert convert_nasbench(path, tmp_path / "x.h5", jobs=2).path.read_bytes() == converted.path.read_bytes()


@pytest.mark.usefixtures("shared_out")
@pytest.mark.parametrize("damage", ["payload", "length", "truncated", "accuracy", "json"])
def test_several_processes_name_the_same_wrong_record(damage: str, made: list[Record], tmp_path: Path) -> None:
    frames = [frame(each.payload()) for each in made]
    if damage == "payload":
        frames[17] = frames[17][:40] + b"?" + frames[17][41:]
    elif damage == "length":
        frames[17] = b"\xff" + frames[17][1:]
    elif damage == "truncated":
        frames[-1] = frames[-1][:-1]
    elif damage == "accuracy":
        rows = tuple((*row[:4], 1.5) for row in made[17].evaluations)
        frames[17] = frame(replace(made[17], evaluations=rows).payload())
    else:
        frames[17] = frame(b'["')
    (tmp_path / "x").write_bytes(b"".join(frames))
    messages = set()
    for jobs in (1, 2):
        with pytest.raises(BadFile) as caught:
            convert_nasbench(tmp_path / "x", tmp_path / "x.h5", jobs=jobs)
        messages.add(str(caught.value))
    (message,) = messages
    assert ("record 23" if damage == "truncated" else "record 17") in message
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_fewer_repeats_and_more(tmp_path: Path, made: list[Record]) -> None:
    runs = runs_of(made, 5, 108)
    table = Benchmark(Table(convert_nasbench(write(tmp_path / "two", runs[:2]), tmp_path / "two.h5").path))
    assert table.seeds(5, "test_accuracy", dataset="cifar10") == (0, 1)
    with pytest.raises(BadFile, match="record 3 is run 4 of a cell"):
        convert_nasbench(write(tmp_path / "four", [*runs, runs[0]]), tmp_path / "four.h5")
    assert not (tmp_path / "four.h5").exists()


def test_what_the_runs_of_a_cell_do_not_agree_about_is_kept(tmp_path: Path) -> None:
    """Parameters, and the numbering of the vertices; the cell itself is as its first record has it."""
    made = [record(SPACE, 0, 108, np.random.default_rng(place)) for place in range(3)]
    odd = [made[0], replace(made[0], parameters=5), renumbered(made[0])]
    table = Table(convert_nasbench(write(tmp_path / "odd", odd), tmp_path / "odd.h5").path)
    found = table.read("cifar10/108/trainable_parameters/runs")[0]
    assert found.tolist() == [made[0].parameters, 5, made[0].parameters]
    assert table.read("cifar10/static/trainable_parameters/static")[0] == made[0].parameters
    cells = table.read("cifar10/108/_official_cell/runs")[0]
    assert cells[0] == cells[1] == table.read("any/static/_official_cell/static")[0] != cells[2]


def renumbered(each: Record) -> Record:
    """The same cell with its vertices in another legal order."""
    count = math.isqrt(len(each.adjacency))
    matrix, ops = np.array([*map(int, each.adjacency)]).reshape(count, count), each.operations.split(",")
    for inner in itertools.permutations(range(1, count - 1)):
        new = [0, *inner, count - 1]
        moved = matrix[np.ix_(new, new)]
        other = replace(
            each, adjacency="".join(map(str, moved.ravel())), operations=",".join(ops[vertex] for vertex in new)
        )
        if other != each and not np.tril(moved).any():
            return other
    raise AssertionError("a cell with one legal order")


def test_a_released_file_is_recognised(tmp_path: Path, made: list[Record], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "renamed", made)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(nasbench_file, "PUBLISHED", {"nasbench_full.tfrecord": digest})
    assert "is the released nasbench_full.tfrecord" in convert_nasbench(path, tmp_path / "x.h5").words[0]


def test_a_released_name_with_other_content_is_said(tmp_path: Path, made: list[Record]) -> None:
    only = [each for each in made if each.epochs == 108]
    converted = convert_nasbench(write(tmp_path / "nasbench_only108.tfrecord", only), tmp_path / "table.h5")
    assert "not the published one" in converted.words[0]
    assert converted.name == "nasbench101-only108"


def test_other_epochs_than_the_nominal_ones_are_kept(tmp_path: Path, made: list[Record]) -> None:
    odd = replace(made[0], evaluations=tuple((row[0] + 0.25, *row[1:]) for row in made[0].evaluations))
    table = Table(convert_nasbench(write(tmp_path / "odd", [odd]), tmp_path / "odd.h5").path)
    arch = SPACE.parse(odd.module_hash)
    found = table.read(f"cifar10/{odd.epochs}/current_epoch/curves")[arch, 0]
    assert found.tolist() == [row[0] for row in odd.evaluations]


def test_the_table_does_not_depend_on_batches_and_progress_goes_forward(
    converted: Converted, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nasgauge.data.files.tfrecord.BATCH", 5)
    seen: list[tuple[int, int]] = []
    path = folder / "made.tfrecord"
    again = convert_nasbench(path, folder / "b.h5", jobs=2, progress=lambda done, all_: seen.append((done, all_)))
    assert Table(again.path).sha256() == Table(converted.path).sha256()
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (path.stat().st_size,) * 2


# messages and payloads in any spelling


@given(
    rows=st.lists(st.lists(FLOATS, min_size=5, max_size=5), min_size=3, max_size=3),
    parameters=st.integers(-(2**31), 2**31 - 1),
    total=st.none() | FLOATS,
)
def test_messages_are_decoded_alike_in_bulk_and_one_by_one(
    rows: list[list[float]], parameters: int, total: float | None
) -> None:
    text = message(rows, parameters, total)
    bulk = decode([text, text], str)
    evaluations, found, seconds = decode_message(text)
    for place in range(2):
        assert np.array_equal(bulk.evaluations[place], rows, equal_nan=True)
        assert bulk.parameters[place] == parameters
        assert np.array_equal(bulk.total_seconds[place], np.nan if total is None else total, equal_nan=True)
    assert np.array_equal(evaluations, rows, equal_nan=True)
    assert found == parameters
    assert np.array_equal(seconds, np.nan if total is None else total, equal_nan=True)


def test_absent_unknown_and_repeated_fields() -> None:
    unknown = b"\x3a\x03abc" + b"\x45abcd" + b"\x48\x07" + b"\x53\x0a\x01x\x54"  # bytes, float, number, a group
    evaluation = unknown + b"\x19" + struct.pack("<d", 0.25) + b"\x32\x04path" + b"\x19" + struct.pack("<d", 0.5)
    text = unknown + 3 * (b"\x0a" + varint(len(evaluation)) + evaluation) + b"\x10\x05" + b"\x10\x07"
    evaluations, parameters, total = decode_message(text)
    assert evaluations == [[0.0, 0.0, 0.5, 0.0, 0.0]] * 3
    assert parameters == 7
    assert np.isnan(total)
    assert decode_message(3 * b"\x0a\x00")[:2] == ([[0.0] * 5] * 3, 0)


@pytest.mark.parametrize(
    "text",
    [b"", b"\x0a", b"\x0a\x05abc", b"\x0a\x00" * 2, b"\x0a\x00" * 4, b"\x0a\x00" * 3 + b"\x10", b"\x00\x00",
     b"\x0a\x00" * 3 + b"\x10" + b"\xff" * 11, b"\x0b" * 200, b"\x0c", b"\x0b\x14", b"\x0f",
     b"\x3a" + b"\xff" * 9 + b"\x01", b"\x53" + b"\x0a\x00" * 3],
)  # fmt: skip
def test_malformed_messages(text: bytes) -> None:
    with pytest.raises(Malformed):
        decode_message(text)
    with pytest.raises(BadFile, match="record 17"):
        decode([text], lambda place: "record 17")


@given(text=st.binary(max_size=200))
def test_random_messages_are_malformed_or_read(text: bytes) -> None:
    try:
        decode_message(text)
    except Malformed as error:
        assert str(error)


def read_all(path: Path) -> list[Records]:
    reader = Reader()
    return [reader.read(batch) for batch in read_batches(path)]


@pytest.mark.parametrize("encode", [base64.b64encode, base64.encodebytes])
def test_base64_with_and_without_newlines(encode: object, made: list[Record], tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"".join(frame(each.payload(encode)) for each in made))
    (found,) = read_all(path)
    assert found.metrics.evaluations.tolist() == [[list(row) for row in each.evaluations] for each in made]


GOOD = record(SPACE, 5, 108, np.random.default_rng(3))
ENTRIES: list[object] = json.loads(GOOD.payload())


def with_entry(place: int, value: object) -> bytes:
    return json.dumps([*ENTRIES[:place], value, *ENTRIES[place + 1 :]]).encode()


WRONG = {
    "no JSON": b"nonsense",
    "no UTF-8": b'["\xff"]',
    "an object": b"{}",
    "four entries": json.dumps(ENTRIES[:4]).encode(),
    "six entries": json.dumps([*ENTRIES, 0]).encode(),
    "a short hash": with_entry(0, "abc"),
    "a hash of other letters": with_entry(0, "g" * 32),
    "a hash that is no text": with_entry(0, 5),
    "seven epochs": with_entry(1, 7),
    "epochs as a fraction": with_entry(1, 108.0),
    "epochs as a truth value": with_entry(1, True),
    "a number too long to read": GOOD.payload().replace(b"108", b"1" * 5000),
    "adjacency not square": with_entry(2, "01"),
    "adjacency of other digits": with_entry(2, "0200"),
    "adjacency below the diagonal": with_entry(2, "0110"),
    "adjacency not pruned": with_entry(2, "011000000"),
    "adjacency empty": with_entry(2, ""),
    "eight vertices": with_entry(2, "0" * 64),
    "an unknown operation": with_entry(3, "input,conv5x5,output"),
    "no operations": with_entry(3, ""),
    "operations of another size": with_entry(3, "input,output"),
    "metrics that are no base64": with_entry(4, "a"),
    "metrics that are no message": with_entry(4, "AAAA"),
    "metrics that are no text": with_entry(4, None),
    "deep arrays": b"[" * 100_000,
    "deep arrays, closed": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "half of two records": GOOD.payload()[:20],
    "two records": GOOD.payload() + b"," + GOOD.payload(),
    "two records with the separator": GOOD.payload() + b",0," + GOOD.payload(),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_record_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file.tfrecord"
    first = frame(GOOD.payload())
    path.write_bytes(first + frame(WRONG[name]) + first)
    tracemalloc.start()
    with pytest.raises(BadFile, match=rf"file.tfrecord: record 1 \(byte {len(first)}\)"):
        convert_nasbench(path, tmp_path / "out.h5")
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("value", [-0.01, 1.01, float("inf"), 95.0])
def test_an_accuracy_is_a_fraction(value: float, tmp_path: Path) -> None:
    rows = (*GOOD.evaluations[:2], (*GOOD.evaluations[2][:4], value))
    with pytest.raises(BadFile, match=r"record 0 .* no fraction"):
        convert_nasbench(write(tmp_path / "file", [replace(GOOD, evaluations=rows)]), tmp_path / "out.h5")


def test_a_wrong_module_hash_is_named(made: list[Record], tmp_path: Path) -> None:
    for wrong in (SPACE.hash(6), GOOD.module_hash[:-1] + "0", "0" * 32):
        for order in (made, made[::-1]):
            file = write(tmp_path / "file", [*order, replace(GOOD, module_hash=wrong)])
            with pytest.raises(BadFile, match="is not the module hash of its cell"):
                convert_nasbench(file, tmp_path / "out.h5")


def test_other_files_are_told_apart(tmp_path: Path, made: list[Record]) -> None:
    assert is_nasbench(write(tmp_path / "file", made[:2]))
    whole = (tmp_path / "file").read_bytes()
    (tmp_path / "damaged").write_bytes(whole[:-1])
    assert is_nasbench(tmp_path / "damaged")  # so that the conversion says what is wrong with it
    (tmp_path / "images").write_bytes(frame(b"\x0a\x05image"))
    (tmp_path / "empty").write_bytes(b"")
    for name in ("images", "empty", "nowhere"):
        assert not is_nasbench(tmp_path / name)
    with pytest.raises(BadFile, match="no records"):
        convert_nasbench(tmp_path / "empty", tmp_path / "out.h5")
    with pytest.raises(MissingFile):
        convert_nasbench(tmp_path / "nowhere", tmp_path / "out.h5")


@settings(max_examples=150, deadline=5000)
@given(data=st.data())
def test_damaged_payloads_behind_right_checksums(data: st.DataObject, folder: Path) -> None:
    """Bytes cut out, flipped, put in: read, or refused with the place of the record."""
    payload = bytearray(GOOD.payload())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(payload) - 1))
        kind = data.draw(st.sampled_from(("flip", "cut", "insert", "truncate")))
        if kind == "flip":
            payload[at] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "cut":
            del payload[at : at + data.draw(st.integers(1, 50))]
        elif kind == "insert":
            payload[at:at] = data.draw(st.binary(max_size=20))
        else:
            del payload[at + 1 :]
        payload = payload or bytearray(b"[")
    path = folder / "damaged.tfrecord"
    path.write_bytes(frame(GOOD.payload()) + frame(bytes(payload)))
    try:
        assert sum(len(part.codes) for part in read_all(path)) == 2
    except BadFile as error:
        assert "damaged.tfrecord: record 1 (byte " in str(error)


@settings(max_examples=25, deadline=20_000)
@given(data=st.data())
def test_damaged_files_leave_no_table(data: st.DataObject, made: list[Record], folder: Path) -> None:
    frames = [frame(each.payload()) for each in made[:6]]
    whole = bytearray(b"".join(frames))
    kind = data.draw(st.sampled_from(("flip", "truncate", "random")))
    if kind == "flip":
        bit = data.draw(st.integers(0, 8 * len(whole) - 1))
        whole[bit // 8] ^= 1 << bit % 8
    elif kind == "truncate":
        del whole[data.draw(st.sampled_from([at for at in range(1, len(whole)) if at % len(frames[0])])) :]
    else:
        whole[:] = data.draw(st.binary(min_size=1, max_size=500))
    (folder / "fuzz").mkdir(exist_ok=True)
    path, out = folder / "fuzz" / "file", folder / "fuzz" / "out.h5"
    path.write_bytes(whole)
    try:
        convert_nasbench(path, out)
        out.unlink()
    except BadFile as error:
        assert str(path) in str(error)
    assert [*path.parent.iterdir()] == [path]


def test_the_order_of_records_does_not_matter_but_for_repeats(
    made: list[Record], bench: Benchmark, tmp_path: Path
) -> None:
    shuffled = sorted(made, key=lambda each: (each.epochs, each.module_hash))  # stable: repeats stay in order
    other = Benchmark(Table(convert_nasbench(write(tmp_path / "file", shuffled), tmp_path / "out.h5").path))
    for metric in ("valid_accuracy", "test_accuracy", "train_seconds"):
        for budget in BUDGETS:
            ours = bench.query(np.array(CELLS), metric, budget=budget, seed="all")
            assert ours.tolist() == other.query(np.array(CELLS), metric, budget=budget, seed="all").tolist()


@pytest.fixture
def killed(tmp_path: Path, made: list[Record]) -> Iterator[tuple[subprocess.Popen[bytes], Path, Path]]:
    """A conversion in another process, stopped by nothing but a signal once it writes its table."""
    path, out = write(tmp_path / "file.tfrecord", made), tmp_path / "tables" / "out.h5"
    code = (
        "import sys, time; from pathlib import Path; from nasgauge.bench import table\n"
        "verify = table.Table.verify\n"
        "table.Table.verify = lambda self: (verify(self), time.sleep(600))\n"
        "from nasgauge.data.files.nasbench_file import convert_nasbench\n"
        "convert_nasbench(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path), str(out)])
    yield process, path, out
    process.kill()
    process.wait()


def test_a_killed_conversion_leaves_no_table_and_the_next_one_completes(
    killed: tuple[subprocess.Popen[bytes], Path, Path], converted: Converted
) -> None:
    process, path, out = killed
    deadline = time.monotonic() + 60
    while not (out.parent.is_dir() and any(part.stat().st_size > 1 << 20 for part in out.parent.iterdir())):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not out.exists()
    assert convert_nasbench(path, out).found == 4
    assert Table(out).sha256() == Table(converted.path).sha256()
