"""Every command as a user types it: what it prints, where it writes, how it refuses."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from nasgauge.cli import app
from nasgauge.searchers import Run
from nasgauge.searchers.runner.run import MEASURED


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


def test_compare_takes_trainers_a_second_objective_a_limit_and_a_cluster_of_options(home: Path) -> None:
    ran = nasgauge(
        "compare", "toy", "-s", "random", "-s", "hyperband", "-d", "cifar10", "--queries", 20, "--seeds", 3,
        "--workers", 4, "--mode", "sync", "--resume", "--objective2", "latency_ms:phone",
        "--limit", "latency_ms:phone<=2",
        "--budgets", "12,200", "--out", "run", "--jobs", 1, home=home,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    asked = json.loads((home / "run" / "run.json").read_text())
    wanted = {"workers": 4, "mode": "sync", "resume": True, "objective2": "latency_ms:phone",
              "constraint": ["latency_ms:phone", 2.0]}  # fmt: skip
    assert wanted.items() <= asked.items()


def test_a_run_folder_holds_the_study_that_reproduces_it(home: Path) -> None:
    command = ["compare", "toy", "-s", "random", "-s", "evolution:worst-dies", "--queries", 20, "--seeds", 3, "-w", 2]
    assert nasgauge(*command, "--out", "first", "-j", 1, home=home).returncode == 0
    again = nasgauge("compare", "first/study.toml", "--out", "second", "-j", 1, home=home)
    assert again.returncode == 0, again.stderr
    assert 'benchmark = "toy"' in (home / "second" / "study.toml").read_text()
    first, second = (Run(home / name).records().drop(columns=[*MEASURED]) for name in ("first", "second"))
    pd.testing.assert_frame_equal(first, second)
    both = nasgauge("compare", "first/study.toml", "--seeds", 4, home=home)
    assert both.returncode == 2
    assert "--seeds" in both.stderr and "the study file says it" in both.stderr


def test_a_searcher_that_raises_fails_its_repetitions_and_the_command(home: Path) -> None:
    (home / "mine.py").write_text(
        "class Mine:\n"
        "    def __init__(self, space, rng): self.left = int(rng.integers(1, 20))\n"
        "    def ask(self, n=1):\n"
        "        self.left -= 1\n"
        "        if not self.left: raise RuntimeError('out of ideas')\n"
        "        return [3]\n"
        "    def tell(self, evaluations): pass\n"
    )
    (home / "study.toml").write_text(
        'benchmark = "toy"\ndatasets = ["cifar10"]\nqueries = 10\nseeds = 12\n'
        'searchers = ["random", { class = "mine:Mine" }]\n'
    )
    ran = nasgauge("compare", "study.toml", "--out", "run", "-j", 1, home=home)
    failed = Run(home / "run").failures()
    assert 0 < len(failed) < 12
    assert ran.returncode == 1
    assert f"nasgauge: {len(failed)} of 24 repetitions failed; the first is 'Mine' on cifar10, seed" in ran.stderr
    assert "RuntimeError: out of ideas" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout.splitlines()[0] == "run"
    assert (Run(home / "run").records()["searcher"] == "random").sum() == 120
    again = nasgauge("compare", "study.toml", "--out", "run", "-j", 1, home=home)
    assert again.returncode == 1
    assert f"{len(failed)} of 24 repetitions failed" in again.stderr


def test_an_interrupted_comparison_says_how_to_go_on_and_goes_on(home: Path) -> None:
    (home / "slow.py").write_text(
        "import time, pathlib\n"
        "class Slow:\n"
        "    def __init__(self, space, rng): pass\n"
        "    def ask(self, n=1):\n"
        "        pathlib.Path('asked').touch()\n"
        "        time.sleep(0 if pathlib.Path('faster').exists() else 0.05)\n"
        "        return [3]\n"
        "    def tell(self, evaluations): pass\n"
    )
    (home / "study.toml").write_text(
        'benchmark = "toy"\ndatasets = ["cifar10"]\nqueries = 100\nseeds = 20\nsearchers = [{ class = "slow:Slow" }]\n'
    )
    command = [sys.executable, "-m", "nasgauge.cli", "compare", "study.toml", "--out", "run", "--jobs", "2"]
    environment = {"NASGAUGE_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(home)}
    running = subprocess.Popen(
        command, cwd=home, env=environment, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a suite in the background ignores interrupts
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (home / "asked").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    said = None
    while said is None:  # Python drops an interrupt that comes while an object is finalised: press again
        running.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            _, said = running.communicate(timeout=10)
    assert running.returncode == 130
    assert said.splitlines()[-1] == "nasgauge: stopped; start the same command again to go on"
    assert "Traceback" not in said
    (home / "faster").touch()
    assert nasgauge("compare", "study.toml", "--out", "run", "--jobs", 2, home=home).returncode == 0
    assert len(Run(home / "run").records()) == 2_000


def test_what_cannot_be_written_is_one_line(home: Path) -> None:
    (home / "file").touch()
    shown = nasgauge("encode", "topology", "--encoder", "path", "--out", "file/rows", home=home)
    assert shown.returncode == 1
    assert shown.stderr == "nasgauge: cannot read or write file/rows: Not a directory\n"
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["score", "toy", "--proxy", "all", "--archs", "3"],
        ["score", "toy", "--proxy", "naswot", "--archs", "3"],
        ["build", "--space", "topology", "--images", "digits", "--out", "mine.h5"],
        ["verify", "toy", "0"],
        ["encode", "toy", "--encoder", "cate", "--out", "rows"],
        ["compare", "toy", "-s", "random", "--queries", "3", "--live"],
    ],
)
def test_without_pytorch_what_needs_it_says_so(home: Path, arguments: list[str]) -> None:
    code = "import sys; sys.modules['torch'] = None; from nasgauge.cli import main; main()"
    shown = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=home,
        env={"NASGAUGE_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(home)},
    )  # fmt: skip
    assert shown.returncode == 1
    assert "needs PyTorch, which is not installed; pip install nasgauge[torch]" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_every_command_has_a_summary_that_fits_and_an_example(home: Path) -> None:
    shown = nasgauge("--help", home=home).stdout
    summaries = re.findall(r"^  (\w+) +(\w.*)$", shown.split("Commands:")[1], flags=re.MULTILINE)
    assert len(summaries) == len(app.registered_commands) + sum(
        len(each.typer_instance.registered_commands) for each in app.registered_groups if each.typer_instance
    )
    for name, summary in summaries:
        assert summary.endswith(".") and not summary.endswith("..."), name
        assert re.search(r"Examples?:\n +nasgauge " + name, nasgauge(name, "--help", home=home).stdout), name


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
        (["compare", "toy", "--queries", "3"], "at least one searcher"),
        (["compare", "toy", "-s", "random", "--queries", "3", "--workers", "0"], "workers=0"),
        (["compare", "toy", "-s", "random", "--seconds", "5", "--no-count-last"], "so none fits"),
        (["compare", "toy", "-s", "random", "--queries", "3", "--limit", "flops<50"], "METRIC<=NUMBER"),
        (
            ["compare", "toy", "-s", "random", "--queries", "3", "--objective2", "latency_ms:fone", "-d", "cifar10"],
            "did you mean 'latency_ms:phone'",
        ),
        (["compare", "toy", "-s", "random", "--queries", "3", "--scores", "nowhere.csv"], "no scores at"),
        (["compare", "nowhere.toml"], "no study at"),
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
