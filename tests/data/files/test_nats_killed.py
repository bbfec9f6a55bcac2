"""SIGKILL of a conversion that several processes work on: helpers end, nothing is left that a second run minds."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nasgauge.data.convert import convert
from nasgauge.data.files.nats_files import BLOCK, FEW

sys.path.insert(0, str(Path(__file__).parents[2]))
import official_files as official

KILLED = """
import os, signal, sys
from pathlib import Path
import nasgauge.data.convert as module
add, blocks = module.Collected.add, []
def dying(self, block, where):
    add(self, block, where)
    blocks.append(block)
    if len(blocks) == 2:
        print(Path(f"/proc/self/task/{os.getpid()}/children").read_text(), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
module.Collected.add = dying
module.convert(Path(sys.argv[1]), Path(sys.argv[2]), jobs=2)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux for the processes of a process")
def test_helpers_of_a_killed_conversion_end_and_the_next_one_completes(tmp_path: Path) -> None:
    results = official.all_results(range(FEW + 4 * BLOCK), "topology", {"12": 2})
    folder, out = official.write_directory(tmp_path / "NATS", results, "topology"), tmp_path / "out" / "x.h5"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(out)], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    helpers = [int(process) for process in killed.stdout.split()]
    assert len(helpers) >= 2
    assert not out.exists() and list(out.parent.glob(".nasgauge-scratch-*"))
    until = time.monotonic() + 60
    while any(is_running(helper) for helper in helpers) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(is_running(helper) for helper in helpers)
    again = convert(folder, out, jobs=2)
    assert [item.name for item in out.parent.iterdir()] == [out.name]
    alone = convert(folder, tmp_path / "alone" / "x.h5", jobs=1)
    assert again.found == len(results) and again.path.read_bytes() == alone.path.read_bytes()


FULL = """
import resource, sys
from pathlib import Path
from nasgauge.bench.errors import NasgaugeError
from nasgauge.data.convert import convert
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # of every file, also those of the processes that help
try:
    convert(Path(sys.argv[1]), Path(sys.argv[2]), jobs=2)
except NasgaugeError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as Unix does")
def test_no_room_for_numbers_ends_in_one_clear_error(tmp_path: Path) -> None:
    results = official.all_results(range(FEW + BLOCK), "topology", {"12": 2})
    folder, out = official.write_directory(tmp_path / "NATS", results, "topology"), tmp_path / "out" / "x.h5"
    ended = subprocess.run([sys.executable, "-c", FULL, str(folder), str(out)], capture_output=True, text=True,
                           check=True)  # fmt: skip
    assert ended.stdout.count("\n") == 1
    assert ended.stdout.startswith(f"{folder} cannot be converted to {out} (File too large)")
    assert not list(out.parent.iterdir())


def is_running(process: int) -> bool:
    """Not gone, and not only waiting for a parent to take note of its end."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
