"""Published sets: the right pixels in the right order, the right halves, and one clear error for everything else."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasgauge.bench.errors import BadFile, BadValue, MissingFile
from nasgauge.bench.live.images import pixel_statistics
from nasgauge.data.images import load, official, sets
from nasgauge.data.images.published import CIFAR10, CIFAR100, IMAGENET16_120, PUBLISHED
from nasgauge.data.images.splits import read_lists

from ...real_images import cifar10_parts, real_cifar10
from .official_sets import python2_batch, rows_of, some_pictures, write_set

SMALL = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("published", PUBLISHED.values(), ids=lambda each: each.name)
def test_a_set_comes_back_pixel_by_pixel(published, tmp_path):
    described, parts = write_set(published, tmp_path)
    found = official.read(described, tmp_path)
    for split in ("train", "test"):
        np.testing.assert_array_equal(found[split][0], parts[split][0])
        np.testing.assert_array_equal(found[split][1], parts[split][1])
    inside = official.read(described, tmp_path / published.folder)
    np.testing.assert_array_equal(inside["train"][0], parts["train"][0])


def test_the_archive_is_as_good_as_its_folder(tmp_path):
    described, parts = write_set(CIFAR10, tmp_path, archive=True)
    for place in (tmp_path, tmp_path / described.archive):
        found = official.read(described, place)
        np.testing.assert_array_equal(found["train"][0], parts["train"][0])
        np.testing.assert_array_equal(found["test"][1], parts["test"][1])


@pytest.fixture
def small(tmp_path, monkeypatch):
    """`load` with small sets in place of the published ones."""
    held = {}
    for published in (CIFAR10, CIFAR100, IMAGENET16_120):
        described, parts = write_set(published, tmp_path, per_file=200 if published is CIFAR100 else 40)
        monkeypatch.setitem(PUBLISHED, published.name, described)
        held[published.name] = parts
    return tmp_path, held


def pixels(images, split):
    return sorted(picture.tobytes() for picture in images.split(split)[0])


def test_cifar10_halves_its_training_pictures_class_by_class(small):
    folder, held = small
    images = load("cifar10", folder)
    assert [images.count(split) for split in ("train", "valid", "test")] == [100, 100, 40]
    assert np.bincount(images.y_train).tolist() == [10] * 10
    assert sorted(pixels(images, "train") + pixels(images, "valid")) == sorted(
        picture.tobytes() for picture in held["cifar10"]["train"][0]
    )
    np.testing.assert_array_equal(images.x_test, held["cifar10"]["test"][0])
    assert (images.mean, images.classes) == ((125.3, 123.0, 113.9), 10)


@pytest.mark.parametrize("name", ["cifar100", "ImageNet16-120"])
def test_the_others_train_on_everything_and_halve_the_test_pictures(small, name):
    folder, held = small
    images = load(name, folder)
    np.testing.assert_array_equal(images.x_train, held[name]["train"][0])
    assert abs(images.count("valid") - images.count("test")) <= len(np.unique(images.y_train))
    assert sorted(pixels(images, "test") + pixels(images, "valid")) == sorted(
        picture.tobytes() for picture in held[name]["test"][0]
    )


def test_none_and_a_fraction_leave_the_test_pictures_whole(small):
    folder, held = small
    for name in PUBLISHED:
        everything = load(name, folder, validation="none")
        assert everything.count("valid") == 0
        np.testing.assert_array_equal(everything.x_train, held[name]["train"][0])
        np.testing.assert_array_equal(everything.x_test, held[name]["test"][0])
    tenth = load("cifar10", folder, validation=0.1)
    assert (tenth.count("train"), tenth.count("valid"), tenth.count("test")) == (180, 20, 40)


def test_the_authors_lists_are_followed_where_asked_for(small):
    folder, held = small
    with pytest.raises(MissingFile, match=r"cifar-split\.txt.*standard"):
        load("cifar10", folder, validation="nb201")
    odd, even = np.arange(1, 200, 2), np.arange(0, 200, 2)
    lists = {"train": ["int", [str(index) for index in odd]], "valid": ["int", [str(index) for index in even]]}
    (folder / "cifar-split.txt").write_text(json.dumps(lists))
    images = load("cifar10", folder, validation="nb201")
    np.testing.assert_array_equal(images.x_train, held["cifar10"]["train"][0][odd])
    np.testing.assert_array_equal(images.y_valid, held["cifar10"]["train"][1][even])
    lists = {"xvalid": ["int", list(map(str, odd))], "xtest": ["int", list(map(str, even))]}
    (folder / "cifar100-test-split.txt").write_text(json.dumps(lists))
    images = load("cifar100", folder, validation="nb201")
    np.testing.assert_array_equal(images.x_test, held["cifar100"]["test"][0][even])
    np.testing.assert_array_equal(images.x_valid, held["cifar100"]["test"][0][odd])


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{}", b'{"train": 1, "valid": 2}', b'{"train": ["int", ["0"]], "valid": ["int", ["x"]]}',
        b'{"train": ["int", ["0", "1"]], "valid": ["int", ["1"]]}', b"\xff", b"[" * 100_000,
        b'{"train": ["int", [0, 1e99]], "valid": ["int", [1]]}',
        b'{"train": ["int", [0]], "valid": ["int", [99999999999999999999999]]}',
    ],
)  # fmt: skip
def test_lists_that_are_no_partition_are_refused(tmp_path, content):
    (tmp_path / CIFAR10.lists).write_bytes(content)
    with pytest.raises(BadFile, match=r"cifar-split\.txt"):
        read_lists(CIFAR10, tmp_path, 3)


@pytest.mark.parametrize("published", PUBLISHED.values(), ids=lambda each: each.name)
def test_a_missing_set_says_its_name_its_address_and_its_md5(published, tmp_path):
    with pytest.raises(MissingFile) as caught:
        load(published.name, tmp_path)
    for words in (published.title, published.address, published.archive_md5 or published.files[0].md5, str(tmp_path)):
        assert words in str(caught.value)


def test_a_missing_file_of_a_set_is_named(tmp_path):
    described, _ = write_set(CIFAR10, tmp_path)
    (tmp_path / CIFAR10.folder / "data_batch_3").unlink()
    with pytest.raises(MissingFile, match="data_batch_3"):
        official.read(described, tmp_path)


def test_another_content_is_refused_before_anything_is_decoded(tmp_path):
    described, _ = write_set(CIFAR10, tmp_path)
    path = tmp_path / CIFAR10.folder / "data_batch_2"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadFile, match=rf"data_batch_2 is not the official file.*{described.files[1].md5}"):
        official.read(described, tmp_path)
    (tmp_path / CIFAR10.archive).write_bytes(b"something else")
    with pytest.raises(BadFile, match=r"cifar-10-python\.tar\.gz is not the official file"):
        official.read(described, tmp_path / CIFAR10.archive)


def test_an_archive_without_its_files_is_refused(tmp_path):
    for content in (b"", b"no gzip", b"\x1f\x8b\x08\x00"):
        (tmp_path / CIFAR10.archive).write_bytes(content)
        described = replace(CIFAR10, archive_md5=hashlib.md5(content).hexdigest())
        with pytest.raises(BadFile, match="tar"):
            official.read(described, tmp_path)


def test_a_set_of_another_size_is_refused(tmp_path):
    described, _ = write_set(CIFAR10, tmp_path)
    with pytest.raises(BadFile, match="200 train pictures instead of 50,000"):
        official.read(replace(described, counts=(50_000, 10_000)), tmp_path)


class Payload:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_a_planted_payload_is_refused_and_never_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    described, _ = write_set(CIFAR10, tmp_path)
    content = pickle.dumps({"data": Payload(), "labels": [0]}, 2)
    (tmp_path / CIFAR10.folder / "data_batch_1").write_bytes(content)
    first = replace(described.files[0], md5=hashlib.md5(content).hexdigest())
    with pytest.raises(BadFile, match="mkdir"):
        official.read(replace(described, files=(first, *described.files[1:])), tmp_path)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ([1, 2], "list"),
        ({"labels": [0]}, "no 'data'"),
        ({"data": np.zeros((1, 3072), np.uint8)}, "no 'labels'"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [0]}, r"\(1, 3072\)"),
        ({"data": np.zeros((1, 3072), np.int16), "labels": [0]}, "int16"),
        ({"data": np.zeros((1, 300), np.uint8), "labels": [0]}, r"\(1, 300\)"),
        ({"data": b"123", "labels": [0]}, "bytes|str"),
        ({"data": np.zeros((1, 3072), np.uint8), "labels": [10]}, "10 classes"),
        ({"data": np.zeros((1, 3072), np.uint8), "labels": [-1]}, "class numbers"),
        ({"data": np.zeros((1, 3072), np.uint8), "labels": [1e300]}, "class numbers"),
        ({"data": np.zeros((1, 3072), np.uint8), "labels": [2**80]}, "class numbers"),
        ({"data": np.zeros((1, 3072), np.uint8), "labels": "0"}, "class numbers"),
    ],
)
def test_another_layout_is_refused(batch, words):
    with pytest.raises(BadFile, match=words):
        official.decode_batch(pickle.dumps(batch, 2), "data_batch_1", CIFAR10)


def test_keys_may_be_bytes_and_labels_an_array():
    pictures, labels = some_pictures(CIFAR10, 3, [1, 2, 3], 0)
    batch = {b"data": rows_of(pictures), b"labels": labels}
    found = official.decode_batch(pickle.dumps(batch, 3), "data_batch_1", CIFAR10)
    np.testing.assert_array_equal(found[0], pictures)
    np.testing.assert_array_equal(found[1], labels)


@SMALL
@given(data=st.data())
def test_damaged_batches_give_one_error_or_pictures(data):
    tiny = replace(CIFAR10, side=2)
    pictures, labels = some_pictures(tiny, 5, [0, 9], 1)
    content = bytearray(python2_batch(rows_of(pictures), labels.tolist(), "labels"))
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        found = official.decode_batch(cut, "data_batch_1", tiny)
    except BadFile as error:
        assert "data_batch_1" in str(error)
    else:
        assert found[0].dtype == np.uint8
        assert found[0].shape == (len(found[1]), 2, 2, 3)


def test_wrong_questions_are_answered_with_the_legal_ones(small):
    folder, _ = small
    for wrong in ("nb101", True, None):
        with pytest.raises(BadValue, match="nb201"):
            load("cifar10", folder, validation=wrong)
    for wrong in (0, 1.0, -3, 7):
        with pytest.raises(BadValue, match="between 0 and 1"):
            load("cifar10", folder, validation=wrong)
    for wrong in (0, -1, "16", (8, 8, 8), 2.5, True):
        with pytest.raises(BadValue, match="size"):
            load("cifar10", folder, size=wrong)
    with pytest.raises(BadValue, match="only be made smaller"):
        load("cifar10", folder, size=64)


def test_limit_and_size(small):
    folder, held = small
    images = load("cifar10", folder, limit=7, size=16, validation="none")
    assert [images.count(split) for split in ("train", "valid", "test")] == [7, 0, 7]
    whole = held["cifar10"]["train"][0][:7].astype(float)
    means = whole.reshape(7, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    np.testing.assert_array_equal(images.x_train, np.floor(means + 0.5))
    np.testing.assert_allclose(images.mean, images.x_train.mean(axis=(0, 1, 2)))
    assert load("cifar10", folder, size=32).mean == CIFAR10.mean


def test_the_home_folder_is_where_sets_lie(small, monkeypatch, tmp_path):
    folder, _ = small
    home = tmp_path / "home"
    home.mkdir()
    (home / "images").symlink_to(folder)
    monkeypatch.setenv("NASGAUGE_HOME", str(home))
    assert sets.load("cifar10").count("train") == 100


@pytest.mark.real
@pytest.mark.slow
def test_the_real_cifar10_has_its_halves_and_its_constants(shared):
    """The constants of NAS-Bench-201's code are those of the pictures, to its rounding."""
    images = real_cifar10(shared)
    assert [images.count(split) for split in ("train", "valid", "test")] == [25_000, 25_000, 10_000]
    assert np.bincount(images.y_valid).tolist() == [2_500] * 10
    mean, std = pixel_statistics(images.without_validation().x_train)
    np.testing.assert_allclose(mean, CIFAR10.mean, atol=0.06)
    np.testing.assert_allclose(std, CIFAR10.std, atol=0.06)


@pytest.mark.real
def test_a_file_of_ones_own_holds_the_first_real_pictures(shared):
    small = load(shared / "data" / "images" / "cifar10_small.npz")
    assert [small.count(split) for split in ("train", "valid", "test")] == [1_599, 401, 1_000]
    pictures, labels = cifar10_parts(shared, ("test",))["test"]
    np.testing.assert_array_equal(small.y_test, labels[:1_000])
    assert (small.x_test == pictures[:1_000]).all(axis=(1, 2, 3)).mean() > 0.99  # the others went through JPEG


@pytest.mark.real
def test_real_pictures_pass_through_the_official_layout(shared):
    """Real pixels in CIFAR's own opcodes: bytes of every value."""
    small = load(shared / "data" / "images" / "cifar10_small.npz")
    content = python2_batch(rows_of(small.x_train), small.y_train.tolist(), "labels")
    pictures, labels = official.decode_batch(content, "data_batch_1", CIFAR10)
    np.testing.assert_array_equal(pictures, small.x_train)
    np.testing.assert_array_equal(labels, small.y_train)
