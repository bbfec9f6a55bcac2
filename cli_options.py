"""What the commands share: options, and how words of the command line become values."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .bench.benchmark import Benchmark

Home = Annotated[
    Path | None, typer.Option("--home", help="Where tables lie [default: $NASGAUGE_HOME or the user data folder].")
]  # fmt: skip


def architectures(bench: Benchmark, archs: list[str]) -> list[int]:
    """Ids of ids and official strings, as given on the command line."""
    return [bench.space.id(int(arch) if arch.lstrip("-").isdigit() else arch) for arch in archs]


def integer(text: str, option: str, legal: str) -> int:
    """The integer that ``text`` says; a usage error with the ``legal`` values otherwise."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}; legal: {legal}", param_hint=option) from None


def integers(text: str, option: str) -> list[int]:
    """The integers of a list such as "12,200"."""
    return [integer(each, option, "integers, as 12,200") for each in text.split(",")]


def say(message: str) -> None:
    """One line on standard error."""
    print(message, file=sys.stderr)
