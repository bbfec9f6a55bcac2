"""What a conversion promises whatever the layout: where its table may go, and that the file ends where it should."""

from __future__ import annotations

import bz2
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import nasgauge as ng
from nasgauge.bench.errors import BadFile, BadValue
from nasgauge.data.convert import convert

sys.path.insert(0, str(Path(__file__).parents[1]))
import official_files as official


@pytest.fixture
def single(tmp_path: Path) -> Path:
    results = official.all_results(range(2), "topology", {"12": 2})
    return official.write_single(tmp_path / "official.pickle.pbz2", results, "topology", 20)


def test_a_table_replaces_tables_only(single: Path, tmp_path: Path) -> None:
    """Before anything is read: an hour later would be late, and the file itself is often hard to get again."""
    content = single.read_bytes()
    (tmp_path / "folder.h5").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    for target in (single, tmp_path / "folder.h5", tmp_path / "notes.txt"):
        with pytest.raises(BadValue, match="is there and is no table"):
            convert(single, target)
        with pytest.raises(BadValue, match="is there and is no table"):
            ng.convert(object(), target)
    assert single.read_bytes() == content
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert convert(single, tmp_path / "x.h5").path == convert(single, tmp_path / "x.h5").path


def test_no_processes_are_refused(single: Path, tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="jobs=0"):
        convert(single, tmp_path / "x.h5", jobs=0)


def followed(layout: str, path: Path) -> Path:
    """A file of two architectures with a byte too many."""
    results = official.all_results(range(2), "topology", {"12": 2})
    whole: Any = official.whole(results, "topology", 20)
    if layout == "single":
        path.write_bytes(bz2.compress(pickle.dumps(whole, 4) + b"N"))
    elif layout == "single, behind the stream":
        path.write_bytes(bz2.compress(pickle.dumps(whole, 4)) + b"N")
    else:
        whole["arch2infos"] = {arch: {"less": infos["12"]} for arch, infos in results.items()}
        if layout == "legacy":
            path.write_bytes(official.write_legacy(path, whole).read_bytes() + b"N")
        else:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("x/data.pkl", pickle.dumps(whole, 2) + b"N")
    return path


@pytest.mark.parametrize("layout", ["single", "single, behind the stream", "legacy", "zip"])
def test_bytes_behind_the_end_are_refused(layout: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="bytes follow"):
        convert(followed(layout, tmp_path / "x"), tmp_path / "x.h5")
    assert not (tmp_path / "x.h5").exists()


def test_a_wrong_checksum_in_a_zip_is_refused(tmp_path: Path) -> None:
    """Though every opcode is in order: one float differs from what was packed."""
    infos = {0: {"less": official.all_results([0], "topology", {"12": 2})[0]["12"]}}
    path = official.write_zip(tmp_path / "x.pth", official.whole(infos, "topology", 20))
    content = path.read_bytes()
    place = content.index(b"train_losses")
    float_at = content.index(b"G", place) + 5
    path.write_bytes(content[:float_at] + bytes([content[float_at] ^ 1]) + content[float_at + 1 :])
    with pytest.raises(BadFile, match="CRC"):
        convert(path, tmp_path / "x.h5")
