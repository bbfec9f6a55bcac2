"""The page on encodings of architectures."""

from __future__ import annotations

import json
import shlex
from typing import Any

from ...bench.spaces import Space
from ...searchers.runner.encoding_parts import PLAIN
from ...searchers.runner.encoding_study import PREDICTORS, SEARCHES
from ...searchers.runner.run import Run
from ..blocks import Alarm, Block, Facts, Findings, Listing, Pictures, Plot, Points, Section, Text
from ..comparison import comparison
from ..panels import Panel
from ..pictures import drawable, picture
from ..report import Report
from ..statistics import LEVEL, RESAMPLES, SEED
from ..surrogate.measures import metric_words, unit
from ..words import between, counted, joined, number, p_value, signed
from .grids import neighbour_grid, predictor_grids, transfer_grid
from .outcome import Outcome, outcome
from .plots import distance_plot, heads_plot, learning_curves, map_plot, neighbour_plot, transfer_plot

DRAWN = 3  # neighbours of one architecture; nearest.csv has more
CURVES = ("plot-", "ranks", "final-regret")
"""Pictures of the comparison's page that this one shows, too."""


def encoding(run: Run) -> Report:
    """The report on a run of kind "encodings"; the same folder gives the same bytes.

    Raises:
        BadFile: run.json or a part is damaged.
        MissingFile: the run is not finished.
    """
    found = outcome(run)
    figures: dict[str, tuple[Panel, ...]] = {}

    def drawn(made: tuple[Plot, dict[str, tuple[Panel, ...]]] | None) -> tuple[Block, ...]:
        if made is None:
            return ()
        figures.update(made[1])
        return (made[0],)

    predicted = (*drawn(learning_curves(found)), *drawn(heads_plot(found)), *predictor_grids(found))
    smooth = (*drawn(neighbour_plot(found)), *(neighbour_grid(found, dataset) for dataset in found.datasets))
    distant = drawn(distance_plot(found))
    mapped = drawn(map_plot(found))
    moved = (*drawn(transfer_plot(found)), transfer_grid(found)) if len(found.transfers) else ()
    searched = _searched(found, figures)
    space = drawable(found.config["benchmark"])
    cells = () if space is None else _cells(found, space)
    sections = (
        Section("", (*_alarms(found), _findings(found), _facts(found))),
        Section("How many architectures a predictor takes", predicted),
        Section("Whether neighbours are alike", smooth),
        Section("Nearest neighbours, drawn", cells),
        Section("Maps", mapped),
        Section("What distances follow", distant),
        Section("From one part of the space to another", moved),
        Section("Searching with each encoding", searched),
        Section("How to read this", (Points(_reading(found)),)),
        Section("What this rests on", (Facts(_provenance(found)),)),
        Section("Do it again", _again(found)),
    )
    tables = {
        "neighbours": found.neighbours, "nearest": found.nearest, "distances": found.correlations, "map": found.maps,
        "architectures": found.archs, "transfer": found.transfers,
    }  # fmt: skip
    if found.predictors is not None:
        tables["curves"] = found.predictors.curve
    return Report(
        title=f"Encodings of {found.config['benchmark']['name']}",
        lead=f"{joined(found.encodings)}, with {joined(found.config['heads'])}; {metric_words(found.metric)} on "
        f"{joined(found.datasets)}",
        sections=sections,
        figures=figures,
        tables=tables,
    )


def _alarms(found: Outcome) -> list[Alarm]:
    alarms = []
    missing = None if found.predictors is None else found.predictors.missing
    if missing is None or missing:
        many = "All fits" if missing is None else counted(missing, "fit")
        alarms.append(Alarm(f"Incomplete: {many.lower()} of predictors missing",
                            ("The same command completes the run.",)))  # fmt: skip
    if found.predictors is not None and len(found.predictors.failures):
        first = found.predictors.failures.iloc[0]
        line = f"{first['model']} on {first['dataset']}, {first['size']} architectures: {first['error']}"
        alarms.append(Alarm(f"{counted(len(found.predictors.failures), 'fit')} broke off with an error", (line,)))
    return alarms


def _findings(found: Outcome) -> Findings:
    items = []
    for dataset in found.datasets:
        items += [_best_predictor(found, dataset)] if found.predictors is not None else []
        items.append(_smoothest(found, dataset))
    flops = found.correlations[found.correlations["of"] == "flops"].dropna(subset="rho")
    if len(flops):
        row = flops.sort_values("rho").iloc[-1]
        rest = (
            f"{each.encoding} {number(each.rho, 3)}" for each in flops.itertuples() if each.encoding != row["encoding"]
        )
        items.append((
            f"Distances of {row['encoding']} follow FLOPs most, with ρ {number(row['rho'], 3)}",
            f"{LEVEL:.0%} interval {between(row['low'], row['high'], 3)}; {joined(rest) or 'no other encoding'}.",
        ))  # fmt: skip
    return Findings(tuple(items))


def _best_predictor(found: Outcome, dataset: str) -> tuple[str, str]:
    of = found.predictors
    assert of is not None
    means = {name: of.summary(dataset, name, of.close, "tau") for name in of.models}
    best = max(means, key=lambda name: (means[name].mean == means[name].mean, means[name].mean))
    encoding, _, head = best.rpartition("+")
    told = [f"{LEVEL:.0%} interval {between(means[best].low, means[best].high, 3)} over {means[best].runs} draws"]
    mine = found.of_head(head)
    row = None if mine is None else mine.difference(dataset, best, of.close, "tau")
    if row is not None:
        ends = between(row["low"], row["high"], 3)
        told.append(
            f"{signed(row['mean'])} against {found.encodings[0]} with the same head ({ends}, adjusted p "
            f"{p_value(row['p_holm'])})"
        )
    first = {name: of.summary(dataset, name, of.sizes[0], "tau").mean for name in of.models}
    early = max(first, key=lambda name: (first[name] == first[name], first[name]))
    told.append(f"from {of.sizes[0]:,} the best is {early} with τ {number(first[early], 3)}")
    return (
        f"{dataset}: from {of.close:,} architectures, {encoding} with {head} ranks the others best, with τ "
        f"{number(means[best].mean, 3)}",
        "; ".join(told) + ".",
    )


def _smoothest(found: Outcome, dataset: str) -> tuple[str, str]:
    gaps = {kind: found.gap(dataset, kind, "gap") for kind in found.kinds}
    best = min(found.encodings, key=lambda name: gaps[name].mean)
    told = [f"{LEVEL:.0%} interval {between(gaps[best].low, gaps[best].high)}"]
    for kind in reversed(PLAIN):
        mean, low, high = found.smoother(dataset, best, kind, "gap")
        told.append(f"{kind}: {number(gaps[kind].mean)} (difference {signed(mean, 2)}, {between(low, high)})")
    return (
        f"{dataset}: neighbours are most alike in {best}, {number(gaps[best].mean)} {unit(found.metric)} apart",
        "; ".join(told) + ".",
    )


def _facts(found: Outcome) -> Facts:
    benchmark, config = found.config["benchmark"], found.config
    return Facts((
        ("Benchmark", (str(benchmark["title"]),)),
        ("Space", (f"{benchmark['space']}: {benchmark['architectures']:,} architectures, {benchmark['classes']:,} up "
                   "to isomorphism",)),
        ("Values", ("; ".join(f"{metric_words(each['metric'])} on {each['dataset']} after {each['budget']} epochs"
                              for each in config["questions"]),)),
        ("Neighbours", (f"the {config['neighbours']} nearest of {counted(len(found.archs), 'architecture')}, one of "
                        "each isomorphism class",)),
        ("Draws", (f"{config['draws']} of each size; base seed {config['base_seed']}",)),
    ), compact=True)  # fmt: skip


def _cells(found: Outcome, space: Space) -> tuple[Block, ...]:
    archs = found.archs.set_index("id")
    dataset = found.datasets[0]
    percent = " %" if found.metric.endswith("_accuracy") else ""

    def reached(arch: int) -> str:
        return f"{number(float(archs.loc[arch, f'accuracy:{dataset}']))}{percent}"

    blocks = []
    for asked in dict.fromkeys(found.nearest["asked"]):
        for encoding in found.encodings:
            rows = found.nearest[(found.nearest["asked"] == asked) & (found.nearest["encoding"] == encoding)]
            if not len(rows):
                continue
            centre = int(rows["centre"].iloc[0])
            items = [picture(space, centre, reached(centre), f"the {asked} of those looked at")]
            items += [
                picture(space, int(row.id), reached(int(row.id)), f"distance {number(row.distance, 3)}")
                for row in rows.sort_values("place").head(DRAWN).itertuples()
            ]
            blocks.append(Pictures(f"{encoding}: nearest to the {asked} architecture on {dataset}", tuple(items)))
    note = "Pale parts of a cell lie on no way from its input to its output. Ties are drawn in the order of ids."
    return (*blocks, Text((note,))) if blocks else ()


def _searched(found: Outcome, figures: dict[str, tuple[Panel, ...]]) -> tuple[Block, ...]:
    if found.searches is None:
        name = found.config["benchmark"]["name"]
        text = f"nasgauge encodings {name} ... --searcher dngo --searcher predicted-evolution --searcher nearest"
        return (Text(("No searches were asked for. With a searcher, every encoding searches, too:",)),
                Listing("Command", text))  # fmt: skip
    made = comparison(found.searches)
    blocks: list[Block] = [Text((
        f"{made.lead}. The whole page on these searches: nasgauge report {found.searches.folder}",
    ))]  # fmt: skip
    for section in made.sections:
        for block in section.blocks:
            if isinstance(block, Plot) and block.name.startswith(CURVES):
                blocks += [Text((f"On {section.title}:",))] if block.name.startswith("plot-") else []
                blocks.append(block)
                figures.update({name: made.figures[name] for name in block.still})
    return tuple(blocks)


def _reading(found: Outcome) -> tuple[str, ...]:
    return (
        "Nothing here was trained: all values come from the table.",
        "A predictor is an encoding and a head. Heads learn from rows that are standardised by what they learn from; "
        "the page of the folder's own surrogate run has every measure of every predictor.",
        "Distances are Euclidean, of rows as the encoding answers them, as searchers on encodings take them.",
        "Neighbourhoods, pairs and maps take one architecture of each isomorphism class, so that encodings that tell "
        "twins apart and those that do not are asked the same. Nearest neighbours that tie for the last places share "
        "them.",
        "Where the pool is a part of the space, nearest neighbours are the nearest within the pool, while those one "
        "edit away are looked up in the whole table.",
        f"{LEVEL:.0%} intervals are bootstrap intervals of the mean (BCa, {RESAMPLES:,} resamples, seed {SEED}) over "
        "draws, or over architectures: all of them are about this table.",
        "CATE and arch2vec come trained on cells of these spaces, without accuracies; what they know about a space is "
        "not counted as architectures learned from.",
    )


def _provenance(found: Outcome) -> tuple[tuple[str, tuple[str, ...]], ...]:
    config = found.config
    benchmark = config["benchmark"]
    sums = (f"{name}: sha256 {value}" for name, value in benchmark["table_sha256"].items())
    return (
        ("Table", (f"{benchmark['title']} ({benchmark['licence']})", *sums)),
        ("Software", (", ".join(f"{name} {version}" for name, version in config["versions"].items()),
                      f"commit {config['git'] or 'unknown'}")),
        ("Host", (", ".join(f"{name} {value}" for name, value in config["host"].items()),
                  f"first started {config['started']}")),
        ("Further pages", tuple(f"nasgauge report {found.run.folder / name}" for name, there in (
            (PREDICTORS, found.predictors), (SEARCHES, found.searches)) if there is not None) or ("none",)),
    )  # fmt: skip


def _again(found: Outcome) -> tuple[Block, ...]:
    text = json.dumps(found.config, indent=1, sort_keys=True, ensure_ascii=False)
    return (Listing("Command", command(found.config)), Listing("run.json", text, folded=True))


def command(config: dict[str, Any]) -> str:
    """The command that does the same once more."""
    parts = ["nasgauge", "encodings", config["benchmark"]["name"]]
    for flag, values in (("--encoding", config["encodings"]), ("--head", config["heads"]),
                         ("--dataset", [str(each["dataset"]) for each in config["questions"]]),
                         ("--searcher", config["searchers"])):  # fmt: skip
        parts += [text for value in values for text in (flag, value)]
    parts += ["--metric", config["questions"][0]["metric"], "--sizes", ",".join(map(str, config["sizes"]))]
    budgets = {each["budget"] for each in config["questions"]}
    if len(budgets) == 1 and None not in budgets:
        parts += ["--budget", str(budgets.pop())]
    for name in ("fit_on", "draws", "held", "pool", "centres", "neighbours", "pairs", "mapped", "base_seed"):
        parts += [f"--{name.replace('_', '-')}", str(config[name])]
    if config["searchers"]:
        parts += ["--queries", str(config["queries"]), "--seeds", str(config["seeds"])]
    return shlex.join(parts)
