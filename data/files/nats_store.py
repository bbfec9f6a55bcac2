"""Collected results of NAS-Bench-201 or NATS-Bench -> a table, and what a conversion says of itself."""

from __future__ import annotations

from pathlib import Path

from ...bench.table import Source, write_table
from .converted import Converted
from .nats_columns import Collected
from .nats_files import Meta

LICENCE = "as stated by the publishers of the official file"
TIMES_ESTIMATED = (
    "Seconds are estimates of the publishers: one time per epoch, scaled by the number of images, for every seed."
)
TIMES_MEASURED = "Seconds were measured; the release holds none for its 200-epoch trainings."
NO_FULL_CURVE = (
    "Validation and test of long trainings may be known after the last epoch only; other epochs are refused."
)


def store(
    collected: Collected, meta: Meta | None, target: Path, name: str, words: str, checks: tuple[str, ...],
    source: Source | None = None,
) -> Converted:  # fmt: skip
    """Write the table; ``words`` name the layout, ``checks`` say what was compared."""
    full = collected.hps[-1]
    timed = any(fact.train_times for (hp, _), facts in collected.facts.items() if hp == full for fact in facts)
    provenance = "estimated" if timed else "measured"
    of, found = collected.space, len(collected.archs)
    release = "" if "NAS-Bench-201" not in words or "archive" in words else f" of release {'1.1' if timed else '1.0'}"
    missing = of.size - found
    lines = (
        f"recognised: {words}{release}",
        f"{found:,} of {of.size:,} architectures of the {of.name} space; {missing:,} are missing",
        f"trainings of {', '.join(str(int(hp)) for hp in collected.hps)} epochs (hp {', '.join(collected.hps)})",
        *([f"{collected.weights:,} trials hold weights, which no table keeps"] if collected.weights else []),
        *checks,
    )
    evaluated = None if meta is None or meta.evaluated in (frozenset(), collected.archs) else sorted(meta.evaluated)
    extra = {
        "format": f"{words}{release}",
        "total_archs": of.size if meta is None else len(meta.texts),
        "evaluated_indexes": "none" if meta is None or not meta.evaluated else evaluated or "found",
        **collected.extra(provenance),
    }
    sources = () if source is None else (source.name,)
    notes = (*lines, TIMES_ESTIMATED if timed else TIMES_MEASURED, NO_FULL_CURVE)
    try:
        write_table(
            target, collected.columns(provenance, sources), name=name, space=of.name, title=f"{words}{release}",
            licence=LICENCE, sources=[] if source is None else [source], notes=notes, extra=extra, mapped_curves=True,
        )  # fmt: skip
    finally:
        collected.scratch.close()
    return Converted(target, name, of.name, found, missing, lines)
