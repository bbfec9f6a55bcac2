"""Image sets of one's own: an npz or folders of pictures, the same pixels, or one error that says what is wrong."""

from __future__ import annotations

import io
import os
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from nasgauge.bench.errors import BadFile, BadValue, MissingFile, UnknownName
from nasgauge.data.images import load, own_arrays, own_folder
from nasgauge.data.images.shrink import shrink

SMALL = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def arrays(n=20, side=6, channels=3, classes=4, **changes):
    rng = np.random.default_rng(0)
    parts = {}
    for split, count in (("train", n), ("test", n // 2)):
        parts[f"x_{split}"] = rng.integers(0, 256, (count, side, side, channels)).astype(np.uint8)
        parts[f"y_{split}"] = np.resize(np.arange(classes), count)
    return {name: value for name, value in (parts | changes).items() if value is not None}


def written(folder, name="mine.npz", **changes):
    np.savez_compressed(folder / name, **arrays(**changes))
    return folder / name


# ---------------------------------------------------------------- npz


def test_an_npz_comes_back_and_a_fifth_of_training_validates(tmp_path):
    images = load(written(tmp_path))
    parts = arrays()
    assert (images.name, images.classes) == ("mine", 4)
    assert [images.count(split) for split in ("train", "valid", "test")] == [16, 4, 10]
    assert np.bincount(images.y_valid).tolist() == [1, 1, 1, 1]
    np.testing.assert_array_equal(images.x_test, parts["x_test"])
    found = sorted(picture.tobytes() for split in ("train", "valid") for picture in images.split(split)[0])
    assert found == sorted(picture.tobytes() for picture in parts["x_train"])


def test_its_own_validation_split_is_kept(tmp_path):
    x, y = arrays()["x_test"][:4], np.arange(4)
    path = written(tmp_path, x_valid=x, y_valid=y)
    images = load(path)
    np.testing.assert_array_equal(images.x_valid, x)
    assert images.count("train") == 20
    with pytest.raises(BadValue, match="has a validation split"):
        load(path, validation=0.5)
    joined = load(path, validation="none")
    assert (joined.count("train"), joined.count("valid")) == (24, 0)


def test_none_and_a_fraction(tmp_path):
    path = written(tmp_path)
    assert load(path, validation="none").count("valid") == 0
    assert load(path, validation=0.5).count("valid") in (8, 10, 12)
    with pytest.raises(BadValue, match="cifar10"):
        load(path, validation="nb201")


def test_a_limit_takes_all_classes_of_an_npz_that_is_sorted_by_class(tmp_path):
    labels = np.repeat(np.arange(4), 50)
    pictures = np.broadcast_to(labels[:, None, None, None] * 60, (200, 4, 4, 3)).astype(np.uint8)
    path = tmp_path / "sorted.npz"
    np.savez(path, x_train=pictures, y_train=labels, x_test=pictures, y_test=labels)
    some, more = load(path, limit=20), load(path, limit=40)
    for split in ("train", "valid", "test"):
        x, y = some.split(split)
        assert len(y) == 20 and set(y) == {0, 1, 2, 3} and (x[:, 0, 0, 0] == y * 60).all()
        assert np.array_equal(more.split(split)[1][:20], y)
    assert some.mean == load(path).mean and np.array_equal(load(path).y_test, labels)


def test_grey_pictures_and_other_whole_numbers_are_taken(tmp_path):
    path = written(
        tmp_path,
        x_train=np.arange(20 * 36).reshape(20, 6, 6) % 256,
        x_test=np.zeros((10, 6, 6), np.int16),
        y_train=np.resize(np.arange(4, dtype=np.uint8), (20, 1)),
    )
    images = load(path, validation="none")
    assert images.shape == (6, 6, 1)
    np.testing.assert_array_equal(images.x_train.ravel(), np.arange(20 * 36) % 256)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x_train": None}, "no x_train"),
        ({"y_test": None, "y_train": None}, "no y_train and no y_test"),
        ({"x_valid": np.zeros((1, 6, 6, 3), np.uint8)}, "no y_valid"),
        ({"x_train": np.zeros((20, 6, 6, 3), np.float32)}, "float32"),
        ({"y_train": np.array(["a"] * 20)}, "<U1"),
        ({"x_train": np.array([None] * 20, dtype=object)}, "object"),
        ({"x_train": np.full((20, 6, 6, 3), 256)}, "0 to 256|256 to 256"),
        ({"x_train": np.zeros((20, 3, 32, 32), np.uint8)}, "channels last"),
        ({"x_train": np.zeros((20, 3, 8, 8), np.uint8)}, "channels last"),
        ({"x_train": np.zeros((20, 36), np.uint8)}, r"\(20, 36\)"),
        ({"x_train": np.zeros((0, 6, 6, 3), np.uint8)}, r"\(0, 6, 6, 3\)"),
        ({"y_train": np.zeros(19, np.int64)}, "20 train pictures but 19 labels"),
        ({"y_train": np.arange(20) - 1}, "-1"),
        ({"y_train": np.arange(20) % 4 + 1}, "class 0"),
        ({"y_test": np.full(10, 9)}, "class 4"),
        ({"y_test": np.full(10, 2**60)}, "class 4"),
        ({"y_train": np.zeros((20, 2), np.int64)}, r"\(20, 2\)"),
    ],
)
def test_arrays_that_are_no_image_set_are_refused(tmp_path, changes, words):
    with pytest.raises(BadFile, match=words):
        load(written(tmp_path, **changes))


def test_pictures_of_two_sizes_are_refused(tmp_path):
    with pytest.raises(BadValue, match="different shapes"):
        load(written(tmp_path, x_test=np.zeros((10, 5, 6, 3), np.uint8)))


class Payload:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_a_pickled_array_never_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadFile, match="object"):
        load(written(tmp_path, x_train=np.array([Payload()], dtype=object)))
    assert not (tmp_path / "executed").exists()


def test_an_array_that_claims_to_be_huge_takes_no_memory(tmp_path):
    """A header of 2 TiB over a few bytes, and a well-formed bomb of 64 MB in 64 kB against the limit."""
    path = written(tmp_path)
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": (2**41,)})
    with zipfile.ZipFile(path) as old:
        contents = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in (contents | {"x_train.npy": member.getvalue() + b"123"}).items():
            new.writestr(name, content)
    with pytest.raises(BadFile, match="3 bytes in the file"):
        load(path)
    bomb = written(tmp_path, "bomb.npz", x_train=np.zeros((64, 1000, 1000), np.uint8))
    with pytest.raises(BadFile, match="more than the limit"):
        own_arrays.read(bomb, limit=2**24)


def test_what_is_no_npz_is_refused(tmp_path):
    for content in (b"", b"PK\x03\x04", b"hello" * 100):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(BadFile, match=r"bad\.npz"):
            load(tmp_path / "bad.npz")
    with pytest.raises(UnknownName, match="no file or folder"):
        load(tmp_path / "absent.npz")


@SMALL
@given(data=st.data())
def test_damaged_npz_give_one_error_or_images(tmp_path, data):
    stream = io.BytesIO()
    (np.savez if data.draw(st.booleans()) else np.savez_compressed)(stream, **arrays(n=8, side=2))
    content = bytearray(stream.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    (tmp_path / "mine.npz").write_bytes(content)
    try:
        load(tmp_path / "mine.npz", validation="none")
    except (BadFile, BadValue) as error:
        assert "mine" in str(error)


# ---------------------------------------------------------------- folders


def folder_of(root, splits=("train", "test"), classes=("cat", "dog"), count=5, mode="RGB", sides=(6, 6), suffix="png"):
    rng = np.random.default_rng(0)
    for split in splits:
        for label, name in enumerate(classes):
            place = root / split / name
            place.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (*sides, 3)).astype(np.uint8)
                pixels[0, 0] = 100 * label
                Image.fromarray(pixels).convert(mode).save(place / f"{number}.{suffix}")
    return root


def test_a_folder_of_classes_comes_back(tmp_path):
    images = load(folder_of(tmp_path / "pets"), validation="none")
    assert (images.name, images.classes, images.shape) == ("pets", 2, (6, 6, 3))
    for split in ("train", "test"):
        pictures, labels = images.split(split)
        assert np.bincount(labels).tolist() == [5, 5]
        np.testing.assert_array_equal(pictures[:, 0, 0, 0], 100 * labels)
    assert 0 < images.y_train[:5].sum() < 5  # not class by class
    picture = np.asarray(Image.open(tmp_path / "pets" / "test" / "dog" / "3.png"))
    assert any(np.array_equal(picture, other) for other in images.x_test[images.y_test == 1])


def test_a_folder_without_splits_holds_out_a_fifth_for_each(tmp_path):
    images = load(folder_of(tmp_path, ("",), ("a", "b", "c"), count=10))
    assert [images.count(split) for split in ("train", "valid", "test")] == [18, 6, 6]
    assert np.bincount(images.y_test).tolist() == [2, 2, 2]


def test_a_validation_folder_is_kept(tmp_path):
    images = load(folder_of(tmp_path, ("train", "val", "test")))
    assert [images.count(split) for split in ("train", "valid", "test")] == [10, 10, 10]


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("1", 1), ("P", 3), ("RGBA", 3), ("LA", 1)])
def test_grey_pictures_have_one_channel_and_all_others_three(tmp_path, mode, channels):
    assert load(folder_of(tmp_path, mode=mode)).shape == (6, 6, channels)


def test_one_coloured_picture_makes_all_coloured(tmp_path):
    folder_of(tmp_path, mode="L")
    Image.new("RGB", (6, 6), (1, 2, 3)).save(tmp_path / "test" / "dog" / "0.png")
    assert load(tmp_path).shape == (6, 6, 3)


def test_pictures_of_many_sizes_are_shrunk_to_one(tmp_path):
    folder_of(tmp_path)
    Image.new("RGB", (13, 9), (50, 60, 70)).save(tmp_path / "train" / "dog" / "0.png")
    with pytest.raises(BadValue, match=r"9 x 13|6 x 6"):
        load(tmp_path)
    images = load(tmp_path, size=4, validation="none")
    assert images.shape == (4, 4, 3)
    assert any((picture == (50, 60, 70)).all() for picture in images.x_train)
    with pytest.raises(BadValue, match="smaller than size"):
        load(tmp_path, size=7)


def test_folders_that_are_no_image_set_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFile, match="two classes"):
        load(tmp_path / "empty")
    folder_of(tmp_path / "train only", ("train",))
    (tmp_path / "train only" / "other").mkdir()
    with pytest.raises(MissingFile, match="train without test"):
        load(tmp_path / "train only")
    folder_of(tmp_path / "new class")
    (tmp_path / "new class" / "test" / "fox").mkdir()
    with pytest.raises(BadFile, match="'fox'"):
        load(tmp_path / "new class")
    folder_of(tmp_path / "text")
    (tmp_path / "text" / "train" / "cat" / "notes.txt").write_text("no picture")
    with pytest.raises(BadFile, match=r"notes\.txt"):
        load(tmp_path / "text")
    folder_of(tmp_path / "deep")
    Image.fromarray(np.zeros((6, 6), np.uint16)).save(tmp_path / "deep" / "train" / "cat" / "0.png")
    with pytest.raises(BadFile, match="mode I"):
        load(tmp_path / "deep")
    folder_of(tmp_path / "large")
    with pytest.raises(BadFile, match="limit of 100"):
        own_folder.read(tmp_path / "large", limit=100)


@SMALL
@given(data=st.data())
def test_damaged_pictures_give_one_error_or_images(tmp_path, data):
    suffix = data.draw(st.sampled_from(("png", "jpg", "bmp", "webp", "ppm")))
    root = tmp_path / suffix
    if not root.exists():
        folder_of(root, ("",), count=3, suffix=suffix)
        (root / "good").write_bytes((root / "cat" / f"0.{suffix}").read_bytes())
    content = bytearray((root / "good").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    (root / "cat" / f"0.{suffix}").write_bytes(content)
    try:
        load(root)
    except BadFile as error:
        assert f"0.{suffix}" in str(error)
    except BadValue as error:
        assert "size=" in str(error)


# ---------------------------------------------------------------- shrinking


@SMALL
@given(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7), st.integers(1, 2), st.data())
def test_shrinking_is_the_mean_over_the_area(count, high, wide, channels, data):
    """Against pixels repeated to a common multiple and averaged in blocks, in whole numbers."""
    height, width = data.draw(st.integers(1, high)), data.draw(st.integers(1, wide))
    seed = data.draw(st.integers(0, 1000))
    pictures = np.random.default_rng(seed).integers(0, 256, (count, high, wide, channels)).astype(np.uint8)
    fine = pictures.astype(np.int64).repeat(height, axis=1).repeat(width, axis=2)
    sums = fine.reshape(count, height, high, width, wide, channels).sum(axis=(2, 4))
    expected = (2 * sums + high * wide) // (2 * high * wide)
    np.testing.assert_array_equal(shrink(pictures, height, width), expected)
