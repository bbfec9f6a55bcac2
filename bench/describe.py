"""A benchmark in words: what each number means, what is missing, where the numbers come from."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .index import Index
from .spaces import Space
from .table import Entry, Table

if TYPE_CHECKING:
    from .benchmark import Benchmark

WIDTH = 118


def describe(tables: Sequence[Table], space: Space, index: Index) -> str:
    """Plain text: licence and space, the definition of every number, the columns with their gaps, notes, sources."""
    lines = [f"{table.info['name']}: {table.info['title']} ({table.info['licence']})" for table in tables]
    lines += [f"space {space.name}: {space.size:,} architectures, sampled {space.sampling_law}"]
    for dataset in (*index.datasets, None):
        entries = [entry for entry in index.entries if entry.dataset == dataset]
        if entries:
            lines += ["", dataset or "any data set", *_definitions(entries), *_columns(entries)]
    notes = [note for table in tables for note in table.info["notes"]]
    if notes:
        lines += ["", "notes", *(line for note in notes for line in _wrapped(note, "  - ", "    "))]
    sources = {source.name: source for table in tables for source in table.sources}
    if sources:
        lines += ["", "sources"]
        for each in sources.values():
            lines += [f"  {each.name} ({each.licence})", f"    {each.url}", f"    sha256 {each.sha256}"]
    return "\n".join(lines)


def identity(bench: Benchmark) -> dict[str, Any]:
    """The benchmark in words, counts and checksums, as run.json keeps it."""
    classes = len(np.unique(bench.space.canonical(np.arange(bench.space.size))))
    return {
        **origin(bench), "classes": classes, "description": bench.describe(),
        "sampling_law": bench.space.sampling_law,
    }  # fmt: skip


def origin(bench: Benchmark) -> dict[str, Any]:
    """Which benchmark this is, whose, and from which files."""
    return {
        "name": bench.name, "space": bench.space.name, "architectures": bench.space.size,
        "title": "; ".join(str(table.info["title"]) for table in bench.tables),
        "licence": "; ".join(str(table.info["licence"]) for table in bench.tables),
        "sources": [vars(source) for table in bench.tables for source in table.sources],
        "table_sha256": {str(table.info["name"]): table.sha256() for table in bench.tables},
    }  # fmt: skip


def _definitions(entries: Iterable[Entry]) -> list[str]:
    """One line a metric: on what it was trained and evaluated."""
    words: dict[str, str] = {}
    for entry in entries:
        meaning = "; ".join(part for part in (entry.trained_on, entry.evaluated_on) if part)
        if meaning:
            words.setdefault(entry.metric, meaning)
    return [line for metric, meaning in words.items() for line in _wrapped(meaning, f"  {metric:<25} ", " " * 28)]


def _columns(entries: Iterable[Entry]) -> list[str]:
    """One line a column: budget, metric, runs, gaps, provenance, and what a mean averages."""
    rows = [("epochs", "metric", "runs", "missing", "provenance")]
    for entry in sorted(entries, key=lambda each: -(each.budget or 0)):
        seeds = "seeds " + ", ".join(map(str, entry.seeds)) if entry.seeds else ""
        curve = f"at {len(entry.epochs)} checkpoints" if entry.epochs else ""
        runs = "; ".join(part for part in (seeds, curve, entry.means_over) if part) or "-"
        gap = f"{entry.missing:,} of {math.prod(entry.shape):,}" if entry.missing else "-"
        rows.append((str(entry.budget or "-"), entry.metric, runs, gap, entry.provenance))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1, 3, 4)]
    lines = []
    for epochs, metric, runs, gap, provenance in rows:
        start = f"  {epochs:>{widths[0]}}  {metric:<{widths[1]}}  {provenance:<{widths[3]}}  {gap:>{widths[2]}}  "
        lines += _wrapped(runs, start, " " * len(start))
    return lines


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest) or [first.rstrip()]
