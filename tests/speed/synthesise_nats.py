"""Write a directory in the layout of NATS-tss-v1_0-3ffb9-simple, or a NAS-Bench-201 .pth file; numbers are random.

    python tests/speed/synthesise_nats.py FOLDER [ARCHITECTURES]
    python tests/speed/synthesise_nats.py FILE.pth [ARCHITECTURES]

A few patterns of one to three seeds are written anew for every architecture, with its own index and text.
"""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import official_files as official

PATTERNS = 12


def synthesise(folder: Path, count: int) -> Path:
    """The directory of the first ``count`` architectures."""
    texts = official.texts_of("topology")
    official.write_directory(folder, {}, "topology")
    patterns = official.all_results(range(PATTERNS), "topology")
    for arch in range(count):
        infos = patterns[arch % PATTERNS]
        for found in infos.values():
            _rename(found, arch, texts[arch])
        (folder / f"{arch:06d}.pickle.pbz2").write_bytes(official.pack(infos))
    return folder


def synthesise_pth(path: Path, count: int) -> Path:
    """A .pth file of release 1.1, before torch 1.6, of the first ``count`` architectures."""
    texts = official.texts_of("topology")
    patterns = official.all_results(range(PATTERNS), "topology")
    results = {}
    for arch in range(count):
        infos = copy.deepcopy(patterns[arch % PATTERNS])
        for found in infos.values():
            _rename(found, arch, texts[arch])
        results[arch] = {"less": infos["12"], "full": infos["200"]}
    return official.write_legacy(path, official.whole(results, "topology"))


def _rename(found: dict[str, Any], arch: int, text: str) -> None:
    found["arch_index"], found["arch_str"] = arch, text
    for trial in found["all_results"].values():
        trial["arch_config"]["arch_str"] = text


if __name__ == "__main__":
    target, wanted = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 15_625
    (synthesise_pth if target.suffix == ".pth" else synthesise)(target, wanted)
