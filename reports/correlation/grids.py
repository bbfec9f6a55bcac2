"""The tables on the page of a correlation report."""

from __future__ import annotations

import math
from typing import Any

from ..blocks import Cell, Grid, Label
from ..statistics import LEVEL
from ..view import Style
from ..words import between, number
from .analysis import ELSEWHERE, Analysis
from .biases import tau
from .evidence import Scored
from .measures import AMONG, CEILING, FEWEST, first
from .plots import found_k, slots_of
from .sentences import estimate
from .worth import most


def _label(score: str, analysis: Analysis) -> Label:
    slot = slots_of(analysis.found.scored).get(score)
    return Label(score, None if slot is None else Style.of(slot).colour)


def _rows(analysis: Analysis, statistic: str, among: str, best_first: bool = True) -> list[str]:
    """Names of all scores, trainings and the ceiling, by a statistic of the main truth."""
    found = analysis.found
    names = [*(each.name for each in (*found.scored, *found.main.trainings())), CEILING]
    names = [name for name in names if analysis.measured.of(name, found.main, statistic, among) is not None]
    values = {name: analysis.measured.value(name, found.main, statistic, among) for name in names}
    return sorted(names, key=lambda name: (math.isnan(values[name]), -values[name] if best_first else values[name]))


def correlations(analysis: Analysis) -> Grid:
    found, measured = analysis.found, analysis.measured
    several = len(found.seeds) > 1
    mirrored = bool(measured.per_class)
    rows: list[tuple[Cell, ...]] = []
    for name in _rows(analysis, "kendall", "all"):
        cells: list[Cell] = [_label(name, analysis)]
        whole = measured.found[name, found.main.key, "all", "kendall"]
        cells += [number(whole.estimate.value, 3), between(whole.estimate.low, whole.estimate.high, 3)]
        if several:
            known = [value for value in whole.seeds if value == value]
            cells.append(between(min(known), max(known), 3) if len(known) > 1 else "–")
        cells += [number(measured.value(name, found.main, each), 3) for each in ("spearman", "weighted")]
        for among in list(AMONG.values())[1:]:
            measure = measured.of(name, found.main, "kendall", among)
            cells.append("–" if measure is None else estimate(measure.estimate, 2))
        if mirrored:
            cells.append(number(measured.per_class.get((name, found.main.key), math.nan), 3))
        cells.append(f"{whole.used:,}")
        rows.append(tuple(cells))
    head = ["", "τ", f"{LEVEL:.0%} interval", *(("single seeds",) if several else ()), "ρ", "weighted τ"]
    head += [f"τ, {among}" for among in list(AMONG.values())[1:]]
    head += [*(("τ, one a class",) if mirrored else ()), "architectures"]
    note = (
        "ρ is Spearman's, which is Pearson's correlation of the ranks. A dash: fewer than "
        f"{FEWEST} architectures, or nothing to correlate. All numbers with their intervals: correlations.csv."
    )
    return Grid(f"Correlation with {found.main.words}", tuple(head), tuple(rows), note)


def firsts(analysis: Analysis) -> Grid:
    found, measured = analysis.found, analysis.measured
    k = found_k(measured)
    rows: list[tuple[Cell, ...]] = []
    for name in _rows(analysis, "regret", first(k), best_first=False):
        numbers = [measured.found[name, found.main.key, first(k), each].estimate
                   for each in ("regret", "precision", "recall", "best_rank", "ndcg")]  # fmt: skip
        digits = (2, 2, 2, 0, 3)
        rows.append((_label(name, analysis), *(estimate(each, d) for each, d in zip(numbers, digits, strict=True))))
    head = ("", "regret [points]", f"precision @{k}", "recall of the best 1 %", "best rank", f"NDCG @{k}")
    note = f"Expected values over a random order of equal scores, with {LEVEL:.0%} intervals over architectures."
    return Grid(f"The first {k} by score, {found.main.words}", head, tuple(rows), note)


def against_size(analysis: Analysis) -> tuple[Grid, ...]:
    found, sizes = analysis.found, analysis.found.sizes()
    if not sizes:
        return ()
    rows: list[tuple[Cell, ...]] = []
    for each in found.scored:
        part, gain = analysis.partials.get(each.name), analysis.gains.get(each.name)
        rows.append((
            _label(each.name, analysis), *(number(tau(each.values, size.values)) for size in sizes),
            "–" if part is None else estimate(part), "–" if gain is None else estimate(gain),
        ))  # fmt: skip
    head = ("", *(f"τ with {size.name}" for size in sizes), "partial correlation, given both",
            f"τ beyond that of {analysis.yardstick.name}")  # fmt: skip
    note = (
        "Partial: Spearman's correlation with accuracy of what a linear regression on the ranks of parameters and "
        f"FLOPs leaves over ({min(analysis.resamples, ELSEWHERE)} resamples). Differences of τ: paired, architectures "
        "resampled together."
    )
    return (Grid(f"Size, and what is left without it, {found.main.words}", head, tuple(rows), note),)


def costs(analysis: Analysis) -> Grid:
    found = analysis.found
    k = found_k(analysis.measured)
    rows: list[tuple[Cell, ...]] = []
    for each in (*found.scored, *found.main.trainings()):
        value = analysis.worths[each.name]
        equal = f"over {most(found):,}" if math.isinf(value.equal) else number(value.equal, 0)
        rows.append((
            _label(each.name, analysis), _seconds(each.seconds), _seconds(each.own_seconds), f"{each.networks:,}",
            _small(value.trainings), number(value.accuracy), equal,
            f"over {most(found):,}" if math.isinf(value.saved) else number(value.saved, 1),
        ))  # fmt: skip
    head = ("", "seconds an architecture", "of its own", "networks", "pays from [trainings saved]",
            f"best of first {k} [%]", "equals random trainings", "net trainings saved")  # fmt: skip
    full = found.main.seconds.get(found.main.budget, math.nan)
    note = (
        "Seconds as if each were computed alone, and of its own beside the signals that proxies share. Pays from: "
        "scoring all architectures with one seed takes as long as so many full trainings"
    )
    note += f" ({number(full, 0)} s each, as the table has it, on its own hardware)." if full == full else \
        ", which is unknown: the table has no training times."  # fmt: skip
    note += (
        f" Equals: so many random trainings have the same expected best as the first {k}. Net: those, less the {k} "
        "trained and less what the scores cost."
    )
    return Grid("Seconds, and when a score pays for itself", head, tuple(rows), note)


def _seconds(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:.3g}" if value < 1000 else number(value, 0)


def _small(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2g}" if value < 10 else number(value, 0)


def counts(analysis: Analysis) -> Grid:
    found, measured = analysis.found, analysis.measured
    rows: list[tuple[Cell, ...]] = []
    for each in found.scored:
        whole = measured.found[each.name, found.main.key, "all", "kendall"]
        known = each.values[found.first_of_class]
        known = known[known == known]
        alone = len(known) - _distinct(known)
        rows.append((
            _label(each.name, analysis), f"{_distinct(each.values):,}", f"{whole.ties:,}", f"{alone:,}",
            f"{int((each.values != each.values).sum()):,}", f"{_infinite(each):,}", f"{each.failed:,}",
            f"{whole.missing:,}",
        ))  # fmt: skip
    head = ("", "distinct scores", "architectures that tie", "ties between classes", "no score", "infinite",
            "networks failed", "left out")  # fmt: skip
    note = (
        "Isomorphic architectures share a score that is computed once a class, and tie. Ties between classes: how many "
        "scores of one architecture a class repeat another one. Left out: no score, or no truth."
    )
    return Grid("Counted, never dropped", head, tuple(rows), note)


def _distinct(values: Any) -> int:
    return len(set(values[values == values].tolist()))


def _infinite(score: Scored) -> int:
    return int(sum(abs(value) == math.inf for value in score.values.tolist()))
