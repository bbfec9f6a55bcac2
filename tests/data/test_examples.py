"""The examples in the docstrings of the data floor say the truth."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data"
MODULES = sorted(".".join(path.relative_to(DATA).with_suffix("").parts) for path in DATA.rglob("[!_]*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_true(module: str) -> None:
    assert doctest.testmod(import_module(f"nasgauge.data.{module}")).failed == 0
