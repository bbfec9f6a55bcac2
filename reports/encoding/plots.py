"""The figures of encodings: learning curves by head, neighbourhoods, distances, maps, transfer."""

from __future__ import annotations

import numpy as np

from ..blocks import Plot
from ..page import slug
from ..panels import Ladder, Matrix, Panel, Rung
from ..statistics import LEVEL
from ..surrogate.measures import BY_COLUMN, metric_words, unit
from ..surrogate.plots import curve_view
from ..view import Dots, View, padded
from ..words import between, number
from .outcome import GAPS, Outcome

Figures = dict[str, tuple[Panel, ...]]
MEASURES = ("tau", "rho", "precision")
MAPS = {"tsne": "t-SNE", "pca": "PCA"}
OF = {"flops": "FLOPs", "params": "params"}


def names_of(found: Outcome) -> dict[str, str]:
    """A data set as part of a name in the page."""
    return {slug(dataset): dataset for dataset in found.datasets}


def of_words(column: str, metric: str) -> str:
    """What pairs differ in, or what colours a map, in words."""
    kind, _, dataset = column.partition(":")
    return f"{metric_words(metric)} on {dataset}" if dataset else OF[kind]


def learning_curves(found: Outcome) -> tuple[Plot, Figures] | None:
    """Every measure over the number of architectures learned from, a line for each encoding, by head."""
    heads = {head: of for head in found.config["heads"] if (of := found.of_head(head)) is not None and len(of.fits)}
    if not heads or found.predictors is None:
        return None
    names = {slug(dataset): dataset for dataset in found.predictors.datasets}
    views: dict[tuple[str, ...], Panel] = {
        (name, head, column): curve_view(of, dataset, BY_COLUMN[column])
        for name, dataset in names.items() for head, of in heads.items() for column in MEASURES
    }  # fmt: skip
    still = {f"learning-{name}": tuple(views[name, head, "tau"] for head in heads) for name in names}
    choices = {
        "On": tuple(names.items()), "Head": tuple((head, head) for head in heads),
        "Show": tuple((column, BY_COLUMN[column].name) for column in MEASURES),
    }  # fmt: skip
    caption = (
        f"Mean over {found.predictors.config['draws']} draws with its {LEVEL:.0%} interval; every predictor learns "
        "from the same architectures and is judged on the same ones, isomorphic to none that was learned."
    )
    if any(each["noise"] for each in found.predictors.questions.values()):
        caption += " Dashed: how well two seeds of the table agree."
    return Plot("learning", choices, views, tuple(still), caption), dict(still)


def heads_plot(found: Outcome) -> tuple[Plot, Figures] | None:
    """Encodings by heads, one number each: which pairs go together."""
    of = found.predictors
    if of is None:
        return None
    sizes = sorted(of.sizes, key=lambda size: size != of.close)
    names = {slug(dataset): dataset for dataset in of.datasets}
    views: dict[tuple[str, ...], Panel] = {}
    for name, dataset in names.items():
        for size in sizes:
            for column in MEASURES:
                values = np.array([
                    [of.summary(dataset, f"{encoding}+{head}", size, column).mean for head in found.config["heads"]]
                    for encoding in found.encodings
                ])  # fmt: skip
                known = values[~np.isnan(values)]
                ends = (float(known.min()), float(known.max())) if known.size and np.ptp(known) else (0.0, 1.0)
                views[name, str(size), column] = Matrix(
                    f"{dataset}, {BY_COLUMN[column].name} from {size:,}", found.encodings,
                    tuple(found.config["heads"]), values,
                    tuple(tuple(number(value, 3) for value in row) for row in values), ends, diverging=False,
                )  # fmt: skip
    still = {f"heads-{name}": (views[name, str(of.close), "tau"],) for name in names}
    choices = {
        "On": tuple(names.items()), "Learned from": tuple((str(size), f"{size:,}") for size in sizes),
        "Show": tuple((column, BY_COLUMN[column].name) for column in MEASURES),
    }  # fmt: skip
    return Plot("heads", choices, views, tuple(still), "Means over draws; the darker, the better."), dict(still)


def neighbour_plot(found: Outcome) -> tuple[Plot, Figures]:
    """How much neighbours differ from their centre, by kind of neighbour."""
    names = names_of(found)
    views: dict[tuple[str, ...], Panel] = {
        (name, column): _neighbour_ladder(found, dataset, column) for name, dataset in names.items() for column in GAPS
    }
    still = {f"neighbours-{name}": tuple(views[name, column] for column in GAPS) for name in names}
    choices = {
        "On": tuple(names.items()),
        "In": (("gap", unit(found.metric)), ("rank_gap", "percentiles")),
    }
    caption = (
        f"Mean absolute difference in {metric_words(found.metric)} between an architecture and its "
        f"{found.config['neighbours']} nearest (Euclidean distance of rows), with its {LEVEL:.0%} bootstrap interval "
        f"over {len(set(found.neighbours['id'])):,} architectures; the smaller, the smoother. In grey those one change "
        "away in the space itself, and all others: what chance would bring."
    )
    return Plot("neighbours", choices, views, tuple(still), caption), dict(still)


def _neighbour_ladder(found: Outcome, dataset: str, column: str) -> Ladder:
    rungs = []
    for kind in found.kinds:
        each = found.gap(dataset, kind, column)
        slot = found.encodings.index(kind) if kind in found.encodings else None
        rungs.append(Rung(kind, each.mean, each.low, each.high, slot, f"{each.runs:,} architectures"))
    of = "percentiles" if column == "rank_gap" else unit(found.metric)
    return Ladder(f"{dataset}, {GAPS[column]}", f"mean absolute difference [{of}]", tuple(rungs))


def distance_plot(found: Outcome) -> tuple[Plot, Figures]:
    """Spearman's rho of encoding distance with what pairs differ in."""
    columns = sorted(dict.fromkeys(found.correlations["of"]), key=lambda column: column != "flops")
    views: dict[tuple[str, ...], Panel] = {}
    for column in columns:
        rungs = []
        for slot, encoding in enumerate(found.encodings):
            rows = found.correlations
            row = rows[(rows["encoding"] == encoding) & (rows["of"] == column)].iloc[0]
            words = f"{int(row['pairs']):,} pairs"
            rungs.append(Rung(encoding, row["rho"], row["low"], row["high"], slot, words))
        title = f"distance and difference in {of_words(column, found.metric)}"
        views[(slug(column),)] = Ladder(title, "Spearman's ρ", tuple(rungs), at=0.0)
    still = {"distances": tuple(views.values())}
    choices = {"Difference in": tuple((slug(column), of_words(column, found.metric)) for column in columns)}
    caption = (
        "Over independent random pairs of different isomorphism classes, the rank correlation of their distance with "
        f"how much they differ, with its {LEVEL:.0%} interval (Bonett & Wright)."
    )
    return Plot("distances", choices, views, tuple(still), caption), dict(still)


def map_plot(found: Outcome) -> tuple[Plot, Figures]:
    """Architectures in two dimensions, coloured by what they cost and how good they are."""
    archs = found.archs[found.archs["mapped"]].set_index("id")
    colours = [column for column in archs if column.startswith("accuracy:") or column in OF]
    colours.sort(key=lambda column: column in OF)
    views: dict[tuple[str, ...], Panel] = {}
    for encoding in found.encodings:
        rows = found.maps[found.maps["encoding"] == encoding]
        some = archs.loc[rows["id"]]
        words = tuple(_words(found, int(arch), row) for arch, row in some.iterrows())
        for kind, name in MAPS.items():
            x, y = (rows[f"{kind}_{axis}"].to_numpy() for axis in "xy")
            titles = (f"{name} 1", f"{name} 2")
            if kind == "pca":
                shares = (100 * float(rows[f"share_{axis}"].iloc[0]) for axis in "xy")
                titles = tuple(  # type: ignore[assignment]
                    f"{title}, {number(share, 1)} % of the variance"
                    for title, share in zip(titles, shares, strict=True)
                )
            for column in colours:
                million = 1e6 if column in OF else 1.0
                title = of_words(column, found.metric) + (" [million]" if column in OF else " [%]")
                dots = Dots("architectures", x, y, 0, words, shades=percent(some[column].to_numpy() / million),
                            shade_title=title)  # fmt: skip
                low, high = padded(x)
                views[encoding, kind, slug(column)] = View(
                    f"{encoding}, {name}", *titles, high, dots=(dots,), x_start=low, y_range=padded(y)
                )
    first = slug(colours[0])
    still = {
        f"map-{kind}-{slug(column)}": tuple(views[encoding, kind, slug(column)] for encoding in found.encodings)
        for kind in MAPS for column in (colours[0], *(each for each in ("flops",) if each in colours))
    }  # fmt: skip
    choices = {
        "Encoding": tuple((encoding, encoding) for encoding in found.encodings), "Map": tuple(MAPS.items()),
        "Colour": tuple((slug(column), of_words(column, found.metric)) for column in colours),
    }  # fmt: skip
    caption = (
        f"{len(archs):,} architectures, the same for every encoding, one dot each. Colours end at the 5th and 95th "
        "percentile. Between far clusters of t-SNE, distances mean nothing."
    )
    return Plot("map", choices, views, tuple(name for name in still if name.endswith(first)), caption), dict(still)


def percent(values: np.ndarray) -> np.ndarray:
    """Values cut at their 5th and 95th percentile, so that a few do not take all colours."""
    return np.clip(values, *np.nanpercentile(values, (5, 95)))


def _words(found: Outcome, arch: int, row: object) -> str:
    told = []
    for column, value in row.items():  # type: ignore[attr-defined]
        if column.startswith("accuracy:"):
            told.append(f"{column.partition(':')[2]} {number(value)}")
        elif column in OF:
            told.append(f"{OF[column]} {number(value / 1e6)} million")
    return f"architecture {arch}: {', '.join(told)}"


def transfer_plot(found: Outcome) -> tuple[Plot, Figures]:
    """Tau in the other part of the space, learned in the first one and, beside it, in the other one itself."""
    table = found.transfers
    names = {slug(dataset): dataset for dataset in dict.fromkeys(table["dataset"])}
    crossings = tuple(dict.fromkeys(table["crossing"]))
    sizes = sorted(set(table["size"]), key=lambda size: (size != found.config["fit_on"], size))
    heads = [head for head in found.config["heads"] if table["model"].str.endswith(f"+{head}").any()]
    views: dict[tuple[str, ...], Panel] = {}
    for name, dataset in names.items():
        for crossing in crossings:
            for size in sizes:
                for head in heads:
                    views[name, crossing, str(size), head] = _transfer_ladder(found, dataset, crossing, size, head)
    still = {f"transfer-{name}": tuple(views[name, crossing, str(sizes[0]), heads[0]] for crossing in crossings)
             for name in names}  # fmt: skip
    choices = {
        "On": tuple(names.items()), "To more": tuple((crossing, crossing) for crossing in crossings),
        "Learned from": tuple((str(size), f"{size:,}") for size in sizes),
        "Head": tuple((head, head) for head in heads),
    }  # fmt: skip
    caption = (
        f"Kendall's τ-b with its {LEVEL:.0%} bootstrap interval over draws; both rows of an encoding predict the same "
        "architectures. “from inside” learned from others of the part that is predicted, “from outside” from the rest "
        "of the space."
    )
    return Plot("transfer", choices, views, tuple(still), caption), dict(still)


def _transfer_ladder(found: Outcome, dataset: str, crossing: str, size: int, head: str) -> Ladder:
    table = found.transfers
    rungs = []
    for slot, encoding in enumerate(found.encodings):
        rows = table[(table["dataset"] == dataset) & (table["crossing"] == crossing) & (table["size"] == size)
                     & (table["model"] == f"{encoding}+{head}")]  # fmt: skip
        for side, words in (("source", "from outside"), ("target", "from inside")):
            for row in rows[rows["learned"] == side].itertuples():
                told = f"{row.draws} draws"
                if side == "source":
                    told += f"; lost {number(row.lost, 3)} ({between(row.lost_low, row.lost_high, 3)})"
                rungs.append(Rung(f"{encoding}, {words}", row.tau, row.low, row.high, slot, told))
    return Ladder(f"{dataset}, to more {crossing}, {head} from {size:,}", "Kendall's τ-b", tuple(rungs))
