"""The pickle reader: data comes back exactly, nothing else ever happens, and every failure is one BadFile."""

from __future__ import annotations

import bz2
import copyreg
import gzip
import os
import pickle
import random
import struct
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.errors import BadFile, MissingFile
from nasgauge.data.safe.allowed import allowed
from nasgauge.data.safe.frames import Frame
from nasgauge.data.safe.opcodes import Refused
from nasgauge.data.safe.pickles import Limits, decode, read_pickle
from nasgauge.data.safe.stand_ins import Budget


def load(content: bytes) -> Any:
    """The decoded value; the pickle must end where the bytes do."""
    value, end = decode(content, "some.pickle")
    assert end == len(content)
    return value


# ---------------------------------------------------------------- data comes back

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    | st.tuples(inner, inner),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=200)
@given(plain, st.sampled_from((2, 3, 4, 5)))
def test_plain_data_comes_back_equal(value: Any, protocol: int) -> None:
    assert load(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", (2, 3, 4, 5))
@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "<i4", ">i8", "<f2", "f4", ">f8", "U5", "S3"])
def test_numpy_arrays_and_scalars_come_back_bit_for_bit(dtype: str, protocol: int) -> None:
    grid = np.arange(12).reshape(3, 4).astype(dtype)
    for array in (grid, np.asfortranarray(grid), grid[:1, 2].reshape(()), np.zeros((0, 2), dtype)):
        found = load(pickle.dumps({"a": array, "again": [array]}, protocol))
        assert np.array_equal(found["a"], array) and found["a"].dtype == array.dtype and found["again"][0] is found["a"]
        if array.size:
            assert load(pickle.dumps(array.ravel()[0], protocol)) == array.ravel()[0].item()


def test_official_layouts_of_dictionaries_and_sets_come_back() -> None:
    value = OrderedDict([("12", {"params": np.float64(0.1), ("cifar10", 777): OrderedDict({0: 7.5})})])
    assert load(pickle.dumps({"evaluated_indexes": {1, 2}, "arch2infos": {0: value}}, 2)) == {
        "evaluated_indexes": {1, 2},
        "arch2infos": {0: value},
    }


@pytest.mark.parametrize("protocol", (4, 5))
def test_pandas_frames_come_back_as_columns(protocol: int) -> None:
    frame = pd.DataFrame({"a": np.arange(5), "b": np.linspace(0, 1, 5), "d": np.arange(5.0)})
    found = load(
        pickle.dumps(frame.astype({"a": "int64"}).set_axis(pd.Index(["a", "b", "d"], dtype=object), axis=1), protocol)
    )
    assert isinstance(found, Frame) and found.columns == ("a", "b", "d") and len(found) == 5
    assert all(np.array_equal(found[name], frame[name].to_numpy()) for name in frame.columns)
    with pytest.raises(KeyError):
        found["e"]


def test_compressed_files_and_consecutive_pickles_are_read(tmp_path: Path) -> None:
    content = pickle.dumps({"a": 1.5})
    for pack in (bytes, gzip.compress, bz2.compress):
        (tmp_path / "file").write_bytes(pack(content))
        assert read_pickle(tmp_path / "file") == {"a": 1.5}
    both = content + pickle.dumps([2])
    first, end = decode(both, "both")
    assert (first, decode(both, "both", start=end)) == ({"a": 1.5}, ([2], len(both)))
    (tmp_path / "file").write_bytes(both)
    with pytest.raises(BadFile, match="bytes follow"):
        read_pickle(tmp_path / "file")
    with pytest.raises(MissingFile, match="no file"):
        read_pickle(tmp_path / "absent")


# ---------------------------------------------------------------- nothing is executed


class Planted:
    """A payload: unpickling it the usual way creates the marker file."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.parts = (function, arguments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.parts


def hostile(marker: Path) -> dict[str, bytes]:
    """Pickles that create ``marker`` (or reach for something they must not) when decoded the usual way."""
    touch = f"open({str(marker)!r}, 'w').close()".encode()
    text = b"X" + struct.pack("<I", len(touch)) + touch
    name = str(marker).encode()

    def stack_global(module: bytes, attribute: bytes) -> bytes:
        return b"\x8c" + bytes([len(module)]) + module + b"\x8c" + bytes([len(attribute)]) + attribute + b"\x93"

    ordered, dtype = stack_global(b"collections", b"OrderedDict"), stack_global(b"numpy", b"dtype")
    return {
        "os.system": pickle.dumps(Planted(os.system, f"touch {marker}")),
        "exec": pickle.dumps({"a": [Planted(exec, touch.decode())]}, 2),
        "eval in a compressed depth": pickle.dumps([[[Planted(eval, touch.decode())]]], 0),
        "global": b"cbuiltins\nexec\n(" + text + b"tR.",
        "python 2 name": b"c__builtin__\neval\n(" + text + b"tR.",
        "dotted name": b"\x80\x04"
        + stack_global(b"pathlib", b"Path.touch")
        + b"\x8c"
        + bytes([len(name)])
        + name
        + b"\x85R.",
        "dotted allowed name": b"\x80\x04" + stack_global(b"collections", b"OrderedDict.fromkeys") + b")R.",
        "dotted module": b"\x80\x04" + stack_global(b"numpy.core.multiarray.scalar", b"__globals__") + b".",
        "numpy's own unpickler": b"\x80\x04" + stack_global(b"numpy", b"load") + b"\x8c\x01a\x85R.",
        "instance": b"(" + text + b"ibuiltins\nexec\n.",
        "object": b"(cbuiltins\nexec\n" + text + b"o.",
        "persistent id": b"P" + name + b"\n.",
        "binary persistent id": b"\x80\x02X\x01\x00\x00\x00aQ.",
        "extension registry": b"\x80\x02\x82\x01.",
        "extension registry 4": b"\x80\x02\x84\x01\x00\x00\x00.",
        "new object with keywords": b"\x80\x04" + ordered + b")}\x92.",
        "out-of-band buffer": b"\x80\x05\x97.",
        "state of a function": b"\x80\x04" + ordered + b"N}\x8c\x05__doc__\x8c\x01as\x86b.",
        "state of a class": b"\x80\x04" + stack_global(b"pandas.core.frame", b"DataFrame") + b"N}\x8c\x01aNs\x86b.",
        "new object of a function": b"\x80\x04" + ordered + b")\x81.",
        "a name instead of data": b"\x80\x04" + stack_global(b"numpy", b"ndarray") + b".",
        "array type of code": b"\x80\x04" + dtype + b"\x8c\x06V8,O,f\x85R.",
        "partial": b"\x80\x04" + stack_global(b"functools", b"partial") + ordered + b"\x85R.",
        "getattr": b"\x80\x04" + stack_global(b"builtins", b"getattr") + ordered + b"\x8c\x03pop\x86R.",
        "frame of frames": b"\x80\x04" + stack_global(b"pandas.core.frame", b"DataFrame") + b")\x81}b.",
        "slice assignment": b"\x80\x04]q\x00" + stack_global(b"builtins", b"slice") + b"K\x00K\x00\x86Rh\x00s.",
    }


@pytest.mark.parametrize("case", sorted(hostile(Path("marker"))))
def test_hostile_pickles_run_nothing_and_end_in_bad_file(case: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    copyreg.add_extension("os", "getcwd", 1)
    try:
        for pack in (bytes, gzip.compress, bz2.compress):
            (tmp_path / "file").write_bytes(pack(hostile(marker)[case]))
            with pytest.raises(BadFile, match="file: not a"):
                read_pickle(tmp_path / "file")
            assert not marker.exists()
    finally:
        copyreg.remove_extension("os", "getcwd", 1)


@pytest.mark.parametrize("name", sorted(allowed(Budget(0))))
def test_no_stand_in_can_be_changed(name: tuple[str, str]) -> None:
    """Neither by the state that BUILD gives nor, where one is a class, by a new attribute of it."""
    stand_in = allowed(Budget(0))[name]
    for change in (lambda: stand_in.__setstate__({"x": 1}), lambda: setattr(stand_in, "x", 1)):
        with pytest.raises((Refused, TypeError, AttributeError)):
            change()
    assert not hasattr(stand_in, "x")


def test_planted_payloads_do_run_in_the_usual_reader(tmp_path: Path) -> None:
    """The test above tests something: these very bytes create the marker in `pickle.loads`."""
    for case in ("os.system", "exec", "global", "dotted name"):
        pickle.loads(hostile(tmp_path / case)[case])
        assert (tmp_path / case).exists()


def test_the_message_names_file_offset_and_offending_name(tmp_path: Path) -> None:
    content = pickle.dumps([1.5, "two", Planted(os.system, "true")])
    with pytest.raises(BadFile, match=rf"bad\.pickle: .*asks for '{os.name}\.system'.* at byte \d+") as caught:
        decode(content, "bad.pickle")
    offset = int(str(caught.value).split("at byte ")[1].split(";")[0])
    assert content[offset : offset + 1] in (b"\x93", b"c")


# ---------------------------------------------------------------- nothing grows out of proportion

ONE_ARRAY = (
    b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01"
    + b"J" + struct.pack("<i", 50_000) + b"\x85h\x01\x89h\x00tb"
)  # fmt: skip
BOMBS = {
    "memo index": b"\x80\x02Kr\x85".replace(b"Kr", b"K\x00r") + b"\xff\xff\xff\x7f.",
    "memo index as text": b"I1\np4000000000\n.",
    "long text": b"\x8d" + struct.pack("<Q", 2**40) + b"a.",
    "long bytes": b"\x8e" + struct.pack("<Q", 2**62) + b"a.",
    "long bytearray": b"\x80\x05\x96" + struct.pack("<Q", 2**38) + b"a.",
    "huge integer as text": b"L" + b"9" * 50_000 + b"L\n.",
    "huge frame": b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"N.",
    "sets": b"(" + b"\x8f" * 1_000_000 + b"t.",
    "arrays of one list": b"\x80\x03]q\x00(" + b"N" * 50_000 + b"e0"
    + b"cnumpy\ndtype\n(X\x02\x00\x00\x00O8\x89\x88tRq\x010(" + ONE_ARRAY * 1_000 + b"t.",
    "copies": b"\x80\x02]q\x00(" + b"N" * 100_000 + b"e0(" + b"cbuiltins\nset\nh\x00\x85R" * 10_000 + b"t.",
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(BOMBS))
def test_memory_bombs_are_refused_cheaply(case: str, taking_at_most: Callable[[float], Any]) -> None:
    limits = Limits(memory=64 * 2**20)
    with taking_at_most(300), pytest.raises(BadFile):
        decode(BOMBS[case], case, limits)


def test_one_array_of_a_shared_list_is_read() -> None:
    """The bomb of a thousand such arrays is refused for its size, not for its layout."""
    found = load(BOMBS["arrays of one list"].replace(ONE_ARRAY * 1_000, ONE_ARRAY))
    assert found == ([None] * 50_000,)


@pytest.mark.parametrize("pair", [list, tuple])
def test_parts_shared_many_times_stay_shared(pair: Any) -> None:
    """Sixty levels of the same part twice: written out it would have 2**60 arrays."""
    value: Any = np.arange(3.0)
    for _ in range(60):
        value = pair((value, value))
    found = load(pickle.dumps(value))
    for _ in range(60):
        assert found[0] is found[1]
        found = found[0]
    assert np.array_equal(found, np.arange(3.0))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_decompression_bombs_are_refused(pack: Any, tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(pack(b"\x00" * 50_000_000))
    with pytest.raises(BadFile, match="decompresses to more"):
        read_pickle(tmp_path / "bomb", Limits(content=1_000_000))
    (tmp_path / "large").write_bytes(b"\x00" * 1000)
    with pytest.raises(BadFile, match="more than the limit"):
        read_pickle(tmp_path / "large", Limits(file=999))


# ---------------------------------------------------------------- damage


def sample() -> bytes:
    """One pickle with every layout the reader knows."""
    frame = pd.DataFrame({"a": np.arange(3), "b": np.arange(3.0)}).set_axis(pd.Index(["a", "b"], dtype=object), axis=1)
    return pickle.dumps({
        "frame": frame, "array": np.arange(6.0).reshape(2, 3), "names": np.array(["x", None, 1.5], dtype=object),
        "runs": {("cifar10", 777): OrderedDict({0: 1.25, 1: np.float64(2.5)})}, "set": {1, 2}, "long": 2**70,
        "text": "é" * 300, "bytes": b"abc", "flags": (True, False, None, -1, 70_000),
    }, 4)  # fmt: skip


SAMPLES = (sample(), pickle.dumps({"a": [1.5, np.float64(2), {"b"}], ("c", 1): OrderedDict(d=2**40)}, 2),
           pickle.dumps([1, 2.5, "text", {"a": (1, 2)}], 0))  # fmt: skip


def survives(content: bytes) -> None:
    """Either data or BadFile."""
    try:
        decode(content, "fuzz", Limits(memory=256 * 2**20))
    except BadFile as error:
        assert str(error).startswith("fuzz: ")


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_every_truncation_is_a_bad_file(number: int) -> None:
    for end in range(len(SAMPLES[number])):
        with pytest.raises(BadFile):
            decode(SAMPLES[number][:end], "short")


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_every_flipped_bit_is_survived(number: int) -> None:
    content = SAMPLES[number]
    for position in range(len(content)):
        for bit in range(8):
            survives(content[:position] + bytes([content[position] ^ (1 << bit)]) + content[position + 1 :])


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_random_bytes_are_survived(content: bytes) -> None:
    survives(content)


OPCODES = b"(.0123456789NIJKMUXabcdeghjlpqrstu}])\x80\x81\x85\x86\x87\x88\x89\x8a\x8c\x8f\x90\x91\x93\x94\x95"


@settings(max_examples=300)
@given(st.integers(0, 2**32), st.sampled_from(range(len(SAMPLES))))
def test_shuffled_and_inserted_opcodes_are_survived(seed: int, number: int) -> None:
    """Pieces of real pickles cut, moved and repeated, with opcodes thrown in."""
    rng, content = random.Random(seed), bytearray(SAMPLES[number])
    for _ in range(rng.randint(1, 8)):
        place, length = rng.randrange(len(content)), rng.randrange(1, 40)
        piece = bytes(content[place : place + length])
        match rng.randrange(4):
            case 0:
                content[place:place] = piece
            case 1:
                del content[place : place + length]
            case 2:
                content[rng.randrange(len(content)) : place] = piece
            case _:
                content[place:place] = bytes(rng.choice(OPCODES) for _ in range(rng.randint(1, 5)))
        content = content or bytearray(b".")
    survives(bytes(content))


def test_damaged_compression_is_a_bad_file(tmp_path: Path) -> None:
    rng = random.Random(0)
    for pack in (gzip.compress, bz2.compress):
        content = pack(SAMPLES[0])
        for _ in range(200):
            damaged = bytearray(content)
            damaged[rng.randrange(3, len(damaged))] ^= 1 << rng.randrange(8)
            (tmp_path / "file").write_bytes(bytes(damaged[: rng.randint(4, len(damaged))]))
            try:
                read_pickle(tmp_path / "file")
            except BadFile as error:
                assert str(tmp_path / "file") in str(error)
