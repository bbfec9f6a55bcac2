"""What the commands share: options, and how words of the command line become values."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .bench.benchmark import Benchmark

Home = Annotated[
    Path | None, typer.Option("--home", help="Where tables lie [default: $NASGAUGE_HOME or the user data folder].")
]  # fmt: skip
RunFolder = Annotated[Path | None, typer.Option("--out", "-o", help="Run folder [default: one under runs/].")]
Datasets = Annotated[
    list[str] | None, typer.Option("--dataset", "-d", help="May be given several times [default: all].")
]  # fmt: skip
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Processes; -1: one per core. Results do not depend on it.")]
Cluster = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler that does the work, as tcp://host:8786.")
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


def end(failures: Iterable[str]) -> None:
    """What failed in a run, a line each; the exit code is 1 where anything did."""
    said = [words for words in failures if words]
    for words in said:
        say(f"nasgauge: {words}")
    if said:
        raise typer.Exit(1)


def say(message: str) -> None:
    """One line on standard error."""
    print(message, file=sys.stderr)
