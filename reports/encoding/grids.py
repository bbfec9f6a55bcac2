"""The tables of encodings: predictors from the close size, neighbours, learning outside."""

from __future__ import annotations

from ...searchers.runner.encoding_parts import PLAIN
from ..blocks import Block, Cell, Grid, Label
from ..statistics import LEVEL
from ..surrogate.measures import unit
from ..view import Style
from ..words import between, number, p_value, signed
from .outcome import Outcome


def predictor_grids(found: Outcome) -> list[Block]:
    """From the close size, for every head: each encoding against the first."""
    if found.predictors is None:
        return []
    blocks: list[Block] = []
    for dataset in found.predictors.datasets:
        rows = []
        for head in found.config["heads"]:
            of = found.of_head(head)
            if of is None or not len(of.fits):
                continue
            for slot, encoding in enumerate(found.encodings):
                name = f"{encoding}+{head}"
                tau, rho, first = (
                    of.summary(dataset, name, of.close, column) for column in ("tau", "rho", "precision")
                )
                row = of.difference(dataset, name, of.close, "tau")
                against = ("", "", "") if row is None else (
                    signed(row["mean"]), between(row["low"], row["high"], 3), p_value(row["p_holm"]))  # fmt: skip
                rows.append((Label(name, Style.of(slot).colour), number(tau.mean, 3), between(tau.low, tau.high, 3),
                             *against, number(rho.mean, 3), number(first.mean, 3)))  # fmt: skip
        blocks.append(Grid(
            f"{dataset}: from {found.predictors.close:,} architectures",
            ("", "τ", f"{LEVEL:.0%} interval", f"τ minus {found.encodings[0]}'s", f"{LEVEL:.0%} interval", "p",
             "Spearman's ρ", "P@10"), tuple(rows),
            "p: signed-rank test over draws against the first encoding with the same head, Holm-adjusted.",
        ))  # fmt: skip
    return blocks


def neighbour_grid(found: Outcome, dataset: str) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for kind in found.kinds:
        gap, rank = found.gap(dataset, kind, "gap"), found.gap(dataset, kind, "rank_gap")
        against = [found.smoother(dataset, kind, other, "gap") for other in reversed(PLAIN)]
        slot = found.encodings.index(kind) if kind in found.encodings else None
        rows.append((
            Label(kind, None if slot is None else Style.of(slot).colour), number(gap.mean), between(gap.low, gap.high),
            *("" if kind == other else f"{signed(mean, 2)} ({between(low, high)})"
              for other, (mean, low, high) in zip(reversed(PLAIN), against, strict=True)),
            number(rank.mean, 1), f"{gap.runs:,}",
        ))  # fmt: skip
    return Grid(
        f"{dataset}: how much neighbours differ",
        ("neighbours", f"difference [{unit(found.metric)}]", f"{LEVEL:.0%} interval",
         *(f"minus that of {other}" for other in reversed(PLAIN)), "in percentiles", "architectures"), tuple(rows),
        "Differences between kinds of neighbours are taken architecture by architecture. Architectures without a "
        "measured neighbour are left out.",
    )  # fmt: skip


def transfer_grid(found: Outcome) -> Grid:
    table = found.transfers
    rows = []
    for row in table[(table["learned"] == "source") & (table["size"] == found.config["fit_on"])].itertuples():
        encoding = str(row.model).rpartition("+")[0]
        rows.append((
            Label(str(row.model), Style.of(found.encodings.index(encoding)).colour), f"{row.dataset}, {row.crossing}",
            number(row.tau, 3), between(row.low, row.high, 3),
            "" if encoding == found.encodings[0] else signed(row.against), p_value(row.p_holm),
            number(row.lost, 3), between(row.lost_low, row.lost_high, 3),
        ))  # fmt: skip
    return Grid(
        f"Learned from {found.config['fit_on']:,} outside",
        ("", "to more", "τ", f"{LEVEL:.0%} interval", f"minus {found.encodings[0]}'s", "p", "lost by crossing",
         f"{LEVEL:.0%} interval"), tuple(rows),
        "Lost by crossing: τ of the same predictor from as many architectures inside, minus τ from outside, draw by "
        "draw. p: signed-rank test over draws, Holm-adjusted over encodings.",
    )  # fmt: skip
