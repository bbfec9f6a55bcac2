"""Hostile and damaged NAS-Bench-201 and NATS-Bench files: nothing runs, nothing half is left, nothing hangs."""

from __future__ import annotations

import bz2
import io
import os
import pickle
import random
import signal
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasgauge.bench.errors import BadFile
from nasgauge.bench.table import Table
from nasgauge.data.convert import convert
from nasgauge.data.files.nats_files import read_block
from nasgauge.data.files.nats_listing import Entry
from nasgauge.data.files.torch_files import read_torch
from nasgauge.data.safe.compact import unframed
from nasgauge.data.safe.machine import Machine

sys.path.insert(0, str(Path(__file__).parents[2]))
import official_files as official

LAYOUTS = ("meta", "directory", "tar", "single", "legacy", "zip", "archive")


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def hostile(marker: Path) -> dict[str, bytes]:
    """Opcodes that make a folder at ``marker`` where they run; they stand in the place of a value."""
    module, name = text(os.mkdir.__module__), text("mkdir")
    where = text(str(marker))
    return {
        "reduce": b"c" + os.mkdir.__module__.encode() + b"\nmkdir\n" + where + b"\x85R",
        "stack global": module + name + b"\x93" + where + b"\x85R",
        "build": b"cbuiltins\nobject\n)\x81}" + text("__setstate__") + where + b"sb",
        "build of a dictionary": b"ccollections\nOrderedDict\n)R}" + text("x") + where + b"sb",
        "nested": b"](c" + os.mkdir.__module__.encode() + b"\nmkdir\n" + where + b"\x85Re",
        "inside an argument": b"ccollections\nOrderedDict\n](c" + os.mkdir.__module__.encode() + b"\nmkdir\n"
                              + where + b"\x85Re\x85R",
        "dotted name": text("pathlib") + text("Path.mkdir") + b"\x93cpathlib\nPosixPath\n" + where + b"\x85R\x85R",
        "dotted module of an allowed name": text("collections.OrderedDict") + text("fromkeys") + b"\x93" + where
                                            + b"\x85R",
        "getattr": b"cbuiltins\ngetattr\ncos\npath\n" + text("exists") + b"\x86R" + where + b"\x85R",
        "reduce_ex": b"ccopyreg\n__newobj_ex__\ncpathlib\nPath\n" + where + b"\x85}\x87R",
        "new object with arguments": b"cpathlib\nPath\n" + where + b"\x85}\x92",
        "instance": b"(" + where + b"i" + os.mkdir.__module__.encode() + b"\nmkdir\n",
        "object": b"(c" + os.mkdir.__module__.encode() + b"\nmkdir\n" + where + b"o",
        "persistent id": where + b"Q",
        "persistent id as text": b"P" + str(marker).encode() + b"\n",
        "extension": b"\x82\x01",
        "torch storage": text("storage") + text("x") + b"\x86Q",
        "torch function": b"ctorch.storage\n_load_from_bytes\n" + where + b"\x85R",
        "torch module loader": b"ctorch\nload\n" + where + b"\x85R",
        "unpickler in an argument": b"c_pickle\nloads\nC" + bytes([4]) + b"\x80\x02N." + b"\x85R",
    }  # fmt: skip


@cache
def results() -> Any:
    return official.all_results(range(2), "topology", {"12": 2, "200": 3})


def planted(value: Any, payload: bytes, protocol: int) -> bytes:
    """A pickle of ``value`` with ``payload`` in the place of the text PLANT."""
    content = pickle.dumps(value, protocol)
    content = unframed(content) if protocol == 4 and content[2] == 0x95 else content
    found = b"\x8c\x05PLANT" if protocol == 4 else text("PLANT")
    assert content.count(found) == 1
    return content.replace(found, payload)


def plant(layout: str, payload: bytes, folder: Path) -> Path:
    """An official file with a hostile value in it."""
    if layout == "archive":
        archs = {arch: {"less": infos["12"], "full": infos["200"]} for arch, infos in results().items()}
    elif layout in ("legacy", "zip"):
        archs = {arch: {"full": infos["200"], "less": infos["12"]} for arch, infos in results().items()}
    else:
        archs = dict(results())
    last = dict(archs[1])
    hp = "12" if "12" in last else "less"
    key = ("cifar10", 111)
    trial = {**last[hp]["all_results"][key], "params": "PLANT"}
    archs[1] = {**last, hp: {**last[hp], "all_results": {**last[hp]["all_results"], key: trial}}}
    whole = official.whole(archs, "topology", 20)
    if layout in ("meta", "directory", "tar"):
        official.write_directory(folder / "NATS", results(), "topology", 20)
        if layout == "meta":
            content = planted({"meta_archs": ["PLANT"], "total_archs": 1}, payload, 4)
            (folder / "NATS" / "meta.pickle.pbz2").write_bytes(bz2.compress(content))
        else:
            (folder / "NATS" / "000001.pickle.pbz2").write_bytes(bz2.compress(planted(archs[1], payload, 4)))
        return official.write_tar(folder / "x.tar", folder / "NATS") if layout == "tar" else folder / "NATS"
    if layout == "single":
        (folder / "x.pickle.pbz2").write_bytes(bz2.compress(planted(whole, payload, 4)))
        return folder / "x.pickle.pbz2"
    if layout == "zip":
        with zipfile.ZipFile(folder / "x.pth", "w") as archive:
            archive.writestr("x/data.pkl", planted(whole, payload, 2))
        return folder / "x.pth"
    head = b"".join(pickle.dumps(part, 2) for part in (official.MAGIC, official.VERSION, official.SYSTEM))
    tail = pickle.dumps([], 2)
    if layout == "legacy":
        (folder / "x.pth").write_bytes(head + planted(whole, payload, 2) + tail)
        return folder / "x.pth"
    (folder / "archive").mkdir()
    official.write_legacy(folder / "archive" / "000000-FULL.pth", archs[0])
    (folder / "archive" / "000001-FULL.pth").write_bytes(head + planted(archs[1], payload, 2) + tail)
    return folder / "archive"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_payload_runs_nowhere_and_leaves_no_table(layout: str, tmp_path: Path) -> None:
    for number, (case, payload) in enumerate(hostile(tmp_path / "marker").items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = plant(layout, payload, folder)
        with pytest.raises(BadFile) as caught:
            convert(path, folder / "out" / "x.h5")
        assert not (tmp_path / "marker").exists(), case
        assert str(folder) in str(caught.value), case
        assert not (folder / "out").exists() or not list((folder / "out").iterdir()), case


def test_the_payloads_are_payloads(tmp_path: Path) -> None:
    """Python's own reader runs them."""
    for case in ("reduce", "stack global", "nested", "inside an argument", "object", "instance"):
        marker = tmp_path / case.replace(" ", "")
        with suppress(TypeError):  # after it ran
            pickle.loads(b"\x80\x04" + hostile(marker)[case] + b".")
        assert marker.is_dir()


def test_weights_are_passed_over_in_archives_only(tmp_path: Path) -> None:
    """What torch writes for a tensor: a persistent id of a storage, and a function, which is not called."""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("94") + text("cpu") + b"K\x04NtQ"
    shape = b"K\x00K\x02K\x02\x86K\x02K\x01\x86\x89ccollections\nOrderedDict\n)R"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + shape + b"tR"
    infos = results()[0]
    trial = {**infos["12"]["all_results"]["cifar10", 111], "net_state_dict": {"weight": "PLANT"}}
    trials = {**infos["12"]["all_results"], ("cifar10", 111): trial}
    less = {**infos["12"], "all_results": trials}
    head = b"".join(pickle.dumps(part, 2) for part in (official.MAGIC, official.VERSION, official.SYSTEM))
    tail = pickle.dumps(["94"], 2) + struct.pack("<q4f", 4, 1, 2, 3, 4)
    (tmp_path / "archive").mkdir()
    file = tmp_path / "archive" / "000000-FULL.pth"
    file.write_bytes(head + planted({"full": infos["200"], "less": less}, tensor, 2) + tail)
    assert convert(tmp_path / "archive", tmp_path / "x.h5").found == 1
    assert read_torch(file)["less"]["all_results"]["cifar10", 111]["net_state_dict"] == {"weight": None}
    whole = official.whole({0: {"full": infos["200"], "less": less}}, "topology", 20)
    (tmp_path / "x.pth").write_bytes(head + planted(whole, tensor, 2) + tail)
    with pytest.raises(BadFile, match=r"torch\._utils\._rebuild_tensor_v2"):
        convert(tmp_path / "x.pth", tmp_path / "y.h5")


# ---------------------------------------------------------------- nothing grows out of proportion

COUNT = 2_000_000
BOMBS = {
    "lists": b"(" + b"]" * COUNT + b"l.",
    "sets": b"(" + b"\x8f" * COUNT + b"t.",
    "marks": b"(" * COUNT + b".",
    "nothing, again and again": b"N0" * (3 * COUNT) + b".",
    "long text": b"X" + struct.pack("<I", 2**31) + b"a" * 100,
    "long bytes": b"B" + struct.pack("<I", 2**31) + b"a" * 100,
    "memo index": b"Nr\xff\xff\xff\x7f" * 100 + b".",
    "texts": (b"X" + struct.pack("<I", 60_000) + b"a" * 60_000) * 2_000 + b".",
    "curves": b"}(" + b"K\x00G12345678" * (3 * COUNT + 300_000) + b"u.",
    "doubling tuples": b"N" + b"q\x00h\x00\x86" * 10_000 + b"}" + b"h\x00Nsq\x01.",
    "key of pairs in pairs": b"}" + b"N" + b"K\x00\x86" * 200_000 + b"Ns.",
    "key of nested tuples": b"}" + b"N" + b"q\x01h\x01\x86" * 200 + b"Ns.",
}


@pytest.mark.parametrize("case", sorted(BOMBS))
@pytest.mark.parametrize("layout", ["single", "legacy", "directory"])
def test_bombs_are_refused_cheaply(
    case: str, layout: str, tmp_path: Path, taking_at_most: Callable[[float], Any]
) -> None:
    content = b"\x80\x02" + BOMBS[case]
    head = b"".join(pickle.dumps(part, 2) for part in (official.MAGIC, official.VERSION, official.SYSTEM))
    path = tmp_path / "x"
    if layout == "single":
        path.write_bytes(bz2.compress(content, 1))
    elif layout == "legacy":
        path.write_bytes(head + content)
    else:
        official.write_directory(path, results(), "topology", 20)
        (path / "000001.pickle.pbz2").write_bytes(bz2.compress(content, 1))
    started = time.process_time()
    with taking_at_most(600), pytest.raises(BadFile):
        convert(path, tmp_path / "x.h5")
    assert time.process_time() - started < 20
    assert not (tmp_path / "x.h5").exists()


@cache
def zeros() -> bytes:
    """A bz2 file of some hundred bytes that expands to 400 MiB."""
    packer = bz2.BZ2Compressor()
    chunk = b"\0" * 2**22
    return b"".join(packer.compress(chunk) for _ in range(100)) + packer.flush()


@pytest.mark.parametrize("layout", ["meta", "directory", "tar", "single"])
def test_a_small_file_that_expands_to_400_mib_is_refused(
    layout: str, tmp_path: Path, taking_at_most: Callable[[float], Any]
) -> None:
    assert len(zeros()) < 1000
    folder = official.write_directory(tmp_path / "NATS", results(), "topology", 20)
    path = folder
    if layout == "meta":
        (folder / "meta.pickle.pbz2").write_bytes(zeros())
    else:
        (folder / "000001.pickle.pbz2").write_bytes(zeros())
    if layout == "tar":
        path = official.write_tar(tmp_path / "x.tar", folder)
    if layout == "single":
        path = tmp_path / "x.pickle.pbz2"
        path.write_bytes(zeros())
    with taking_at_most(300), pytest.raises(BadFile):
        convert(path, tmp_path / "x.h5")


# ---------------------------------------------------------------- tars and zips


def tar_with(path: Path, change: Any) -> Path:
    """A tar of two architectures, one of whose members is changed."""
    folder = official.write_directory(path.parent / "NATS", results(), "topology", 20)
    with tarfile.open(path, "w") as tar:
        for file in sorted(folder.iterdir()):
            info, content = tar.gettarinfo(file, f"NATS/{file.name}"), file.read_bytes()
            if file.name == "000001.pickle.pbz2":
                change(info)
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return path


def _renamed(name: str) -> Any:
    return lambda info: setattr(info, "name", name)


def _linked(kind: bytes, target: str) -> Any:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = kind, target, 0

    return change


@pytest.mark.parametrize(
    "change",
    [_renamed("../000001.pickle.pbz2"), _renamed("/NATS/000001.pickle.pbz2"), _renamed("NATS/../../etc/passwd"),
     _renamed("NATS/deeper/000001.pickle.pbz2"), _renamed("NATS/script.py"), _renamed("other/000001.pickle.pbz2"),
     _linked(tarfile.SYMTYPE, "/etc/passwd"), _linked(tarfile.LNKTYPE, "NATS/000000.pickle.pbz2"),
     _linked(tarfile.FIFOTYPE, ""), _linked(tarfile.CHRTYPE, "")],
)  # fmt: skip
def test_a_tar_that_leads_elsewhere_is_refused(change: Any, tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        convert(tar_with(tmp_path / "x.tar", change), tmp_path / "x.h5")
    assert not (tmp_path / "x.h5").exists()


@pytest.mark.parametrize("case", ["traversal", "absolute", "compressed", "two pickles", "none"])
def test_a_zip_that_torch_would_not_write_is_refused(case: str, tmp_path: Path) -> None:
    content = pickle.dumps(official.whole(results(), "topology", 20), 2)
    how = zipfile.ZIP_DEFLATED if case == "compressed" else zipfile.ZIP_STORED
    with zipfile.ZipFile(tmp_path / "x.pth", "w", how) as archive:
        if case != "none":
            archive.writestr("x/data.pkl", b"\0" * 2**28 if case == "compressed" else content)
        extra = {"traversal": "../x", "absolute": "/x", "two pickles": "y/data.pkl"}.get(case)
        if extra:
            archive.writestr(extra, content)
    with pytest.raises(BadFile):
        convert(tmp_path / "x.pth", tmp_path / "x.h5")


# ---------------------------------------------------------------- damage

SAMPLES = {protocol: pickle.dumps(official.whole(official.all_results(range(2), "topology", {"12": 2}, seeds=lambda
           hp, dataset: [777]), "topology", 3), protocol) for protocol in (2, 4)}  # fmt: skip


def survives(content: bytes) -> None:
    """Either data or BadFile, soon."""
    started = time.process_time()
    try:
        for _ in Machine(io.BytesIO(content).read, "fuzz").entries("arch2infos"):
            pass
    except BadFile as error:
        assert str(error).startswith("fuzz: ")
    assert time.process_time() - started < 5


@pytest.mark.parametrize("protocol", SAMPLES)
def test_every_truncation_is_a_bad_file(protocol: int) -> None:
    content = SAMPLES[protocol]
    for end in [*range(0, len(content), 13), len(content) - 1]:
        with pytest.raises(BadFile):
            list(Machine(io.BytesIO(content[:end]).read, "fuzz").entries("arch2infos"))


@settings(max_examples=300)
@given(st.integers(0, 2**32), st.sampled_from(sorted(SAMPLES)))
def test_flipped_moved_and_inserted_bytes_are_survived(seed: int, protocol: int) -> None:
    rng, content = random.Random(seed), bytearray(SAMPLES[protocol])
    for _ in range(rng.randint(1, 6)):
        place, length = rng.randrange(len(content)), rng.randrange(1, 40)
        match rng.randrange(4):
            case 0:
                content[place] ^= 1 << rng.randrange(8)
            case 1:
                content[place:place] = content[place : place + length]
            case 2:
                del content[place : place + length]
            case _:
                content[place:place] = rng.randbytes(length)
        content = content or bytearray(b".")
    survives(bytes(content))


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_damage_inside_the_compression_is_survived(tmp_path: Path, seed: int) -> None:
    """The sum in a bz2 stream catches most damage; here the stream is sound and what it holds is not."""
    rng, content = random.Random(seed), bytearray(pickle.dumps(results()[0], 4))
    for _ in range(rng.randint(1, 4)):
        place, length = rng.randrange(len(content)), rng.randrange(1, 40)
        match rng.randrange(3):
            case 0:
                content[place] ^= 1 << rng.randrange(8)
            case 1:
                content[place:place] = content[place : place + length]
            case _:
                del content[place : place + length]
    path = tmp_path / "000000.pickle.pbz2"
    path.write_bytes(bz2.compress(bytes(content), 1))
    started = time.process_time()
    try:
        read_block([Entry(0, str(path))], "topology")
    except BadFile as error:
        assert str(path) in str(error)
    assert time.process_time() - started < 5


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_random_bytes_are_survived(content: bytes) -> None:
    survives(content)
    survives(b"\x80\x02" + content)


@cache
def sound() -> dict[str, bytes]:
    """A sound file of each layout that is one file."""
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        official.write_directory(folder / "NATS", results(), "topology", 20)
        renamed = {arch: {"less": infos["12"]} for arch, infos in results().items()}
        return {
            "tar": official.write_tar(folder / "a", folder / "NATS").read_bytes(),
            "single": official.write_single(folder / "b", results(), "topology", 20).read_bytes(),
            "legacy": official.write_legacy(folder / "c", official.whole(renamed, "topology", 20)).read_bytes(),
            "zip": official.write_zip(folder / "d", official.whole(renamed, "topology", 20)).read_bytes(),
        }


@pytest.mark.parametrize("layout", ["tar", "single", "legacy", "zip"])
def test_damaged_files_are_bad_files_and_leave_nothing(layout: str, tmp_path: Path) -> None:
    rng, path = random.Random(0), tmp_path / "x"
    for number in range(60):
        content = bytearray(sound()[layout])
        if number % 3 == 0:
            del content[rng.randrange(len(content)) :]
        elif number % 3 == 1:
            place = rng.randrange(len(content))
            content[place : place + 64] = rng.randbytes(64)
        else:
            place, length = rng.randrange(len(content)), rng.randrange(1, 4000)
            content[place:place] = content[place : place + length]
        path.write_bytes(bytes(content))
        try:
            convert(path, tmp_path / "out" / "x.h5")
        except BadFile as error:
            assert str(tmp_path) in str(error)
            assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
        else:
            (tmp_path / "out" / "x.h5").unlink()  # a float was changed, or a part that nothing reads


KILLED = """
import os, signal, sys
from pathlib import Path
import nasgauge.data.convert as module
columns = module.Collected.columns
def dying(self, *arguments):
    for number, column in enumerate(columns(self, *arguments)):
        if number == 9:
            os.kill(os.getpid(), signal.SIGKILL)
        yield column
module.Collected.columns = dying
module.convert(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_killed_conversion_leaves_no_table_and_the_next_one_completes(tmp_path: Path) -> None:
    path = official.write_single(tmp_path / "x.pickle.pbz2", results(), "topology", 20)
    out = tmp_path / "out" / "x.h5"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path), str(out)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists() and list(out.parent.glob(".nasgauge-scratch-*"))
    convert(path, out)
    Table(out).verify()
    assert not list(out.parent.glob(".nasgauge-scratch-*"))
