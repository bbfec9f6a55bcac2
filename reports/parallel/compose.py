"""The page on a sweep over trainers."""

from __future__ import annotations

import json
import math

import numpy as np

from ...searchers.runner.run import Run
from ...searchers.runner.sweep import comparisons
from ..blocks import Alarm, Block, Cell, Facts, Findings, Grid, Label, Listing, Plot, Points, Section
from ..comparison import sentences
from ..panels import Panel
from ..report import Report
from ..statistics import RESAMPLES, SEED
from ..view import Style
from ..words import between, counted, joined, number, p_value, signed
from .fleet import Fleet, Setting, fleet
from .numbers import MEASURES, Numbers
from .plots import MODES, batches_plot, curves_plot, pairs_plot, trainers_plot

FEWEST_SEEDS = 10


def parallel(run: Run) -> Report:
    """The report on a run of kind "parallel"; the same folder gives the same bytes.

    Raises:
        BadFile: run.json or a part is damaged.
        MissingFile: no repetition is finished yet.
    """
    found = fleet(run)
    numbers = Numbers(found)
    figures: dict[str, tuple[Panel, ...]] = {}

    def drawn(made: tuple[Plot, dict[str, tuple[Panel, ...]]] | None) -> tuple[Block, ...]:
        if made is None:
            return ()
        figures.update(made[1])
        return (made[0],)

    settings = sorted(found.runs)
    name = found.asked.benchmark.name
    sections = (
        Section("", (*_alarms(found), _findings(numbers), _facts(found))),
        Section("What more trainers bring", (*drawn(trainers_plot(numbers)), *_tables(numbers))),
        Section("Regret over time", drawn(curves_plot(numbers))),
        Section("What batches are made of", drawn(batches_plot(numbers))),
        Section("To wait or not to wait", _waiting(numbers)),
        Section(f"{found.labels[0]} against the others", drawn(pairs_plot(numbers))),
        Section("How to read this", (Points(_reading(found)),)),
        Section("Do it again", _again(run)),
    )
    tables = {"trainers": numbers.rows, "modes": numbers.modes, "pairs": numbers.pairs}
    return Report(
        title=f"{joined(found.labels)} with {joined(dict.fromkeys(str(each.workers) for each in settings))} trainers",
        lead=f"{name}, {joined(found.datasets)}; {sentences.budget(found.asked)}; "
        f"{counted(found.asked.seeds, 'repetition')}",
        sections=sections,
        figures=figures,
        tables=tables,
    )


def _alarms(found: Fleet) -> list[Alarm]:
    alarms = []
    if found.missing:
        lines = ["Numbers below are of those that are there; the same command completes the sweep."]
        if found.failed:
            lines.append(f"{found.failed} of them broke off with an error.")
        alarms.append(Alarm(f"Incomplete: {counted(found.missing, 'repetition')} missing", tuple(lines)))
    if found.asked.seeds < FEWEST_SEEDS:
        line = "Intervals of so few numbers are too narrow as often as not."
        alarms.append(Alarm(f"Only {counted(found.asked.seeds, 'repetition')}", (line,)))
    return alarms


def _findings(numbers: Numbers) -> Findings:
    items = []
    found = numbers.fleet
    for dataset in found.datasets:
        for mode in found.modes:
            last = found.settings(mode)[-1]
            if last.workers > found.first.workers:
                items += [_time(numbers, dataset, last), _queries(numbers, dataset, last)]
        items += _choice(numbers, dataset)
    return Findings(tuple(item for item in items if item is not None))


def _time(numbers: Numbers, dataset: str, last: Setting) -> tuple[str, str] | None:
    """Who gains most from the most trainers in the same time."""
    ends = {label: numbers.summary(last, dataset, label, "seconds") for label in numbers.fleet.labels}
    known = {label: end for label, end in ends.items() if not math.isnan(end[0])}
    if not known:
        return None
    best = min(known, key=lambda label: known[label][0])
    others = []
    for label in known:
        before = numbers.summary(numbers.fleet.first, dataset, label, "seconds")[0]
        sooner, low, high = numbers.summary(last, dataset, label, "sooner")
        times = "" if math.isnan(sooner) else f", {number(sooner, 1)} times sooner as good"
        times += "" if math.isnan(low) else f" ({between(low, high, 1)})"
        others.append(f"{label} {number(known[label][0], 3)} instead of {number(before, 3)}{times}")
    head = f"{dataset}: in the same time {last} leave {best} with {number(known[best][0], 3)} points"
    return head, f"After {numbers.fleet.seconds[dataset]:,.4g} s: {'; '.join(others)}."


def _queries(numbers: Numbers, dataset: str, last: Setting) -> tuple[str, str] | None:
    """What it costs to know less: regret at equal queries, against the fewest trainers."""
    parts = []
    for label in numbers.fleet.labels:
        mine = numbers.values(last, dataset, label, "queries")
        theirs = numbers.values(numbers.fleet.first, dataset, label, "queries")
        difference = mine - theirs
        difference = difference[~np.isnan(difference)]
        if difference.size:
            idle = numbers.summary(last, dataset, label, "idle")[0]
            parts.append(f"{label} {signed(float(difference.mean()))} points, {number(idle, 0)} % without work")
    if not parts:
        return None
    head = f"{dataset}: what {last} cost at equal queries"
    return head, f"After {numbers.fleet.queries[dataset]:,} queries, against {numbers.fleet.first}: {'; '.join(parts)}."


def _choice(numbers: Numbers, dataset: str) -> list[tuple[str, str]]:
    """Differences between searchers at equal time that are more than luck, at the most trainers."""
    found, table = numbers.fleet, numbers.pairs
    if not len(table):
        return []
    items = []
    for mode in found.modes:
        last = found.settings(mode)[-1]
        rows = table[(table["dataset"] == dataset) & (table["workers"] == last.workers) & (table["mode"] == last.mode)
                     & (table["measure"] == "seconds")]  # fmt: skip
        told = rows[rows["verdict"] != 0]
        better = [
            f"{row['searcher'] if row['mean'] < 0 else row['reference']} before "
            f"{row['reference'] if row['mean'] < 0 else row['searcher']} by {number(abs(row['mean']), 3)} points "
            f"(adjusted p {p_value(row['p_holm'])})"
            for _, row in told.iterrows()
        ]
        head = f"{dataset}: of {len(rows)} pairs of searchers, {len(told)} are told apart with {last}"
        items.append((head, f"{'; '.join(better)}." if better else "At equal time, signed-rank test, Holm-adjusted."))
    return items


def _facts(found: Fleet) -> Facts:
    benchmark, asked = found.asked.benchmark, found.asked
    batch = "as large as there are trainers" if found.config.get("batch_of_trainers") else "as the searchers have them"
    rows = (
        ("Benchmark", (benchmark.title,)),
        ("Budget", (sentences.budget(asked),)),
        ("Trainers", (joined(str(each) for each in sorted(found.runs)),)),
        ("Batches", (batch,)),
        ("Repetitions", (f"{asked.seeds}, base seed {asked.base_seed}",)),
        ("Compared at", tuple(f"{dataset}: {found.queries[dataset]:,} queries, {found.seconds[dataset]:,.4g} s"
                              for dataset in found.datasets)),
    )  # fmt: skip
    return Facts(rows, compact=True)


def _tables(numbers: Numbers) -> tuple[Block, ...]:
    """One table a data set and mode: every measure of every searcher and number of trainers."""
    made = []
    found = numbers.fleet
    for dataset in found.datasets:
        for mode in found.modes:
            rows: list[tuple[Cell, ...]] = []
            for slot, label in enumerate(found.labels):
                for setting in found.settings(mode):
                    cells: list[Cell] = [Label(label, Style.of(slot).colour), str(setting.workers)]
                    for measure in numbers.measures:
                        mean, low, high = numbers.summary(setting, dataset, label, measure)
                        digits = MEASURES[measure].digits
                        text = number(mean, digits)
                        if measure in ("queries", "seconds") and not math.isnan(low):
                            text += f" ({between(low, high, digits)})"
                        cells.append(text)
                    rows.append(tuple(cells))
            head = ("", "trainers", *(MEASURES[measure].words for measure in numbers.measures))
            note = (
                f"Regret [points] after {found.queries[dataset]:,} queries and after {found.seconds[dataset]:,.4g} s, "
                f"with 95 % intervals; speed-ups against {found.first}; trainers.csv has every interval."
            )
            made.append(Grid(f"{dataset}, {MODES.get(mode, mode)}", head, tuple(rows), note))
    return tuple(made)


def _waiting(numbers: Numbers) -> tuple[Block, ...]:
    """Both modes side by side; nothing where there is only one."""
    table = numbers.modes
    made = []
    for dataset in numbers.fleet.datasets if len(table) else ():
        rows: list[tuple[Cell, ...]] = []
        mine = table[(table["dataset"] == dataset) & (table["measure"] == "seconds")]
        for _, row in mine.iterrows():
            label, count = str(row["searcher"]), int(row["workers"])
            idle = (numbers.summary(Setting(count, mode), dataset, label, "idle")[0] for mode in ("async", "sync"))
            colour = Style.of(numbers.fleet.labels.index(label)).colour
            rows.append((
                Label(label, colour), str(count), *(number(each, 1) for each in idle), signed(row["mean"]),
                between(row["low"], row["high"], 3), p_value(row["p_holm"]),
            ))  # fmt: skip
        head = ("", "trainers", "without work, nobody waits [%]", "all wait [%]", "regret, nobody waits − all wait",
                "95 % interval", "p")  # fmt: skip
        note = "Regret at equal time, seed by seed; p of the signed-rank test, Holm-adjusted over all rows."
        made.append(Grid(f"{dataset}: without and with a barrier", head, tuple(rows), note))
    return tuple(made)


def _reading(found: Fleet) -> tuple[str, ...]:
    return (
        "Trainers are simulated: each training takes the seconds that the table states for it, the clock is that of "
        "the trainers, and what searchers think takes no time on it.",
        "Equal queries: after so many evaluations as every run finished. Equal time: after so many simulated seconds "
        "as every run reached. With a budget in queries, many trainers end early, and equal time is short.",
        "Regret: the best test accuracy of the table minus that of the incumbent, which is chosen by the validation "
        "accuracy the searcher was told.",
        f"Speed-up: seconds until the common number of queries, of {found.first} over those of more, mean over seeds. "
        f"“Sooner as good”: when the mean regret is first down at what {found.first} end with in the common time, "
        "likewise; its interval resamples seeds. Both can lie above the number of trainers: of many trainings at a "
        "time the short ones end first, and luck does its part.",
        "Without work: share of trainer-seconds until the last training ended in which a trainer had nothing to do.",
        "Distances inside batches are between architectures that were asked for without knowing each other's result; "
        "tree-Wasserstein with length scales 1. Volume: log det(exp(−distance) + 0.001 I) per architecture, of what is "
        "in training together; it falls when any of a batch can be told from the others.",
        f"Intervals are 95 % bootstrap intervals of the mean over repetitions (BCa, {RESAMPLES:,} resamples, seed "
        f"{SEED}). Pairs of searchers share the seed's number, not its stream.",
    )


def _again(run: Run) -> tuple[Block, ...]:
    first = comparisons(run)[0].folder / "study.toml"
    text = first.read_text(encoding="utf-8") if first.is_file() else ""
    trainers = json.dumps(run.config["trainers"])
    modes = json.dumps(run.config["modes"])
    study = "\n".join(
        f"workers = {trainers}" if line.startswith("workers =") else f"mode = {modes}" if line.startswith("mode =") else
        line for line in text.splitlines()
    )  # fmt: skip
    whole = json.dumps(run.config, indent=1, sort_keys=True, ensure_ascii=False)
    keep = "" if run.config.get("batch_of_trainers") else "batch_of_trainers = false\n"
    blocks = (Listing("study.toml: nasgauge compare study.toml --out FOLDER", keep + study),) if text else ()
    return (*blocks, Listing("run.json", whole, folded=True))
