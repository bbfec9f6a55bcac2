"""A benchmark in words: what each accuracy means, what is missing, where the numbers come from."""

from __future__ import annotations

from collections.abc import Sequence

from .index import Index
from .spaces import Space
from .table import Entry, Table


def describe(tables: Sequence[Table], space: Space, index: Index) -> str:
    """Many lines of plain text: space, splits, gaps, notes, sources and licences."""
    lines = []
    for table in tables:
        info = table.info
        lines += [f"{info['name']}: {info['title']}", f"  licence {info['licence']}"]
    lines += ["", f"Space {space.name!r}: {space.size:,} architectures, sampled {space.sampling_law}."]
    for dataset in index.datasets:
        entries = [entry for entry in index.entries if entry.dataset == dataset]
        lines += ["", f"{dataset}"]
        for budget in sorted({entry.budget for entry in entries if entry.budget is not None}, reverse=True):
            lines.append(f"  runs of {budget} epochs")
            lines += [_line(entry) for entry in entries if entry.budget == budget]
        static = [entry for entry in entries if entry.budget is None]
        if static:
            lines.append("  of the architecture")
            lines += [_line(entry) for entry in static]
    anywhere = [entry for entry in index.entries if entry.dataset is None]
    if anywhere:
        lines += ["", "on any data set", *(_line(entry) for entry in anywhere)]
    notes = [note for table in tables for note in table.info["notes"]]
    if notes:
        lines += ["", "Notes", *(f"  - {note}" for note in notes)]
    sources = {source.name: source for table in tables for source in table.sources}
    if sources:
        lines += ["", "Sources"]
        lines += [
            f"  {each.name}  ({each.licence})\n    {each.url}\n    sha256 {each.sha256}" for each in sources.values()
        ]
    return "\n".join(lines)


def _line(entry: Entry) -> str:
    words = "; ".join(part for part in (entry.trained_on, entry.evaluated_on, entry.means_over) if part)
    runs = f" seeds {', '.join(map(str, entry.seeds))}" if entry.seeds else ""
    curve = f" at {len(entry.epochs)} checkpoints" if entry.epochs else ""
    gap = ""
    if entry.missing:
        total = 1
        for length in entry.shape:
            total *= length
        gap = f" [{entry.missing:,} of {total:,} missing]"
    provenance = "" if entry.provenance == "measured" else f" ({entry.provenance})"
    return f"    {entry.metric:<22} {entry.kind}{runs}{curve}{provenance}{gap}{': ' + words if words else ''}"
