"""The published image sets: official names, addresses and md5 sums, and what is in their files.

CIFAR: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009. ImageNet16-120: the first 120 classes
of ImageNet at 16 x 16 (Chrabaszcz et al., 2017), as NAS-Bench-201 (Dong and Yang, ICLR 2020) chose them. Means and
standard deviations are those of NAS-Bench-201's code, in pixels of 0 to 255.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CODE = "https://github.com/D-X-Y/AutoDL-Projects/blob/main/configs/nas-benchmark"


@dataclass(frozen=True)
class BatchFile:
    """One pickle of pictures: a dictionary of ``data`` (n, 3 x side x side) and labels."""

    name: str
    md5: str
    split: Literal["train", "test"]


@dataclass(frozen=True)
class Published:
    """One published image set.

    Notation: ``halves`` is the official split that NAS-Bench-201 cuts in two, and ``lists`` the file of its authors
    with the indices of both parts, under ``keys`` (what is trained or tested on, what is validated on).
    """

    name: str
    title: str
    address: str
    folder: str
    files: tuple[BatchFile, ...]
    labels: str
    classes: int
    side: int
    counts: tuple[int, int]  # pictures of the official training and test split
    mean: tuple[float, ...]
    std: tuple[float, ...]
    halves: Literal["train", "test"]
    lists: str
    keys: tuple[str, str]
    archive: str = ""
    archive_md5: str = ""
    first_label: int = 0

    def by_hand(self, folder: object) -> str:
        """How to get the set and where to put it."""
        if self.archive:
            what = f"get {self.archive} from {self.address} (md5 {self.archive_md5})"
            return f"By hand: {what} and put it, or the folder {self.folder} in it, at {folder}"
        sums = ", ".join(f"{file.name} {file.md5}" for file in self.files)
        return f"By hand: get its files from {self.address} into {folder}/{self.folder} (md5: {sums})"


CIFAR10 = Published(
    "cifar10", "CIFAR-10 (python version)", "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "cifar-10-batches-py",
    (
        BatchFile("data_batch_1", "c99cafc152244af753f735de768cd75f", "train"),
        BatchFile("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec", "train"),
        BatchFile("data_batch_3", "54ebc095f3ab1f0389bbae665268c751", "train"),
        BatchFile("data_batch_4", "634d18415352ddfa80567beed471001a", "train"),
        BatchFile("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb", "train"),
        BatchFile("test_batch", "40351d587109b95175f43aff81a1287e", "test"),
    ),
    "labels", 10, 32, (50_000, 10_000), (125.3, 123.0, 113.9), (63.0, 62.1, 66.7),
    halves="train", lists="cifar-split.txt", keys=("train", "valid"),
    archive="cifar-10-python.tar.gz", archive_md5="c58f30108f718f92721af3b95e74349a",
)  # fmt: skip
CIFAR100 = Published(
    "cifar100", "CIFAR-100 (python version)", "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    "cifar-100-python",
    (
        BatchFile("train", "16019d7e3df5f24257cddd939b257f8d", "train"),
        BatchFile("test", "f0ef6b0ae62326f3e7ffdfab6717acfc", "test"),
    ),
    "fine_labels", 100, 32, (50_000, 10_000), (129.3, 124.1, 112.4), (68.2, 65.4, 70.4),
    halves="test", lists="cifar100-test-split.txt", keys=("xtest", "xvalid"),
    archive="cifar-100-python.tar.gz", archive_md5="eb9058c3a382ffc7106e4002c42a8d85",
)  # fmt: skip
IMAGENET16_120 = Published(
    "ImageNet16-120", "ImageNet at 16 x 16 pixels, first 120 classes (the archive of NAS-Bench-201's authors)",
    "https://drive.google.com/open?id=1L0Lzq8rWpZLPfiQGd6QR8q5xLV88emU7", "ImageNet16",
    (
        BatchFile("train_data_batch_1", "27846dcaa50de8e21a7d1a35f30f0e91", "train"),
        BatchFile("train_data_batch_2", "c7254a054e0e795c69120a5727050e3f", "train"),
        BatchFile("train_data_batch_3", "4333d3df2e5ffb114b05d2ffc19b1e87", "train"),
        BatchFile("train_data_batch_4", "1620cdf193304f4a92677b695d70d10f", "train"),
        BatchFile("train_data_batch_5", "348b3c2fdbb3940c4e9e834affd3b18d", "train"),
        BatchFile("train_data_batch_6", "6e765307c242a1b3d7d5ef9139b48945", "train"),
        BatchFile("train_data_batch_7", "564926d8cbf8fc4818ba23d2faac7564", "train"),
        BatchFile("train_data_batch_8", "f4755871f718ccb653440b9dd0ebac66", "train"),
        BatchFile("train_data_batch_9", "bb6dd660c38c58552125b1a92f86b5d4", "train"),
        BatchFile("train_data_batch_10", "8f03f34ac4b42271a294f91bf480f29b", "train"),
        BatchFile("val_data", "3410e3017fdaefba8d5073aaa65e4bd6", "test"),
    ),
    "labels", 120, 16, (151_700, 6_000), (122.68, 116.66, 104.01), (63.22, 61.26, 65.09),
    halves="test", lists="imagenet-16-120-test-split.txt", keys=("xtest", "xvalid"), first_label=1,
)  # fmt: skip

PUBLISHED = {each.name: each for each in (CIFAR10, CIFAR100, IMAGENET16_120)}
"""Name -> set."""
