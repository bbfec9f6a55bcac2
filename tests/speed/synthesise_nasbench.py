"""Writes a file like ``nasbench_only108.tfrecord``: all 423,624 cells three times, shuffled, random numbers, 0.5 GB.

python tests/speed/synthesise_nasbench.py nasbench.tfrecord [CELLS]
"""

from __future__ import annotations

import base64
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nasgauge.bench.spaces.cells101 import Cells101
from nasgauge.data.files.tfrecord import masked_crc32c

EPOCHS = 108
REPEATS = 3


def payloads(cells: int, seed: int = 0) -> Iterator[bytes]:
    """Records of the first ``cells`` cells in shuffled order, spelled as in the released file."""
    space, rng = Cells101(), np.random.default_rng(seed)
    heads = [_head(space, arch) for arch in range(cells)]
    parameters = space.params(np.arange(cells)).tolist()
    for arch in rng.permutation(np.repeat(np.arange(cells), REPEATS)).tolist():
        seconds = float(rng.uniform(500, 5000))
        accuracies = (rng.integers(998, 9984, 9) / 9984).astype(np.float32)
        message = b""
        for at in range(3):
            row = (54.0 * at, seconds * at / 2, *accuracies[3 * at : 3 * at + 3].tolist())
            fields = b"".join(struct.pack("<Bd", number << 3 | 1, value) for number, value in enumerate(row, 1))
            message += b"\x0a" + bytes([len(fields)]) + fields
        message += b"\x10" + _varint(parameters[arch]) + struct.pack("<Bd", 3 << 3 | 1, seconds * 1.1)
        text = base64.encodebytes(message).replace(b"\n", b"\\n")
        yield heads[arch] + text + b'"]'


def write(path: Path, cells: int) -> Path:
    """The whole file."""
    with open(path, "wb") as file:
        for payload in payloads(cells):
            length = struct.pack("<Q", len(payload))
            file.write(length + struct.pack("<I", masked_crc32c(length)))
            file.write(payload + struct.pack("<I", masked_crc32c(payload)))
    return path


def _head(space: Cells101, arch: int) -> bytes:
    graph = space.graph(arch)
    digits = "".join("01"[int(entry)] for entry in graph.adjacency.ravel())
    return f'["{space.hash(arch)}", {EPOCHS}, "{digits}", "{",".join(graph.nodes)}", "'.encode()


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else Cells101().size)
