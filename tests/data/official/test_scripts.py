"""Scripts written for the official packages print the same with one import line changed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nasgauge.bench.spaces import space
from nasgauge.bench.spaces.cells101 import Cells101

from ..nasbench_writer import records, write
from .conftest import Choices, made_up, write_nats, write_pth

SCRIPTS = Path(__file__).parent / "scripts"
SEEDS = ({name: {777, 888, 999} for name in ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")},)


def output(script: str, file: Path, folder: Path, change: tuple[str, str] | None) -> str:
    """What the script prints about the file, after a change of its one import line."""
    text = (SCRIPTS / script).read_text()
    if change is not None:
        assert text.count(change[0]) == 1
        text = text.replace(*change)
    path = folder / script
    path.write_text(text)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(path), str(file)],
        capture_output=True, text=True, env={**os.environ, "NASGAUGE_HOME": str(folder / "home")}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells(count: int) -> list[str]:
    return [space("topology").text(arch) for arch in range(count)]


def test_a_random_search_on_nats(tmp_path: Path) -> None:
    pytest.importorskip("nats_bench")
    file = write_nats(made_up(cells(12), Choices(seeds=SEEDS)), tmp_path)
    official = output("nats_random_search.py", file, tmp_path, None)
    ours = output("nats_random_search.py", file, tmp_path, ("from nats_bench", "from nasgauge.data.official"))
    assert len(official.splitlines()) > 50
    assert ours == official


def test_a_sweep_of_nasbench201(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("nas_201_api")
    file = write_pth(made_up(cells(8), Choices(seeds=SEEDS)), tmp_path)
    official = output("nb201_sweep.py", file, tmp_path, None)
    ours = output("nb201_sweep.py", file, tmp_path, ("from nas_201_api", "from nasgauge.data.official"))
    assert len(official.splitlines()) > 100
    assert ours == official


def test_queries_of_nasbench101(tmp_path: Path) -> None:
    """Beside the official package where TensorFlow lets it be installed, else beside a stand-in by its description."""
    drawn = np.random.default_rng(3)
    file = write(tmp_path / "nasbench.tfrecord", records(Cells101(), (0, 7, 100_000, 423_623), (4, 12, 36, 108), drawn))
    ours = output("nb101_queries.py", file, tmp_path, ("from nasbench import api", IMPORT_101))
    assert len(ours.splitlines()) > 50
    if importlib.util.find_spec("nasbench") is None:
        (tmp_path / "nasbench").mkdir()  # found first, beside the script
        shutil.copy(SCRIPTS / "nasbench_stand_in.py", tmp_path / "nasbench" / "api.py")
    assert ours == output("nb101_queries.py", file, tmp_path, None)


IMPORT_101 = "from nasgauge.data.official import nasbench as api"
