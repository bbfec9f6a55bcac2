"""A report: a frozen value that is shown in a notebook and written as a page, figures and tables."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from ..bench.errors import BadValue, UnknownName
from ..bench.whole import write_whole
from ..searchers.runner.run import Run
from .blocks import Section
from .panels import Panel
from .view import View

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FORMS = ("pdf", "png")
SCORES = (".csv", ".parquet", ".json", ".h5")
"""Endings of files of scores."""


@dataclass(frozen=True, eq=False)
class Report:
    """What was learned from one run folder; the same folder gives the same bytes.

    ``figures`` are drawn side by side per name, ``tables`` become CSV files of the same name; a section without blocks
    is left out, and so is a table without rows.

    >>> report(Run("runs/first")).save("comparison.html")  # doctest: +SKIP
    """

    title: str
    lead: str
    sections: tuple[Section, ...]
    figures: Mapping[str, tuple[Panel, ...]] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    _drawn: dict[str, Figure] = field(default_factory=dict, init=False, repr=False)
    _rendered: dict[tuple[str, str], bytes] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sections", tuple(section for section in self.sections if section.blocks))
        object.__setattr__(self, "tables", {name: table for name, table in self.tables.items() if len(table)})

    def html(self) -> str:
        """The page: one file with everything in it, that never asks the network for anything."""
        from .page import render

        return render(self)

    def figure(self, name: str, form: str = "png") -> bytes:
        """One figure as "pdf", "png" or "svg"."""
        from . import figures

        if name not in self.figures:
            raise UnknownName.of("figure", name, self.figures)
        if form not in (*FORMS, "svg"):
            raise UnknownName.of("figure format", form, (*FORMS, "svg"))
        if name not in self._drawn:
            self._drawn[name] = figures.draw(self.figures[name])
        if (name, form) not in self._rendered:
            self._rendered[name, form] = figures.render(self._drawn[name], form)
        return self._rendered[name, form]

    def weight(self, name: str) -> int:
        """Points drawn in a figure's curves."""
        return sum(len(line.x) for panel in self.figures[name] if isinstance(panel, View) for line in panel.lines)

    def csv(self, name: str) -> bytes:
        """One table as CSV; a number that was not measured is an empty field."""
        if name not in self.tables:
            raise UnknownName.of("table", name, self.tables)
        text: str = self.tables[name].to_csv(index=False, float_format="%.8g", lineterminator="\n")
        return text.encode()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to ``path`` (a name ending in .html), whole or not at all; its folder is made if need be."""
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise BadValue(f"{path} does not end in .html; save() writes the page, save_all(folder) writes everything")
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_whole(path, self.html().encode())

    def save_all(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write index.html, figures/*.pdf, figures/*.png and tables/*.csv into ``folder``; returns what was written."""
        folder = Path(folder)
        written = [self.save(folder / "index.html")]
        for kind in ("figures", "tables"):
            (folder / kind).mkdir(exist_ok=True)
        for name, form in product(self.figures, FORMS):
            written += [write_whole(folder / "figures" / f"{name}.{form}", self.figure(name, form))]
        written.extend(write_whole(folder / "tables" / f"{name}.csv", self.csv(name)) for name in self.tables)
        return written

    def _repr_html_(self) -> str:
        """The page as a notebook shows it: figures that stand still, in a frame of their own."""
        from .page import render

        page = html.escape(render(self, still=True))
        return f'<iframe srcdoc="{page}" style="width:100%;height:720px;border:1px solid #ddd" title="report"></iframe>'

    def __repr__(self) -> str:
        return f"<report {self.title!r}: {len(self.figures)} figures, {len(self.tables)} tables>"


def report(run: Run, *others: Run) -> Report:
    """The report on a run, by the kind that its run.json names; on several comparisons, one on all of them together.

    Raises:
        UnknownName: a kind of run that this version cannot report on.
        BadValue: several runs that are not all comparisons, or have no searcher in common.
        BadFile: run.json or a part is damaged.
        MissingFile: the run has no finished part yet.
    """
    if others:
        from .across import across

        return across([run, *others])
    kind = run.config.get("kind")
    if kind not in REPORTS:
        raise UnknownName.of("kind of run", kind, REPORTS, f"The run is {run.folder}.")
    return REPORTS[kind](run)


def is_scores(path: object) -> bool:
    """Whether something names a file of scores (see `correlation.precomputed`), not a run folder."""
    named = isinstance(path, (str, os.PathLike)) and Path(path).suffix.lower() in SCORES
    return named and not Path(path).is_dir()  # type: ignore[arg-type]


def _comparison(run: Run) -> Report:
    from .comparison import comparison

    return comparison(run)


def _verification(run: Run) -> Report:
    from .verification import verification

    return verification(run)


def _correlation(run: Run) -> Report:
    from .correlation import correlation

    return correlation(run)


def _parallel(run: Run) -> Report:
    from .parallel import parallel

    return parallel(run)


def _surrogate(run: Run) -> Report:
    from .surrogate import surrogate

    return surrogate(run)


def _encoding(run: Run) -> Report:
    from .encoding import encoding

    return encoding(run)


REPORTS: dict[str, Callable[[Run], Report]] = {
    "compare": _comparison,
    "encodings": _encoding,
    "parallel": _parallel,
    "score": _correlation,
    "surrogate": _surrogate,
    "verify": _verification,
}
