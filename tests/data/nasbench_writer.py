"""Writes files in the layout of NAS-Bench-101, byte by byte from the description and without the package's own code."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nasgauge.bench.spaces.cells101 import Cells101

POLYNOMIAL = 0x82F63B78
TABLE = []
for _byte in range(256):
    _entry = _byte
    for _ in range(8):
        _entry = _entry >> 1 ^ (POLYNOMIAL if _entry & 1 else 0)
    TABLE.append(_entry)


def crc32c(data: bytes) -> int:
    """CRC-32C by the textbook."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def frame(payload: bytes) -> bytes:
    """One TFRecord."""
    length = struct.pack("<Q", len(payload))
    return length + masked(length) + payload + masked(payload)


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def message(evaluations: Sequence[Sequence[float]], parameters: int, total: float | None) -> bytes:
    """A ModelMetrics message as the released files spell it."""
    out = b""
    for row in evaluations:
        body = b"".join(bytes([number << 3 | 1]) + struct.pack("<d", value) for number, value in enumerate(row, 1))
        out += b"\x0a" + varint(len(body)) + body
    out += b"\x10" + varint(parameters)
    return out if total is None else out + b"\x19" + struct.pack("<d", total)


@dataclass(frozen=True)
class Record:
    """One training run; ``evaluations`` are start, half-way and end: epoch, seconds, train, valid, test accuracy."""

    module_hash: str
    epochs: int
    adjacency: str
    operations: str
    evaluations: tuple[tuple[float, ...], ...]
    parameters: int = 1_000_000
    total: float | None = 100.0

    def message(self) -> bytes:
        return message(self.evaluations, self.parameters, self.total)

    def payload(self, encode: object = base64.encodebytes) -> bytes:
        text = encode(self.message()).decode()  # type: ignore[operator]
        return json.dumps([self.module_hash, self.epochs, self.adjacency, self.operations, text]).encode()

    def official(self) -> dict[str, float]:
        """The dictionary that the official package makes of it."""
        names = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
        return {
            f"{when}_{name}": value
            for when, row in (("halfway", self.evaluations[1]), ("final", self.evaluations[2]))
            for name, value in zip(names, row[1:], strict=True)
        }


def record(space: Cells101, arch: int, epochs: int, rng: np.random.Generator, *, single: bool = False) -> Record:
    """A run of cell ``arch`` with random numbers; ``single``: accuracies with the precision of float32."""
    graph = space.graph(arch)
    accuracies = rng.integers(998, 9984, (3, 3)) / 9984
    accuracies = accuracies.astype(np.float32).astype(np.float64) if single else accuracies
    seconds = float(rng.uniform(100, 5000))
    rows = tuple(
        (float(epochs * part), seconds * part, *row) for part, row in zip((0, 0.5, 1), accuracies.tolist(), strict=True)
    )
    digits = "".join("01"[int(entry)] for entry in graph.adjacency.ravel())
    parameters = int(rng.integers(1 << 14, 1 << 26))
    return Record(space.hash(arch), epochs, digits, ",".join(graph.nodes), rows, parameters, seconds * 1.2)


def records(
    space: Cells101, archs: Iterable[int], budgets: Sequence[int], rng: np.random.Generator, repeats: int = 3
) -> list[Record]:
    """All runs of some cells, shuffled; as in the real file the parameters of a cell are the same in all of them."""
    made = []
    for arch in archs:
        runs = [record(space, arch, budget, rng) for budget in budgets for _ in range(repeats)]
        made += [replace(run, parameters=runs[0].parameters) for run in runs]
    return [made[place] for place in rng.permutation(len(made))]


def write(path: Path, made: Iterable[Record]) -> Path:
    path.write_bytes(b"".join(frame(each.payload()) for each in made))
    return path
