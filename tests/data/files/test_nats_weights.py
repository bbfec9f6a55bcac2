"""Files with weights (``-full``, archives): the same numbers, in bounded memory, weights dropped and said so."""

from __future__ import annotations

import bz2
import pickle
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasgauge.bench.errors import BadFile
from nasgauge.bench.table import Table
from nasgauge.data.convert import convert
from nasgauge.data.files.nats_files import WITHOUT_WEIGHTS

sys.path.insert(0, str(Path(__file__).parents[2]))
import official_files as official

torch = pytest.importorskip("torch")
LENGTHS = {"topology": {"12": 3, "200": 5}, "size": {"01": 1, "12": 3, "90": 4}}
ARCHS = range(3)


def results(space: str) -> dict[int, Any]:
    return official.all_results(ARCHS, space, LENGTHS[space])


def trials(found: dict[int, Any]) -> int:
    return sum(len(each["all_results"]) for infos in found.values() for each in infos.values())


def same_numbers(one: Path, other: Path) -> None:
    ours, theirs = Table(one), Table(other)
    assert [entry.path for entry in ours.entries] == [entry.path for entry in theirs.entries]
    for path in (entry.path for entry in ours.entries):
        one_has, other_has = (
            table.read_curves(path, np.array(ARCHS)) if path.endswith("/curves") else table.read(path)
            for table in (ours, theirs)
        )
        assert np.array_equal(one_has, other_has, equal_nan=True), path


@pytest.mark.parametrize(
    ("layout", "space", "channels"),  # tensors inside the stream's buffer, and larger than it
    [("directory", "topology", 200), ("directory", "size", 2), ("tar", "topology", 2)],
)
def test_full_files_give_the_numbers_of_simple_ones(layout: str, space: str, channels: int, tmp_path: Path) -> None:
    plain = results(space)
    simple = convert(official.write_directory(tmp_path / "simple", plain, space), tmp_path / "simple.h5")
    full = official.write_directory(tmp_path / "full", official.with_weights(plain, channels), space)
    path = official.write_tar(tmp_path / "full.tar", full) if layout == "tar" else full
    converted = convert(path, tmp_path / "full.h5")
    same_numbers(converted.path, simple.path)
    assert f"{trials(plain)} trials hold weights, which no table keeps" in converted.words
    assert not any("weights" in words for words in simple.words)
    assert converted.path.stat().st_size < 1.1 * simple.path.stat().st_size


@pytest.mark.parametrize("is_zip", [False, True])
def test_archives_as_torch_writes_them_give_the_numbers_of_simple_files(is_zip: bool, tmp_path: Path) -> None:
    plain = results("topology")
    simple = convert(official.write_directory(tmp_path / "simple", plain, "topology"), tmp_path / "simple.h5")
    (tmp_path / "archive").mkdir()
    for arch, infos in official.with_weights(plain).items():
        content = {"full": infos["200"], "less": infos["12"]}
        torch.save(content, tmp_path / "archive" / f"{arch:06d}-FULL.pth", _use_new_zipfile_serialization=is_zip)
    converted = convert(tmp_path / "archive", tmp_path / "archive.h5")
    same_numbers(converted.path, simple.path)
    assert f"{trials(plain)} trials hold weights, which no table keeps" in converted.words


def test_the_bytes_of_weights_are_never_opened(tmp_path: Path) -> None:
    """Each storage is a pickle within the pickle: a payload in there runs in the usual reader only."""
    marker = tmp_path / "marker"
    found = official.with_weights(results("topology"))[0]
    key = ("cifar10", 111)
    weights = found["12"]["all_results"][key]["net_state_dict"]
    weights["planted"] = Planted(marker)
    official.write_directory(tmp_path / "full", {}, "topology")
    (tmp_path / "full" / "000000.pickle.pbz2").write_bytes(official.pack(found))
    converted = convert(tmp_path / "full", tmp_path / "x.h5")
    assert converted.found == 1 and not marker.exists()
    with suppress(EOFError):  # after it ran
        pickle.loads(bz2.decompress((tmp_path / "full" / "000000.pickle.pbz2").read_bytes()))
    assert marker.exists()


class Planted:
    """Pickled as a storage is, with the payload where its bytes are."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        parts = (official.MAGIC, official.VERSION, official.SYSTEM, _Touch(self.marker))
        return torch.storage._load_from_bytes, (b"".join(pickle.dumps(part, 2) for part in parts),)


class _Touch:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


def test_other_names_of_torch_are_refused(tmp_path: Path) -> None:
    found = results("topology")
    found[1]["12"]["all_results"]["cifar10", 111]["net_state_dict"] = {"weight": Loader()}
    with pytest.raises(BadFile, match=r"000001\.pickle\.pbz2.*'torch\.serialization\.load'"):
        convert(official.write_directory(tmp_path / "x", found, "topology"), tmp_path / "x.h5")
    assert not (tmp_path / "x.h5").exists()


class Loader:
    """Asks for a name of torch that no tensor needs."""

    def __reduce__(self) -> Any:
        return torch.load, ("x",)


PEAK = """
import sys
from pathlib import Path
from nasgauge.bench.memory import resident, since
from nasgauge.data.files.nats_files import read_block
from nasgauge.data.files.nats_listing import list_directory
_, entries = list_directory(Path(sys.argv[1]))
read_block(entries[:1], "topology")
before = resident()
read_block(entries[1:], "topology")
print(since(before).peak - before)
"""


def test_weights_take_no_memory(tmp_path: Path) -> None:
    """A file of more than 40 MB of weights, read in a process of its own."""
    found = results("topology")
    official.write_directory(tmp_path / "x", {0: found[0]}, "topology")
    large = dict(found[1])
    for hp, each in large.items():
        all_results = {key: {**trial, "net_state_dict": {"weight": torch.randint(0, 4, (1_000_000,)).float()}}
                       for key, trial in each["all_results"].items()}  # fmt: skip
        large[hp] = {**each, "all_results": all_results}
    size = len(pickle.dumps(large, 4))
    assert size > 40_000_000
    packed = official.pack(large)
    assert len(packed) > WITHOUT_WEIGHTS  # what is smaller is read at once
    (tmp_path / "x" / "000001.pickle.pbz2").write_bytes(packed)
    answer = subprocess.run(
        [sys.executable, "-c", PEAK, str(tmp_path / "x")], check=True, capture_output=True, text=True
    )
    assert not float(answer.stdout) > 16  # MB; NaN where the system does not tell
