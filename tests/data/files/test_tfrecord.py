"""TFRecord files: what is written is read, what is damaged is refused by name and place."""

from __future__ import annotations

import random
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.errors import BadFile, MissingFile
from nasgauge.data.files import tfrecord
from nasgauge.data.files.tfrecord import is_tfrecord, masked_crc32c, read_batches, read_records

from ..nasbench_writer import crc32c, frame, masked

PAYLOADS = st.lists(st.binary(max_size=300), max_size=30)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tfrecord") / "file.tfrecord"


def test_checksum_is_crc32c() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C (RFC 3720, appendix B.4, and catalogues)
    assert crc32c(bytes(32)) == 0x8A9136AA
    for data in (b"", b"a", b"123456789", random.Random(0).randbytes(1000)):
        assert struct.pack("<I", masked_crc32c(data)) == masked(data)


@given(payloads=PAYLOADS)
def test_what_is_written_is_read(path: Path, payloads: list[bytes]) -> None:
    path.write_bytes(b"".join(map(frame, payloads)))
    assert list(read_records(path)) == payloads
    assert is_tfrecord(path) == bool(payloads)


def test_batches_know_where_their_records_are(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    payloads = [bytes([length]) * length for length in range(11)]
    path.write_bytes(b"".join(map(frame, payloads)))
    monkeypatch.setattr(tfrecord, "BATCH", 4)
    batches = list(read_batches(path))
    assert [batch.first for batch in batches] == [0, 4, 8]
    offsets = [offset for batch in batches for offset in batch.offsets]
    assert offsets == [sum(len(payload) + 16 for payload in payloads[:place]) for place in range(11)]
    assert batches[1].where(2) == f"{path}: record 6 (byte {offsets[6]})"


@given(payloads=PAYLOADS.filter(bool), data=st.data())
def test_a_truncated_file_names_the_record_and_its_place(
    path: Path, payloads: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(map(frame, payloads))
    cut = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(whole[:cut])
    ends = [0]
    for payload in payloads:
        ends.append(ends[-1] + len(payload) + 16)
    if cut in ends:
        assert list(read_records(path)) == payloads[: ends.index(cut)]
        return
    record = sum(end <= cut for end in ends) - 1
    with pytest.raises(BadFile, match=rf"file.tfrecord: record {record} \(byte {ends[record]:,}\) is truncated"):
        list(read_records(path))


@given(payloads=PAYLOADS.filter(bool), data=st.data())
def test_a_flipped_bit_is_refused(path: Path, payloads: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(b"".join(map(frame, payloads)))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    path.write_bytes(whole)
    with pytest.raises(BadFile, match=r"file.tfrecord: record .* wrong checksum"):
        list(read_records(path))


@given(content=st.binary(max_size=2000))
def test_random_bytes_are_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    if content:
        with pytest.raises(BadFile, match=r"record 0 \(byte 0\)"):
            list(read_records(path))


@pytest.mark.parametrize("length", [(1 << 20) + 1, 1 << 40, (1 << 64) - 1])
def test_an_absurd_length_is_refused_before_it_is_read(path: Path, length: int) -> None:
    header = struct.pack("<Q", length)
    path.write_bytes(header + masked(header) + bytes(100))
    tracemalloc.start()
    with pytest.raises(BadFile, match="claims"):
        list(read_records(path))
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_memory_does_not_grow_with_the_file(path: Path) -> None:
    record = frame(bytes(1 << 19))
    with open(path, "wb") as file:
        for _ in range(200):
            file.write(record)
    tracemalloc.start()
    assert sum(1 for _ in read_records(path)) == 200
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()
    path.unlink()


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    assert not is_tfrecord(tmp_path / "nowhere")
    assert not is_tfrecord(tmp_path)
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(MissingFile, match=str(path)):
            list(read_records(path))
