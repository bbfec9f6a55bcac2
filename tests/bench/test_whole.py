"""Files appear whole or not at all, and what a killed process left is swept up by the next one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nasgauge.bench.whole import whole_file, write_whole

KILLED = """
import os, signal, sys
from nasgauge.bench.whole import whole_file
with whole_file(sys.argv[1]) as temporary:
    temporary.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "deep" / "file", b"old")
    with pytest.raises(RuntimeError), whole_file(path) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert [each.read_bytes() for each in path.parent.iterdir()] == [b"old"]


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "file"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not path.exists()
    assert len(list(tmp_path.iterdir())) == 1
    write_whole(path, b"whole")
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"whole"]


def test_a_writer_that_is_alive_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with whole_file(path) as first:
        first.write_bytes(b"first")
        write_whole(path, b"second")
        assert first.exists()
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
