"""The house rules that a machine can check: floors, light imports, no prints, no global randomness."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import nasgauge

ROOT = Path(__file__).parents[1]
FLOORS = ("bench", "data", "proxies", "searchers", "reports")
FILES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def imported_floors(path: Path) -> set[str]:
    """First package below nasgauge of every import in a file."""
    package = path.relative_to(ROOT).parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            target = (*base, *(node.module or "").split("."))
            found |= {part for part in target[:1] if part} or {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_floor_imports_only_floors_below_it(path: Path) -> None:
    floor = FLOORS.index(path.relative_to(ROOT).parts[0])
    above = set(FLOORS[floor + 1 :]) | {path.stem for path in ROOT.glob("cli*.py")} | {"testing"}
    assert not imported_floors(path) & above


def test_floors_are_there_to_be_checked() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(FLOORS)
    assert imported_floors(ROOT / "searchers" / "runner" / "experiment.py") >= {"bench", "searchers"}


def test_every_folder_of_modules_is_in_the_wheel_under_the_version_it_says() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {".".join(("nasgauge", *path.relative_to(ROOT).parts[:-1])) for path in FILES}
    packages = set(asked["tool"]["setuptools"]["packages"])
    assert folders <= packages
    assert all((ROOT / Path(*name.split(".")[1:])).is_dir() for name in packages)
    assert asked["project"]["version"] == nasgauge.__version__


@pytest.mark.parametrize("module", ["nasgauge", "nasgauge.bench.benchmark", "nasgauge.searchers", "nasgauge.cli"])
def test_importing_loads_no_heavy_package(module: str) -> None:
    heavy = "{'torch', 'pandas', 'matplotlib', 'plotly', 'pyarrow', 'sklearn', 'scipy'}"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip() == "[]"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_uses_the_global_generators(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert "random" not in {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and not node.level:  # the drop-in must draw as the official packages do
            assert node.module != "random" or path.parts[-3:] == ("data", "official", "stream.py")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "random":
            allowed = {"default_rng", "Generator", "SeedSequence", "PCG64", "BitGenerator"}
            assert not (isinstance(node.value.value, ast.Name) and node.value.value.id == "np") or node.attr in allowed
