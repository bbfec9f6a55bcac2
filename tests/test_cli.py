"""Every command as a user types it: what it prints, where it writes, how it refuses."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def home(toy_path: Path, tmp_path: Path) -> Path:
    (tmp_path / "home" / "tables").mkdir(parents=True)
    shutil.copy(toy_path, tmp_path / "home" / "tables" / "toy.h5")
    return tmp_path / "home"


def nasgauge(*arguments: object, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nasgauge.cli", *map(str, arguments)]
    environment = {"NASGAUGE_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(home)}
    return subprocess.run(command, capture_output=True, text=True, cwd=home, env=environment, timeout=300)


def test_list_shows_what_is_here_and_what_can_be_fetched(home: Path) -> None:
    shown = nasgauge("list", home=home)
    assert shown.returncode == 0
    for words in ("toy", "nasgauge fetch nats-tss", "random, evolution", "topology, size, cells101"):
        assert words in shown.stdout


def test_info_describes_and_checks(home: Path) -> None:
    shown = nasgauge("info", "toy", "--check", home=home)
    assert "valid images" in shown.stdout
    assert "every column agrees with its checksum" in shown.stdout


def test_query_prints_one_line_an_architecture(home: Path) -> None:
    text = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    asked = ["query", "toy", 1, text, "-d", "cifar10"]
    header, one, zero = nasgauge(*asked, "-m", "test_accuracy", "--seed", 999, home=home).stdout.splitlines()
    assert header.split("\t") == ["id", "test_accuracy", "architecture"]
    assert one.split("\t")[:2] == ["1", "nan"]
    assert zero.split("\t") == ["0", "22", text]
    both = nasgauge(*asked, "-m", "valid_accuracy", "-m", "params_millions", home=home).stdout.splitlines()
    assert both[2].split("\t") == ["0", "11", "0.129306", text]


def test_compare_and_report_end_by_naming_what_they_wrote(home: Path) -> None:
    command = ["compare", "toy", "-s", "random", "-s", "evolution", "-d", "cifar10", "--queries", 20, "--seeds", 3]
    ran = nasgauge(*command, "--out", "run", "--jobs", 1, home=home)
    assert ran.stdout.splitlines()[0] == "run"
    again = nasgauge(*command, "--out", "run", "--jobs", 1, home=home)
    assert (ran.returncode, again.returncode) == (0, 0)
    reported = nasgauge("report", "run", home=home)
    paths = [home / line for line in reported.stdout.splitlines()]
    assert all(path.is_file() for path in paths)
    assert {".html", ".pdf", ".png", ".csv"} == {path.suffix for path in paths}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["info", "nats-tss"], "nasgauge fetch nats-tss"),
        (["info", "nats-tsss"], "did you mean 'nats-tss'"),
        (["info", "nowhere.h5"], "nowhere.h5"),
        (["query", "toy", "15625", "-m", "test_accuracy", "-d", "cifar10"], "legal ids: 0 to 15624"),
        (["query", "toy", "0", "-m", "accuracy", "-d", "cifar10"], "test_accuracy"),
        (["query", "toy", "0", "-m", "test_accuracy"], "cifar10, cifar100"),
        (["compare", "toy", "-s", "randon", "--queries", "3"], "did you mean 'random'"),
        (["compare", "toy", "-s", "random"], "seconds=, queries="),
        (["report", "nowhere"], "nasgauge compare"),
        (["fetch", "nats-tsss"], "did you mean 'nats-tss'"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(home: Path, arguments: list[str], words: str) -> None:
    shown = nasgauge(*arguments, home=home)
    assert shown.returncode == 1
    assert words in shown.stderr
    assert "Traceback" not in shown.stderr
    assert shown.stderr.startswith("nasgauge: ")
