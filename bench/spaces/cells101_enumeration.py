"""Recomputes the NAS-Bench-101 space from its definition: all cells, their official hashes, and the shipped file.

``python -m nasgauge.bench.spaces.cells101_enumeration --check`` compares the shipped file with a fresh computation
(about a minute); ``--write PATH`` writes a new one. Definition: google-research/nasbench ``generate_graphs.py`` and
Ying et al., ICML 2019. That script tells graphs apart by hash; here they are told apart exactly, and `official_order`
checks that both give the same 423,624 classes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import BadFile
from .cells101 import CODES_FILE, SIZE, codes_crc32, load_codes
from .cells101_code import MAX_VERTICES, Codes, canonical, minimal_structures
from .cells101_hash import code_hashes


def enumerate_cells(max_vertices: int = MAX_VERTICES) -> Codes:
    """The smallest code of every isomorphism class, ascending: the order in which the official script meets them.

    A smallest code has smallest edge bits, so only minimal unlabelled structures are given labels at all.
    """
    cells = []
    for vertices in range(2, max_vertices + 1):
        labelings = np.arange(3 ** (vertices - 2), dtype=np.uint32)
        codes = (minimal_structures(vertices)[:, None] | labelings).ravel()
        cells.append(codes[canonical(codes) == codes])
    return np.concatenate(cells)


def official_order(codes: Codes) -> Codes:
    """``codes`` by ascending official hash; BadFile where two of them share a hash."""
    hashes = list(code_hashes(codes))
    if len(set(hashes)) < len(hashes):
        raise BadFile("two cells that are not isomorphic share a module hash: the enumeration is not the official one")
    return codes[sorted(range(len(codes)), key=hashes.__getitem__)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; the exit status is 0 where the shipped file is right or a file was written."""
    parser = argparse.ArgumentParser(prog="python -m nasgauge.bench.spaces.cells101_enumeration", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true", help=f"compare with the shipped {CODES_FILE.name}")
    action.add_argument("--write", metavar="PATH", type=Path, help="write the codes as an .npy file")
    chosen = parser.parse_args(arguments)
    codes = official_order(enumerate_cells())
    sys.stdout.write(f"{len(codes):,} cells in as many hash classes, CRC-32 {codes_crc32(codes):#010x}\n")
    if chosen.write is not None:
        with chosen.write.open("wb") as file:
            np.save(file, codes.astype("<u4"))
        sys.stdout.write(f"wrote {chosen.write}\n")
        return 0
    same = len(codes) == SIZE and np.array_equal(codes, load_codes())
    sys.stdout.write(f"{CODES_FILE.name}: {'right' if same else 'DIFFERS from the computation'}\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
