"""The figures of the correlation report: rows with intervals, scatter plots, heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy.stats import rankdata

from ..blocks import Plot
from ..panels import Ladder, Matrix, Panel, Rung
from ..statistics import LEVEL, Floats
from ..view import Dots, View
from ..words import between, number
from .biases import BANDS, between_scores, within_bands
from .evidence import METRICS, Evidence, Scored, Truth
from .measures import AMONG, CEILING, CORRELATIONS, Measures, first

Figures = dict[str, tuple[Panel, ...]]
WORDS = {
    "kendall": ("Kendall's τ", "Kendall's tau-b"),
    "spearman": ("Spearman's ρ", "Spearman's rho (Pearson's correlation of the ranks)"),
    "weighted": ("weighted τ", "Vigna's weighted tau"),
    "precision": ("precision", "share of the first k that are truly among the first k"),
    "recall": ("recall", "share of the best 1 % that are among the first k"),
    "best_rank": ("best rank", "true rank of the best of the first k"),
    "regret": ("regret", "accuracy lost by training only the first k [points]"),
    "ndcg": ("NDCG", "normalised discounted cumulative gain of the first k"),
}
SMALLER_IS_BETTER = ("best_rank", "regret")
ON_PAPER = 9  # scatter plots, of the proxies with the largest tau


def rungs(found: Evidence, measured: Measures, truth: Truth, among: str, statistic: str) -> tuple[Rung, ...]:
    """One row a score, baseline, cheap training and ceiling, the best first; those without a number last."""
    slots = slots_of(found.scored)
    rows = []
    for name in [*(each.name for each in (*found.scored, *truth.trainings())), CEILING]:
        measure = measured.of(name, truth, statistic, among)
        if measure is None:
            continue
        known = [value for value in measure.seeds if value == value]
        words = f"{measure.used:,} architectures"
        if len(known) > 1:
            words += f"; {len(known)} single seeds: {between(min(known), max(known), 3)}"
        estimate = measure.estimate
        rows.append(Rung(name, estimate.value, estimate.low, estimate.high, slots.get(name), words))
    sign = 1 if statistic in SMALLER_IS_BETTER else -1
    return tuple(sorted(rows, key=lambda rung: (np.isnan(rung.value), sign * rung.value)))


def slots_of(scored: Sequence[Scored]) -> dict[str, int]:
    """A colour for each proxy; references have none."""
    return {each.name: slot for slot, each in enumerate(each for each in scored if not each.reference)}


def agreement_plot(found: Evidence, measured: Measures) -> tuple[Plot, Figures]:
    """Correlations with accuracy: by truth, statistic, and among which architectures."""
    truths, shares = _truths(found), tuple((among, among) for among in AMONG.values())
    views: dict[tuple[str, ...], Panel] = {}
    for truth, statistic, among in product(found.truths, CORRELATIONS, AMONG.values()):
        title = f"{WORDS[statistic][0]}, {among}"
        rows = rungs(found, measured, truth, among, statistic)
        views[truth.key, statistic, among] = Ladder(title, WORDS[statistic][1], rows, at=0.0)
    caption = (
        f"Correlation of each score with accuracy, {LEVEL:.0%} intervals over architectures. Grey: baselines, shorter "
        "trainings, and how well two full trainings of the table agree (the noise ceiling). “Top” is by accuracy."
    )
    correlations = tuple((name, WORDS[name][0]) for name in CORRELATIONS)
    plot = Plot(
        "agreement", {"Truth": truths, "Correlation": correlations, "Among": shares}, views, ("agreement",), caption
    )
    return plot, {"agreement": tuple(views[found.main.key, "kendall", among] for among in AMONG.values())}


def top_plot(found: Evidence, measured: Measures) -> tuple[Plot, Figures]:
    """What the first k by score are worth: by truth, number and k."""
    shown = sorted(measured.ks, key=lambda k: k != found_k(measured))
    ks = tuple((first(k), f"first {k:,}") for k in shown)
    statistics = [name for name in WORDS if name not in CORRELATIONS]
    views: dict[tuple[str, ...], Panel] = {}
    for truth, statistic, k in product(found.truths, statistics, measured.ks):
        short, long = WORDS[statistic]
        rows = rungs(found, measured, truth, first(k), statistic)
        views[truth.key, statistic, first(k)] = Ladder(
            f"{short[0].upper()}{short[1:]}, k = {k}", long, rows, log=statistic == "best_rank"
        )
    choices = {"Truth": _truths(found), "Number": tuple((name, WORDS[name][0]) for name in statistics), "k": ks}
    caption = (
        f"Expected values over a random order of equal scores, {LEVEL:.0%} intervals over architectures, the best "
        "first. Regret and best rank: smaller is better."
    )
    k = found_k(measured)
    drawn = tuple(views[found.main.key, name, first(k)] for name in ("precision", "regret", "ndcg"))
    return Plot("first", choices, views, ("first",), caption), {"first": drawn}


def found_k(measured: Measures) -> int:
    """The number of trainings that tables are about."""
    return 10 if 10 in measured.ks else measured.ks[-1]


def scatter_plot(found: Evidence, measured: Measures) -> tuple[Plot, Figures]:
    """Accuracy over each score, or over its rank; hovering names the architecture."""
    words = tuple(f"{arch}: {text}" if text else str(arch) for arch, text in zip(found.ids, found.texts, strict=True))
    slots = slots_of(found.scored)
    views: dict[tuple[str, ...], Panel] = {}
    for each in found.scored:
        finite = np.where(np.isfinite(each.values), each.values, np.nan)
        ranks = rankdata(each.values, nan_policy="omit")
        shown = {"score": (finite, "score"), "rank": (100 * ranks / max(1, int((ranks == ranks).sum())),
                                                      "rank of the score [%]")}  # fmt: skip
        for truth, (axis, (x, x_title)) in product(found.truths, shown.items()):
            dots = Dots("architectures", x, truth.values, slots.get(each.name), words, size=3.5)
            tau = number(measured.value(each.name, truth, "kendall"), 3)
            y_title = f"{METRICS[truth.metric]} [%]"
            views[each.name, truth.key, axis] = View.around(f"{each.name}, τ {tau}", x_title, y_title, dots=(dots,))
    proxies = tuple((each.name, each.name) for each in found.scored)
    choices = {"Score": proxies, "Truth": _truths(found), "Axis": (("score", "score"), ("rank", "its rank"))}
    caption = (
        f"One dot an architecture, {len(found.ids):,} in all; infinite scores are not drawn. Where a browser has no "
        "graphics card, every n-th of many dots is shown."
    )
    best = sorted(
        (each for each in found.scored if not each.reference),
        key=lambda each: -np.nan_to_num(measured.value(each.name, found.main, "kendall"), nan=-2.0),
    )
    axis = "score"
    drawn = tuple(views[each.name, found.main.key, axis] for each in (best or found.scored)[:ON_PAPER])
    return Plot("scatter", choices, views, ("scatter",), caption), {"scatter": drawn}


def band_plot(found: Evidence) -> tuple[Plot, Figures] | None:
    """Tau inside tenths of FLOPs and of parameters; None where the space has no formula."""
    views: dict[tuple[str, ...], Panel] = {}
    sizes = found.sizes()
    if not sizes:
        return None
    for size, truth in product(sizes, found.firsts.values()):
        taus, edges = within_bands(found, truth, size)
        columns = tuple(f"≤ {edge:.3g}" if edge == edge else "–" for edge in edges)
        views[size.name, truth.key] = Matrix(
            f"τ within tenths of {size.name}", tuple(each.name for each in found.scored), columns, taus, _texts(taus),
            (-1.0, 1.0), scale_title="τ", x_title=size.name,
        )  # fmt: skip
    by = tuple((each.name, f"tenths by {each.name}") for each in reversed(sizes))
    truths = tuple((truth.key, truth.words) for truth in found.firsts.values())
    caption = (
        f"Kendall's τ with accuracy among the architectures of each of {BANDS} equal parts by size: a score that only "
        "measures size orders nothing within them."
    )
    plot = Plot("bands", {"By": by, "Truth": truths}, {key: views[key] for key in product(*(
        [value for value, _ in values] for values in (by, truths)))}, ("bands",), caption)  # fmt: skip
    return plot, {"bands": (views[by[0][0], found.main.key],)}


def matrix_plot(found: Evidence) -> tuple[Plot, Figures]:
    """Tau between every two scores."""
    taus = between_scores(found.scored)
    names = tuple(each.name for each in found.scored)
    panel = Matrix("τ between scores", names, names, taus, _texts(taus), (-1.0, 1.0), scale_title="τ")
    caption = (
        "Kendall's τ of every two scores on the architectures that both score. Rows of params and flops: the bias."
    )
    return Plot("between", {"Show": (("all", "all"),)}, {("all",): panel}, ("between",), caption), {"between": (panel,)}


def _texts(values: Floats) -> tuple[tuple[str, ...], ...]:
    """Correlations for narrow cells: ".52", "−.1"."""
    return tuple(tuple("" if np.isnan(value) else number(value).replace("0.", ".") for value in row) for row in values)


def _truths(found: Evidence) -> tuple[tuple[str, str], ...]:
    """The truths as the values of a switch, the main one first."""
    ordered = sorted(found.truths, key=lambda truth: truth is not found.main)
    return tuple((truth.key, truth.words) for truth in ordered)
