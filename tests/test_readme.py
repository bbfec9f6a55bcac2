"""The README tells the truth: its Python runs top to bottom, its commands exist."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import nasgauge as ng
from nasgauge.bench.spaces import SPACES
from nasgauge.cli import app
from nasgauge.proxies import PROXIES
from nasgauge.searchers import SEARCHERS

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_first_lines_are_the_two_commands() -> None:
    lines = README.splitlines()
    assert lines[1].startswith("make demo")
    assert lines[2].startswith("make test")


def test_python_examples_run(toy_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, in one namespace, against a small table under the name nats-tss."""
    (tmp_path / "tables").mkdir()
    shutil.copy(toy_path, tmp_path / "tables" / "nats-tss.h5")
    monkeypatch.setenv("NASGAUGE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    try:
        for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
            exec(block.replace("seconds=12_000, seeds=100", "seconds=200, seeds=3, jobs=1"), namespace)
    finally:
        SPACES.pop("stack", None)
    assert (tmp_path / "comparison.html").stat().st_size > 100_000
    stack = namespace["Stack"]()  # type: ignore[operator]
    assert stack.text(5) == "pool-conv-pool"
    assert ng.open("nats-tss").name == "toy"


def test_commands_exist_and_show_an_example() -> None:
    code = README.split("```")[1::2]
    commands = {word for block in code for word in re.findall(r"^nasgauge (\w+)", block, flags=re.MULTILINE)}
    assert commands == {
        "list", "fetch", "convert", "info", "query", "compare", "report", "score", "verify", "build", "predict",
        "surrogate", "encode", "encodings",
    }  # fmt: skip
    for command in commands:
        shown = CliRunner().invoke(app, [command, "--help"])
        assert shown.exit_code == 0
        assert "Example" in shown.output


def examples(text: str) -> list[list[str]]:
    """The arguments of every `nasgauge` line, without remarks behind it."""
    lines = re.findall(r"^ *nasgauge (.*)$", text.replace("\\\n", " "), flags=re.MULTILINE)
    return [shlex.split(re.sub(r" {2,}\(.*\)$", "", line), comments=True) for line in lines]


@pytest.mark.parametrize("where", ["README", *COMMANDS])
def test_examples_are_commands_that_are_understood(where: str) -> None:
    """Every option of every example exists and takes its value; nothing is run."""
    text = "".join(README.split("```")[1::2]) if where == "README" else COMMANDS[where].help or ""
    found = examples(text)
    assert found
    for command, *arguments in found:
        COMMANDS[command].make_context(command, arguments)


def test_numbers_of_searchers_and_proxies_are_true() -> None:
    assert f"{len(SEARCHERS)} searchers" in README
    assert f"{len(PROXIES)} proxies" in README
